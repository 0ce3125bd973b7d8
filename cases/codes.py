"""The six-digit code that is mailed beside the link (I5), and coming in with it or without."""

import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts import audit
from accounts.actors import CaseClient
from accounts.audit import Action
from cases import devices, invitations
from cases.invitations import Grant
from cases.tables import Invitation
from filevault import limits, mail
from filevault.dynamo import Transaction, now
from filevault.errors import Conflict, Forbidden, Invalid

DIGITS: Final = 6
LIFETIME: Final = timedelta(minutes=10)
TRIES: Final = 5
#: Codes that one invitation, and one address, can have mailed (I7).
SENT_PER_INVITATION: Final = 5
SENT_WINDOW: Final = timedelta(minutes=15)


class WrongCode(Invalid):
    """The code isn't the one that was mailed; `field` is `code`."""

    code = "wrong_code"


class CodeSpent(Invalid):
    """No code counts just now: it was used, is too old, or was tried too often."""

    code = "code_spent"


class CodeNeeded(Forbidden):
    """This way in needs the code first."""

    code = "code_needed"


def is_needed(grant: Grant, device: str) -> bool:
    """Whether the link alone isn't enough on this device."""
    return not grant.case.link_only and not devices.is_remembered(grant.invitation, device)


def send_code(grant: Grant, actor: CaseClient) -> None:
    """Mail a new code to the address on file, which voids the one before. Raises `RateLimited`."""
    invitation = grant.invitation
    key = f"code#{invitation.case_id}#{invitation.client_id}"
    limits.spend(key, limit=SENT_PER_INVITATION, window=SENT_WINDOW)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    tx = Transaction()
    context = {"caseId": invitation.case_id, "clientId": invitation.client_id, "code": code}
    mail.queue(tx, "code", context)
    tx.update(
        invitation,
        [
            Invitation.code_hash.set(_hash(invitation, code, settings.SECRET_KEY)),
            Invitation.code_tries.set(0),
            Invitation.code_expires_at.set(now() + LIFETIME),
        ],
        condition=(Invitation.access == "active") & (Invitation.jti == invitation.jti),
    )
    invitations.record_in(tx, invitation, Action.CODE_SEND, actor)
    tx.commit()


def enter_by_code(grant: Grant, actor: CaseClient, code: str, *, device: str = "") -> None:
    """Spend the code and come in; with `device`, that device needs no code from now on. Raises
    `WrongCode` and `CodeSpent`, with `code` as the field at fault."""
    digits = "".join(code.split()).replace("-", "")
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise WrongCode(fields={"code": _("Please enter the six digits from the e-mail.")})
    counted = _count_try(grant.invitation)
    if not is_code(counted, digits):
        _refuse(counted, actor)
    tx = Transaction()
    spent = Invitation.code_hash == counted.code_hash
    tx.update(grant.invitation, [Invitation.code_hash.remove()], condition=spent)
    if device:
        devices.remember_in(tx, grant.invitation, device)
    stream = audit.case_stream(actor.case_id)
    audit.record(tx, stream, Action.CODE_ACCEPT, actor, target=actor.client_id)
    invitations.mark_opened_in(tx, grant, actor, "code")
    try:
        tx.commit()
    except Conflict:  # a new code was sent, or this one used, at the same moment
        raise _spent() from None


def enter_without_code(grant: Grant, actor: CaseClient, device: str) -> None:
    """Come in by the link alone, or on a remembered device. Raises `CodeNeeded`."""
    if is_needed(grant, device):
        raise CodeNeeded
    tx = Transaction()
    invitations.mark_opened_in(tx, grant, actor, "link" if grant.case.link_only else "device")
    tx.commit()


def is_code(invitation: Invitation, code: str) -> bool:
    """Whether it is the code that was mailed last, by this key or one before it (T3)."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    stored = invitation.code_hash or ""
    return any(constant_time_compare(stored, _hash(invitation, code, key)) for key in keys)


def _hash(invitation: Invitation, code: str, secret: str) -> str:
    """Keyed and bound to the grant: who reads the table can't try a million codes offline."""
    text = f"{invitation.jti}:{code}"
    return salted_hmac("cases.codes", text, secret=secret, algorithm="sha256").hexdigest()


def _count_try(invitation: Invitation) -> Invitation:
    """Count one try before anything is compared, so that tries at once are no way around the limit.
    Returns the row as it is after the count."""
    counted = Invitation(invitation.case_id, invitation.client_id)
    open_code = (
        (Invitation.jti == invitation.jti)
        & (Invitation.access == "active")
        & Invitation.code_hash.exists()
        & (Invitation.code_expires_at > now())
        & (Invitation.code_tries < TRIES)
    )
    if not counted.try_update([Invitation.code_tries.add(1)], condition=open_code):
        raise _spent()
    return counted


def _refuse(counted: Invitation, actor: CaseClient) -> None:
    left = TRIES - int(counted.code_tries)
    details = {"caseId": counted.case_id, "left": left}
    audit.record_alone(
        audit.daily_stream(), Action.CODE_REFUSE, actor, target=counted.client_id, details=details
    )
    if left <= 0:
        raise _spent()
    message = ngettext_lazy(
        "That isn't the code. You have %(left)d more try.",
        "That isn't the code. You have %(left)d more tries.",
        left,
    )
    raise WrongCode(fields={"code": message % {"left": left}})


def _spent() -> CodeSpent:
    message = _("No code counts any more. Please have a new one sent; it takes a moment.")
    return CodeSpent(fields={"code": message})
