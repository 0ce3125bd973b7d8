"""Sweeping: what is found between rows and storage, what is put right, and what is spared."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import boto3
import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import call_command

from accounts.tables import AuditEvent
from files import deletion, findings, inventory, multipart, sweep_job, uploads
from files.findings import SAFE, UNWANTED, Finding
from files.keys import preview_key, thumb_key
from files.records import find_same
from files.states import FileState
from files.storage import case_storage
from files.sweeping import Sweep
from files.tables import File, FileRef, Usage
from files.uploads import over_at
from filevault import jobs
from filevault.aws import s3_client
from filevault.dynamo import id_at, new_id, now
from filevault.errors import Unavailable
from filevault.tables import Job, Once
from tests.faults.wire import meanwhile, open_wire, refuse
from tests.files import samples
from tests.files.parts import begin_parts
from tests.files.space import C1, OWNER, A, FakeSpace, begin_post, put, row

DAY = timedelta(days=1)
BUCKET = "filevault-test"
ALL = frozenset(UNWANTED)


def sweep(*, repairs: frozenset[Finding] = frozenset(), days: float = 2) -> Sweep:
    """A whole sweep, so many days from now, that spares what is younger than a day."""
    with time_machine.travel(datetime.now(UTC) + days * DAY, tick=True):
        made = Sweep(now() - DAY, repairs)
        while made.step():
            pass
    return made


def found(made: Sweep) -> dict[str, int]:
    return {finding: count for finding, count in made.found.items() if count}


def begin(space: FakeSpace) -> File:
    file, _ = begin_post(C1, space, file_name="letter.pdf", size=len(samples.PDF))
    return file


def available(space: FakeSpace) -> File:
    file = begin(space)
    put(file, samples.PDF)
    return uploads.confirm(C1, space, file.file_id)


def put_key(key: str, content: bytes = b"bytes") -> str:
    return s3_client().put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"]


def forget_jobs() -> None:
    """As if every job got lost."""
    for shard in "0123":
        for job in Job.query(shard, consistent_read=True):
            job.delete()


def purge_now() -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=True):
        while jobs.run_due("test"):
            pass


def test_a_system_in_order_has_nothing_to_be_found(space: FakeSpace) -> None:
    available(space)
    gone = available(space)
    deletion.delete(A, space, gone.file_id)
    purge_now()
    begin(space)
    purge_now()
    made = sweep()
    assert found(made) == {}
    assert made.left == 0


def test_an_upload_whose_job_got_lost_ends_as_expired_U10(space: FakeSpace) -> None:
    file = begin(space)
    forget_jobs()
    assert found(sweep(days=1)) == {}, "the day isn't over"
    assert found(sweep()) == {Finding.OVERDUE: 1}
    assert row(file).state == FileState.PENDING, "only looked"
    made = sweep(repairs=SAFE)
    assert (made.repaired[Finding.OVERDUE], made.left) == (1, 0)
    ended = row(file)
    assert (ended.state, ended.file_name) == (FileState.EXPIRED, "")
    assert ended.purged_at is not None
    usage = Usage.fetch(OWNER)
    assert usage is not None
    assert (usage.bytes_used, usage.file_count) == (0, 0)
    assert found(sweep(days=4)) == {}


def test_an_upload_that_arrived_unnoticed_becomes_available_N1(space: FakeSpace) -> None:
    file = begin(space)
    put(file, samples.PDF)
    forget_jobs()
    sweep(repairs=SAFE)
    assert row(file).state == FileState.AVAILABLE
    assert space.available == [file.file_id]
    assert case_storage().head(file.s3_key) is not None


def test_a_deleted_file_whose_purge_got_lost_is_purged_T4(space: FakeSpace) -> None:
    file = available(space)
    deletion.delete(A, space, file.file_id)
    forget_jobs()
    assert found(sweep(days=1)) == {}
    assert found(sweep(repairs=SAFE)) == {Finding.UNPURGED: 1}
    assert row(file).purged_at is not None
    assert case_storage().list_versions(file.s3_key) == []
    assert found(sweep(days=4)) == {}


def test_a_deletion_in_progress_is_left_to_its_job(space: FakeSpace) -> None:
    file = available(space)
    deletion.delete(A, space, file.file_id)
    row(file).update([File.event_id.set(id_at(now() + 1.5 * DAY))])  # ids know no travel in time
    assert found(sweep(repairs=ALL)) == {}
    assert case_storage().list_versions(file.s3_key) != []
    assert found(sweep(days=3)) == {Finding.UNPURGED: 1}


def test_bytes_that_came_back_after_the_purge_go(space: FakeSpace) -> None:
    file = available(space)
    deletion.delete(A, space, file.file_id)
    purge_now()
    put(file, samples.PDF)
    put_key(thumb_key(file.s3_key))
    assert found(sweep()) == {Finding.LEFTOVER: 2}
    assert sweep(repairs=SAFE).left == 0
    assert inventory.list_versions("cases/", {}) == ([], {})


def test_of_an_available_file_the_pinned_versions_alone_stay_U3(space: FakeSpace) -> None:
    file = available(space)
    thumb, preview = put_key(thumb_key(file.s3_key)), put_key(preview_key(file.s3_key))
    row(file).update(
        [File.thumb_version_id.set(thumb), File.preview_version_id.set(preview)],
    )
    put(file, samples.PDF)
    put_key(thumb_key(file.s3_key), b"drawn twice")
    s3_client().delete_object(Bucket=BUCKET, Key=file.s3_key)  # a marker, by hand
    made = sweep(repairs=SAFE)
    assert (found(made), made.left) == ({Finding.LEFTOVER: 3}, 0)
    kept = {version.version_id for version in inventory.list_versions("cases/", {})[0]}
    assert kept == {row(file).version_id, thumb, preview}


@pytest.mark.parametrize("ending", ["", ".thumb", ".preview"])
def test_bytes_without_a_file_are_left_to_a_person_N4(space: FakeSpace, ending: str) -> None:
    key = f"cases/one/{new_id()}.{'0' * 32}{ending}"
    put_key(key)
    assert found(sweep(days=0)) == {}, "younger than a day"
    made = sweep(repairs=SAFE)
    assert (found(made), made.left) == ({Finding.OWNERLESS: 1}, 1)
    assert case_storage().list_versions(key) != []
    assert sweep(repairs=ALL).left == 0
    assert case_storage().list_versions(key) == []


def test_a_key_that_only_resembles_a_files_own_is_told_apart_Z9(space: FakeSpace) -> None:
    file = available(space)
    other = f"cases/one/{file.file_id}.{'f' * 32}"
    put_key(other)
    foreign = [f"{file.s3_key}0", f"{file.s3_key}.thumb.thumb", "cases/one/notes.txt", "users/x"]
    for key in foreign:
        put_key(key)
    put_key("elsewhere/entirely")
    made = sweep(repairs=ALL)
    assert found(made) == {Finding.OWNERLESS: 1, Finding.FOREIGN: 4}
    assert made.left == 0
    assert case_storage().list_versions(other) == []
    for key in [*foreign, file.s3_key, "elsewhere/entirely"]:
        assert len(case_storage().list_versions(key)) == 1, key


def test_a_file_whose_bytes_are_gone_is_told_and_given_up_by_a_person_N5(
    space: FakeSpace,
) -> None:
    file = available(space)
    assert file.version_id
    s3_client().delete_object(Bucket=BUCKET, Key=file.s3_key, VersionId=file.version_id)
    made = sweep(repairs=SAFE)
    assert (found(made), made.left) == ({Finding.LOST: 1}, 1)
    assert row(file).state == FileState.AVAILABLE, "an outage may look like this"
    assert sweep(repairs=ALL).left == 0
    lost = row(file)
    assert (lost.state, lost.reason) == (FileState.REJECTED, "lost")
    assert space.removed == [file.file_id]
    assert find_same(space, str(file.sha256 or "0" * 64)) == []
    events = [event.action for event in AuditEvent.query(space.space_id, consistent_read=True)]
    assert events[-1] == "upload:rejected"


def test_another_version_under_the_key_does_not_stand_in_for_the_lost_one_U4(
    space: FakeSpace,
) -> None:
    file = available(space)
    put(file, samples.PDF)
    s3_client().delete_object(Bucket=BUCKET, Key=file.s3_key, VersionId=str(file.version_id))
    assert found(sweep()) == {Finding.LOST: 1, Finding.LEFTOVER: 1}


# --- Races ---


def test_a_file_deleted_while_it_is_looked_at_is_no_loss(space: FakeSpace) -> None:
    file = available(space)

    def delete() -> None:
        deletion.delete(A, space, file.file_id)
        case_storage().delete_versions(file.s3_key)

    with open_wire() as wire:
        wire.add("HeadObject", meanwhile(delete))
        made = sweep(repairs=ALL)
    assert found(made) == {}
    assert row(file).state == FileState.DELETED


def test_the_row_is_read_again_right_before_bytes_go(space: FakeSpace) -> None:
    """Whatever may have changed since the page was judged: the row decides."""
    file = available(space)
    kept = str(file.version_id)
    row(file).update([File.version_id.set("another")])

    def pin() -> None:
        row(file).update([File.version_id.set(kept)])

    with open_wire() as wire:
        reads = 2  # of references and files, when the page is judged
        wire.add("BatchGetItem", lambda call: call(), times=reads)
        wire.add("BatchGetItem", meanwhile(pin))
        made = Sweep(now() + DAY, SAFE, stage=2)
        while made.step():
            pass
        assert len(wire.sent("BatchGetItem")) == 2 * reads
    assert made.found[Finding.LEFTOVER] == 1
    assert case_storage().list_versions(file.s3_key) == [kept]


def test_versions_of_an_upload_that_may_still_go_on_are_spared(space: FakeSpace) -> None:
    file = begin(space)
    put(file, samples.PDF)
    put(file, samples.PDF)
    row(file).update([File.upload_expires_at.set(now() + 3 * DAY)])
    assert over_at(row(file)) > now() + 3 * DAY
    assert found(sweep(repairs=ALL)) == {}
    assert len(case_storage().list_versions(file.s3_key)) == 2
    assert uploads.confirm(C1, space, file.file_id).state == FileState.AVAILABLE
    assert found(sweep(repairs=ALL)) == {}, "its own job looks when its time is over"
    assert found(sweep(days=5)) == {Finding.LEFTOVER: 1}


def test_of_open_uploads_those_go_that_are_old_and_that_no_row_names(
    space: FakeSpace, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MULTIPART_THRESHOLD = 1000
    file = begin_parts(C1, space)
    other = multipart.create(file.s3_key, file.mime_type)
    listed = inventory.list_uploads

    def just_begun(cursor: inventory.Cursor) -> tuple[list[inventory.OpenUpload], Any]:
        uploads_there, after = listed(cursor)
        return [replace(each, begun_at=now()) for each in uploads_there], after

    with monkeypatch.context() as young:  # to moto all of them are of 2010
        young.setattr(inventory, "list_uploads", just_begun)
        assert found(sweep(repairs=ALL)) == {}, "its row may be about to be written"
    assert found(sweep(repairs=ALL)) == {Finding.PARTS: 1}
    assert multipart.list_parts(file.s3_key, other) is None
    assert multipart.list_parts(file.s3_key, str(file.upload_id)) == []


def test_storages_clock_decides_what_is_recent(space: FakeSpace) -> None:
    """A worker whose clock is five minutes ahead spares what is a day old by its own count."""
    key = f"cases/one/{new_id()}.{'0' * 32}"
    put_key(key)
    modified = inventory.list_versions("cases/", {})[0][0].modified_at
    for horizon, count in ((modified, 0), (modified + timedelta(seconds=1), 1)):
        made = Sweep(horizon)
        while made.step():
            pass
        assert made.found[Finding.OWNERLESS] == count


# --- Faults ---


@pytest.mark.parametrize("code", ["403", "500", "503", "SlowDown"])
def test_one_file_that_storage_refuses_stops_nothing_N6(space: FakeSpace, code: str) -> None:
    file = available(space)
    put_key(f"cases/one/{new_id()}.{'0' * 32}")
    with open_wire() as wire:
        wire.add("HeadObject", refuse(code))
        made = sweep(repairs=ALL)
    assert found(made) == {Finding.UNCHECKED: 1, Finding.OWNERLESS: 1}
    assert row(file).state == FileState.AVAILABLE


@pytest.mark.parametrize("call", ["ListObjectVersions", "ListMultipartUploads"])
@pytest.mark.parametrize("code", ["AccessDenied", "InternalError", "SlowDown"])
def test_storage_that_is_away_ends_the_sweep(space: FakeSpace, call: str, code: str) -> None:
    available(space)
    with open_wire() as wire:
        wire.add(call, refuse(code))
        with pytest.raises(Unavailable):
            sweep(repairs=ALL)


def test_storage_that_is_away_altogether_is_not_asked_for_every_file(space: FakeSpace) -> None:
    files = [available(space) for _ in range(3)]
    with open_wire() as wire:
        wire.add("HeadObject", refuse("503"), times=3)
        wire.add("HeadBucket", refuse("503"))
        with pytest.raises(Unavailable):
            sweep(repairs=ALL)
        assert len(wire.sent("HeadBucket")) == 1
    assert {row(file).state for file in files} == {FileState.AVAILABLE}


def break_row(file: File) -> None:
    """A row that PynamoDB can't read: its time is no time."""
    key = {"spaceId": {"S": file.space_id}, "fileId": {"S": file.file_id}}
    boto3.client("dynamodb").update_item(
        TableName=File.Meta.table_name,
        Key=key,
        UpdateExpression="SET createdAt = :moment",
        ExpressionAttributeValues={":moment": {"S": "yesterday"}},
    )


