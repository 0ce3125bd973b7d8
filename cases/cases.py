"""Cases: every change is one transaction with its audit event, search terms and the counters of
its clients."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actors import WORKER, Actor, Practitioner
from accounts.audit import Action
from cases import certificates, retention
from cases.case_parts import (
    apply_details,
    change_people_in,
    check_details,
    check_not_held,
    check_own,
    commit,
    count_in,
    details_of,
    invalid_clients,
    owner_status,
    status_changes,
    text_changes,
    update_in,
)
from cases.clients import AlreadySaved, ChangedMeanwhile, fetch_clients
from cases.search import index_in, words_in
from cases.space import NOT_HELD, get_case_space
from cases.tables import Case, CaseMember, Client
from files.spaces import Ability
from filevault import jobs
from filevault.dynamo import Transaction, new_id, now
from filevault.paging import Page, make_cursor, open_cursor, read_page

#: Where a listing goes on, as a cursor holds it.
Key = dict[str, Any] | None

PURGE_JOB: Final = "case.purge"
PAGE_SIZE: Final = 25


def get_case(actor: Practitioner, case_id: str) -> Case:
    """A case of the actor's own. Raises `NotFound`, for a stranger's or a deleted one as for a
    random id (Z2), and `Forbidden` for a colleague's that they may only look into."""
    return get_case_space(actor, case_id, Ability.MANAGE).case


def list_cases(
    actor: Practitioner, status: str, *, cursor: str = "", limit: int = PAGE_SIZE
) -> Page[Case]:
    """A page of the open or closed cases that are the actor's or shared with them (`limit` of them
    at most), the one that changed last first. Index and shares list; the rows are read again."""
    listing = owner_status(actor.user_id, status)
    scope = f"cases:{listing}"
    start = open_cursor(cursor, scope=scope)
    listed = read_page(
        Case.by_status.query(
            listing, scan_index_forward=False, limit=limit, last_evaluated_key=start
        ),
        scope=scope,
    )
    own = Case.fetch_many(row.case_id for row in listed.items)
    rows = [case for case in own if case.owner_status == listing]
    end = open_cursor(listed.cursor, scope=scope)
    rows += [case for case in _shared(actor, status) if _is_between(case, start, end)]
    rows.sort(key=_place, reverse=True)
    if len(rows) > limit:
        rows = rows[:limit]
        return Page(rows, make_cursor(_key_at(listing, rows[-1]), scope=scope))
    return Page(rows, listed.cursor)


def _shared(actor: Practitioner, status: str) -> list[Case]:
    """The cases of one state that colleagues share with the actor."""
    listed = CaseMember.query(actor.user_id, consistent_read=True)
    found = Case.fetch_many(row.case_id for row in listed)
    return [case for case in found if case.status == status and actor.user_id in case.members]


def _is_between(case: Case, start: Key, end: Key) -> bool:
    """Whether a case stands between two places of the listing, the later one first; None is an end
    of it."""
    after_end = end is None or _place(case) >= _place_of(end)
    return after_end and (start is None or _place(case) < _place_of(start))


def _place(case: Case) -> tuple[datetime, str]:
    return case.updated_at, case.case_id


def _place_of(key: dict[str, Any]) -> tuple[datetime, str]:
    return Case.updated_at.deserialize(key["updatedAt"]["S"]), key["caseId"]["S"]


def _key_at(listing: str, case: Case) -> dict[str, Any]:
    """The place of a case in a listing, also of one that is shared: a query begins between rows,
    too."""
    changed_at = Case.updated_at.serialize(case.updated_at)
    texts = {"ownerStatus": listing, "updatedAt": changed_at, "caseId": case.case_id}
    return {name: {"S": text} for name, text in texts.items()}


def cases_of(actor: Practitioner, client: Client, *, limit: int = 50) -> list[Case]:
    """The newest cases that a client is on, open or closed."""
    ids = sorted(client.case_ids or (), reverse=True)[:limit]
    found = [case for case in Case.fetch_many(ids) if case.user_id == actor.user_id]
    there = [case for case in found if case.status != "deleted"]
    return sorted(there, key=lambda case: case.updated_at, reverse=True)


def clients_of(case: Case) -> list[Client]:
    """The clients of a case who have not been deleted since."""
    return fetch_clients(case.user_id, list(case.client_ids))


def create_case(
    actor: Practitioner,
    *,
    title: str,
    client_ids: Iterable[str],
    link_only: bool,
    reference: str = "",
    notes: str = "",
    retention_rule: str = "",
    case_id: str = "",
) -> Case:
    """Open a case. `case_id` is the form's own id: the same content under it again answers with
    the case that is there, other content raises `AlreadySaved`. Raises `Invalid` by field."""
    details = check_details(
        title=title,
        reference=reference,
        notes=notes,
        client_ids=client_ids,
        link_only=link_only,
        retention_rule=retention_rule,
    )
    check_own(actor, details.client_ids)
    moment = now()
    case = Case(
        case_id or new_id(),
        user_id=actor.user_id,
        status="open",
        owner_status=owner_status(actor.user_id, "open"),
        created_at=moment,
        updated_at=moment,
    )
    apply_details(case, details)
    tx = Transaction()
    stream = audit.case_stream(case.case_id)
    case.event_id = audit.record(tx, stream, Action.CASE_CREATE, actor, target=case.case_id)
    tx.create(case, otherwise=AlreadySaved())
    for client_id in details.client_ids:
        count_in(tx, case, client_id, opened=1, listed=True)
    index_in(tx, case, after=words_in(case))
    try:
        tx.commit()
    except AlreadySaved:
        saved = get_case(actor, case.case_id)
        if details_of(saved) != details:
            raise
        return saved
    return case


