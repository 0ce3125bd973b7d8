"""Uploads in parts: the rules, on moto."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings

from files import checking, deletion, multipart, parts, purge, records, uploads
from files.multipart import MOST_PARTS, part_count, part_size_for
from files.storage import case_storage
from files.tables import File
from filevault import jobs
from filevault.aws import s3_client
from filevault.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, Unavailable
from tests.faults.wire import (
    Answer,
    Wire,
    answering_200_with_an_error,
    lose_reply,
    meanwhile,
    refuse,
)
from tests.files.parts import CONTENT, MIB, PART_SIZE, begin_parts, digest, piece, sign
from tests.files.space import C1, OTHER_ON_CASE, A, FakeSpace, row
from tests.files.test_uploads import usage


@pytest.fixture(autouse=True)
def small_parts(settings: LazySettings) -> None:
    settings.MULTIPART_THRESHOLD = 6 * MIB
    settings.PART_SIZE = PART_SIZE


def send(file: File, *numbers: int, content: bytes = CONTENT) -> None:
    """Let parts arrive."""
    for number in numbers:
        s3_client().upload_part(
            Bucket="filevault-test",
            Key=file.s3_key,
            UploadId=str(file.upload_id),
            PartNumber=number,
            Body=piece(number, content),
            ChecksumSHA256=digest(piece(number, content)),
        )


def open_uploads() -> list[str]:
    answer = s3_client().list_multipart_uploads(Bucket="filevault-test")
    return [upload["UploadId"] for upload in answer.get("Uploads", [])]


def run_at(moment: datetime) -> None:
    with time_machine.travel(moment):
        while jobs.run_due("test", kinds=(uploads.EXPIRE_JOB, checking.PURGE_JOB)):
            pass


@pytest.mark.parametrize("size", [1, 64 * MIB, 5 * 1024**3, 5 * 1024**4])
def test_ten_thousand_parts_reach_every_size(size: int) -> None:
    part_size = part_size_for(size)
    assert part_count(size, part_size) <= MOST_PARTS
    assert part_size >= PART_SIZE
    assert part_size % MIB == 0
    lengths = (
        multipart.length_of(number, size=size, part_size=part_size)
        for number in range(1, part_count(size, part_size) + 1)
    )
    assert sum(lengths) == size


def test_the_threshold_decides(space: FakeSpace, settings: LazySettings) -> None:
    for size, way in ((6 * MIB, "POST"), (6 * MIB + 1, "MULTIPART")):
        file, post = uploads.begin(C1, space, file_name="a.pdf", size=size)
        assert ("MULTIPART" if post is None else "POST") == way
        assert bool(file.upload_id) == (post is None)


def test_an_upload_in_parts_becomes_one_available_file(space: FakeSpace) -> None:
    file = begin_parts(C1, space)
    send(file, 3, 1, 2)
    whole = hashlib.sha256(CONTENT).hexdigest()
    confirmed = uploads.confirm(C1, space, file.file_id, sha256=whole)
    assert (confirmed.state, confirmed.declared_sha256) == ("AVAILABLE", whole)
    found = row(file)
    assert found.upload_id is None
    assert b"".join(case_storage().stream(file.s3_key, str(found.version_id))) == CONTENT
    assert usage() == (len(CONTENT), 1)
    assert not open_uploads()
    assert uploads.confirm(C1, space, file.file_id).state == "AVAILABLE"


@pytest.mark.parametrize("arrived", [(), (1,), (1, 3), (2, 3)])
def test_what_is_not_whole_stays_open(space: FakeSpace, arrived: tuple[int, ...]) -> None:
    file = begin_parts(C1, space)
    send(file, *arrived)
    with pytest.raises(Conflict) as refused:
        uploads.confirm(C1, space, file.file_id)
    assert refused.value.reason == "not_uploaded"
    _file, there = parts.get_parts(C1, space, file.file_id)
    assert [part.number for part in there] == sorted(arrived)
    send(file, *({1, 2, 3} - set(arrived)))
    assert uploads.confirm(C1, space, file.file_id).state == "AVAILABLE"


def test_a_part_that_is_cut_short_is_waited_for(space: FakeSpace) -> None:
    file = begin_parts(C1, space)
    send(file, 1, 2)
    send(file, 3, content=CONTENT[:-1])
    with pytest.raises(Conflict) as refused:
        uploads.confirm(C1, space, file.file_id)
    assert refused.value.reason == "not_uploaded"
    send(file, 3)
    assert uploads.confirm(C1, space, file.file_id).state == "AVAILABLE"


def test_the_worker_joins_what_arrived_when_nobody_confirms(space: FakeSpace) -> None:
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    assert uploads.reconcile(space.space_id, file.file_id).state == "AVAILABLE"
    half = begin_parts(C1, space)
    send(half, 1, 2)
    assert uploads.reconcile(space.space_id, half.file_id).state == "PENDING"


def test_content_that_lies_is_rejected_in_parts_too_U5(space: FakeSpace) -> None:
    page = b"<html>" + b" " * (len(CONTENT) - 6)
    file = begin_parts(C1, space, page)
    send(file, 1, 2, 3, content=page)
    assert uploads.confirm(C1, space, file.file_id).state == "REJECTED"
    assert usage() == (0, 0)


def test_a_sha256_that_changed_while_sending_is_refused(space: FakeSpace) -> None:
    file, _ = uploads.begin(C1, space, file_name="a.pdf", size=len(CONTENT), sha256="0" * 64)
    send(file, 1, 2, 3)
    whole = hashlib.sha256(CONTENT).hexdigest()
    confirmed = uploads.confirm(C1, space, file.file_id, sha256=whole)
    assert (confirmed.state, confirmed.reason) == ("REJECTED", "wrong_checksum")


def prove() -> None:
    while jobs.run_due("test", kinds=(checking.INSPECT_JOB,)):
        pass


@pytest.mark.parametrize("honest", [True, False])
@pytest.mark.parametrize("joined", [False, True])
def test_a_sha256_counts_though_the_event_was_faster(
    space: FakeSpace, wire: Wire, honest: bool, joined: bool
) -> None:
    """Storage's event comes as soon as the parts are joined, which confirming does; and the
    answer may be lost, so that the sender asks again."""
    sha256 = hashlib.sha256(CONTENT).hexdigest() if honest else "0" * 64
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)

    def event() -> None:
        uploads.reconcile(space.space_id, file.file_id)

    if joined:
        event()
    else:
        wire.add("TransactWriteItems", meanwhile(event))
    for _ in range(2):
        confirmed = uploads.confirm(C1, space, file.file_id, sha256=sha256)
        assert (confirmed.state, row(file).declared_sha256) == ("AVAILABLE", sha256)
    prove()
    told = ("AVAILABLE", None) if honest else ("REJECTED", "wrong_checksum")
    assert (row(file).state, row(file).reason) == told


def test_a_sha256_that_comes_after_the_proof_takes_no_file_away(space: FakeSpace) -> None:
    """Neither a hold nor a client's right to delete is got round like that; but it is told."""
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    uploads.reconcile(space.space_id, file.file_id)
    prove()
    before = row(file).serialize()
    with pytest.raises(Conflict) as refused:
        uploads.confirm(C1, space, file.file_id, sha256="0" * 64)
    assert refused.value.reason == "wrong_checksum"
    whole = hashlib.sha256(CONTENT).hexdigest()
    assert uploads.confirm(C1, space, file.file_id, sha256=whole).state == "AVAILABLE"
    assert row(file).serialize() == before


