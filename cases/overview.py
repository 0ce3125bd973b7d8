"""What a practitioner sees of cases: them in a list, what waits in them, and one of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from accounts.actors import Practitioner
from accounts.profiles import sender_name
from accounts.tables import User
from cases.cases import clients_of, list_cases
from cases.clients import newest_clients
from cases.colleagues import get_colleagues
from cases.holds import can_lift
from cases.people import UNDELIVERED, people
from cases.retention import WARNINGS, ending_before, period_label
from cases.seen import new_files
from cases.space import CaseSpace, reads_only
from cases.tables import Case, Client, Invitation
from files.spaces import Ability
from filevault.dynamo import now

PAGE_SIZE: Final = 20
#: Open cases that are looked through for what waits; the ones that changed last.
WATCHED: Final = 200
#: Closed cases that are shown to end soon.
ENDING: Final = 50


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list; `new` counts files of others since the last visit. `sharer` names the owner
    of one that is shared with the practitioner, and `is_read_only` says how."""

    case: Case
    clients: list[Client]
    new: int = 0
    sharer: str = ""
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that waits for the practitioner: a client's `wish` for a fresh link, an e-mail to
    one that `bounced`, or a closed case that is `ending`."""

    kind: str
    case: Case
    client: Client | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The start page. `has_clients` and `has_cases` tell how far somebody has come."""

    rows: list[CaseRow]
    attention: list[Attention]
    has_clients: bool
    has_cases: bool
    more: bool


def get_overview(actor: Practitioner) -> Overview:
    """Open cases, the one that changed last first, and what waits in them."""
    page = list_cases(actor, "open", limit=WATCHED)
    has_cases = bool(page.items) or bool(list_cases(actor, "closed", limit=1).items)
    return Overview(
        rows=case_rows(actor, page.items[:PAGE_SIZE]),
        attention=[
            *_attention([case for case in page.items if case.user_id == actor.user_id]),
            *_ending(actor),
        ],
        has_clients=has_cases or bool(newest_clients(actor, limit=1)),
        has_cases=has_cases,
        more=len(page.items) > PAGE_SIZE or bool(page.cursor),
    )


def case_rows(actor: Practitioner, cases: Sequence[Case]) -> list[CaseRow]:
    """Cases with the names of their clients, what is new in them, and who shares them."""
    clients = _clients_by_id((case.user_id, key) for case in cases for key in case.client_ids)
    new = new_files(actor, cases)
    owners = {case.user_id for case in cases} - {actor.user_id}
    sharers = {user.user_id: sender_name(user) for user in User.fetch_many(owners)}
    return [
        CaseRow(
            case,
            [clients[key] for key in case.client_ids if key in clients],
            new.get(case.case_id, 0),
            sharer=sharers.get(case.user_id, ""),
            is_read_only=reads_only(case, actor.user_id),
        )
        for case in cases
    ]


def case_context(actor: Practitioner, space: CaseSpace) -> dict[str, Any]:
    """What the page of a case shows beside its files. A colleague sees who is on it and who shares
    it, and nothing that only the owner may do."""
    case = space.case
    may_manage = Ability.MANAGE in space.abilities(actor)
    owner = None if may_manage else User.fetch(case.user_id)
    return {
        "case": case,
        "may_manage": may_manage,
        "people": people(case, clients_of(case), may_manage=may_manage),
        "colleagues": get_colleagues(case) if may_manage else [],
        "sharer": sender_name(owner) if owner is not None else "",
        "is_read_only": reads_only(case, actor.user_id),
        "kept_for": period_label(case.retention),
        "can_lift": may_manage and can_lift(actor, case),
    }


def _attention(cases: Sequence[Case]) -> list[Attention]:
    """Read from the invitations themselves, the newest first."""
    by_id = {case.case_id: case for case in cases}
    keys = [(case.case_id, client_id) for case in cases for client_id in case.client_ids]
    waiting = [row for row in Invitation.fetch_many(keys) if _kind(row)]
    clients = _clients_by_id((row.user_id, row.client_id) for row in waiting)
    found = [
        Attention(_kind(row), by_id[row.case_id], clients[row.client_id], row.wished_at)
        for row in waiting
        if row.client_id in clients
    ]
    return sorted(found, key=lambda item: item.at or item.case.updated_at, reverse=True)


def _ending(actor: Practitioner) -> list[Attention]:
    """Closed cases that will be deleted soon, the soonest first."""
    soon = now() + timedelta(days=max(WARNINGS))
    cases = ending_before(actor.user_id, soon, limit=ENDING)
    return [Attention("ending", case, at=case.retain_until) for case in cases]


def _kind(invitation: Invitation) -> str:
    if invitation.wished_at is not None:
        return "wish"
    bounced = invitation.access == "active" and invitation.mail_state in UNDELIVERED
    return "bounced" if bounced else ""


def _clients_by_id(keys: Iterable[tuple[str, str]]) -> dict[str, Client]:
    return {client.client_id: client for client in Client.fetch_many(keys)}
