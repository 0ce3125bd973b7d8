"""The clients of a case as its practitioners see them: how each one's way in stands (I10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.notices import is_live
from cases.tables import Case, Client, Invitation

UNDELIVERED: Final = {"dead", "bounced"}


@dataclass(frozen=True, slots=True)
class Person:
    """A client of a case. `state` is a class of badge, `label` says it in words; `at` belongs to
    `event` ("Last seen", "Invited"). What `can_` says draws the buttons."""

    case_id: str
    client_id: str
    name: str
    state: str
    label: str | Promise
    event: str | Promise = ""
    at: datetime | None = None
    expires_at: datetime | None = None
    wished_at: datetime | None = None
    can_invite: bool = False
    can_resend: bool = False
    can_revoke: bool = False


def people(case: Case, clients: Sequence[Client], *, may_manage: bool) -> list[Person]:
    """Each client's invitation in words; links that exist can be revoked, used or not."""
    keys = [(case.case_id, client.client_id) for client in clients]
    found = {row.client_id: row for row in Invitation.fetch_many(keys)}
    return [
        _person(case, client, found.get(client.client_id), may_manage=may_manage)
        for client in clients
    ]


def _person(
    case: Case, client: Client, invitation: Invitation | None, *, may_manage: bool
) -> Person:
    live = invitation is not None and is_live(invitation)
    active = invitation is not None and invitation.access == "active"
    state, label = _state(invitation)
    event, at = _latest(invitation)
    return Person(
        case_id=case.case_id,
        client_id=client.client_id,
        name=client.name,
        state=state,
        label=label,
        event=event,
        at=at,
        expires_at=invitation.expires_at if invitation is not None and live else None,
        wished_at=invitation.wished_at if invitation is not None else None,
        can_invite=may_manage and not live,
        can_resend=may_manage and live,
        can_revoke=may_manage and active,
    )


def _state(invitation: Invitation | None) -> tuple[str, Promise]:
    if invitation is None:
        return "waiting", _("Not invited yet")
    if invitation.access != "active":
        return "revoked", _("Access revoked")
    if not is_live(invitation):
        return "expired", _("Link has expired")
    if invitation.mail_state in UNDELIVERED:
        return "failed", _("E-mail could not be delivered")
    if invitation.mail_state == "complained":
        return "failed", _("E-mail was reported as spam")
    if invitation.opened_at is not None:
        return "active", _("Opened")
    if invitation.mail_state == "sent":
        return "sent", _("Invited, not opened yet")
    return "pending", _("E-mail is on its way")


def _latest(invitation: Invitation | None) -> tuple[str | Promise, datetime | None]:
    """The one date that tells most."""
    if invitation is None:
        return "", None
    if invitation.access != "active":
        return _("Revoked"), invitation.revoked_at
    if invitation.last_used_at is not None:
        return _("Last seen"), invitation.last_used_at
    return _("Invited"), invitation.mail_sent_at or invitation.created_at
