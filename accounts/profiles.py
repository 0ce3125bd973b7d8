"""Profiles of practitioners: made at the first login, copied from the provider at each one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext_lazy as _

from accounts import audit, denials, models
from accounts.actors import Actor, Anonymous, Practitioner
from accounts.audit import Action
from accounts.tables import User
from filevault.dynamo import STORE_ERRORS, Transaction, now
from filevault.errors import Conflict, DomainError, Forbidden, NotFound
from filevault.mail import address_hash
from filevault.text import Texts, clean_line, is_plain

logger = logging.getLogger(__name__)

NAME_LENGTH: Final = 80
PRACTICE_LENGTH: Final = 120

#: Told of each login: gets the profile as the provider has just vouched for it.
LoginListener = Callable[[User], None]
_listeners: list[LoginListener] = []


def on_login(listener: LoginListener) -> LoginListener:
    """Register what else is to happen at each login. What fails there keeps nobody out."""
    _listeners.append(listener)
    return listener


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider vouches for at a login: who it is, and whether an admin."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    is_admin: bool = False

    @property
    def user_id(self) -> str:
        return models.user_id_of(self.issuer, self.subject)


class Deactivated(Forbidden):
    """The provider knows the person, but an admin closed the account here."""

    code = "deactivated"
    default_message = _("This account was closed. Please ask whoever runs Filevault for you.")


def sender_name(user: User) -> str:
    """How a practitioner signs mails: "<name> (<practice>)"."""
    return f"{user.display_name} ({user.practice})" if user.practice else str(user.display_name)


def practitioner_of(profile: User, *, address: str = "") -> Practitioner:
    """The actor that a profile stands for."""
    return Practitioner(
        user_id=profile.user_id,
        display_name=profile.display_name,
        practice=profile.practice,
        email=profile.email,
        is_admin=profile.is_admin,
        address=address,
    )


def sign_in(identity: Identity, *, address: str, action: Action = Action.USER_LOGIN) -> User:
    """The profile behind a login, made if it is the first, with the audit event in the same
    transaction. Raises `Deactivated`."""
    profile = _find_or_create(identity, address, action)
    _tell_of(profile)
    return profile


def introduce(identity: Identity, *, address: str) -> User:
    """The profile behind somebody's first access token, with the name that the provider knows them
    by. One that a login or another token has made meanwhile stays as it is."""
    name = clean_line(identity.name)
    try:
        profile = _create(identity, address, Action.USER_LOGIN, name if is_plain(name) else "")
    except Conflict:
        return get_profile(identity.user_id)
    _tell_of(profile)
    return profile


def _find_or_create(identity: Identity, address: str, action: Action) -> User:
    profile = User.fetch(identity.user_id)
    if profile is None:
        try:
            return _create(identity, address, action)
        except Conflict:  # the first login in two tabs at once
            profile = User.fetch(identity.user_id)
    if profile is None:
        raise Conflict
    return _refresh(profile, identity, address, action)


def sign_in_by_break_glass(user: models.User, *, address: str) -> User:
    """The profile behind the password form, under an audit action of its own."""
    identity = Identity(user.issuer, user.subject, name=user.username, is_admin=user.is_superuser)
    return sign_in(identity, address=address, action=Action.USER_BREAK_GLASS)


def sync_user(identity: Identity) -> models.User:
    """The ORM's copy for Django's admin: its rights follow the provider's group at each login."""
    rights = {
        "email": identity.email,
        "display_name": identity.name,
        "is_active": True,
        "is_staff": identity.is_admin,
        "is_superuser": identity.is_admin,
    }
    who = {
        "issuer": identity.issuer,
        "subject": identity.subject,
        "username": identity.user_id,
        "password": make_password(None),
    }
    user, _created = models.User.objects.update_or_create(
        user_id=identity.user_id, defaults=rights, create_defaults=rights | who
    )
    return user


def record_refusal(*, address: str, reason: str, action: Action = Action.USER_LOGIN_FAILED) -> None:
    """Note a login that came to nothing; `reason` is a code, never what was sent."""
    denials.record(action, Anonymous(address), details={"reason": reason})


def record_logout(actor: Practitioner) -> None:
    audit.record_alone(audit.user_stream(actor.user_id), Action.USER_LOGOUT, actor)


