"""Beginning, confirming, aborting and expiring uploads: the rules, on moto."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings

from accounts.tables import AuditEvent
from files import checking, uploads
from files.states import FileState
from files.storage import case_storage
from files.tables import File, FileRef, Usage
from filevault import jobs
from filevault.aws import s3_client
from filevault.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, Unavailable
from filevault.tables import Job
from tests.files import samples
from tests.files.space import (
    C1,
    C2,
    OTHER_ON_CASE,
    OWNER,
    A,
    FakeSpace,
    begin_post,
    make_space,
    put,
    row,
)

DAY = timedelta(days=1)


def begin(space: FakeSpace, name: str = "letter.pdf", content: bytes = samples.PDF) -> File:
    file, _ = uploads.begin(C1, space, file_name=name, size=len(content))
    return file


def usage() -> tuple[int, int]:
    found = Usage.fetch(OWNER)
    return (int(found.bytes_used), int(found.file_count)) if found else (0, 0)


def actions(space: FakeSpace) -> list[str]:
    return [event.action for event in AuditEvent.query(space.space_id, consistent_read=True)]


def run_at(moment: datetime) -> int:
    """Do what is due of ours at a moment."""
    done = 0
    with time_machine.travel(moment):
        while found := jobs.run_due("test", kinds=(uploads.EXPIRE_JOB, checking.PURGE_JOB)):
            done += found
    return done


def test_begin_writes_row_reference_usage_event_and_job_before_the_url_N4(
    space: FakeSpace,
) -> None:
    file, post = begin_post(A, space, file_name="scan.PDF", size=10, mime_type="")
    stored = row(file)
    assert (stored.state, stored.mime_type, stored.size) == ("PENDING", "application/pdf", 10)
    assert stored.uploaded_by == A.actor_id
    ref = FileRef.fetch(file.file_id)
    assert ref is not None
    assert ref.space_id == space.space_id
    assert usage() == (10, 1)
    assert actions(space) == ["upload:begun"]
    due = [job for shard in "0123" for job in Job.query(shard, consistent_read=True)]
    assert [job.kind for job in due] == [uploads.EXPIRE_JOB]
    assert post.fields["key"] == file.s3_key


def test_keys_are_random_and_hold_no_name_U2(space: FakeSpace) -> None:
    keys = {begin(space, "Dr Novak.pdf").s3_key for _ in range(20)}
    assert len(keys) == 20
    for key in keys:
        prefix, _, name = key.rpartition("/")
        assert prefix == "cases/one"
        file_id, _, random = name.partition(".")
        assert FileRef.fetch(file_id)
        assert len(bytes.fromhex(random)) * 8 >= 128


@pytest.mark.parametrize(
    ("name", "size", "error", "field"),
    [
        ("a.exe", 5, Invalid, "fileName"),
        ("noending", 5, Invalid, "fileName"),
        ("in\u202efdp.exe", 5, Invalid, "fileName"),
        ("../../x", 5, Invalid, "fileName"),
        ("\ud800", 5, Invalid, "fileName"),
        ("x" * 10_000, 5, Invalid, "fileName"),
        (None, 5, Invalid, "fileName"),
        ("a.pdf", 0, Invalid, "size"),
        ("a.pdf", -1, Invalid, "size"),
        ("a.pdf", "5", Invalid, "size"),
        ("a.pdf", True, Invalid, "size"),
        ("a.pdf", 1.5, Invalid, "size"),
        ("a.pdf", 200_000_001, TooLarge, "size"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(
    space: FakeSpace, name: Any, size: Any, error: type[Invalid], field: str
) -> None:
    with pytest.raises(error) as refused:
        uploads.begin(C1, space, file_name=name, size=size)
    assert list(refused.value.fields) == [field]
    assert usage() == (0, 0)
    assert actions(space) == []


def test_too_large_names_the_limit(space: FakeSpace) -> None:
    with pytest.raises(TooLarge) as refused:
        uploads.begin(C1, space, file_name="a.pdf", size=10**12)
    assert "190.7" in str(refused.value.message)
    assert "MB" in str(refused.value.message)


def test_a_closed_space_takes_nothing(space: FakeSpace) -> None:
    space.is_open = False
    with pytest.raises(Forbidden):
        begin(space)


def test_a_space_that_changed_meanwhile_is_asked_again(space: FakeSpace) -> None:
    space.changes_before_commit = 2
    assert row(begin(space)).state == "PENDING"
    space.changes_before_commit = 3
    with pytest.raises(Unavailable):
        begin(space)
    assert usage() == (len(samples.PDF), 1)


def test_the_quota_counts_at_presign_U9(space: FakeSpace, settings: LazySettings) -> None:
    settings.STORAGE_QUOTA_BYTES = 2500
    first, _ = uploads.begin(C1, space, file_name="a.pdf", size=1500)
    with pytest.raises(Conflict) as full:
        uploads.begin(A, space, file_name="b.pdf", size=1001)
    assert full.value.reason == "quota_full"
    with pytest.raises(Conflict):
        uploads.begin(A, make_space("new"), file_name="b.pdf", size=2501)
    uploads.abort(C1, space, first.file_id)
    uploads.begin(A, space, file_name="b.pdf", size=2500)
    assert usage() == (2500, 1)


@pytest.mark.parametrize(("name", "content"), samples.GOOD.items())
def test_confirm_pins_the_version_U4(space: FakeSpace, name: str, content: bytes) -> None:
    file = begin(space, name, content)
    version = put(file, content)
    found = uploads.confirm(C1, space, file.file_id)
    assert (found.state, found.version_id) == ("AVAILABLE", version)
    assert (found.image_space == space.space_id) is found.mime_type.startswith("image/")
    assert uploads.confirm(C1, space, file.file_id).available_at == found.available_at
    assert space.available == [file.file_id]
    assert actions(space) == ["upload:begun", "upload:available"]
    assert usage() == (len(content), 1)


def test_confirm_before_the_bytes_says_so(space: FakeSpace) -> None:
    file = begin(space)
    with pytest.raises(Conflict) as refused:
        uploads.confirm(C1, space, file.file_id)
    assert refused.value.reason == "not_uploaded"
    assert uploads.reconcile(space.space_id, file.file_id).state == "PENDING"


@pytest.mark.parametrize(
    ("name", "content", "arrived", "reason"),
    [
        ("a.pdf", samples.PDF, samples.PDF + b"x", "wrong_size"),
        ("a.pdf", samples.EXE, samples.EXE, "wrong_content"),
        ("a.txt", samples.HTML, samples.HTML, "markup"),
        ("a.docx", samples.DOCM, samples.DOCM, "macros"),
    ],
)
def test_what_does_not_agree_is_rejected_and_goes_U5(
    space: FakeSpace,
    name: str,
    content: bytes,
    arrived: bytes,
    reason: str,
) -> None:
    file = begin(space, name, content)
    put(file, arrived)
    found = uploads.confirm(C1, space, file.file_id)
    assert (found.state, found.reason) == ("REJECTED", reason)
    assert uploads.confirm(C1, space, file.file_id).state == "REJECTED"
    assert usage() == (0, 0)
    assert run_at(datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert case_storage().list_versions(file.s3_key) == []
    assert usage() == (0, 0)
    assert actions(space) == ["upload:begun", "upload:rejected", "file:purged"]


def test_a_declared_checksum_is_held_against_what_arrived(space: FakeSpace) -> None:
    digest = hashlib.sha256(samples.PDF).hexdigest()
    other = samples.PDF.replace(b"1.7", b"1.4")
    for content, state in ((samples.PDF, "AVAILABLE"), (other, "REJECTED")):
        file, post = begin_post(C1, space, file_name="a.pdf", size=len(content), sha256=digest)
        assert "x-amz-checksum-sha256" in post.fields
        s3_client().put_object(
            Bucket="filevault-test",
            Key=file.s3_key,
            Body=content,
            ContentType=file.mime_type,
            ChecksumAlgorithm="SHA256",
        )
        assert uploads.confirm(C1, space, file.file_id).state == state


@pytest.mark.parametrize("stranger", [A, OTHER_ON_CASE, C2])
def test_only_who_began_an_upload_ends_it_Z4(space: FakeSpace, stranger: Any) -> None:
    file = begin(space)
    put(file, samples.PDF)
    for call in (uploads.confirm, uploads.abort):
        with pytest.raises(NotFound):
            call(stranger, space, file.file_id)
    assert row(file).state == "PENDING"


def test_a_file_of_another_space_is_unknown_here(space: FakeSpace) -> None:
    file = begin(space)
    with pytest.raises(NotFound):
        uploads.confirm(C1, make_space("two"), file.file_id)


def test_abort_gives_back_and_late_bytes_go(space: FakeSpace) -> None:
    file = begin(space)
    uploads.abort(C1, space, file.file_id)
    assert usage() == (0, 0)
    put(file, samples.PDF)
    with pytest.raises(Conflict) as refused:
        uploads.confirm(C1, space, file.file_id)
    assert refused.value.reason == "upload_over"
    run_at(datetime.now(UTC) + DAY)
    assert case_storage().list_versions(file.s3_key) == []
    assert usage() == (0, 0)
    assert row(file).file_name == ""


def test_abort_after_confirm_changes_nothing(space: FakeSpace) -> None:
    file = begin(space)
    put(file, samples.PDF)
    uploads.confirm(C1, space, file.file_id)
    assert uploads.abort(C1, space, file.file_id).state == "AVAILABLE"
    assert usage() == (len(samples.PDF), 1)


def test_what_never_came_expires_U10(space: FakeSpace) -> None:
    file = begin(space)
    assert run_at(datetime.now(UTC) + timedelta(minutes=14)) == 0
    assert run_at(datetime.now(UTC) + timedelta(minutes=16)) >= 1
    assert row(file).state == "EXPIRED"
    assert usage() == (0, 0)
    assert "upload:expired" in actions(space)


def test_a_large_file_on_a_slow_line_is_waited_for(space: FakeSpace) -> None:
    file, _ = begin_post(C1, space, file_name="a.pdf", size=60 * 1024 * 1024)
    assert run_at(datetime.now(UTC) + timedelta(minutes=20)) == 0
    assert run_at(datetime.now(UTC) + timedelta(minutes=25)) >= 1
    assert row(file).state == "EXPIRED"


def test_a_tab_closed_after_the_bytes_loses_nothing(space: FakeSpace) -> None:
    file = begin(space)
    version = put(file, samples.PDF)
    run_at(datetime.now(UTC) + DAY)
    assert (row(file).state, row(file).version_id) == ("AVAILABLE", version)
    assert case_storage().list_versions(file.s3_key) == [version]


def test_every_other_version_goes_once_the_url_ran_out_U3(space: FakeSpace) -> None:
    file = begin(space)
    put(file, samples.EXE)
    version = put(file, samples.PDF)
    uploads.confirm(C1, space, file.file_id)
    put(file, samples.HTML)
    neighbour = File(**{**row(file).attribute_values, "s3_key": f"{file.s3_key}0"})
    kept = put(neighbour, samples.PDF)
    run_at(datetime.now(UTC) + DAY)
    assert case_storage().list_versions(file.s3_key) == [version]
    assert case_storage().list_versions(neighbour.s3_key) == [kept]  # Z9


def test_the_plain_form_counts_what_arrived(space: FakeSpace, settings: LazySettings) -> None:
    settings.STORAGE_QUOTA_BYTES = len(samples.PDF)
    first, second = (uploads.begin_plain(C1, space, file_name="a.pdf") for _ in range(2))
    assert usage() == (0, 2)
    for file in (first, second):
        put(file, samples.PDF)
    assert uploads.confirm(C1, space, first.file_id).size == len(samples.PDF)
    refused = uploads.confirm(C1, space, second.file_id)
    assert (refused.state, refused.reason) == (FileState.REJECTED, "quota")
    assert usage() == (len(samples.PDF), 1)
