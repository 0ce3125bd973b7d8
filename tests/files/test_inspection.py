"""The worker's look at a whole file: its SHA-256, the scanner's verdict, and all that may come
between the two."""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ResponseStreamingError
from django.conf import LazySettings

from accounts.tables import AuditEvent
from files import clamd, deletion, reading, records, uploads
from files.checking import INSPECT_JOB, PREVIEW_JOB, PURGE_JOB
from files.states import FileState
from files.storage import case_storage
from files.tables import File, FileDigest
from filevault import jobs
from filevault.aws import s3_client
from filevault.dynamo import now
from filevault.tables import Job
from tests.due import waiting
from tests.faults.wire import Wire, meanwhile, refuse
from tests.files import samples
from tests.files.scanners import EICAR, FakeScanner, fake_scanner
from tests.files.space import C1, A, FakeSpace, _spaces, put, row
from tests.files.test_uploads import actions, usage

PDF_SHA256 = hashlib.sha256(samples.PDF).hexdigest()
OTHER_SHA256 = hashlib.sha256(b"other").hexdigest()
#: Larger than what is read in one piece.
LONG = samples.TXT * 20_000


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """No scanner was away before this test; a read that broke is tried again at once."""
    monkeypatch.setattr(clamd, "_paused_until", 0.0)
    monkeypatch.setattr(reading, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def scanner(settings: LazySettings) -> Iterator[FakeScanner]:
    with fake_scanner() as running:
        settings.SCANNER_URL = running.url
        yield running


def arrived(space: FakeSpace, content: bytes = samples.PDF, name: str = "a.pdf") -> File:
    """A file right after its confirm, whose SHA-256 nobody has proved."""
    file, _ = uploads.begin(C1, space, file_name=name, size=len(content))
    put(file, content)
    return uploads.confirm(C1, space, file.file_id)


def declared(space: FakeSpace, sha256: str, content: bytes = samples.PDF) -> File:
    """The same, where the sender's device says what it read."""
    file, _ = uploads.begin(C1, space, file_name="a.pdf", size=len(content))
    put(file, content)
    return uploads.confirm(C1, space, file.file_id, sha256=sha256)


def inspect(*, minutes: float = 0, kinds: tuple[str, ...] = (INSPECT_JOB,)) -> int:
    with time_machine.travel(now() + timedelta(minutes=minutes), tick=True):
        return jobs.run_due("test", kinds=kinds)


def told(file: File) -> tuple[Any, ...]:
    """What the row says now: state, reason, scanner's verdict, proved SHA-256."""
    found = row(file)
    return found.state, found.reason, found.scan_verdict, found.sha256


def listed(space: FakeSpace, sha256: str) -> list[str]:
    return [file.file_id for file in records.find_same(space, sha256)]


# --- The SHA-256 ---


def test_an_available_file_gets_its_proved_sha256(space: FakeSpace) -> None:
    file = arrived(space)
    assert told(file) == ("AVAILABLE", None, None, None)
    assert inspect() == 1
    assert told(file) == ("AVAILABLE", None, None, PDF_SHA256)
    assert listed(space, PDF_SHA256) == [file.file_id]
    assert actions(space)[-1] == "file:inspected"
    assert row(file).event_id == list(AuditEvent.query(space.space_id))[-1].event_id
    assert (inspect(minutes=60), waiting(INSPECT_JOB)) == (0, [])


def test_a_long_file_is_read_in_pieces_to_its_end(space: FakeSpace) -> None:
    file = arrived(space, LONG, "a.txt")
    inspect()
    assert row(file).sha256 == hashlib.sha256(LONG).hexdigest()


def test_a_second_run_writes_nothing(space: FakeSpace) -> None:
    file = arrived(space)
    (job,) = waiting(INSPECT_JOB)
    inspect()
    before, events = row(file).serialize(), actions(space)
    job.save()
    inspect()
    assert (row(file).serialize(), actions(space)) == (before, events)
    assert waiting(INSPECT_JOB) == []


def test_what_arrived_altered_is_refused_even_when_it_is_available(space: FakeSpace) -> None:
    file = declared(space, OTHER_SHA256)
    assert file.state == "AVAILABLE"
    inspect()
    assert told(file)[:2] == ("REJECTED", "wrong_checksum")
    assert (usage(), space.removed) == ((0, 0), [file.file_id])
    inspect(kinds=(PURGE_JOB,))
    assert case_storage().list_versions(file.s3_key) == []


def test_what_the_sender_declared_is_proved(space: FakeSpace) -> None:
    file = declared(space, PDF_SHA256)
    inspect()
    assert told(file) == ("AVAILABLE", None, None, PDF_SHA256)


class Breaking:
    """A body that ends in a fault after its first piece."""

    def __init__(self, body: Any) -> None:
        self.body, self.pieces = body, 0

    def read(self, size: int) -> bytes:
        self.pieces += 1
        if self.pieces > 1:
            raise ResponseStreamingError(error="broken by the test")
        return bytes(self.body.read(size))

    def close(self) -> None:
        self.body.close()


def broken(call: Callable[[], Any]) -> Any:
    answer = call()
    return answer | {"Body": Breaking(answer["Body"])}


def test_a_read_that_breaks_goes_on_where_it_was(space: FakeSpace, wire: Wire) -> None:
    file = arrived(space, LONG, "a.txt")
    before = len(wire.sent("GetObject"))
    wire.add("GetObject", broken, times=2)
    inspect()
    assert row(file).sha256 == hashlib.sha256(LONG).hexdigest()
    reads = [call["Range"] for call in wire.sent("GetObject")[before:]]
    assert reads == [f"bytes={piece * 256 * 1024}-" for piece in range(3)]


def test_a_storage_that_stays_away_puts_the_file_off(space: FakeSpace, wire: Wire) -> None:
    file = arrived(space)
    wire.add("GetObject", refuse("SlowDown"), times=20)
    inspect()
    assert told(file) == ("AVAILABLE", None, None, None)
    assert [int(job.tries) for job in waiting(INSPECT_JOB)] == [1]


@pytest.mark.parametrize("scanned", [False, True])
def test_an_object_deleted_behind_our_back_leaves_no_available_row_N5(
    space: FakeSpace, scanned: bool, request: pytest.FixtureRequest
) -> None:
    if scanned:
        request.getfixturevalue("scanner")
    file = arrived(space)
    s3_client().delete_object(
        Bucket="filevault-test", Key=file.s3_key, VersionId=str(row(file).version_id)
    )
    inspect()
    assert told(file)[:2] == ("REJECTED", "lost")
    assert (usage(), waiting(INSPECT_JOB)) == ((0, 0), [])


# --- The scanner ---


def test_a_clean_file_becomes_available(space: FakeSpace, scanner: FakeScanner) -> None:
    file = arrived(space)
    assert (file.state, space.available) == ("CHECKING", [])
    inspect()
    assert told(file) == ("AVAILABLE", None, "clean", PDF_SHA256)
    assert row(file).available_at is not None
    assert scanner.streams == [samples.PDF]
    assert space.available == [file.file_id]
    assert listed(space, PDF_SHA256) == [file.file_id]
    assert actions(space)[-2:] == ["upload:checking", "upload:available"]
    assert len(waiting(PREVIEW_JOB)) == 1


def test_the_scanner_is_sent_small_chunks(space: FakeSpace, scanner: FakeScanner) -> None:
    arrived(space, LONG, "a.txt")
    inspect()
    assert scanner.streams == [LONG]
    assert max(scanner.chunks) <= 256 * 1024


def test_a_virus_is_refused_for_good(space: FakeSpace, scanner: FakeScanner) -> None:
    scanner.reply = b"stream: Test.Eicar.UNOFFICIAL FOUND\0"
    file = arrived(space, EICAR, "a.txt")
    inspect()
    assert told(file)[:2] == ("REJECTED", "infected")
    assert (usage(), space.available, listed(space, PDF_SHA256)) == ((0, 0), [], [])
    inspect(kinds=(PURGE_JOB,))
    assert case_storage().list_versions(file.s3_key) == []


def test_a_clean_file_that_arrived_altered_is_refused(
    space: FakeSpace, scanner: FakeScanner
) -> None:
    file = declared(space, OTHER_SHA256)
    inspect()
    assert told(file)[:2] == ("REJECTED", "wrong_checksum")


@pytest.mark.parametrize(
    "limit", [{"limit": 300_000}, {"reply": b"stream: Heuristics.Limits.Exceeded.MaxX FOUND\0"}]
)
@pytest.mark.parametrize("allowed", [False, True])
def test_a_file_beyond_the_scanners_limit(
    space: FakeSpace, scanner: FakeScanner, settings: LazySettings, allowed: bool, limit: Any
) -> None:
    for name, value in limit.items():
        setattr(scanner, name, value)
    settings.ALLOW_UNSCANNED = allowed
    file = arrived(space, LONG * 4, "a.txt")
    inspect()
    if not allowed:
        assert told(file)[:2] == ("REJECTED", "unscannable")
        return
    sha256 = hashlib.sha256(LONG * 4).hexdigest()
    assert told(file) == ("AVAILABLE", None, "unscanned", sha256)


def test_what_clamav_can_never_scan_is_not_sent(
    space: FakeSpace, scanner: FakeScanner, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOW_UNSCANNED = True
    monkeypatch.setattr(clamd, "MOST", len(samples.PDF) - 1)
    file = arrived(space)
    inspect()
    assert told(file) == ("AVAILABLE", None, "unscanned", PDF_SHA256)
    assert scanner.connections == 0


def test_a_file_waits_while_the_scanner_is_away(
    space: FakeSpace,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with fake_scanner() as gone:
        settings.SCANNER_URL = gone.url
    file = arrived(space)
    for minutes in (0, 1, 60):
        assert inspect(minutes=minutes) == 1
        assert row(file).state == "CHECKING"
        monkeypatch.setattr(clamd, "_paused_until", 0.0)
    alerts = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert {alert.getMessage() for alert in alerts} == {"scanner away"}
    with fake_scanner() as back:
        settings.SCANNER_URL = back.url
        inspect(minutes=66)
    assert told(file) == ("AVAILABLE", None, "clean", PDF_SHA256)


def test_many_files_that_wait_cost_one_try_at_a_time_N6(
    space: FakeSpace, scanner: FakeScanner, caplog: pytest.LogCaptureFixture
) -> None:
    scanner.pong = b"HTTP/1.0 400 Bad Request\r\n"
    files = [arrived(space) for _ in range(5)]
    assert inspect() == 5
    assert scanner.connections == 1
    assert [record.getMessage() for record in caplog.records].count("scanner away") == 1
    assert {row(file).state for file in files} == {"CHECKING"}
    assert len(waiting(INSPECT_JOB)) == 5


def test_taking_the_setting_away_lets_no_file_pass(
    space: FakeSpace, scanner: FakeScanner, settings: LazySettings
) -> None:
    file = arrived(space)
    settings.SCANNER_URL = ""
    inspect()
    assert (row(file).state, len(waiting(INSPECT_JOB))) == ("CHECKING", 1)


@pytest.mark.parametrize(
    "reply", [None, b"", b"stream: ", b"INSTREAM: Can't write. ERROR\0", b"stream: OK and more\0"]
)
def test_no_clear_verdict_is_no_pass(
    space: FakeSpace, scanner: FakeScanner, reply: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    scanner.reply = reply
    file = arrived(space)
    inspect()
    assert row(file).state == "CHECKING"
    assert [int(job.tries) for job in waiting(INSPECT_JOB)] == [1]
    assert "scanner away" in caplog.text
    scanner.reply = b"stream: OK\0"
    inspect(minutes=1)
    assert row(file).state == "AVAILABLE"


def test_what_was_not_seen_to_its_end_is_not_clean(space: FakeSpace, scanner: FakeScanner) -> None:
    """It says so early, and is gone."""
    scanner.limit, scanner.early = 300_000, b"stream: OK\0"
    file = arrived(space, LONG * 40, "a.txt")
    inspect()
    assert row(file).state == "CHECKING"
    assert [int(job.tries) for job in waiting(INSPECT_JOB)] == [1]


def test_a_scanner_that_says_nothing_is_given_up(
    space: FakeSpace, scanner: FakeScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clamd, "VERDICT_SECONDS", 0.2)
    monkeypatch.setattr(clamd, "SLICE_SECONDS", 0.05)
    given_up = threading.Event()
    scanner.before_reply = lambda: given_up.wait(20)
    file = arrived(space)
    inspect()
    assert scanner.streams == [samples.PDF]
    assert (row(file).state, len(waiting(INSPECT_JOB))) == ("CHECKING", 1)
    given_up.set()


def test_the_claim_is_kept_while_the_scanner_thinks(
    space: FakeSpace, scanner: FakeScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verdict that takes longer than the lease, while other workers look for work."""
    monkeypatch.setattr(clamd, "SLICE_SECONDS", 0.1)
    file = arrived(space)
    others: list[int] = []
    with time_machine.travel(now()) as clock:

        def think() -> None:
            for _ in range(4):  # of a lease of a minute, four times two thirds
                clock.shift(timedelta(seconds=40))
                assert kept_beyond(now() + timedelta(seconds=30))
                others.append(jobs.run_due("other", kinds=(INSPECT_JOB,)))

        scanner.before_reply = think
        jobs.run_due("test", kinds=(INSPECT_JOB,))
    assert (row(file).state, len(scanner.streams)) == ("AVAILABLE", 1)
    assert others == [0, 0, 0, 0]


def kept_beyond(moment: datetime) -> bool:
    """Whether the claim on the job is kept so long, as soon as it is; False after 20 s."""
    for _ in range(400):
        (job,) = (job for job in Job.scan() if job.kind == INSPECT_JOB)
        if job.lease_until and job.lease_until > moment:
            return True
        threading.Event().wait(0.05)
    return False


# --- Others at the same time ---


@pytest.mark.parametrize("scanned", [False, True])
def test_a_file_deleted_meanwhile_stays_deleted(
    space: FakeSpace, wire: Wire, scanned: bool, request: pytest.FixtureRequest
) -> None:
    if scanned:
        request.getfixturevalue("scanner")
    file = arrived(space)
    wire.add("GetObject", meanwhile(lambda: deletion.delete(A, space, file.file_id)))
    inspect()
    assert row(file).state == "DELETED"
    assert row(file).sha256 is None
    assert list(FileDigest.scan()) == []
    inspect()
    assert (waiting(INSPECT_JOB), actions(space)[-1]) == ([], "file:deleted")


def test_a_file_deleted_while_it_is_proved_leaves_no_digest_T4(
    space: FakeSpace, wire: Wire
) -> None:
    file = arrived(space)
    wire.add("TransactWriteItems", meanwhile(lambda: inspect()))
    deletion.delete(A, space, file.file_id)
    assert row(file).state == "DELETED"
    assert list(FileDigest.scan()) == []


def test_of_two_workers_one_writes(
    space: FakeSpace, scanner: FakeScanner, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """The first reads for longer than its lease; the second takes over and is done before it."""
    file = arrived(space)

    def second() -> None:
        inspect(minutes=5)
        assert row(file).state == "AVAILABLE"

    wire.add("GetObject", meanwhile(second))
    inspect()
    assert told(file) == ("AVAILABLE", None, "clean", PDF_SHA256)
    assert space.available == [file.file_id]
    assert actions(space).count("upload:available") == 1
    assert waiting(INSPECT_JOB) == []


@pytest.mark.parametrize("reply", [b"stream: OK\0", b"stream: Test.Eicar FOUND\0"])
def test_a_worker_that_lost_its_claim_writes_no_verdict(
    space: FakeSpace, scanner: FakeScanner, wire: Wire, reply: bytes
) -> None:
    """Another one took the job over and has not come to its own yet."""
    file = arrived(space)
    (job,) = waiting(INSPECT_JOB)
    wire.add("GetObject", meanwhile(lambda: job.update([Job.fence.add(2)])))
    scanner.reply = reply
    inspect()
    assert scanner.streams == [samples.PDF]
    assert told(file) == ("CHECKING", None, None, None)


def test_of_two_workers_one_notes_the_sha256(space: FakeSpace, wire: Wire) -> None:
    arrived(space)
    wire.add("GetObject", meanwhile(lambda: inspect(minutes=5)))
    inspect()
    assert actions(space).count("file:inspected") == 1


def test_the_claim_is_kept_while_the_file_is_read(
    space: FakeSpace, wire: Wire, settings: LazySettings
) -> None:
    """Each piece takes two thirds of the lease."""
    settings.JOB_LEASE_SECONDS = 60
    file = arrived(space, LONG, "a.txt")
    others: list[int] = []

    with time_machine.travel(now(), tick=False) as clock:

        class Slow:
            def __init__(self, body: Any) -> None:
                self.body = body

            def read(self, size: int) -> bytes:
                clock.shift(40)
                others.append(jobs.run_due("other", kinds=(INSPECT_JOB,)))
                return bytes(self.body.read(size))

            def close(self) -> None:
                self.body.close()

        def slowly(call: Callable[[], Any]) -> Any:
            answer = call()
            return answer | {"Body": Slow(answer["Body"])}

        wire.add("GetObject", slowly)
        jobs.run_due("test", kinds=(INSPECT_JOB,))
    assert told(file) == ("AVAILABLE", None, None, hashlib.sha256(LONG).hexdigest())
    assert len(others) > 3
    assert not any(others)


@pytest.mark.parametrize("scanned", [False, True])
def test_a_sha256_that_is_declared_while_the_file_is_read_counts(
    space: FakeSpace, wire: Wire, scanned: bool, request: pytest.FixtureRequest
) -> None:
    """The sender's word comes after the event, and right before the verdict."""
    if scanned:
        request.getfixturevalue("scanner")
    file = arrived(space)
    confirm = partial(uploads.confirm, C1, space, file.file_id, sha256=OTHER_SHA256)
    wire.add("TransactWriteItems", meanwhile(confirm))
    inspect()
    assert row(file).sha256 is None
    inspect()
    assert told(file)[:2] == ("REJECTED", "wrong_checksum")


def test_a_file_whose_space_is_gone_is_left_to_the_purge(
    space: FakeSpace, scanner: FakeScanner
) -> None:
    file = arrived(space)
    del _spaces[space.key]
    inspect()
    assert (row(file).state, waiting(INSPECT_JOB)) == ("CHECKING", [])


def test_a_row_that_is_gone_ends_the_job(space: FakeSpace) -> None:
    file = arrived(space)
    file.delete()
    inspect()
    assert waiting(INSPECT_JOB) == []


def test_states_that_are_over_are_left_alone(space: FakeSpace, scanner: FakeScanner) -> None:
    file = arrived(space)
    for state in (FileState.REJECTED, FileState.EXPIRED, FileState.ABORTED, FileState.DELETED):
        (job,) = waiting(INSPECT_JOB)
        file.update([File.state.set(state.value)])
        inspect()
        assert row(file).state == state
        job.save()
    assert scanner.connections == 0
