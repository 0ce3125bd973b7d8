"""What a practitioner sees first: cases in a list, and what waits for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.actors import Practitioner
from cases.cases import list_cases
from cases.clients import fetch_clients, newest_clients
from cases.people import UNDELIVERED
from cases.seen import new_files
from cases.tables import Case, Client, Invitation

PAGE_SIZE: Final = 20
#: Open cases that are looked through for what waits; the ones that changed last.
WATCHED: Final = 200


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list; `new` counts files of others since the last visit."""

    case: Case
    clients: list[Client]
    new: int = 0


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that waits for the practitioner: a `wish` for a fresh link, or an e-mail that
    `bounced`."""

    kind: str
    case: Case
    client: Client
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
        attention=_attention(actor, page.items),
        has_clients=has_cases or bool(newest_clients(actor, limit=1)),
        has_cases=has_cases,
        more=len(page.items) > PAGE_SIZE or bool(page.cursor),
    )


def case_rows(actor: Practitioner, cases: Sequence[Case]) -> list[CaseRow]:
    """Cases with the names of their clients and what is new in them."""
    people = _clients_by_id(actor, cases)
    new = new_files(actor, cases)
    return [
        CaseRow(
            case,
            [people[key] for key in case.client_ids if key in people],
            new.get(case.case_id, 0),
        )
        for case in cases
    ]


def _attention(actor: Practitioner, cases: Sequence[Case]) -> list[Attention]:
    """Read from the invitations themselves, the newest first."""
    by_id = {case.case_id: case for case in cases}
    keys = [(case.case_id, client_id) for case in cases for client_id in case.client_ids]
    waiting = [row for row in Invitation.fetch_many(keys) if _kind(row)]
    ids = dict.fromkeys(row.client_id for row in waiting)
    people = {c.client_id: c for c in fetch_clients(actor.user_id, list(ids))}
    found = [
        Attention(_kind(row), by_id[row.case_id], people[row.client_id], row.wished_at)
        for row in waiting
        if row.client_id in people
    ]
    return sorted(found, key=lambda item: item.at or item.case.updated_at, reverse=True)


def _kind(invitation: Invitation) -> str:
    if invitation.wished_at is not None:
        return "wish"
    bounced = invitation.access == "active" and invitation.mail_state in UNDELIVERED
    return "bounced" if bounced else ""


def _clients_by_id(actor: Practitioner, cases: Iterable[Case]) -> dict[str, Client]:
    ids = dict.fromkeys(key for case in cases for key in case.client_ids)
    return {client.client_id: client for client in fetch_clients(actor.user_id, list(ids))}
