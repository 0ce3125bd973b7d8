"""Whom somebody shares with, named by an e-mail address or by a user's id.

Whether an address belongs to somebody is told to nobody. Who is found by it has proved to read its
mail; what is shared with an address that nobody has proved yet waits for that person's login.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import profiles
from accounts.actors import Practitioner
from accounts.tables import User
from filevault import limits
from filevault.dynamo import Table, is_id
from filevault.errors import Invalid, NotFound, Text, Unavailable
from filevault.mail import address_hash
from filevault.text import is_email

logger = logging.getLogger(__name__)

SHARES_AN_HOUR: Final = 100
NO_ADDRESS: Final = gettext_lazy("Please enter an e-mail address, such as name@example.com.")
#: Rows of an address that are looked at in one go.
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to share with: an address as it was typed, a user, or both."""

    email: str = ""
    user_id: str = ""

    @property
    def email_hash(self) -> str:
        return address_hash(self.email)


def check_recipient(email: object, user_id: object = None) -> Recipient:
    """Who is named, without looking them up. Raises `Invalid`, and `NotFound` for what can't be a
    user's id."""
    if (email is None) == (user_id is None):
        text = _("Name either an e-mail address or a user.")
        raise Invalid(text, code="bad_recipient", fields={"email": text})
    if user_id is not None:
        return Recipient(user_id=_check_user_id(user_id))
    address = email.strip() if isinstance(email, str) else ""
    if not is_email(address):
        raise Invalid(NO_ADDRESS, code="bad_email", fields={"email": NO_ADDRESS})
    return Recipient(email=address)


def find_recipient(actor: Practitioner, named: Recipient, *, own: Text, code: str) -> Recipient:
    """Who is meant; an address gets the user who has proved it, if there is one. Raises `NotFound`
    for an unknown user, and `Invalid` (`own`, `code`) where it is the actor."""
    if named.user_id == actor.user_id or (
        named.email and named.email_hash == address_hash(actor.email)
    ):
        raise Invalid(own, code=code, fields={"email": own})
    if named.email:
        return Recipient(named.email, find_user(named.email_hash))
    user = User.fetch(named.user_id)
    if user is None or user.deactivated_at is not None:
        raise NotFound
    return named


def find_user(email_hash: str) -> str:
    """The id of who has proved an address, '' for nobody; the index lists, and the profile
    decides."""
    for listed in User.by_email_hash.query(email_hash, limit=_MOST):
        user = User.fetch(listed.user_id)
        if user is not None and user.email_hash == email_hash and user.deactivated_at is None:
            return str(user.user_id)
    return ""


def count_share(actor: Practitioner) -> None:
    """Count one share of whatever kind. Raises `RateLimited`."""
    limits.spend(f"share#{actor.user_id}", limit=SHARES_AN_HOUR, window=timedelta(hours=1))


def bind_at_login(table: type[Table], bind: Callable[[User, Any], None]) -> None:
    """Have the rows of `table`, which wait under the hash of an address, bound at each login of
    who has proved it. What fails is left for the next one."""

    def bind_all(user: User) -> None:
        if not user.email_verified or not user.email_hash:
            return
        for row in list(table.query(user.email_hash, consistent_read=True, limit=_MOST)):
            try:
                bind(user, row)
            except (NotFound, Unavailable):
                logger.warning("share not bound", extra={"userId": user.user_id})

    profiles.on_login(bind_all)


def _check_user_id(user_id: object) -> str:
    if not isinstance(user_id, str):
        text = _("A user id is a text.")
        raise Invalid(text, code="bad_user_id", fields={"userId": text})
    if not is_id(user_id):
        raise NotFound
    return user_id
