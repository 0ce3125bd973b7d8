"""Colleagues on a case: practitioners whom its owner lets read it, or read and write.

They are named by e-mail address, by the rules of `accounts.addressing`: the answer, the list of who
has access and the mail tell nobody whether an address belongs to somebody. What counts is the
case's own row, which is read at every use (Z5); the other rows list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from accounts import audit
from accounts.actors import Practitioner
from accounts.addressing import (
    Recipient,
    bind_at_login,
    check_recipient,
    count_share,
    find_recipient,
)
from accounts.audit import Action
from accounts.profiles import practitioner_of
from accounts.tables import User
from cases.cases import get_case
from cases.clients import ChangedMeanwhile
from cases.space import Access, members_unchanged, pending_unchanged
from cases.tables import Case, CaseMember, PendingMember, Seen
from filevault import mail
from filevault.dynamo import Transaction, now, retrying
from filevault.errors import Invalid
from filevault.mail import address_hash

#: An upload opens a window for each of them in one transaction of at most 100 items.
MOST_COLLEAGUES: Final = 20

_Row = CaseMember | PendingMember


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody on a case as its owner knows them: by the address that was typed. Only admins are
    told `user_id`, which an address that is waited for has not."""

    email: str
    access: Access
    since: datetime
    user_id: str


def share(actor: Practitioner, case_id: str, *, email: object, access: object) -> str:
    """Let a colleague read a case of the actor's, or read and write. Again changes at most what
    they may do. Returns the address as it is listed.

    Raises `NotFound`, `Forbidden`, `Invalid` (by field), `RateLimited`."""
    get_case(actor, case_id)
    chosen = _check_access(access)
    own = _("This case is yours already.")
    recipient = find_recipient(actor, check_recipient(email), own=own, code="own_case")
    count_share(actor)
    _retrying(lambda: _add(actor, get_case(actor, case_id), recipient, chosen))
    return recipient.email


def change_access(actor: Practitioner, case_id: str, *, email: object, access: object) -> None:
    """Let a colleague do more or less from the next click on. Of who isn't on the case any more it
    changes nothing. Raises `NotFound`, `Forbidden`, `Invalid`."""
    get_case(actor, case_id)
    recipient, chosen = check_recipient(email), _check_access(access)
    _retrying(lambda: _change(actor, get_case(actor, case_id), recipient, chosen))


def remove(actor: Practitioner, case_id: str, *, email: object) -> None:
    """Take a colleague off a case; it bites at the next click. Who isn't on it counts as taken off.
    Raises `NotFound`, `Forbidden`, `Invalid`."""
    get_case(actor, case_id)
    recipient = check_recipient(email)
    _retrying(lambda: _remove(actor, get_case(actor, case_id), recipient))


def get_colleagues(case: Case) -> list[Colleague]:
    """Who is on a case besides its owner, and who is waited for; the newest last."""
    people = _People(case)
    found = [
        Colleague(str(row.email), Access(people[row]), row.created_at, _user_of(row))
        for row in _rows_of(case)
    ]
    return sorted(found, key=lambda each: each.since)


def count_colleagues(case: Case) -> int:
    """How many others a case is shared with; who is waited for counts, so that nobody learns from
    the number that somebody came in."""
    return len(_People(case))


def forget_all(case: Case) -> None:
    """Take away what is kept of the colleagues of a case that was deleted. Again does no harm."""
    for row in _rows_of(case):
        row.delete()
    for user_id in case.members:
        Seen(user_id, case.case_id).delete()
    case.update([Case.members.set({}), Case.pending_members.set({})])


class _People:
    """What everybody on a case may do, as its row says or is to say, by the rows that list them."""

    def __init__(self, case: Case) -> None:
        self.members: dict[str, str] = case.members.as_dict()
        self.pending: dict[str, str] = case.pending_members.as_dict()

    def __len__(self) -> int:
        return len(self.members) + len(self.pending)

    def __getitem__(self, row: _Row) -> str:
        accesses, key = self._place(row)
        return accesses[key]

    def __setitem__(self, row: _Row, access: Access) -> None:
        accesses, key = self._place(row)
        accesses[key] = access.value

    def __delitem__(self, row: _Row) -> None:
        accesses, key = self._place(row)
        del accesses[key]

    def _place(self, row: _Row) -> tuple[dict[str, str], str]:
        if isinstance(row, CaseMember):
            return self.members, str(row.user_id)
        return self.pending, str(row.email_hash)


def _check_access(access: object) -> Access:
    if isinstance(access, str) and access in set(Access):
        return Access(access)
    text = _("Choose what they may do: read, or read and write.")
    raise Invalid(text, code="bad_access", fields={"access": text})


def _rows_of(case: Case) -> list[_Row]:
    members = CaseMember.fetch_many((user_id, case.case_id) for user_id in case.members)
    pending = PendingMember.fetch_many((hashed, case.case_id) for hashed in case.pending_members)
    return [*members, *pending]


