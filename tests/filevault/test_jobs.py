"""Due work: done once, by one worker, whatever happens to the others."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from filevault import dynamo, jobs, leases
from filevault.dynamo import Transaction, new_id, now
from filevault.errors import Unavailable
from filevault.jobs import Claim, LostClaim
from filevault.tables import Job, Once
from filevault.worker import Worker
from tests.faults.wire import Killed, Wire, kill, lose_request, meanwhile

KIND = "test.note"


@dataclass
class Notes:
    """What the handler of the tests has done, and how it behaves for a payload."""

    done: list[str] = field(default_factory=list)
    behaviour: dict[str, Callable[[Claim], Any]] = field(default_factory=dict)

    def handle(self, claim: Claim) -> datetime | None:
        name = claim.payload["name"]
        behave = self.behaviour.get(name)
        again_at: datetime | None = behave(claim) if behave else None
        self.done.append(name)
        return again_at


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    made = Notes()
    monkeypatch.setattr(jobs, "_chores", {})
    monkeypatch.setitem(jobs._handlers, KIND, made.handle)
    return made


def enqueue(name: str, *, due_at: datetime | None = None, kind: str = KIND) -> None:
    tx = Transaction()
    jobs.enqueue(tx, kind, {"name": name}, due_at=due_at)
    tx.commit()


def put_behind(name: str) -> None:
    """A due job behind all those of 1 January 2020 in the first shard."""
    key = f"2020-01-02T00:00:00.000+00:00#{new_id()}"
    Job("0", key, kind=KIND, payload={"name": name}, created_at=now()).save()


def waiting() -> list[Job]:
    return list(Job.scan(consistent_read=True))


def run(owner: str = "w1") -> int:
    return jobs.run_due(owner, kinds={KIND})


def fail(claim: Claim) -> None:
    raise ValueError("this job is broken")


def later(**delta: float) -> time_machine.travel:
    return time_machine.travel(now() + timedelta(**delta), tick=True)


def test_a_job_is_done_once_and_gone(notes: Notes) -> None:
    enqueue("a")
    assert run() == 1
    assert run() == 0
    assert notes.done == ["a"]
    assert not waiting()


def test_a_job_waits_until_it_is_due(notes: Notes) -> None:
    enqueue("a", due_at=now() + timedelta(minutes=5))
    assert run() == 0
    with later(minutes=5, seconds=1):
        assert run() == 1


def test_a_handler_says_when_it_wants_to_run_again(notes: Notes) -> None:
    notes.behaviour["a"] = lambda claim: now() + timedelta(minutes=1) if not notes.done else None
    enqueue("a")
    run()
    assert run() == 0
    with later(minutes=1, seconds=1):
        assert run() == 1
    assert notes.done == ["a", "a"]
    assert not waiting()


def test_two_workers_that_see_the_same_job_do_it_once(notes: Notes, wire: Wire) -> None:
    enqueue("a")
    wire.add("UpdateItem", meanwhile(lambda: run("w2")))  # w2 claims, does and ends it first
    assert run("w1") == 0
    assert notes.done == ["a"]


def test_a_job_that_another_took_after_it_was_listed_is_left_alone(
    notes: Notes, wire: Wire
) -> None:
    def take() -> None:
        wire.add("UpdateItem", kill(after=True))  # w2 has claimed it, and says no more
        with pytest.raises(Killed):
            run("w2")

    enqueue("a")
    wire.add("UpdateItem", meanwhile(take))
    assert run("w1") == 0
    assert not notes.done
    (job,) = waiting()
    assert job.owner == "w2"


def test_of_two_claims_at_once_one_is_lost(notes: Notes) -> None:
    enqueue("a")
    swept: list[int] = []
    notes.behaviour["a"] = lambda claim: swept.append(run("w2"))
    assert run("w1") == 1
    assert swept == [0]
    assert notes.done == ["a"]


@pytest.mark.parametrize("after", [False, True], ids=["before claim", "after claim"])
def test_a_job_of_a_killed_worker_is_done_by_another(notes: Notes, wire: Wire, after: bool) -> None:
    enqueue("a")
    wire.add("UpdateItem", kill(after=after))
    with pytest.raises(Killed):
        run("w1")
    assert run("w2") == (0 if after else 1), "a claimed one waits for the lease"
    with later(seconds=61):
        assert run("w2") == (1 if after else 0)
    assert notes.done == ["a"]


def test_a_worker_stopped_beyond_its_lease_cannot_write(notes: Notes) -> None:
    """SIGSTOP in the middle of a job, another worker does it, then SIGCONT (N3)."""
    outcomes: list[str] = []

    def write(claim: Claim, name: str) -> None:
        tx = Transaction()
        claim.complete_in(tx)
        tx.create(Once(f"written by {name}", ttl=now()))
        tx.commit()

    def first(claim: Claim) -> None:
        notes.behaviour["a"] = lambda claim: write(claim, "w2")
        with later(seconds=61):
            assert run("w2") == 1
        try:
            write(claim, "w1")
        except LostClaim:
            outcomes.append("w1 lost it")
            raise

    notes.behaviour["a"] = first
    enqueue("a")
    run("w1")
    assert outcomes == ["w1 lost it"]
    assert [row.key for row in Once.scan()] == ["written by w2"]
    assert not waiting()


def test_a_stopped_worker_neither_ends_nor_puts_back_what_another_has(notes: Notes) -> None:
    def first(claim: Claim) -> None:
        notes.behaviour["a"] = lambda claim: now() + timedelta(hours=1)
        with later(seconds=61):
            run("w2")
        raise ValueError("the late worker fails besides")

    notes.behaviour["a"] = first
    enqueue("a")
    run("w1")
    (job,) = waiting()
    assert job.tries == 0, "it stands as w2 left it"
    assert job.last_error is None


def test_a_long_job_keeps_its_lease(notes: Notes) -> None:
    def long(claim: Claim) -> None:
        for _ in range(4):
            with time_machine.travel(claim.lease_until - timedelta(seconds=20), tick=True):
                claim.keep()
                assert run("w2") == 0, "nobody takes over a job that is going on"
        with time_machine.travel(claim.lease_until - timedelta(seconds=20), tick=True):
            assert run("w2") == 0

    notes.behaviour["a"] = long
    enqueue("a")
    run("w1")
    assert notes.done == ["a"]


def test_a_transaction_of_a_job_gives_it_a_whole_lease_anew(notes: Notes) -> None:
    def write(claim: Claim) -> None:
        with later(seconds=50):
            tx = Transaction()
            claim.hold_in(tx)
            tx.create(Once("a step", ttl=now()))
            tx.commit()
        with later(seconds=100):
            assert run("w2") == 0

    notes.behaviour["a"] = write
    enqueue("a")
    run("w1")
    assert notes.done == ["a"]
    assert not waiting()


@dataclass
class SteadyClock:
    """The clock that nobody sets, apart from that of the wall, which is what time travel moves."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> SteadyClock:
    clock = SteadyClock()
    monkeypatch.setattr(leases, "steady_seconds", clock)
    return clock