def edit_case(
    actor: Practitioner,
    case_id: str,
    *,
    version: str,
    title: str,
    client_ids: Iterable[str],
    link_only: bool,
    retention_rule: str,
    reference: str = "",
    notes: str = "",
) -> Case:
    """Change a case that is still at `version` (its `event_id`). Who is taken off loses access at
    once; a closed case gets the end that another rule gives it. Raises `Invalid` by field, and
    `ChangedMeanwhile`."""
    case = get_case(actor, case_id)
    details = check_details(
        title=title,
        reference=reference,
        notes=notes,
        client_ids=client_ids,
        link_only=link_only,
        retention_rule=retention_rule,
    )
    if case.event_id != version:
        raise ChangedMeanwhile
    if details == details_of(case):
        return case
    added = [key for key in details.client_ids if key not in case.client_ids]
    removed = [key for key in case.client_ids if key not in details.client_ids]
    check_own(actor, added)
    before, rule = words_in(case), case.retention
    apply_details(case, details)
    tx = Transaction()
    changes = text_changes(case)
    if case.retention != rule:
        changes += _change_rule_in(tx, case, actor)
    update_in(tx, case, actor, Action.CASE_EDIT, changes, version=version)
    index_in(tx, case, before=before, after=words_in(case))
    change_people_in(tx, actor, case, added, removed)
    if len(tx) > Transaction.LIMIT:
        raise invalid_clients(
            _("That changes too much at once. Add or take off a few people at a time.")
        )
    tx.commit()
    return case


def close_case(actor: Practitioner, case_id: str) -> Case:
    """Close a case: its files stay to be read, and nothing is added. Again changes nothing."""
    return _move(actor, case_id, "closed", Action.CASE_CLOSE)


def reopen_case(actor: Practitioner, case_id: str) -> Case:
    """Open a closed case again, without the clients who were deleted since. Again changes
    nothing."""
    return _move(actor, case_id, "open", Action.CASE_REOPEN)


def delete_case(actor: Practitioner, case_id: str) -> None:
    """Delete a case: from here on nobody can open it, and a job takes away all that it had. The
    tombstone keeps ids and times, and no text."""
    action, reason = Action.CASE_DELETE, certificates.OWNER
    commit(lambda: _burial(actor, get_case(actor, case_id), action, reason))


def end_case(case: Case) -> None:
    """Delete a case whose time is over, as it was read. Raises `Conflict` where it has changed
    since, and `OnHold`."""
    _burial(WORKER, case, Action.CASE_END, certificates.RETENTION).commit()


def _burial(actor: Actor, case: Case, action: Action, reason: str) -> Transaction:
    check_not_held(case)
    tx = Transaction()
    for client in clients_of(case):
        opened = -1 if case.status == "open" else 0
        count_in(tx, case, client.client_id, opened=opened, listed=False)
    index_in(tx, case, before=words_in(case))
    changes = [*status_changes(case, "deleted"), Case.deleted_at.set(now())]
    changes += [Case.title.set(""), Case.reference.set(""), Case.notes.set("")]
    changes.append(Case.certificate_id.set(certificates.begin_in(tx, case, reason)))
    changes += retention.plan_in(tx, case, None)
    update_in(tx, case, actor, action, changes, version=case.event_id)
    tx.update(Case(case.case_id), [], condition=NOT_HELD)
    jobs.enqueue(tx, PURGE_JOB, {"caseId": case.case_id})
    return tx


def _move(actor: Practitioner, case_id: str, status: str, action: Action) -> Case:
    commit(lambda: _step(actor, get_case(actor, case_id), status, action))
    return get_case(actor, case_id)


def _step(actor: Practitioner, case: Case, status: str, action: Action) -> Transaction | None:
    if case.status == status:
        return None
    there = [client.client_id for client in clients_of(case)]
    changes = status_changes(case, status)
    tx, moment = Transaction(), now()
    if status == "open":
        changes += [Case.closed_at.remove(), Case.client_ids.set(there)]
        changes += retention.plan_in(tx, case, None)
    else:
        changes.append(Case.closed_at.set(moment))
        changes += retention.plan_in(tx, case, retention.ends_at(case.retention, moment))
    update_in(tx, case, actor, action, changes, version=case.event_id)
    for client_id in there:
        count_in(tx, case, client_id, opened=1 if status == "open" else -1)
    return tx


def _change_rule_in(tx: Transaction, case: Case, actor: Practitioner) -> list[Any]:
    stream, details = audit.case_stream(case.case_id), {"retention": case.retention}
    audit.record(tx, stream, Action.CASE_RETENTION, actor, target=case.case_id, details=details)
    if case.closed_at is None:
        return []
    until = retention.ends_at(case.retention, case.closed_at)
    return retention.plan_in(tx, case, retention.not_before(until))