def test_a_part_that_comes_once_more_while_they_are_joined_spoils_nothing(
    space: FakeSpace, wire: Wire
) -> None:
    """A request that was given up, and went through all the same: encrypted anew its tag is
    another, and storage refuses the list that was asked for before."""
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    other = CONTENT[:PART_SIZE][:-1] + b"x" + CONTENT[PART_SIZE:]
    wire.add("CompleteMultipartUpload", meanwhile(lambda: send(file, 1, content=other)))
    assert uploads.confirm(C1, space, file.file_id).state == "AVAILABLE"
    found = row(file)
    assert b"".join(case_storage().stream(file.s3_key, str(found.version_id))) == other


@pytest.mark.parametrize("error", ["InvalidPart", "EntityTooSmall"])
def test_parts_that_storage_cant_join_are_a_visible_failure_N1(
    space: FakeSpace, wire: Wire, error: str
) -> None:
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    wire.add("CompleteMultipartUpload", refuse(error))
    confirmed = uploads.confirm(C1, space, file.file_id)
    assert (confirmed.state, confirmed.reason) == ("REJECTED", "wrong_size")
    run_at(datetime.now(UTC) + timedelta(seconds=1))
    assert not open_uploads()


@pytest.mark.parametrize("call", ["ListParts", "CompleteMultipartUpload", "GetObject"])
@pytest.mark.parametrize("error", ["500", "SlowDown", "AccessDenied"])
def test_storage_away_in_between_loses_nothing(
    space: FakeSpace, wire: Wire, call: str, error: str
) -> None:
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    wire.add(call, refuse(error))
    if call == "GetObject" and error == "AccessDenied":
        wire.add("ListObjectVersions", refuse("500"))
    with pytest.raises(Unavailable):
        uploads.confirm(C1, space, file.file_id)
    assert row(file).state == "PENDING"
    assert uploads.confirm(C1, space, file.file_id).state == "AVAILABLE"


