"""What a case's form holds, and the parts of which a case's transactions are made."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actors import Actor, Practitioner
from accounts.audit import Action
from cases import invitations, retention
from cases.clients import ChangedMeanwhile, fetch_clients
from cases.tables import Case, Client, Invitation
from filevault.dynamo import Transaction, is_id, now
from filevault.errors import Conflict, Invalid, OnHold, Text
from filevault.text import Texts

TITLE_LENGTH: Final = 200
REFERENCE_LENGTH: Final = 60
MAX_CLIENTS: Final = 20
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Details:
    """What a case's form holds, cleaned."""

    title: str
    reference: str
    notes: str
    client_ids: tuple[str, ...]
    link_only: bool
    retention: str


def check_details(
    *,
    title: str,
    reference: str,
    notes: str,
    client_ids: Iterable[str],
    link_only: bool,
    retention_rule: str = "",
) -> Details:
    """What a case's form holds, cleaned. Raises `Invalid` by field."""
    texts = Texts()
    details = Details(
        title=texts.line(
            "title", title, limit=TITLE_LENGTH, missing=_("Please give the case a title.")
        ),
        reference=texts.line("reference", reference, limit=REFERENCE_LENGTH),
        notes=texts.lines("notes", notes),
        client_ids=tuple(dict.fromkeys(client_ids)),
        link_only=link_only,
        retention=retention_rule,
    )
    if not retention.is_rule(retention_rule):
        texts.errors["retention"] = _("Please choose one of the times listed.")
    if not details.client_ids:
        texts.errors["clients"] = _("Please choose at least one client, or add a new one.")
    elif len(details.client_ids) > MAX_CLIENTS:
        texts.errors["clients"] = _("A case can have up to %(limit)s clients.") % {
            "limit": MAX_CLIENTS
        }
    texts.check()
    return details


def change_people_in(
    tx: Transaction, actor: Practitioner, case: Case, added: list[str], removed: list[str]
) -> None:
    counted = 1 if case.status == "open" else 0
    for client_id in added:
        count_in(tx, case, client_id, opened=counted, listed=True)
    for client in fetch_clients(case.user_id, removed):
        count_in(tx, case, client.client_id, opened=-counted, listed=False)
    for invitation in Invitation.fetch_many((case.case_id, key) for key in removed):
        if invitation.access == "active":
            invitations.revoke_in(tx, actor, invitation)


def count_in(
    tx: Transaction, case: Case, client_id: str, *, opened: int, listed: bool | None = None
) -> None:
    """Keep a client's count of open cases (by `opened`) and the list of their cases. Without the
    condition, an update would bring a deleted client back as an empty row."""
    changes: list[Any] = []
    if opened:
        changes.append(Client.open_cases.add(opened))
    if listed is not None:
        case_ids = {case.case_id}
        changes.append(
            Client.case_ids.add(case_ids) if listed else Client.case_ids.delete(case_ids)
        )
    if changes:
        tx.update(
            Client(case.user_id, client_id),
            changes,
            condition=Client.client_id.exists(),
            otherwise=_gone(),
        )


def update_in(
    tx: Transaction,
    case: Case,
    actor: Actor,
    action: Action,
    changes: list[Any],
    *,
    version: str | None,
) -> None:
    stream = audit.case_stream(case.case_id)
    case.event_id = audit.record(tx, stream, action, actor, target=case.case_id)
    case.updated_at = now()
    tx.update(
        Case(case.case_id),
        [*changes, Case.updated_at.set(case.updated_at), Case.event_id.set(case.event_id)],
        condition=Case.event_id == version,
        otherwise=ChangedMeanwhile(),
    )


def check_not_held(case: Case) -> None:
    """Raises `OnHold`."""
    if case.held_at is not None:
        raise OnHold


def commit(prepare: Callable[[], Transaction | None]) -> None:
    """Commit what is prepared from a case as it is, and anew where somebody else changed the case
    or one of its clients first; None: there is nothing to do. Raises `Conflict` when that doesn't
    end."""
    for attempt in range(TRIES):
        tx = prepare()
        if tx is None:
            return
        try:
            tx.commit()
        except Conflict:
            if attempt + 1 == TRIES:
                raise
        else:
            return


def status_changes(case: Case, status: str) -> list[Any]:
    return [Case.status.set(status), Case.owner_status.set(owner_status(case.user_id, status))]


def text_changes(case: Case) -> list[Any]:
    return [
        Case.title.set(case.title),
        Case.reference.set(case.reference),
        Case.notes.set(case.notes),
        Case.client_ids.set(list(case.client_ids)),
        Case.link_only.set(case.link_only),
        Case.retention.set(case.retention),
    ]


def apply_details(case: Case, details: Details) -> None:
    case.title, case.reference, case.notes = details.title, details.reference, details.notes
    case.client_ids, case.link_only = list(details.client_ids), details.link_only
    case.retention = details.retention


def details_of(case: Case) -> Details:
    ids = tuple(case.client_ids)
    texts = case.title, case.reference, case.notes
    return Details(*texts, ids, bool(case.link_only), case.retention)


def owner_status(user_id: str, status: str) -> str:
    return f"{user_id}#{status}"


def check_own(actor: Practitioner, client_ids: Iterable[str]) -> None:
    ids = list(client_ids)
    if not all(map(is_id, ids)) or len(fetch_clients(actor.user_id, ids)) < len(ids):
        raise _gone()


def _gone() -> Invalid:
    return invalid_clients(
        _("One of these clients isn't in your address book any more. Please choose again.")
    )


def invalid_clients(message: Text) -> Invalid:
    return Invalid(fields={"clients": message})
