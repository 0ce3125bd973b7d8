"""How long closed cases are kept, the warnings before their end, and the end."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.core import mail as outbox
from django.core.mail import EmailMessage
from django.utils import timezone

from cases import cases, holds, retention, retention_mail
from cases.retention import RETAIN_JOB
from cases.tables import Case
from filevault.dynamo import now
from filevault.errors import Invalid
from tests.cases.casework import actions_in, again, edit, make_case, make_client
from tests.cases.endings import (
    CLOSED,
    closed_case,
    days_later,
    ends_of,
    live_through,
    run,
    state_of,
)
from tests.cast import Cast
from tests.due import waiting
from tests.faults.wire import Killed, Wire, kill, lose_reply, meanwhile

CANARY = "Keller v. Brandt"


def subjects() -> list[str]:
    return [str(message.subject) for message in outbox.outbox]


def warnings(case: Case) -> int:
    return actions_in(f"case:{case.case_id}").count("case:deletion_warned")


# --- The day ---


@pytest.mark.parametrize(
    ("rule", "days", "closed", "end"),
    [
        ("30d", 0, "2027-03-01T00:00:00", "2027-04-01"),
        ("30d", 0, "2027-03-01T23:59:59", "2027-04-01"),
        ("10y", 0, "2027-03-01T12:00:00", "2037-03-02"),
        ("1y", 0, "2028-02-29T12:00:00", "2029-03-02"),
        ("14d", 3650, "2027-03-01T12:00:00", "2027-03-16"),
        ("", 7, "2027-03-01T12:00:00", "2027-03-09"),
        ("", 0, "2027-03-01T12:00:00", None),
        ("keep", 7, "2027-03-01T12:00:00", None),
    ],
)
def test_the_end_is_the_day_after_the_whole_time(
    settings: LazySettings, rule: str, days: int, closed: str, end: str | None
) -> None:
    settings.RETENTION_DAYS = days
    ends = retention.ends_at(rule, datetime.fromisoformat(closed).replace(tzinfo=UTC))
    assert (ends.isoformat() if ends else None) == (f"{end}T00:00:00+00:00" if end else None)


def test_a_day_is_one_of_the_place_where_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "get_default_timezone", lambda: ZoneInfo("America/New_York"))
    ends = retention.ends_at("30d", datetime(2027, 3, 2, 3, tzinfo=UTC))
    assert ends == datetime(2027, 4, 1, 4, tzinfo=UTC)


# --- The clock ---


def test_closing_starts_the_clock_and_opening_again_stops_it(cast: Cast) -> None:
    case = closed_case(cast.a)
    assert case.retain_until == datetime(2027, 5, 31, tzinfo=UTC)
    assert ends_of(cast.a) == [case.case_id]
    with days_later(80):
        run()
        cases.reopen_case(cast.a, case.case_id)
        assert (again(case).retain_until, again(case).warned_days) == (None, None)
        assert ends_of(cast.a) == []
    live_through(until=100)
    assert (state_of(case), waiting(RETAIN_JOB)) == ("open", [])
    with days_later(101):
        assert cases.close_case(cast.a, case.case_id).retain_until > CLOSED + timedelta(days=191)


def test_an_open_case_and_one_that_is_kept_have_no_end(cast: Cast) -> None:
    kept, as_usual = closed_case(cast.a, rule="keep"), closed_case(cast.a, rule="")
    opened = make_case(cast.a, make_client(cast.a))
    edit(cast.a, opened, retention_rule="14d")
    assert [again(case).retain_until for case in (kept, as_usual, opened)] == [None] * 3
    assert (waiting(RETAIN_JOB), ends_of(cast.a)) == ([], [])


def test_the_default_is_that_of_the_day_of_closing(cast: Cast, settings: LazySettings) -> None:
    settings.RETENTION_DAYS = 90
    case = closed_case(cast.a, rule="")
    settings.RETENTION_DAYS = 30
    assert again(case).retain_until == datetime(2027, 5, 31, tzinfo=UTC)


def test_another_rule_moves_the_end_of_a_closed_case(cast: Cast) -> None:
    case = closed_case(cast.a)
    with days_later(85):
        run()
        edit(cast.a, case, retention_rule="1y")
        assert again(case).retain_until == datetime(2028, 3, 2, tzinfo=UTC)
        assert again(case).warned_days is None
    live_through(until=100)
    assert state_of(case) == "closed"
    with days_later(101):
        edit(cast.a, case, retention_rule="keep")
    assert (again(case).retain_until, ends_of(cast.a)) == (None, [])
    events = actions_in(f"case:{case.case_id}")
    assert events.count("case:retention_set") == 3


def test_a_rule_that_is_over_already_leaves_a_week(cast: Cast) -> None:
    case = closed_case(cast.a)
    with days_later(50):
        edit(cast.a, case, retention_rule="14d")
        assert again(case).retain_until == datetime(2027, 4, 28, tzinfo=UTC)
    live_through(until=57)
    assert state_of(case) == "closed"
    assert warnings(case) == 2
    live_through(until=58)
    assert state_of(case) == "deleted"


def test_an_edit_of_something_else_leaves_the_clock_alone(cast: Cast) -> None:
    case = closed_case(cast.a)
    with days_later(50):
        edit(cast.a, case, title="Another", retention_rule="90d")
    assert again(case).retain_until == case.retain_until
    assert len(waiting(RETAIN_JOB)) == 1


@pytest.mark.parametrize("rule", ["1d", "x", "90D", "9999999y", "\ud800", "x" * 10_000])
def test_a_rule_that_is_none_is_refused(cast: Cast, rule: str) -> None:
    case = make_case(cast.a, make_client(cast.a))
    with pytest.raises(Invalid) as refused:
        edit(cast.a, case, retention_rule=rule)
    assert list(refused.value.fields) == ["retention"]
    assert again(case).retention == ""


# --- Warnings ---


def test_warnings_go_out_30_7_and_1_days_ahead(cast: Cast) -> None:
    case = closed_case(cast.a)
    sent: dict[int, EmailMessage] = {}
    for day in range(92):
        with days_later(day):
            run()
        if len(outbox.outbox) > len(sent):
            sent[day] = outbox.outbox[-1]
    assert list(sent) == [61, 84, 90]
    assert state_of(case) == "deleted"
    assert warnings(case) == 3
    for message in sent.values():
        assert message.to == [cast.a.email]
        assert message.subject == "A closed case will be deleted on 31 May 2027"
        html = message.alternatives[0][0]  # type: ignore[attr-defined]
        for text in (message.subject, str(message.body), str(html)):
            assert CANARY not in text, "T2"
            assert "Maria" not in text, "T2"
            assert case.case_id not in text
        assert "http://testserver/" in message.body
        assert "Hello Dr Anna Novak," in message.body
        assert "can't be brought back" in message.body


def test_a_short_time_has_the_warnings_that_fit(cast: Cast) -> None:
    case = closed_case(cast.a, rule="14d")
    live_through(until=15)
    assert warnings(case) == 2
    assert state_of(case) == "deleted"


def test_cases_that_end_together_are_told_of_in_one_mail(cast: Cast) -> None:
    client = make_client(cast.a)
    made = [closed_case(cast.a, client) for _ in range(3)]
    closed_case(cast.a, client, rule="1y")
    closed_case(cast.b)
    with days_later(61):
        run()
    assert sorted(subjects()) == [
        "3 closed cases will be deleted on 31 May 2027",
        "A closed case will be deleted on 31 May 2027",
    ]
    assert [warnings(case) for case in made] == [1, 1, 1]


def test_nobody_is_warned_of_what_will_not_happen(cast: Cast) -> None:
    case = closed_case(cast.a)
    with days_later(61):
        run(retention.RETAIN_JOB)
        cases.reopen_case(cast.a, case.case_id)
        run()
    assert subjects() == []


# --- The end ---


def test_the_end_deletes_the_case_and_says_why(cast: Cast) -> None:
    client = make_client(cast.a)
    case = closed_case(cast.a, client)
    live_through(until=90)
    assert state_of(case) == "closed"
    live_through(until=91)
    row = again(case)
    assert (row.status, row.title, row.retain_until) == ("deleted", "", None)
    assert (waiting(RETAIN_JOB), ends_of(cast.a)) == ([], [])
    assert "case:deleted_by_retention" in actions_in(f"case:{case.case_id}")
    assert case.case_id not in (again(client).case_ids or ())


def test_what_nobody_was_warned_of_waits_another_day(cast: Cast) -> None:
    """The worker was away for all of the time."""
    case = closed_case(cast.a)
    with days_later(200):
        run()
        assert state_of(case) == "closed"
        assert again(case).retain_until > now() + timedelta(days=1)
        assert subjects() == ["A closed case will be deleted on 19 September 2027"]
    with days_later(202):
        run()
    assert state_of(case) == "deleted"
    assert len(subjects()) == 1


def test_warned_once_is_enough(cast: Cast) -> None:
    case = closed_case(cast.a)
    for day in (61, 200):
        with days_later(day):
            run()
    assert state_of(case) == "deleted"


def test_a_case_that_is_opened_just_before_its_end_stays(cast: Cast, wire: Wire) -> None:
    case = closed_case(cast.a)
    live_through(until=90)
    wire.add("TransactWriteItems", meanwhile(lambda: cases.reopen_case(cast.a, case.case_id)))
    with days_later(91):
        run()
    assert (state_of(case), again(case).title) == ("open", CANARY)
    assert waiting(RETAIN_JOB) == []


def test_the_job_twice_deletes_once(cast: Cast) -> None:
    case = closed_case(cast.a)
    (job,) = waiting(RETAIN_JOB)
    job.due_key += "0"
    job.save()
    live_through(until=91)
    events = actions_in(f"case:{case.case_id}")
    assert events.count("case:deleted_by_retention") == 1
    assert warnings(case) == 3
    assert len(subjects()) == 3


def test_a_worker_that_dies_on_the_way_loses_nothing(cast: Cast, wire: Wire) -> None:
    case = closed_case(cast.a)
    for day in (61, 84, 90, 91):
        for after in (False, True):
            wire.add("TransactWriteItems", kill(after=after))
            with days_later(day + 0.1 * after), pytest.raises(Killed):
                run()
        with days_later(day + 0.3):
            run()
    assert state_of(case) == "deleted"
    assert actions_in(f"case:{case.case_id}").count("case:deleted_by_retention") == 1
    assert len(subjects()) == 3


def test_a_lost_reply_is_no_second_warning(cast: Cast, wire: Wire) -> None:
    case = closed_case(cast.a)
    wire.add("TransactWriteItems", lose_reply())
    with days_later(61):
        run()
    assert (warnings(case), len(subjects())) == (1, 1)


def test_cases_that_are_held_hide_no_other_that_ends(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_mail, "COUNTED", 2)
    client = make_client(cast.a)
    for _ in range(3):
        held = closed_case(cast.a, client, rule="30d")
        with days_later(0.1):
            holds.place(cast.a, held.case_id, reason="Lawsuit")
    ending = closed_case(cast.a, client, rule="90d")
    live_through(until=62)
    assert (warnings(ending), len(subjects())) == (1, 1)
    soon = CLOSED + timedelta(days=92)
    assert [c.case_id for c in retention.ending_before(cast.a.user_id, soon, limit=2)] == [
        ending.case_id
    ]
