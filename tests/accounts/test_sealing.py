"""A1: events are chained within a minute, and verification names what was done to the chain."""

import io
import threading
import time
from datetime import timedelta
from typing import Any

import boto3
import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command

from accounts import audit, sealing
from accounts.actors import WORKER
from accounts.audit import Action
from accounts.sealing import seal_pending
from accounts.tables import AuditEvent, StreamHead
from accounts.verification import Fault, verify_all, verify_stream
from filevault import dynamo
from filevault.dynamo import now
from filevault.errors import Conflict
from tests.files.space import make_bucket

pytestmark = pytest.mark.settled

STREAM = "case:11111111-1111-7111-8111-111111111111"


def record(count: int, stream: str = STREAM) -> list[str]:
    return [
        audit.record_alone(stream, Action.FILE_DOWNLOAD, WORKER, details={"size": number})
        for number in range(count)
    ]


def event(event_id: str, stream: str = STREAM) -> AuditEvent:
    found = AuditEvent.fetch(stream, event_id)
    assert found is not None
    return found


def sealed(count: int) -> list[str]:
    ids = record(count)
    assert seal_pending() == count
    assert verify_stream(STREAM) is None
    return ids


def test_events_are_chained_in_order_A1() -> None:
    ids = record(3)
    assert seal_pending() == 3
    first, second, third = (event(each) for each in ids)
    assert [first.sequence, second.sequence, third.sequence] == [1, 2, 3]
    assert first.previous_hash == sealing.GENESIS
    assert second.previous_hash == first.hash
    assert third.previous_hash == second.hash
    assert first.unsealed_shard is None
    head = StreamHead.fetch(STREAM)
    assert head is not None
    assert (head.sequence, head.hash, head.last_event_id) == (3, third.hash, ids[2])
    assert head.changed_shard
    assert list(verify_all()) == []


def test_sealing_again_does_nothing() -> None:
    sealed(2)
    assert seal_pending() == 0


def test_more_events_than_one_transaction_holds() -> None:
    sealed(2 * sealing.BATCH + 5)
    head = StreamHead.fetch(STREAM)
    assert head is not None
    assert head.sequence == 2 * sealing.BATCH + 5


def test_a_late_event_is_appended_not_squeezed_in() -> None:
    late = dynamo.new_id()
    sealed(2)
    AuditEvent(
        STREAM, late, action="file:downloaded", actor="x", at=now(), unsealed_shard="0"
    ).save()
    assert seal_pending() == 1
    assert event(late).sequence == 3
    assert verify_stream(STREAM) is None


def test_streams_have_chains_of_their_own() -> None:
    record(2)
    other = record(1, "user:u")
    assert seal_pending() == 3
    assert event(other[0], "user:u").sequence == 1
    assert list(verify_all()) == []


def test_a_broken_stream_holds_up_no_other_N6() -> None:
    bad = record(1, "case:bad")[0]
    good = record(1, "case:good")[0]
    boto3.client("dynamodb").update_item(
        TableName=AuditEvent.Meta.table_name,
        Key={"streamId": {"S": "case:bad"}, "eventId": {"S": bad}},
        UpdateExpression="SET details = :broken",
        ExpressionAttributeValues={":broken": {"S": "{no json"}},
    )
    assert seal_pending() == 1
    assert event(good, "case:good").sequence == 1


@pytest.mark.stack
def test_sealers_at_once_make_one_chain() -> None:
    """On the real stack: moto's transactions don't hold across threads. Its index lags by a second,
    so that each round of sealers finds what the one before left."""
    stream = f"case:{dynamo.new_id()}"
    record(90, stream)
    deadline = time.monotonic() + 30
    while _sealed_length(stream) < 90 and time.monotonic() < deadline:
        sealers = [threading.Thread(target=seal_pending) for _ in range(3)]
        for sealer in sealers:
            sealer.start()
        for sealer in sealers:
            sealer.join()
    assert _sealed_length(stream) == 90
    assert verify_stream(stream) is None


def _sealed_length(stream: str) -> int:
    head = StreamHead.fetch(stream)
    return int(head.sequence) if head else 0


def test_the_sealer_that_lost_the_race_writes_nothing() -> None:
    """Two sealers read the same head and the same events; the second to write is refused."""
    ids = record(2)
    rows = [event(each) for each in ids]
    sealing._seal_batch(None, rows)
    before = [event(each).serialize() for each in ids]
    late = record(1)
    with pytest.raises(Conflict):
        sealing._seal_batch(None, [event(late[0])])
    assert [event(each).serialize() for each in ids] == before
    assert event(late[0]).sequence is None


def test_edited_is_named_A1() -> None:
    ids = sealed(3)
    event(ids[1]).update([AuditEvent.actor.set("user:someone-else")])
    finding = verify_stream(STREAM)
    assert finding is not None
    assert (finding.fault, finding.event_id, finding.sequence) == (Fault.EDITED, ids[1], 2)


