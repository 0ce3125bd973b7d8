"""Legal holds: while one stands, nothing of a case is deleted, by anybody or anything (T5).

The hold is a part of the case's own row. Whatever deletes names it as a condition of its
transaction, so that it makes no difference who comes first by how little.
"""

from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.actors import Practitioner
from accounts.audit import Action
from cases import retention
from cases.case_parts import commit, update_in
from cases.cases import get_case
from cases.tables import Case
from filevault.dynamo import Transaction, is_id, now
from filevault.errors import Forbidden, NotFound
from filevault.text import Texts

REASON_LENGTH: Final = 500
NO_REASON: Final = _("Please say why. Whoever may lift the hold later reads it.")


def check_reason(reason: str) -> str:
    """Why a case is held, cleaned. Raises `Invalid`."""
    texts = Texts()
    cleaned = texts.lines("reason", reason, limit=REASON_LENGTH, missing=NO_REASON)
    texts.check()
    return cleaned


def get_holdable(actor: Practitioner, case_id: str) -> Case:
    """A case that may be held: one's own, for an admin any. Raises `NotFound`, and `Forbidden` for
    a colleague's."""
    if not actor.is_admin:
        return get_case(actor, case_id)
    case = Case.fetch(case_id) if is_id(case_id) else None
    if case is None or case.status == "deleted":
        raise NotFound
    return case


def place(actor: Practitioner, case_id: str, *, reason: str) -> Case:
    """Hold a case, by its owner or an admin. A case that is held already stays as it is, but for
    an admin who takes over the owner's own hold, so that the owner can't lift it any more. Raises
    `Invalid`, and `NotFound` for everybody else."""
    reason = check_reason(reason)
    commit(lambda: _place(actor, get_holdable(actor, case_id), reason))
    return get_holdable(actor, case_id)


def _place(actor: Practitioner, case: Case, reason: str) -> Transaction | None:
    if not can_place(actor, case):
        return None
    tx = Transaction()
    changes = [
        Case.held_at.set(now()),
        Case.held_by.set(actor.actor_id),
        Case.hold_reason.set(reason),
    ]
    update_in(tx, case, actor, Action.CASE_HOLD, changes, version=case.event_id)
    return tx


def lift(actor: Practitioner, case_id: str) -> Case:
    """Lift the hold of a case; again changes nothing. Where its time was over meanwhile, it is
    deleted after a week's notice, not at once. Raises `Forbidden` where an admin has placed it."""
    commit(lambda: _lift(actor, get_holdable(actor, case_id)))
    return get_holdable(actor, case_id)


def _lift(actor: Practitioner, case: Case) -> Transaction | None:
    if case.held_at is None:
        return None
    check_liftable(actor, case)
    tx = Transaction()
    changes = [Case.held_at.remove(), Case.held_by.remove(), Case.hold_reason.remove()]
    if case.retain_until is not None:
        changes += retention.plan_in(tx, case, retention.not_before(case.retain_until))
    update_in(tx, case, actor, Action.CASE_HOLD_LIFT, changes, version=case.event_id)
    return tx


def check_liftable(actor: Practitioner, case: Case) -> None:
    """Raises `Forbidden`."""
    if case.held_at is not None and not can_lift(actor, case):
        raise Forbidden(_("Your administration has placed this hold, and only it can lift it."))


def can_lift(actor: Practitioner, case: Case) -> bool:
    """Admins lift any hold, owners their own."""
    return actor.is_admin or case.held_by == actor.actor_id


def can_place(actor: Practitioner, case: Case) -> bool:
    """Whether there is no hold yet, or it is the owner's own, which an admin may make theirs."""
    if case.held_at is None:
        return True
    owner_id = f"user:{case.user_id}"
    return actor.is_admin and actor.actor_id != owner_id and case.held_by == owner_id