def test_a_row_that_cannot_be_read_keeps_its_bytes_and_hides_no_other_N6(
    space: FakeSpace,
) -> None:
    broken, lost = available(space), begin(space)
    forget_jobs()
    break_row(broken)
    key = f"cases/one/{new_id()}.{'0' * 32}"
    put_key(key)
    made = sweep(repairs=ALL)
    assert found(made) == {Finding.OVERDUE: 1, Finding.OWNERLESS: 1, Finding.UNCHECKED: 1}
    assert row(lost).state == FileState.EXPIRED
    assert len(case_storage().list_versions(broken.s3_key)) == 1
    assert case_storage().list_versions(key) == []


def test_what_storage_does_not_delete_is_not_counted_as_put_right(space: FakeSpace) -> None:
    put_key(f"cases/one/{new_id()}.{'0' * 32}")
    error = {"Key": "k", "VersionId": "v", "Code": "AccessDenied"}
    with open_wire() as wire:
        wire.add("DeleteObjects", lambda call: {"Errors": [error]})
        made = sweep(repairs=ALL)
    assert made.left == 1
    assert made.found[Finding.UNCHECKED] == 1


# --- Pages ---


def test_pages_of_rows_and_versions_add_up(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("files.sweeping.ROWS", 2)
    monkeypatch.setattr(inventory, "PAGE", 3)
    files = [begin(space) for _ in range(5)]
    forget_jobs()
    keys = [f"{root}/{new_id()}.{'0' * 32}" for root in ("cases/a", "users/b") for _ in range(4)]
    for key in keys:
        put_key(key)
        put_key(key)
    # moto loses its place in a listing whose last key is deleted: that stands in the stack's tests.
    made = sweep(repairs=frozenset({Finding.OVERDUE}))
    assert found(made) == {Finding.OVERDUE: 5, Finding.OWNERLESS: 16}
    assert {row(file).state for file in files} == {FileState.EXPIRED}


# --- The command ---


def command(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("sweep_uploads", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_the_command_looks_only_unless_told_otherwise(
    space: FakeSpace, caplog: pytest.LogCaptureFixture
) -> None:
    key = f"cases/one/{new_id()}.{'0' * 32}"
    put_key(key)
    assert command()[1] == 0, "younger than a day"
    with time_machine.travel(datetime.now(UTC) + 2 * DAY, tick=True):
        output, code = command()
        assert code == 1
        assert "stored versions without a file: 1" in output
        assert output.splitlines()[-1] == "1 things that should not be there"
        assert case_storage().list_versions(key) != []
        assert command("--older-than", "72")[1] == 0
        output, code = command("--delete")
        assert code == 0
        assert "stored versions without a file: 1 (1 put right)" in output
        assert output.splitlines()[-1] == "0 things that should not be there"
        assert command() == (command()[0], 0)
    alerts = [r for r in caplog.records if r.message == "sweep found leftovers"]
    assert {alert.levelno for alert in alerts} == {logging.ERROR}
    assert key not in caplog.text
    assert key not in output


# --- The worker's own ---


def sweep_jobs() -> list[Job]:
    found = [job for shard in "0123" for job in Job.query(shard, consistent_read=True)]
    return [job for job in found if job.kind == sweep_job.SWEEP_JOB]


def run_sweeps() -> int:
    done = 0
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5), tick=True):
        while ran := jobs.run_due("test", kinds={sweep_job.SWEEP_JOB}):
            done += ran
    return done


def test_there_is_one_sweep_a_day_however_many_workers(space: FakeSpace) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 8, tzinfo=UTC), tick=True):
        for _ in range(3):
            sweep_job.plan_sweep()
        assert len(sweep_jobs()) == 1
    with time_machine.travel(datetime(2026, 3, 2, 0, 1, tzinfo=UTC), tick=True):
        with open_wire() as wire:  # the other worker plans it between our look and our write
            wire.add("TransactWriteItems", meanwhile(sweep_job.plan_sweep))
            sweep_job.plan_sweep()
        assert len(sweep_jobs()) == 2
        assert Once.fetch("sweep:2026-03-02") is not None