@pytest.mark.parametrize("wrong", [-300, 300])
def test_a_worker_whose_clock_is_wrong_takes_no_running_job_over_N3(
    notes: Notes, steady: SteadyClock, wrong: float
) -> None:
    def long(claim: Claim) -> None:
        leases.forget()  # w2 is another process
        with later(seconds=wrong):
            assert run("w2") == 0
            steady.seconds += 59
            assert run("w2") == 0

    notes.behaviour["a"] = long
    enqueue("a", due_at=now() - timedelta(minutes=6))
    run("w1")
    assert notes.done == ["a"]


@pytest.mark.parametrize("wrong", [-300, 0, 300])
def test_a_lost_job_is_taken_over_a_lease_after_it_was_seen_N3(
    notes: Notes, wire: Wire, steady: SteadyClock, wrong: float
) -> None:
    enqueue("a", due_at=now() - timedelta(minutes=6))
    wire.add("UpdateItem", kill(after=True))
    with pytest.raises(Killed):
        run("w1")
    with later(seconds=wrong):
        assert run("w2") == 0
        steady.seconds += 61
        assert run("w2") == 1
    assert notes.done == ["a"]


def lengthen(claim: Claim) -> None:
    """Keep a claim of which most time is gone."""
    with time_machine.travel(claim.lease_until - timedelta(seconds=20), tick=True):
        claim.keep()


def test_a_lease_that_is_lengthened_is_watched_anew_N3(notes: Notes, steady: SteadyClock) -> None:
    def long(claim: Claim) -> None:
        for _step in range(3):
            leases.forget()
            assert run("w2") == 0
            steady.seconds += 50
            lengthen(claim)

    notes.behaviour["a"] = long
    enqueue("a")
    run("w1")
    assert notes.done == ["a"]


