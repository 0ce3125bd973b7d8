"""How long a closed case is kept: the rule of each case, and the day on which it ends.

A rule is `""` (the deployment's own, `RETENTION_DAYS`), `KEEP`, or a period that begins on closing.
The end is written as `retain_until` in the transaction that closes the case, with the job that
comes back to it (`cases.retention_job`). It falls on the beginning of a day, so that what was
closed on the same day ends, and is told of, together.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases.tables import Case, RetentionEnd
from filevault import jobs
from filevault.dynamo import Transaction, now, readable
from filevault.errors import Text

RETAIN_JOB: Final = "case.retain"
KEEP: Final = "keep"
#: So many days before the end a warning goes out; a shorter period has fewer of them.
WARNINGS: Final = (30, 7, 1)
#: Whoever changes the rule of a closed case, or lifts a hold, has this long to think again.
NOTICE: Final = timedelta(days=7)
#: What can be chosen: days or years, with the words for it.
PERIODS: Final[dict[str, Promise]] = {
    "14d": gettext_lazy("14 days"),
    "30d": gettext_lazy("30 days"),
    "90d": gettext_lazy("90 days"),
    "180d": gettext_lazy("180 days"),
    "1y": gettext_lazy("1 year"),
    "2y": gettext_lazy("2 years"),
    "3y": gettext_lazy("3 years"),
    "5y": gettext_lazy("5 years"),
    "6y": gettext_lazy("6 years"),
    "8y": gettext_lazy("8 years"),
    "10y": gettext_lazy("10 years"),
    "15y": gettext_lazy("15 years"),
    "30y": gettext_lazy("30 years"),
}


# --- Rules ---


def choices() -> list[tuple[str, Text]]:
    """Every rule that a case can have, in words."""
    usual = _("As usual here: %(period)s") % {"period": period_label("")}
    return [("", usual), (KEEP, period_label(KEEP)), *PERIODS.items()]


def is_rule(rule: str) -> bool:
    """Whether a case can have this rule."""
    return rule in {"", KEEP, *PERIODS}


def period_label(rule: str) -> str:
    """How long a rule keeps a closed case, in words."""
    if rule in PERIODS:
        return str(PERIODS[rule])
    days = settings.RETENTION_DAYS if rule != KEEP else 0
    if not days:
        return _("until deleted by hand")
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}


def ends_at(rule: str, closed_at: datetime) -> datetime | None:
    """When a case that was closed then has been kept for its whole time; None for one that is kept
    until somebody deletes it."""
    period = rule or (f"{settings.RETENTION_DAYS}d" if settings.RETENTION_DAYS else KEEP)
    if period == KEEP:
        return None
    return _beginning(_later(_day_of(closed_at), period) + timedelta(days=1))


def not_before(until: datetime | None) -> datetime | None:
    """An end that was moved by somebody's decision, with time enough to think again."""
    return max(until, _day_after(now() + NOTICE)) if until is not None else None


def next_day() -> datetime:
    """The first end that is a whole day away."""
    return _day_after(now() + timedelta(days=1))


def _later(day: date, period: str) -> date:
    number, unit = int(period[:-1]), period[-1]
    if unit == "d":
        return day + timedelta(days=number)
    try:
        return day.replace(year=day.year + number)
    except ValueError:  # 29 February: rather a day too long than one too short
        return date(day.year + number, 3, 1)


def _day_of(moment: datetime) -> date:
    return moment.astimezone(timezone.get_default_timezone()).date()


def _day_after(moment: datetime) -> datetime:
    return _beginning(_day_of(moment) + timedelta(days=1))


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_default_timezone()).astimezone(UTC)


# --- The end of a case ---


def plan_in(
    tx: Transaction, case: Case, until: datetime | None, *, warned_days: int | None = None
) -> list[Any]:
    """Give a case another end (None: it has none), with the job that comes back to it. Returns the
    changes of its row; on `case` itself they are made at once."""
    before = end_row(case) if case.retain_until is not None else None
    case.retain_until, case.warned_days = until, warned_days
    after = end_row(case) if until is not None else None
    if before is not None and (after is None or after.end_key != before.end_key):
        tx.delete(before)
    warned = Case.warned_days.remove() if warned_days is None else Case.warned_days.set(warned_days)
    if until is None or after is None:
        return [Case.retain_until.remove(), warned]
    tx.put(after)
    jobs.enqueue(tx, RETAIN_JOB, payload(case), due_at=next_step(case))
    return [Case.retain_until.set(until), warned]


def payload(case: Case) -> dict[str, str]:
    """What the job of a case's end is about: it is overtaken once the case has another end."""
    return {"caseId": case.case_id, "until": _stamp(case)}


def is_running(case: Case | None, until: str) -> bool:
    """Whether the end that a job is about still stands: the case is closed, held by nothing, and
    ends then."""
    if case is None or case.status != "closed" or case.held_at is not None:
        return False
    return case.retain_until is not None and _stamp(case) == until


def warning_due(case: Case) -> int | None:
    """How many days ahead the practitioner is to be warned now; of several that were missed the
    last one alone."""
    left = case.retain_until - now()
    due = [days for days in WARNINGS if left <= timedelta(days=days)]
    days = min(due, default=None)
    told = case.warned_days is not None and days is not None and case.warned_days <= days
    return None if told else days


def next_step(case: Case) -> datetime:
    """When to come back to a case: for the next warning, or at its end."""
    moments = [case.retain_until - timedelta(days=days) for days in WARNINGS]
    return min((each for each in moments if each > now()), default=case.retain_until)


def end_row(case: Case) -> RetentionEnd:
    """The row by which a case's end is listed."""
    return RetentionEnd(case.user_id, f"{_stamp(case)}#{case.case_id}")


def ending_before(user_id: str, moment: datetime, *, limit: int) -> list[Case]:
    """A practitioner's closed cases that will be deleted until then, the soonest first. Those that
    a hold keeps are left out, and crowd out no others however many they are."""
    listed = readable(
        RetentionEnd.query(
            user_id,
            RetentionEnd.end_key < f"{moment.isoformat(timespec='milliseconds')}~",
            consistent_read=True,
            page_size=limit,
        )
    )
    found: list[Case] = []
    while len(found) < limit and (rows := list(islice(listed, limit))):
        until = dict(row.end_key.split("#")[::-1] for row in rows)
        found += [case for case in Case.fetch_many(until) if is_running(case, until[case.case_id])]
    return sorted(found, key=lambda case: (case.retain_until, case.case_id))[:limit]


def _stamp(case: Case) -> str:
    """Fixed width, so that text order is time order."""
    stamp: str = case.retain_until.isoformat(timespec="milliseconds")
    return stamp