def test_a_sweep_in_slices_finds_what_one_in_a_piece_does(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sweep_job, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr("files.sweeping.ROWS", 2)
    monkeypatch.setattr(sweep_job, "OLDER_THAN", -DAY)
    files = [available(space) for _ in range(3)]
    doomed = [available(space) for _ in range(3)]
    for file in doomed:
        deletion.delete(A, space, file.file_id)
    purge_now()
    for file in doomed:
        put(file, samples.PDF)
    put_key(f"users/x/{new_id()}.{'0' * 32}")
    sweep_job.plan_sweep()
    assert run_sweeps() > 5
    assert sweep_jobs() == []
    assert [case_storage().list_versions(file.s3_key) for file in doomed] == [[]] * 3
    assert all(case_storage().list_versions(file.s3_key) for file in files)
    (alert,) = [r for r in caplog.records if r.message == "sweep found leftovers"]
    seen: Any = alert
    assert (seen.left, seen.leftover, seen.ownerless) == (1, 3, 1)


def test_a_sweep_meets_an_outage_and_goes_on_where_it_was(
    space: FakeSpace, settings: LazySettings
) -> None:
    put_key(f"cases/one/{new_id()}.{'0' * 32}")
    sweep_job.plan_sweep()
    with open_wire() as wire:
        wire.add("ListObjectVersions", refuse("SlowDown"))
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1), tick=True):
            jobs.run_due("test", kinds={sweep_job.SWEEP_JOB})
        (waiting,) = sweep_jobs()
        assert waiting.last_error == "Unavailable"
        run_sweeps()
    assert sweep_jobs() == []


def test_every_finding_has_its_words() -> None:
    assert set(findings.LABELS) == set(Finding)


def test_references_alone_make_no_file(space: FakeSpace) -> None:
    key = f"cases/one/{(file_id := new_id())}.{'0' * 32}"
    FileRef(file_id, space_id=space.space_id).save()
    put_key(key)
    assert found(sweep()) == {Finding.OWNERLESS: 1}
