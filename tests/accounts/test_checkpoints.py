"""A1: what agrees with itself and not with the checkpoints is found and named."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.management import call_command

from accounts import audit, checkpoints, sealing, verification_job
from accounts.actors import WORKER
from accounts.audit import Action
from accounts.checkpoints import read_checkpoints, write_checkpoints
from accounts.sealing import GENESIS, event_hash, seal_pending
from accounts.tables import AuditEvent, StreamHead
from accounts.verification import Fault, Finding, verify_all
from filevault import jobs, signing
from filevault.aws import s3_client
from filevault.dynamo import now
from filevault.errors import Unavailable
from tests.due import waiting
from tests.faults.wire import open_wire, refuse

pytestmark = [pytest.mark.settled, pytest.mark.usefixtures("bucket")]

STREAM = "case:11111111-1111-7111-8111-111111111111"
OTHER = "case:22222222-2222-7222-8222-222222222222"
BUCKET = django_settings.FILEVAULT_BUCKET


def seal(count: int, stream: str = STREAM) -> None:
    for number in range(count):
        audit.record_alone(stream, Action.FILE_DOWNLOAD, WORKER, details={"size": number})
    assert seal_pending() == count


def findings() -> list[Finding]:
    return list(verify_all(read_checkpoints()))


def keys() -> list[str]:
    answer = s3_client().list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/")
    return [each["Key"] for each in answer.get("Contents", [])]


def body(key: str) -> dict[str, Any]:
    found = json.load(s3_client().get_object(Bucket=BUCKET, Key=key)["Body"])
    assert isinstance(found, dict)
    return found


def overwrite(key: str, document: object) -> None:
    s3_client().put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document).encode())


def events(stream: str = STREAM) -> list[AuditEvent]:
    return list(AuditEvent.query(stream, consistent_read=True))


def rewrite(stream: str = STREAM, *, keep: int | None = None) -> None:
    """What somebody with all rights on the tables can do: a chain and a head that agree."""
    previous, rows = GENESIS, events(stream)
    for gone in rows[keep:] if keep is not None else []:
        gone.delete()
    rows = rows[:keep]
    for place, row in enumerate(rows, start=1):
        if keep is None:
            row.actor = "user:somebody-else"
        row.previous_hash, row.sequence = previous, place
        row.hash = previous = event_hash(row, place, previous)
        row.save()
    head = StreamHead(stream, sequence=len(rows), hash=previous, changed_shard="0")
    head.last_event_id = rows[-1].event_id if rows else None
    head.save() if rows else head.delete()


def test_a_checkpoint_holds_the_end_of_each_stream_A1() -> None:
    seal(2)
    seal(1, OTHER)
    assert write_checkpoints() == 2
    (key,) = keys()
    said = signing.verify(body(key), signing.published_keys(), kind="filevault-audit-checkpoint")
    by_stream = {entry["streamId"]: entry for entry in said["streams"]}
    assert said["key"] == key
    last = events()[1]
    assert by_stream[STREAM]["sequence"] == 2
    assert by_stream[STREAM]["hash"] == last.hash
    assert by_stream[STREAM]["lastEventId"] == last.event_id
    assert by_stream[OTHER]["sequence"] == 1
    assert findings() == []


def test_only_what_has_moved_is_written_again() -> None:
    seal(2)
    assert [write_checkpoints(), write_checkpoints()] == [1, 0]
    seal(1)
    assert write_checkpoints() == 1
    assert [len(body(key)["streams"]) for key in keys()] == [1, 1]
    assert findings() == []


def test_a_stream_that_moves_while_it_is_written_stays_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seal(1)
    write = checkpoints._write

    def write_then_seal(heads: Any) -> None:
        write(heads)
        seal(1)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_write", write_then_seal)
        assert write_checkpoints() == 1
    assert write_checkpoints() == 1
    assert read_checkpoints().of(STREAM)[-1].sequence == 2


def test_many_streams_are_several_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "HEADS", 2)
    for number in range(5):
        audit.record_alone(f"case:{number}", Action.CASE_CREATE, WORKER)
    seal_pending()
    assert write_checkpoints() == 5
    marks = read_checkpoints()
    assert marks.checkpoints == len(keys()) == 3
    assert len(marks.by_stream) == 5


def test_an_end_cut_off_with_its_head_is_named_A1() -> None:
    seal(3)
    write_checkpoints()
    rewrite(keep=1)
    assert list(verify_all()) == []  # it agrees with itself
    (finding,) = findings()
    assert (finding.stream_id, finding.fault, finding.sequence) == (STREAM, Fault.CUT_OFF, 2)
    assert keys()[0] in str(finding)


def test_a_stream_that_is_gone_altogether_is_named_A1() -> None:
    seal(2)
    write_checkpoints()
    rewrite(keep=0)
    assert list(verify_all()) == []
    (finding,) = findings()
    assert (finding.stream_id, finding.fault, finding.sequence) == (STREAM, Fault.CUT_OFF, 1)


def test_a_rewritten_chain_is_named_A1() -> None:
    seal(3)
    write_checkpoints()
    rewrite()
    assert list(verify_all()) == []
    (finding,) = findings()
    assert (finding.fault, finding.sequence) == (Fault.REWRITTEN, 3)
    assert finding.event_id == events()[2].event_id


def test_the_next_checkpoint_doesnt_whitewash_a_rewritten_chain_A1() -> None:
    seal(3)
    write_checkpoints()
    rewrite()
    assert write_checkpoints() == 1
    (finding,) = findings()
    assert finding.fault == Fault.REWRITTEN


def test_a_chain_that_went_on_after_its_checkpoint_is_no_fault() -> None:
    seal(2)
    write_checkpoints()
    seal(3)
    assert findings() == []


def test_a_delete_marker_hides_no_checkpoint_A1() -> None:
    seal(2)
    write_checkpoints()
    s3_client().delete_object(Bucket=BUCKET, Key=keys()[0])
    assert keys() == []
    rewrite()
    assert [finding.fault for finding in findings()] == [Fault.REWRITTEN]


def altered(document: dict[str, Any]) -> Any:
    document["streams"][0]["sequence"] = 1
    return document


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (altered, "it was altered"),
        (lambda document: document | {"keyId": "s9"}, "not a known one"),
        (lambda document: document | {"type": "other"}, "not a signed document"),
        (lambda _document: [], "not a signed document"),
        (lambda _document: signing.sign("filevault-other", {}), "not a signed document"),
    ],
)
def test_a_forged_checkpoint_is_named_and_hides_nothing_A1(
    change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    seal(2)
    write_checkpoints()
    overwrite(keys()[0], change(body(keys()[0])))
    (finding,) = findings()
    assert (finding.stream_id, finding.fault) == (keys()[0], Fault.FORGED)
    assert said in str(finding)
    rewrite()
    assert {finding.fault for finding in findings()} == {Fault.FORGED, Fault.REWRITTEN}


def test_an_older_checkpoint_put_in_the_place_of_a_newer_is_named_A1() -> None:
    seal(1)
    write_checkpoints()
    seal(1)
    write_checkpoints()
    older, newer = keys()
    overwrite(newer, body(older))
    (finding,) = findings()
    assert (finding.stream_id, finding.fault) == (newer, Fault.FORGED)


def test_the_command_reads_the_checkpoints_too_A1() -> None:
    seal(2)
    seal(1, OTHER)
    write_checkpoints()
    out = io.StringIO()
    call_command("verify_audit", "--stream", STREAM, stdout=out)
    assert out.getvalue().splitlines()[1] == "It agrees with 1 checkpoints."
    rewrite()
    for arguments in ([], ["--stream", STREAM]):
        out = io.StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("verify_audit", *arguments, stdout=out)
        assert ended.value.code == 1
        assert f"{STREAM}: event {events()[1].event_id} at 2 rewritten" in out.getvalue()
    out = io.StringIO()
    call_command("verify_audit", "--stream", OTHER, stdout=out)


def test_storage_that_is_away_is_no_clean_bill(caplog: pytest.LogCaptureFixture) -> None:
    seal(1)
    with open_wire() as wire:
        wire.add("ListObjectVersions", refuse("SlowDown"), times=5)
        with pytest.raises(Unavailable):
            read_checkpoints()


def test_a_checkpoint_that_cant_be_written_leaves_the_mark() -> None:
    seal(1)
    with open_wire() as wire:
        wire.add("PutObject", refuse("AccessDenied"))
        with pytest.raises(Unavailable):
            write_checkpoints()
    assert write_checkpoints() == 1


def test_object_lock_is_asked_for_where_it_is_set_A1(settings: Any) -> None:
    seal(1)
    settings.AUDIT_LOCK_DAYS = 10
    with open_wire() as wire:
        wire.add("PutObject", refuse("InvalidRequest"))  # moto's bucket has none
        with pytest.raises(Unavailable):
            write_checkpoints()
        (sent,) = wire.sent("PutObject")
    assert sent["ObjectLockMode"] == "COMPLIANCE"
    left = sent["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert timedelta(days=9) < left <= timedelta(days=10)


@pytest.mark.parametrize(
    ("plan", "kind", "apart"),
    [
        (checkpoints.plan_checkpoint, checkpoints.CHECKPOINT_JOB, timedelta(hours=1)),
        (verification_job.plan_verification, verification_job.VERIFY_JOB, timedelta(days=1)),
    ],
)
def test_one_run_however_many_workers(
    plan: Callable[[], None], kind: str, apart: timedelta
) -> None:
    moment = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    with time_machine.travel(moment, tick=True):
        for _ in range(3):
            plan()
        assert len(waiting(kind)) == 1
    with time_machine.travel(moment + apart, tick=True):
        plan()
        assert len(waiting(kind)) == 2


def test_the_worker_writes_and_verifies_A1(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    seal(2)
    checkpoints.plan_checkpoint()
    with time_machine.travel(now() + timedelta(seconds=2), tick=True):
        assert jobs.run_due("test", kinds={checkpoints.CHECKPOINT_JOB}) == 1
    assert len(keys()) == 1
    verification_job.plan_verification()
    with time_machine.travel(now() + timedelta(seconds=2), tick=True):
        assert jobs.run_due("test", kinds={verification_job.VERIFY_JOB}) == 1
    assert [record.message for record in caplog.records][-1] == "audit trail verified"


def test_a_broken_trail_is_an_alert_A1(caplog: pytest.LogCaptureFixture) -> None:
    seal(2)
    seal(1, OTHER)
    write_checkpoints()
    rewrite()
    verification_job.plan_verification()
    with time_machine.travel(now() + timedelta(seconds=2), tick=True):
        jobs.run_due("test", kinds={verification_job.VERIFY_JOB})
    (alert,) = [record for record in caplog.records if record.levelname == "ERROR"]
    said: Any = alert
    assert alert.message == "audit trail broken"
    assert (said.stream, said.fault, said.sequence) == (STREAM, "rewritten", 2)


def test_a_lagging_sealer_is_no_alert(caplog: pytest.LogCaptureFixture) -> None:
    audit.record_alone(STREAM, Action.FILE_DOWNLOAD, WORKER)
    verification_job.plan_verification()
    with time_machine.travel(now() + timedelta(seconds=300), tick=True):
        jobs.run_due("test", kinds={verification_job.VERIFY_JOB})
    assert caplog.records == []
    assert timedelta(seconds=300) > sealing.SEALED_WITHIN