def get_profile(user_id: str) -> User:
    """Raises `NotFound`."""
    profile = User.fetch(user_id)
    if profile is None:
        raise NotFound
    return profile


def update_profile(
    actor: Practitioner, *, display_name: str, practice: str, language: str = ""
) -> User:
    """Change what others read of a practitioner. Raises `Invalid` with the fields at fault."""
    texts = Texts()
    missing = _("Please enter the name that your clients know.")
    name = texts.line("display_name", display_name, limit=NAME_LENGTH, missing=missing)
    practice = texts.line("practice", practice, limit=PRACTICE_LENGTH)
    language = texts.language("language", language)
    texts.check()
    profile = User(actor.user_id)
    tx = Transaction()
    event_id = audit.record(tx, audit.user_stream(actor.user_id), Action.USER_PROFILE, actor)
    tx.update(
        profile,
        [
            User.display_name.set(name),
            User.practice.set(practice),
            User.language.set(language),
            User.event_id.set(event_id),
        ],
        condition=User.user_id.exists(),
        otherwise=NotFound(),
    )
    tx.commit()
    return get_profile(actor.user_id)


def deactivate(actor: Actor, user_id: str) -> None:
    """Close an account: its sessions end at their next request. Again changes nothing."""
    _set_deactivated(actor, user_id, deactivated=True)


def reactivate(actor: Actor, user_id: str) -> None:
    """Open a closed account again. Again changes nothing."""
    _set_deactivated(actor, user_id, deactivated=False)


def _tell_of(profile: User) -> None:
    for listener in _listeners:
        try:
            listener(profile)
        except (DomainError, *STORE_ERRORS):
            logger.exception("not done at login", extra={"userId": profile.user_id})


def _create(identity: Identity, address: str, action: Action, display_name: str = "") -> User:
    profile = User(
        identity.user_id,
        display_name=display_name,
        issuer=identity.issuer,
        subject=identity.subject,
        email=identity.email,
        email_verified=identity.email_verified,
        email_hash=_verified_hash(identity),
        is_admin=identity.is_admin,
        created_at=now(),
        last_login_at=now(),
    )
    tx = Transaction()
    actor = practitioner_of(profile, address=address)
    profile.event_id = audit.record(
        tx, audit.user_stream(profile.user_id), action, actor, details={"first": True}
    )
    tx.create(profile)
    tx.commit()
    return profile


def _refresh(profile: User, identity: Identity, address: str, action: Action) -> User:
    closed = Deactivated()
    if profile.deactivated_at is not None:
        raise closed
    actor = practitioner_of(profile, address=address)
    hashed = _verified_hash(identity)
    tx = Transaction()
    event_id = audit.record(tx, audit.user_stream(profile.user_id), action, actor)
    tx.update(
        profile,
        [
            User.email.set(identity.email),
            User.email_verified.set(identity.email_verified),
            User.email_hash.set(hashed) if hashed else User.email_hash.remove(),
            User.is_admin.set(identity.is_admin),
            User.last_login_at.set(now()),
            User.event_id.set(event_id),
        ],
        condition=User.deactivated_at.does_not_exist(),
        otherwise=closed,
    )
    tx.commit()
    profile.email, profile.email_verified = identity.email, identity.email_verified
    profile.email_hash, profile.is_admin = hashed, identity.is_admin
    return profile


def _verified_hash(identity: Identity) -> str | None:
    """Who is found by an address has proved to read its mail."""
    proved = identity.email_verified and identity.email
    return address_hash(identity.email) if proved else None


def _set_deactivated(actor: Actor, user_id: str, *, deactivated: bool) -> None:
    profile = get_profile(user_id)
    if (profile.deactivated_at is not None) == deactivated:
        return
    action = Action.USER_DEACTIVATE if deactivated else Action.USER_REACTIVATE
    tx = Transaction()
    event_id = audit.record(tx, audit.user_stream(user_id), action, actor, target=user_id)
    change = User.deactivated_at.set(now()) if deactivated else User.deactivated_at.remove()
    before = User.deactivated_at.does_not_exist() if deactivated else User.deactivated_at.exists()
    tx.update(profile, [change, User.event_id.set(event_id)], condition=before)
    tx.commit()
    models.User.objects.filter(user_id=user_id).update(is_active=not deactivated)