def test_a_lease_lengthened_after_it_was_listed_is_left_alone_N3(
    notes: Notes, wire: Wire, steady: SteadyClock
) -> None:
    def long(claim: Claim) -> None:
        steady.seconds += 61
        wire.add("UpdateItem", meanwhile(lambda: lengthen(claim)))
        assert run("w2") == 0

    notes.behaviour["a"] = long
    enqueue("a")
    run("w1")
    assert notes.done == ["a"]


def test_who_looks_but_once_takes_over_what_is_long_lost(
    notes: Notes, wire: Wire, steady: SteadyClock
) -> None:
    enqueue("a")
    wire.add("UpdateItem", kill(after=True))
    with pytest.raises(Killed):
        run("w1")
    for minutes, done in ((14, 0), (17, 1)):
        leases.forget()
        with later(minutes=minutes):
            assert run("cron") == done


def test_a_flood_of_claims_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "MOST_WATCHED", 3)
    for number in range(9):
        leases.note(Job("0", f"{number}", kind=KIND, fence=1, lease_until=now()))
    assert len(leases._watch._since) == 3


def test_a_lease_that_was_lost_cannot_be_lengthened(notes: Notes) -> None:
    seen: list[str] = []

    def first(claim: Claim) -> None:
        notes.behaviour["a"] = lambda claim: None
        with later(seconds=61):
            run("w2")
            with pytest.raises(LostClaim):
                claim.keep()
        seen.append("refused")

    notes.behaviour["a"] = first
    enqueue("a")
    run("w1")
    assert seen == ["refused"]


def test_a_failing_job_holds_up_no_other_N6(notes: Notes) -> None:
    notes.behaviour["bad"] = fail
    for name in ["bad", "a", "b", "c"]:
        enqueue(name)
    run()
    assert sorted(notes.done) == ["a", "b", "c"]
    (job,) = waiting()
    assert job.last_error == "ValueError"


def test_a_failing_job_backs_off_and_ends_dead_but_kept(notes: Notes) -> None:
    notes.behaviour["bad"] = fail
    enqueue("bad")
    delays = []
    moment = now()
    for _ in range(jobs.MAX_TRIES):
        with time_machine.travel(moment, tick=False):
            assert run() == 1
            assert run() == 0, "not at once again"
        (job,) = waiting()
        due_at = datetime.fromisoformat(job.due_key.split("#")[0])
        delays.append((due_at - moment).total_seconds())
        moment = due_at + timedelta(milliseconds=1)
    assert delays == sorted(delays)
    assert delays[0] >= 5
    assert delays[-1] > 600
    assert job.shard == jobs.DEAD_SHARD
    with later(days=30):
        assert run() == 0
    assert len(waiting()) == 1


def test_an_outage_kills_no_job(notes: Notes) -> None:
    def away(claim: Claim) -> None:
        raise Unavailable

    notes.behaviour["a"] = away
    enqueue("a")
    moment = now()
    for _ in range(3 * jobs.MAX_TRIES):
        moment += timedelta(hours=1)
        with time_machine.travel(moment, tick=False):
            run()
    notes.behaviour.clear()
    with time_machine.travel(moment + timedelta(hours=2), tick=False):
        assert run() == 1
    assert notes.done == ["a"]


def test_a_job_that_kills_its_workers_backs_off(notes: Notes) -> None:
    def crash(claim: Claim) -> None:
        raise Killed

    notes.behaviour["poison"] = crash
    enqueue("poison")
    moment = now()
    for _ in range(jobs.MAX_CLAIMS):
        with time_machine.travel(moment, tick=False), pytest.raises(Killed):
            run()
        moment += timedelta(seconds=61)
    with time_machine.travel(moment, tick=False):
        assert run() == 1, "put back this time, not tried"
        assert run() == 0
    (job,) = waiting()
    assert (job.last_error, job.tries) == ("WorkerDied", 1)


