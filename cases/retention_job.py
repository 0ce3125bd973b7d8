"""The end of a closed case's time: warnings ahead of it, and then its deletion.

One job goes along with the end of a case, from one step to the next. It decides on the case's own
row each time, and does nothing once that has another end, is open again, or is held.
"""

from datetime import datetime, timedelta
from typing import Final

from accounts import audit
from accounts.actors import WORKER
from cases import retention
from cases.case_parts import TRIES
from cases.cases import end_case
from cases.clients import ChangedMeanwhile
from cases.retention_mail import TEMPLATE
from cases.space import NOT_HELD
from cases.tables import Case
from filevault import jobs, mail
from filevault.dynamo import Transaction, now
from filevault.errors import Conflict
from filevault.tables import Once

#: Far longer than the mails of one day can be late.
_REMEMBERED: Final = timedelta(days=60)


class _Queued(Conflict):
    """The mail about this day was queued with another case."""


@jobs.handler(retention.RETAIN_JOB)
def retain(claim: jobs.Claim) -> datetime | None:
    """Take the step that is due for a case, and say when the next one is."""
    return advance(claim.payload["caseId"], claim.payload["until"])


def advance(case_id: str, until: str) -> datetime | None:
    """Warn of, or bring about, the end `until` of a case; returns when to come back, None where
    there is nothing more to do. Nothing is ever deleted that wasn't announced a day before: where
    no worker was there for the warnings, the end moves."""
    for attempt in range(TRIES):
        case = Case.fetch(case_id)
        if case is None or not retention.is_running(case, until):
            return None
        try:
            return _step(case)
        except Conflict:  # it changed meanwhile: look again
            if attempt + 1 == TRIES:
                raise
    return None


def _step(case: Case) -> datetime | None:
    if case.retain_until <= now():
        if case.warned_days is not None:
            end_case(case)
        else:
            _warn(case, 1, until=retention.next_day())
        return None
    days = retention.warning_due(case)
    if days is not None:
        _warn(case, days)
    return retention.next_step(case)


def _warn(case: Case, days: int, *, until: datetime | None = None) -> None:
    """Tell the practitioner, once a day and end for all of their cases. With `until` the case gets
    that end, and the job that goes with it."""
    tx = Transaction()
    version, changes = case.event_id, [Case.warned_days.set(days)]
    if until is not None:
        changes = retention.plan_in(tx, case, until, warned_days=days)
    end = case.retain_until.isoformat()
    details = {"days": days, "retainUntil": end}
    stream = audit.case_stream(case.case_id)
    event_id = audit.record(
        tx, stream, audit.Action.CASE_WARN, WORKER, target=case.case_id, details=details
    )
    tx.update(
        Case(case.case_id),
        [*changes, Case.event_id.set(event_id)],
        condition=(Case.event_id == version) & NOT_HELD,
        otherwise=ChangedMeanwhile(),
    )
    told = Once(f"retention:{case.user_id}:{end}:{days}", ttl=now() + _REMEMBERED)
    if Once.fetch(told.key) is None:
        tx.create(told, otherwise=_Queued())
        mail.queue(tx, TEMPLATE, {"userId": case.user_id, "until": end})
    tx.commit()