def _rows_with(case: Case, recipient: Recipient) -> list[_Row]:
    """The rows of an address that is on a case already, or is waited for. That two addresses are
    one person's is told to nobody: each stands for itself."""
    return [row for row in _rows_of(case) if address_hash(str(row.email)) == recipient.email_hash]


def _add(actor: Practitioner, case: Case, recipient: Recipient, access: Access) -> None:
    if _rows_with(case, recipient):
        _change(actor, case, recipient, access)
        return
    people = _People(case)
    if len(people) >= MOST_COLLEAGUES:
        text = _("A case can be shared with %(most)d people at most.") % {"most": MOST_COLLEAGUES}
        raise Invalid(text, code="too_many_shares", fields={"email": text})
    user_id = "" if recipient.user_id in people.members else recipient.user_id
    row = _row(case, user_id, recipient.email, shared_by=actor.user_id, since=now())
    people[row] = access
    tx = Transaction()
    tx.put(row)
    _note(tx, actor, case, people, row, access)
    context = {"userId": user_id, "emailHash": recipient.email_hash}
    mail.queue(tx, "case_share", {"caseId": case.case_id, **context})
    tx.commit()


def _change(actor: Practitioner, case: Case, recipient: Recipient, access: Access) -> None:
    people = _People(case)
    rows = [row for row in _rows_with(case, recipient) if people[row] != access]
    if not rows:
        return
    for row in rows:
        people[row] = access
    tx = Transaction()
    _note(tx, actor, case, people, rows[0], access)
    tx.commit()


def _remove(actor: Practitioner, case: Case, recipient: Recipient) -> None:
    people = _People(case)
    rows = _rows_with(case, recipient)
    if not rows:
        return
    tx = Transaction()
    for row in rows:
        del people[row]
        tx.delete(row)
        if isinstance(row, CaseMember):
            tx.delete(Seen(row.user_id, row.case_id))
    _note(tx, actor, case, people, rows[0], None)
    tx.commit()


def _bind(user: User, pending: PendingMember) -> None:
    """Let who is waited for come in. An address of somebody who is on the case by another one goes
    on waiting: the owner's list would tell that they are the same person's."""
    case = Case.fetch(pending.case_id)
    if (
        case is not None
        and user.user_id in case.members
        and pending.email_hash in case.pending_members
    ):
        return
    tx = Transaction()
    tx.delete(pending)
    if case is not None and case.status != "deleted":
        people = _People(case)
        if pending.email_hash in people.pending:
            _bind_in(tx, user, case, people, pending)
        else:
            # It was taken back. What is shared anew just now must not go with it.
            tx.check(case, Case.event_id == case.event_id, otherwise=ChangedMeanwhile())
    tx.commit()


def _bind_in(
    tx: Transaction, user: User, case: Case, people: _People, pending: PendingMember
) -> None:
    access = Access(people[pending])
    del people[pending]
    row = _row(
        case,
        user.user_id,
        str(pending.email),
        shared_by=str(pending.shared_by),
        since=pending.created_at,
    )
    if user.user_id != case.user_id:  # whose address it has become
        people[row] = access
        tx.put(row)
    _note(tx, practitioner_of(user), case, people, row, access)


def _row(case: Case, user_id: str, email: str, *, shared_by: str, since: datetime) -> _Row:
    """The row of a user, or of an address that is waited for."""
    values: dict[str, Any] = {"shared_by": shared_by, "email": email, "created_at": since}
    if user_id:
        return CaseMember(user_id, case.case_id, **values)
    return PendingMember(address_hash(email), case.case_id, **values)


def _user_of(row: _Row) -> str:
    return str(row.user_id) if isinstance(row, CaseMember) else ""


def _note(
    tx: Transaction,
    actor: Practitioner,
    case: Case,
    people: _People,
    row: _Row,
    access: Access | None,
) -> None:
    """Write into the case's row who may do what, unless it changed since it was read.

    The case's stream, which its owner reads, tells of what the owner did, and of nobody by name or
    id; who it was stands in that person's own stream, and so does that they came in. That changes
    no version either, by which the owner's forms would tell of it."""
    target, user_id = str(case.case_id), _user_of(row)
    details = {"access": access or "none", "people": len(people)}
    changes = [Case.members.set(people.members), Case.pending_members.set(people.pending)]
    unchanged = members_unchanged(case) & pending_unchanged(case) & (Case.status == case.status)
    if user_id:
        stream = audit.user_stream(user_id)
        audit.record(tx, stream, Action.CASE_MEMBERS, actor, target=target, details=details)
    if actor.user_id == case.user_id:
        stream = audit.case_stream(target)
        event_id = audit.record(
            tx, stream, Action.CASE_MEMBERS, actor, target=target, details=details
        )
        changes += [Case.updated_at.set(now()), Case.event_id.set(event_id)]
        unchanged &= Case.event_id == case.event_id
    tx.update(Case(target), changes, condition=unchanged, otherwise=ChangedMeanwhile())


def _retrying(step: Callable[[], None]) -> None:
    retrying(step, on=ChangedMeanwhile, code="case_busy")


bind_at_login(PendingMember, lambda user, row: _retrying(lambda: _bind(user, row)))