@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
def test_a_joining_that_fails_after_its_200_is_tried_again(space: FakeSpace, code: str) -> None:
    """S3 answers 200 before it has joined anything, and an error may follow in the body (AWS,
    CompleteMultipartUpload)."""
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    with answering_200_with_an_error("CompleteMultipartUpload", code) as answers:
        with pytest.raises(Unavailable):
            uploads.confirm(C1, space, file.file_id)
        assert row(file).state == "PENDING"
        tries = len(answers)
    assert tries == 3
    assert uploads.confirm(C1, space, file.file_id).state == "AVAILABLE"


def test_a_joining_that_takes_longer_than_we_wait_happens_once(
    space: FakeSpace, wire: Wire
) -> None:
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    wire.add("CompleteMultipartUpload", lose_reply(timeout=True))
    with pytest.raises(Unavailable):
        uploads.confirm(C1, space, file.file_id)
    assert uploads.confirm(C1, space, file.file_id).state == "AVAILABLE"
    assert len(wire.sent("CompleteMultipartUpload")) == 1
    assert case_storage().list_versions(file.s3_key) == [row(file).version_id]
    assert usage() == (len(CONTENT), 1)


def test_a_reply_lost_while_joining_is_found_joined(space: FakeSpace) -> None:
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    there = multipart.list_parts(file.s3_key, str(file.upload_id)) or []
    assert multipart.complete(file.s3_key, str(file.upload_id), there)
    assert uploads.confirm(C1, space, file.file_id).state == "AVAILABLE"


NUMBERS: list[Any] = [None, [], "1", [0], [4], [1, 1], [True], [1.0], ["1"], {"1": 1}, [1] * 17]


@pytest.mark.parametrize("numbers", NUMBERS, ids=repr)
def test_part_numbers_are_checked(space: FakeSpace, numbers: Any) -> None:
    file = begin_parts(C1, space)
    checksums = {str(n): digest(b"") for n in range(5)}
    with pytest.raises(Invalid) as refused:
        parts.sign_parts(C1, space, file.file_id, part_numbers=numbers, checksums=checksums)
    assert refused.value.reason == "bad_part_numbers"


def test_a_few_parts_are_signed_at_a_time(space: FakeSpace) -> None:
    content = bytes(17 * PART_SIZE)
    file = begin_parts(C1, space, content)
    assert len(sign(C1, space, file, *range(1, 17), content=content)) == 16
    with pytest.raises(Invalid) as refused:
        sign(C1, space, file, *range(1, 18), content=content)
    assert refused.value.reason == "bad_part_numbers"


def test_signing_is_limited_W5(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "SIGNINGS", replace(parts.SIGNINGS, actor=1))
    file = begin_parts(C1, space)
    assert sign(C1, space, file, 1)
    with pytest.raises(RateLimited):
        sign(C1, space, file, 1)


CHECKSUMS: list[Any] = [
    None,
    {},
    [],
    {"1": None},
    {"1": "short"},
    {"1": "é" * 44},
    {"1": digest(b"") + "="},
    {"2": digest(b"")},
    {"1": digest(b""), "2": digest(b"")},
    {"1": digest(b"")[:-2] + "\n="},
]


@pytest.mark.parametrize("checksums", CHECKSUMS, ids=repr)
def test_checksums_are_checked(space: FakeSpace, checksums: Any) -> None:
    file = begin_parts(C1, space)
    with pytest.raises(Invalid) as refused:
        parts.sign_parts(C1, space, file.file_id, part_numbers=[1], checksums=checksums)
    assert refused.value.reason == "bad_checksums"


def test_parts_are_their_senders_alone_Z4(space: FakeSpace) -> None:
    file = begin_parts(C1, space)
    for other in (A, OTHER_ON_CASE):
        with pytest.raises(NotFound):
            sign(other, space, file, 1)
        with pytest.raises(NotFound):
            parts.get_parts(other, space, file.file_id)


def test_an_upload_in_one_piece_has_no_parts(space: FakeSpace) -> None:
    file, _ = uploads.begin(C1, space, file_name="a.pdf", size=10)
    with pytest.raises(NotFound):
        sign(C1, space, file, 1)


def test_nothing_is_signed_for_a_closed_space(space: FakeSpace) -> None:
    file = begin_parts(C1, space)
    space.is_open = False
    with pytest.raises(Forbidden):
        sign(C1, space, file, 1)


