"""Storage's events by way of a queue: what a message does, and what becomes of bad ones. On moto,
which delivers none itself: the messages are S3's own, written by hand."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from django.conf import LazySettings
from django.core.management import call_command

from accounts.tables import AuditEvent
from files import events, uploads
from files.checking import PURGE_JOB
from files.keys import preview_key, thumb_key
from files.states import FileState
from files.storage import case_storage
from files.tables import File, FileRef
from filevault import jobs, queues
from filevault.dynamo import new_id
from filevault.errors import Unavailable
from filevault.tables import Job
from filevault.worker import Worker
from tests.faults.wire import Wire, lose_request, meanwhile, open_wire, refuse
from tests.files import samples
from tests.files.space import C1, FakeSpace, begin_post, put, row
from tests.queueing import MOST_RECEIVES, dead_letters, make_queue, read, send_raw, waiting


@pytest.fixture
def queue(space: FakeSpace, settings: LazySettings) -> str:
    """An empty queue with a dead-letter queue, which the worker reads."""
    url = make_queue("uploads")
    settings.SQS_UPLOADS_URL = url
    return url


@pytest.fixture
def wire(queue: str) -> Iterator[Wire]:
    with open_wire() as opened:
        yield opened


def event(key: str, name: str = "ObjectCreated:Post") -> dict[str, Any]:
    """A record as S3 writes it; keys are URL-encoded in it."""
    encoded = key.replace("+", "%2B").replace(" ", "+")
    return {"eventName": name, "s3": {"bucket": {"name": "b"}, "object": {"key": encoded}}}


def send(queue: str, *records: Any) -> None:
    send_raw(queue, json.dumps({"Records": list(records)}))


def begin(space: FakeSpace) -> File:
    file, _ = begin_post(C1, space, file_name="letter.pdf", size=len(samples.PDF))
    return file


def arrived(space: FakeSpace) -> File:
    file = begin(space)
    put(file, samples.PDF)
    return file


def settlings(space: FakeSpace) -> int:
    stream = AuditEvent.query(space.space_id, consistent_read=True)
    return [event.action for event in stream].count("upload:available")


@pytest.mark.parametrize("name", ["Post", "Put", "CompleteMultipartUpload", "Copy"])
def test_an_event_settles_its_upload(space: FakeSpace, queue: str, name: str) -> None:
    file = arrived(space)
    send(queue, event(file.s3_key, f"ObjectCreated:{name}"))
    assert read() == [True]
    assert row(file).state == FileState.AVAILABLE
    assert space.available == [file.file_id]
    assert waiting(queue) == 0


def test_an_event_that_comes_twice_settles_once(space: FakeSpace, queue: str) -> None:
    file = arrived(space)
    for _ in range(3):
        send(queue, event(file.s3_key), event(file.s3_key))
    read()
    assert settlings(space) == 1
    assert waiting(queue) == 0


def test_confirm_after_the_event_answers_the_file(space: FakeSpace, queue: str) -> None:
    file = arrived(space)
    send(queue, event(file.s3_key))
    read()
    assert uploads.confirm(C1, space, file.file_id).state == FileState.AVAILABLE
    assert settlings(space) == 1


@pytest.mark.parametrize(
    ("state", "reason"),
    [(FileState.CHECKING, None), (FileState.AVAILABLE, None), (FileState.REJECTED, "markup")],
)
def test_confirm_answers_whatever_the_event_made_of_it(
    space: FakeSpace, state: FileState, reason: str | None
) -> None:
    file = begin(space)
    file.update([File.state.set(state.value), File.reason.set(reason or "-")])
    assert uploads.confirm(C1, space, file.file_id).state == state


def test_event_and_confirm_at_the_same_moment_write_once(
    space: FakeSpace, queue: str, wire: Wire
) -> None:
    file = arrived(space)
    send(queue, event(file.s3_key))

    def confirm() -> None:
        assert uploads.confirm(C1, space, file.file_id).state == FileState.AVAILABLE

    wire.add("TransactWriteItems", meanwhile(confirm))
    assert read() == [True]
    assert settlings(space) == 1
    assert waiting(queue) == 0


def test_confirm_that_loses_to_the_event_answers_the_file(
    space: FakeSpace, queue: str, wire: Wire
) -> None:
    file = arrived(space)
    send(queue, event(file.s3_key))
    wire.add("TransactWriteItems", meanwhile(read))
    assert uploads.confirm(C1, space, file.file_id).state == FileState.AVAILABLE
    assert settlings(space) == 1


@pytest.mark.parametrize("state", [FileState.ABORTED, FileState.EXPIRED, FileState.DELETED])
def test_bytes_that_come_after_the_end_do_not_stay(
    space: FakeSpace, queue: str, state: FileState
) -> None:
    file = begin(space)
    file.update([File.state.set(state.value)])
    put(file, samples.PDF)
    send(queue, event(file.s3_key))
    read()
    jobs.run_due("test", kinds={PURGE_JOB})
    assert case_storage().list_versions(file.s3_key) == []
    assert row(file).state == state


def test_what_is_none_of_our_uploads_is_left_alone(space: FakeSpace, queue: str) -> None:
    file = arrived(space)
    keys = [
        thumb_key(file.s3_key),
        preview_key(file.s3_key),
        f"{file.s3_key}0",
        f"cases/one/{file.file_id}.{'0' * 32}",
        f"cases/two/{new_id()}.{'0' * 32}",
        "cases/one/a name with spaces+and plus.pdf",
        "\u00e9/../x",
        "",
    ]
    for key in keys:
        send(queue, event(key))
    send(queue, event(file.s3_key, "ObjectRemoved:Delete"))
    send(queue, event(file.s3_key, "LifecycleExpiration:Delete"))
    send(queue)
    read(2)
    assert row(file).state == FileState.PENDING
    assert waiting(queue) == 0
    assert dead_letters() == 0


def test_pictures_of_a_file_cost_no_look_at_all(space: FakeSpace, queue: str, wire: Wire) -> None:
    file = arrived(space)
    wire.calls.clear()
    send(queue, event(thumb_key(file.s3_key)), event(preview_key(file.s3_key)))
    read()
    assert {call for call, _ in wire.calls} == {"SendMessage", "ReceiveMessage", "DeleteMessage"}


def test_an_event_for_a_row_that_is_gone_changes_nothing(space: FakeSpace, queue: str) -> None:
    file = arrived(space)
    row(file).delete()
    assert FileRef.fetch(file.file_id) is not None
    send(queue, event(file.s3_key))
    assert read() == [True]
    assert waiting(queue) == 0


def test_keys_are_read_as_they_are_encoded() -> None:
    body = json.dumps({"Records": [event("cases/a b/c+d%C3%A4.thumb")]})
    assert events.created_keys(body) == ["cases/a b/c+d\u00e4.thumb"]


def test_the_test_event_of_setting_it_up_is_taken_away(space: FakeSpace, queue: str) -> None:
    send_raw(queue, json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}))
    read()
    assert waiting(queue) == 0


BAD = [
    "not json, but a canary",
    "[]",
    "null",
    "7",
    "{}",
    '{"Records": null}',
    '{"Records": [null]}',
    '{"Records": [{"eventName": "ObjectCreated:Put"}]}',
    '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": 5}}}]}',
    "[" * 10_000,
]


@pytest.mark.parametrize("body", BAD)
def test_a_bad_message_goes_to_the_dead_letters_and_holds_up_no_other_N6(
    space: FakeSpace, queue: str, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    send_raw(queue, body)
    file = arrived(space)
    send(queue, event(file.s3_key))
    assert read() == [True]
    assert row(file).state == FileState.AVAILABLE
    assert waiting(queue) == 1
    read(MOST_RECEIVES + 1, later=timedelta(minutes=5))
    assert (waiting(queue), dead_letters()) == (0, 1)
    messages = {r.message for r in caplog.records if r.name == "filevault.queues"}
    assert messages == {"message can't be read"}
    assert "canary" not in caplog.text


def test_a_row_that_cannot_be_read_holds_up_no_other_N6(space: FakeSpace, queue: str) -> None:
    broken, file = arrived(space), arrived(space)
    boto3.client("dynamodb").update_item(
        TableName=File.Meta.table_name,
        Key={"spaceId": {"S": space.space_id}, "fileId": {"S": broken.file_id}},
        UpdateExpression="SET createdAt = :moment",
        ExpressionAttributeValues={":moment": {"S": "yesterday"}},
    )
    send(queue, event(broken.s3_key))
    send(queue, event(file.s3_key))
    assert read() == [True]
    assert row(file).state == FileState.AVAILABLE
    assert waiting(queue) == 1


# --- What is away ---


def test_one_upload_holds_up_no_other_of_its_message_N6(
    space: FakeSpace, queue: str, wire: Wire
) -> None:
    stuck, file = arrived(space), arrived(space)
    send(queue, event(stuck.s3_key), event(file.s3_key))
    wire.add("GetObject", refuse("AccessDenied"))
    assert read() == [False]
    assert {row(stuck).state, row(file).state} == {FileState.PENDING, FileState.AVAILABLE}
    assert waiting(queue) == 1, "and comes again for the other"


def test_storage_away_leaves_the_message_for_later(
    space: FakeSpace, queue: str, wire: Wire
) -> None:
    file = arrived(space)
    send(queue, event(file.s3_key))
    wire.add("GetObject", refuse("SlowDown"))
    assert read() == [False]
    assert row(file).state == FileState.PENDING
    assert waiting(queue) == 1
    assert wire.sent("ChangeMessageVisibility")[0]["VisibilityTimeout"] == 60
    assert read() == [True], "it is hidden now"
    assert row(file).state == FileState.PENDING
    read(2, later=timedelta(seconds=70))
    assert row(file).state == FileState.AVAILABLE
    assert waiting(queue) == 0


def test_tables_away_leave_the_message_for_later(space: FakeSpace, queue: str, wire: Wire) -> None:
    file = arrived(space)
    send(queue, event(file.s3_key))
    wire.add("GetItem", lose_request(), times=10)
    assert read() == [False]
    assert waiting(queue) == 1


def test_one_upload_that_storage_refuses_holds_up_no_other_N6(
    space: FakeSpace, queue: str, wire: Wire
) -> None:
    stuck, file = arrived(space), arrived(space)
    send(queue, event(stuck.s3_key))
    send(queue, event(file.s3_key))
    wire.add("GetObject", refuse("AccessDenied"))
    assert read() == [True], "no reason to wait before the next"
    assert {row(stuck).state, row(file).state} == {FileState.PENDING, FileState.AVAILABLE}
    assert waiting(queue) == 1


@pytest.mark.parametrize("code", ["AccessDenied", "ThrottlingException", "ServiceUnavailable"])
def test_a_queue_that_is_away_is_told_once_and_waited_for(
    space: FakeSpace, queue: str, wire: Wire, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    caplog.set_level(logging.INFO)
    (listener,) = queues.listeners()
    wire.add("ReceiveMessage", refuse(code), times=3)
    assert [listener.poll(threading.Event()) for _ in range(4)] == [False, False, False, True]
    told = [(r.levelname, r.message) for r in caplog.records if r.name == "filevault.queues"]
    assert told == [("ERROR", "queue does not answer"), ("INFO", "queue is read again")]


def test_a_lost_deletion_brings_the_message_again_and_changes_nothing(
    space: FakeSpace, queue: str, wire: Wire
) -> None:
    file = arrived(space)
    send(queue, event(file.s3_key))
    wire.add("DeleteMessage", lose_request())
    assert read() == [False]
    assert waiting(queue) == 1
    read(2, later=timedelta(minutes=3))
    assert waiting(queue) == 0
    assert settlings(space) == 1


# --- The worker ---


def test_without_a_queue_nothing_is_read(settings: LazySettings) -> None:
    settings.SQS_UPLOADS_URL = ""
    assert queues.listeners() == []


def test_the_worker_reads_beside_its_jobs_and_stops_within_ten_seconds(
    space: FakeSpace, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "WAIT_SECONDS", 1)
    monkeypatch.setattr(jobs, "_chores", {})
    busy, free = threading.Event(), threading.Event()

    def work(claim: jobs.Claim) -> None:
        busy.set()
        free.wait(20)

    monkeypatch.setitem(jobs._handlers, "test.long", work)
    Job("0", "2020#x", kind="test.long", created_at=datetime.now(UTC)).save()
    file = arrived(space)
    worker = Worker()
    running = threading.Thread(target=worker.run)
    running.start()
    try:
        assert busy.wait(10)
        send(queue, event(file.s3_key))
        until = time.monotonic() + 15
        while row(file).state != FileState.AVAILABLE:
            assert time.monotonic() < until, "not settled while a job was running"
            time.sleep(0.05)
    finally:
        free.set()
        worker.stop()
        running.join(10)
    assert not running.is_alive()


def test_a_stopping_worker_gives_back_what_it_has_not_begun(
    space: FakeSpace, queue: str, wire: Wire
) -> None:
    files = [arrived(space) for _ in range(3)]
    for file in files:
        send(queue, event(file.s3_key))
    stopping = threading.Event()
    wire.add("DeleteMessage", meanwhile(stopping.set))
    (listener,) = queues.listeners()
    listener.poll(stopping)
    states = sorted(row(file).state for file in files)
    assert states == ["AVAILABLE", "PENDING", "PENDING"]
    read()
    assert {row(file).state for file in files} == {"AVAILABLE"}


def test_once_does_one_short_receive(
    space: FakeSpace, queue: str, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_chores", {})
    file = arrived(space)
    send(queue, event(file.s3_key))
    call_command("run_worker", "--once")
    assert row(file).state == FileState.AVAILABLE
    (asked,) = wire.sent("ReceiveMessage")
    assert asked["WaitTimeSeconds"] == 0


def test_unavailable_is_what_a_handler_waits_for() -> None:
    assert Unavailable in jobs.OUTAGES
