"""Real worker processes on the real stack: two at once, killed, stopped, and told to end."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from cases.notices import CLOSE_JOB
from files.tables import File
from filevault.local.ministack import REPOSITORY
from filevault.local.processes import manage
from filevault.mail import SEND_JOB
from filevault.tables import Job, Mail
from tests.cases.bursts import make_burst
from tests.cast import Cast
from tests.stack import TestStack, mails, provisioned_stack
from tests.waiting import wait_until

pytestmark = pytest.mark.stack

#: Seconds. Short where a killed worker's lease is waited for; at work among others the usual one.
SHORT_LEASE, LEASE = 4, 60
DEADLINE = 60
MAIL_ID = "X-Filevault-Mail-Id"


@pytest.fixture(scope="module")
def stack() -> Iterator[TestStack]:
    """A stack of this module's own: no worker but those that a test starts."""
    with provisioned_stack() as made:
        yield made


@pytest.fixture(autouse=True)
def windows_close_at_once(settings: Any) -> None:
    settings.NOTICE_QUIET = timedelta(0)


@pytest.fixture
def old_mails(stack: TestStack, world: None) -> set[str]:
    """The mails of the tests before this one."""
    return {str(mail.message[MAIL_ID]) for mail in mails(stack)}


def open_windows(cast: Cast, count: int) -> None:
    """So many cases with an upload each, whose windows have run out."""
    for _ in range(count):
        burst = make_burst(cast.a, "Clara")
        file = burst.begin(burst.clients["Clara"])
        file.update([File.state.set("AVAILABLE")])


@contextmanager
def worker(
    stack: TestStack, *command: str, lease: int = SHORT_LEASE
) -> Iterator[subprocess.Popen[str]]:
    """A worker process; killed at the end if it is still there."""
    short = {"JOB_LEASE_SECONDS": str(lease), "NOTICE_QUIET_SECONDS": "1"}
    environment = stack.environment | short
    log = stack.state / "log" / f"worker-{time.monotonic_ns()}.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            list(command) or manage("run_worker"),
            env=environment,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def faulty_worker(stack: TestStack, operation: str, kind: str) -> Any:
    return worker(stack, sys.executable, "-m", "tests.faults.faulty_worker", operation, kind)


def wait_for_accident(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "accident\n", "the worker ended before its accident"


def all_done() -> bool:
    """Nothing waits any more: no window to close and no mail to send."""
    shards = map(str, range(settings.JOB_SHARDS))
    jobs = [job for shard in shards for job in Job.query(shard, consistent_read=True)]
    return not [job for job in jobs if job.kind in {CLOSE_JOB, SEND_JOB}]


def new_ids(stack: TestStack, old: set[str]) -> Counter[str]:
    """How often each mail since the test's start was sent."""
    ids = (str(mail.message[MAIL_ID]) for mail in mails(stack))
    return Counter(mail_id for mail_id in ids if mail_id not in old)


@pytest.mark.parametrize("number", [2, 8], ids=["two", "eight"])
def test_workers_at_once_send_one_mail_a_window_N3(
    stack: TestStack, old_mails: set[str], cast: Cast, number: int
) -> None:
    open_windows(cast, 20)
    with ExitStack() as running:
        for _ in range(number):
            running.enter_context(worker(stack, lease=LEASE))
        wait_until(all_done, "20 windows closed and 20 mails sent")
    counts = new_ids(stack, old_mails)
    assert len(counts) == 20
    assert set(counts.values()) == {1}


@pytest.mark.parametrize(
    ("kind", "copies"), [("kill-before", 1), ("kill-after", 2)], ids=["before SES", "after SES"]
)
def test_a_worker_killed_between_claim_and_mark_loses_no_mail_N1_N3(
    stack: TestStack, old_mails: set[str], cast: Cast, kind: str, copies: int
) -> None:
    open_windows(cast, 3)
    with faulty_worker(stack, "SendEmail", kind) as victim:
        wait_for_accident(victim)
        assert victim.wait(10) == -signal.SIGKILL
    with worker(stack):
        wait_until(all_done, "the mails of the killed worker")
    counts = new_ids(stack, old_mails)
    assert sorted(counts.values()) == [1, 1, copies], "only the mail in hand may come twice"


def test_a_worker_stopped_beyond_its_lease_and_continued_writes_nothing(
    stack: TestStack, old_mails: set[str], cast: Cast
) -> None:
    open_windows(cast, 1)
    with faulty_worker(stack, "SendEmail", "stop-before") as stopped:
        wait_for_accident(stopped)
        with worker(stack):
            wait_until(all_done, "the mail of the stopped worker")
        (mail_id,) = new_ids(stack, old_mails)
        before = sent_row(mail_id)
        stopped.send_signal(signal.SIGCONT)
        stopped.terminate()
        assert stopped.wait(DEADLINE) == 0
    counts = new_ids(stack, old_mails)
    assert list(counts) == [mail_id]
    assert counts[mail_id] <= 2
    assert sent_row(mail_id) == before


def sent_row(mail_id: str) -> dict[str, Any]:
    row = Mail.fetch(mail_id)
    assert row is not None
    assert row.state == "sent"
    return row.serialize()


def test_a_worker_told_to_end_while_sending_finishes_that_mail_first(
    stack: TestStack, old_mails: set[str], cast: Cast
) -> None:
    open_windows(cast, 1)
    with faulty_worker(stack, "SendEmail", "slow-before") as ending:
        wait_for_accident(ending)
        ending.terminate()
        assert ending.wait(10) == 0
    assert all_done()
    assert list(new_ids(stack, old_mails).values()) == [1]


def test_an_idle_worker_ends_within_seconds_and_beats_its_heart(
    stack: TestStack, tmp_path: Path
) -> None:
    heartbeat = tmp_path / "beat"
    with worker(stack, *manage("run_worker", "--heartbeat", str(heartbeat))) as idle:
        wait_until(heartbeat.exists, "the first heartbeat")
        idle.send_signal(signal.SIGINT)
        assert idle.wait(10) == 0


def test_a_worker_outlives_a_store_that_is_away(stack: TestStack, tmp_path: Path) -> None:
    heartbeat = tmp_path / "beat"
    command = manage("run_worker", "--heartbeat", str(heartbeat))
    away = stack.environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    process = subprocess.Popen(
        command, env=away, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = iter(process.stderr.readline, "")
        assert next(line for line in said if "round failed" in line)
        assert process.poll() is None
        process.terminate()
        process.stderr.close()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