@pytest.mark.parametrize("end", ["abort", "confirm"])
def test_an_upload_that_is_over_takes_no_part(space: FakeSpace, end: str) -> None:
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    (uploads.abort if end == "abort" else uploads.confirm)(C1, space, file.file_id)
    for ask in (lambda: sign(C1, space, file, 1), lambda: parts.get_parts(C1, space, file.file_id)):
        with pytest.raises(parts.UploadOver):
            ask()


def test_an_upload_that_ends_while_it_is_signed_takes_no_part(space: FakeSpace, wire: Wire) -> None:
    file = begin_parts(C1, space)

    def read_before_the_end(call: Callable[[], Answer]) -> Answer:
        found = call()
        uploads.abort(C1, space, file.file_id)
        return found

    wire.add("GetItem", read_before_the_end)
    with pytest.raises(parts.UploadOver):
        sign(C1, space, file, 1)
    assert row(file).state == "ABORTED"


def test_abort_throws_the_parts_away_at_once(space: FakeSpace) -> None:
    file = begin_parts(C1, space)
    send(file, 1)
    assert uploads.abort(C1, space, file.file_id).state == "ABORTED"
    assert not open_uploads()
    assert usage() == (0, 0)


def test_storage_away_at_an_abort_leaves_the_parts_to_the_worker(
    space: FakeSpace, wire: Wire
) -> None:
    file = begin_parts(C1, space)
    send(file, 1)
    wire.add("AbortMultipartUpload", refuse("SlowDown"))
    assert uploads.abort(C1, space, file.file_id).state == "ABORTED"
    assert open_uploads()
    run_at(datetime.now(UTC) + timedelta(days=3))
    assert not open_uploads()


def test_a_half_upload_expires_with_its_parts_U10(space: FakeSpace, settings: LazySettings) -> None:
    file = begin_parts(C1, space)
    send(file, 1)
    start = datetime.now(UTC)
    run_at(start + settings.UPLOAD_RESUME - timedelta(minutes=1))
    assert row(file).state == "PENDING"
    run_at(start + settings.UPLOAD_RESUME + timedelta(hours=1))
    assert row(file).state == "EXPIRED"
    assert not open_uploads()
    assert usage() == (0, 0)


def test_each_signed_part_begins_the_time_anew(space: FakeSpace, settings: LazySettings) -> None:
    file = begin_parts(C1, space)
    start = datetime.now(UTC)
    with time_machine.travel(start + settings.UPLOAD_RESUME - timedelta(hours=1)):
        sign(C1, space, file, 1)
    run_at(start + settings.UPLOAD_RESUME + timedelta(hours=1))
    assert row(file).state == "PENDING"
    run_at(start + 2 * settings.UPLOAD_RESUME + timedelta(hours=1))
    assert row(file).state == "EXPIRED"


def test_parts_that_are_signed_while_the_upload_expires_keep_it(
    space: FakeSpace, settings: LazySettings, wire: Wire
) -> None:
    """At each of the two calls between which it is given up."""
    for call in ("ListParts", "TransactWriteItems"):
        file = begin_parts(C1, space)
        over = datetime.now(UTC) + settings.UPLOAD_RESUME + timedelta(hours=1)
        wire.add(call, meanwhile(lambda file=file: sign(C1, space, file, 1)))  # type: ignore[misc]
        with time_machine.travel(over, tick=True):
            again_at = purge.end_upload(space.space_id, file.file_id)
        assert row(file).state == "PENDING"
        assert again_at is not None
        uploads.abort(C1, space, file.file_id)


def test_storage_away_at_the_beginning_leaves_no_row(space: FakeSpace, wire: Wire) -> None:
    wire.add("CreateMultipartUpload", refuse("SlowDown"))
    with pytest.raises(Unavailable):
        begin_parts(C1, space)
    assert not list(File.query(space.space_id, consistent_read=True))
    assert usage() == (0, 0)


def test_a_refused_beginning_leaves_no_parts_open(space: FakeSpace, settings: LazySettings) -> None:
    settings.STORAGE_QUOTA_BYTES = len(CONTENT) - 1
    with pytest.raises(Conflict):
        begin_parts(C1, space)
    assert not open_uploads()
    assert usage() == (0, 0)


def test_the_same_content_is_found_until_it_is_deleted(space: FakeSpace) -> None:
    whole = hashlib.sha256(CONTENT).hexdigest()
    file = begin_parts(C1, space)
    send(file, 1, 2, 3)
    uploads.confirm(C1, space, file.file_id)
    prove()
    assert [found.file_id for found in records.find_same(space, whole)] == [file.file_id]
    assert records.find_same(space, "0" * 64) == []
    deletion.delete(A, space, file.file_id)
    assert records.find_same(space, whole) == []