@pytest.mark.parametrize(
    "change",
    [
        AuditEvent.details.set({"size": 99}),
        AuditEvent.action.set("file:deleted"),
        AuditEvent.target.set("file:x"),
        AuditEvent.address.set("198.51.100.7"),
        AuditEvent.at.set(now()),
        AuditEvent.hash.set("0" * 64),
    ],
    ids=["details", "action", "target", "address", "at", "hash"],
)
def test_an_edit_of_any_field_is_named_A1(change: Any) -> None:
    ids = sealed(2)
    event(ids[0]).update([change])
    finding = verify_stream(STREAM)
    assert finding is not None
    assert (finding.fault, finding.event_id) == (Fault.EDITED, ids[0])


@pytest.mark.parametrize("place", [0, 1])
def test_edited_with_its_hash_made_anew_is_named_A1(place: int) -> None:
    ids = sealed(2)
    row = event(ids[place])
    row.actor = "user:someone-else"
    row.hash = sealing.event_hash(row, int(row.sequence), str(row.previous_hash))
    row.save()
    finding = verify_stream(STREAM)
    assert finding is not None
    assert (finding.fault, finding.event_id) == (Fault.EDITED, ids[place])


@pytest.mark.parametrize("with_hashes", [False, True])
def test_reordered_is_named_A1(with_hashes: bool) -> None:
    ids = sealed(4)
    second, third = event(ids[1]), event(ids[2])
    second.sequence, third.sequence = third.sequence, second.sequence
    if with_hashes:
        second.hash, third.hash = third.hash, second.hash
        second.previous_hash, third.previous_hash = third.previous_hash, second.previous_hash
    second.save()
    third.save()
    finding = verify_stream(STREAM)
    assert finding is not None
    assert (finding.fault, finding.event_id, finding.sequence) == (Fault.REORDERED, ids[2], 2)


@pytest.mark.parametrize("place", [0, 1])
def test_removed_is_named_A1(place: int) -> None:
    ids = sealed(3)
    event(ids[place]).delete()
    finding = verify_stream(STREAM)
    assert finding is not None
    assert (finding.fault, finding.sequence) == (Fault.REMOVED, place + 1)
    assert ids[place + 1] in str(finding)


def test_cut_off_is_named_A1() -> None:
    ids = sealed(3)
    event(ids[2]).delete()
    finding = verify_stream(STREAM)
    assert finding is not None
    assert (finding.fault, finding.event_id, finding.sequence) == (Fault.CUT_OFF, ids[2], 3)


def test_a_whole_stream_cut_off_is_named_A1() -> None:
    for each in sealed(2):
        event(each).delete()
    findings = list(verify_all())
    assert [(each.stream_id, each.fault) for each in findings] == [(STREAM, Fault.CUT_OFF)]


def test_a_removed_head_is_named_A1() -> None:
    ids = sealed(2)
    StreamHead(STREAM).delete()
    finding = verify_stream(STREAM)
    assert finding is not None
    assert (finding.fault, finding.event_id) == (Fault.CUT_OFF, ids[1])


def test_a_head_that_was_set_back_is_named_A1() -> None:
    ids = sealed(3)
    StreamHead(STREAM).update([StreamHead.sequence.set(2), StreamHead.hash.set(event(ids[1]).hash)])
    finding = verify_stream(STREAM)
    assert finding is not None
    assert finding.fault == Fault.CUT_OFF


def test_left_unsealed_is_named_after_a_minute_A1() -> None:
    ids = record(1)
    assert verify_stream(STREAM) is None
    with time_machine.travel(now() + timedelta(seconds=61)):
        finding = verify_stream(STREAM)
        assert finding is not None
        assert (finding.fault, finding.event_id) == (Fault.UNSEALED, ids[0])
        assert verify_stream(STREAM, grace=timedelta(seconds=30)) is None


def test_an_event_kept_from_the_sealer_is_named_A1() -> None:
    ids = record(1)
    event(ids[0]).update([AuditEvent.unsealed_shard.remove()])
    assert seal_pending() == 0
    with time_machine.travel(now() + timedelta(seconds=61)):
        finding = verify_stream(STREAM)
    assert finding is not None
    assert finding.fault == Fault.UNSEALED


def test_a_sealer_at_work_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sealed between reading the head and reading the events isn't mistaken for a fault."""
    sealed(2)
    record(3)
    fetch, first = StreamHead.fetch, True

    def fetch_then_seal(stream_id: str, range_key: str | None = None) -> StreamHead | None:
        nonlocal first
        head = fetch(stream_id)
        if first:
            first = False
            seal_pending()
            record(1)
        return head

    monkeypatch.setattr(StreamHead, "fetch", fetch_then_seal)
    assert verify_stream(STREAM) is None


def test_commands_seal_and_verify() -> None:
    make_bucket(settings.FILEVAULT_BUCKET)
    ids = record(2)
    out = io.StringIO()
    call_command("seal_audit", stdout=out)
    call_command("verify_audit", stdout=out)
    assert out.getvalue().splitlines() == [
        "2 events sealed",
        "The audit trail is as it was sealed.",
        "It agrees with 0 checkpoints.",
    ]
    event(ids[0]).update([AuditEvent.target.set("file:other")])
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--stream", STREAM, stdout=out)
    assert ended.value.code == 1
    assert out.getvalue().startswith(f"{STREAM}: event {ids[0]} at 1 edited: ")
    assert len(out.getvalue().splitlines()) == 1