def test_a_slow_job_holds_up_no_other_N6(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, quick_done = threading.Event(), threading.Event()

    def be_slow(claim: Claim) -> None:
        begun.set()
        assert quick_done.wait(20)

    monkeypatch.setattr(jobs, "_slow", set())
    monkeypatch.setitem(jobs._handlers, "test.slow", be_slow)
    jobs.handler("test.slow", slow=True)(be_slow)
    notes.behaviour["quick"] = lambda claim: quick_done.set()
    worker = Worker(does_chores=False)
    thread = threading.Thread(target=worker.run)
    enqueue("slow", kind="test.slow")
    thread.start()
    try:
        assert begun.wait(20)
        enqueue("quick")
        assert quick_done.wait(20)
    finally:
        worker.stop()
        thread.join(20)
    assert notes.done == ["quick"]
    assert not waiting()


def test_work_of_unknown_kinds_stands_in_nobodys_way(notes: Notes) -> None:
    for number in range(3 * jobs.PAGE):
        Job(
            "0",
            f"2020-01-01T00:00:00.000+00:00#{number}",
            kind="of.another.release",
            created_at=now(),
        ).save()
    put_behind("a")
    assert run() == 1
    assert notes.done == ["a"]
    assert len(waiting()) == 3 * jobs.PAGE


def test_a_row_that_cannot_be_read_holds_up_no_other_N6(notes: Notes) -> None:
    table: Any = dynamo.connection(retries=0).client
    broken: dict[str, Any] = {
        "shard": {"S": "0"},
        "dueKey": {"S": "2020-01-01T00:00:00.000+00:00#x"},
        "kind": {"S": KIND},
        "payload": {"S": "{broken"},
        "fence": {"N": "0"},
        "createdAt": {"S": "yesterday"},
    }
    table.put_item(TableName=Job.Meta.table_name, Item=broken)
    put_behind("a")
    assert run() == 1
    assert notes.done == ["a"]


def test_eight_workers_share_the_work(notes: Notes) -> None:
    for number in range(16):
        enqueue(str(number))
    first = Worker(kinds={KIND}, owner="w0")
    notes.behaviour["0"] = lambda claim: [run(f"w{number}") for number in range(1, 8)].clear()
    while first.step():
        pass
    assert sorted(notes.done, key=int) == [str(number) for number in range(16)]


def test_a_worker_asked_to_stop_finishes_only_what_it_has_in_hand(notes: Notes) -> None:
    worker = Worker(kinds={KIND})
    for name in "abcd":
        enqueue(name)
        notes.behaviour[name] = lambda claim: worker.stop()
    worker.run()
    assert len(notes.done) == 1
    assert len(waiting()) == 3
    assert all(job.lease_until is None for job in waiting()), "the rest is free at once"


def test_an_outage_of_the_store_ends_no_worker(
    notes: Notes, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue("a")
    worker = Worker(kinds={KIND})
    wire.add("Query", lose_request(), times=2)
    with caplog.at_level(logging.ERROR):
        assert worker.step() == 0
        assert worker.step() == 0
    assert worker.failures == 2
    assert len([record for record in caplog.records if "round failed" in record.message]) == 2
    assert worker.step() == 1
    assert worker.failures == 0
    assert notes.done == ["a"]


def test_the_pause_grows_while_the_store_is_away_and_is_never_nothing() -> None:
    worker = Worker()
    assert 0.5 < worker._pause() < 1.5
    worker.failures = 50
    assert 20 < worker._pause() < 40


def test_chores_come_round_in_their_time_and_a_failing_one_stops_nothing(notes: Notes) -> None:
    calls: list[str] = []

    def broken() -> None:
        calls.append("broken")
        raise ValueError("a chore fails")

    jobs.periodic("broken", seconds=3600)(broken)
    jobs.periodic("often", seconds=0)(lambda: calls.append("often"))
    worker = Worker(kinds={KIND})
    enqueue("a")
    assert [worker.step(), worker.step()] == [1, 0]
    assert calls == ["broken", "often", "often"]


def test_each_round_touches_the_heartbeat(notes: Notes, tmp_path: Any) -> None:
    beat = tmp_path / "beat"
    Worker(kinds={KIND}, heartbeat=beat).step()
    assert beat.exists()


def test_the_job_that_waits_longest_is_told() -> None:
    assert jobs.oldest_due_at() is None
    enqueue("new")
    oldest = (now() - timedelta(hours=3)).replace(microsecond=0)
    enqueue("old", due_at=oldest)
    assert jobs.oldest_due_at() == oldest


def test_a_job_command_says_how_much_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("send_mails")
    assert capsys.readouterr().out == "0 done\n"


@pytest.mark.parametrize(
    ("command", "operation"),
    [("send_mails", "Query"), ("seal_audit", "Query"), ("verify_audit", "Scan")],
)
def test_a_command_says_plainly_that_the_store_is_away(
    wire: Wire, command: str, operation: str
) -> None:
    wire.add(operation, lose_request())
    with pytest.raises(CommandError, match="does not answer"):
        call_command(command)
