"""Transactions: conflicts, lost replies, refusals; and what templates may call."""

from collections.abc import Callable
from typing import Any

import pytest
from django.template import Context, Template

from accounts import audit
from accounts.actors import WORKER
from accounts.tables import AuditEvent
from filevault import dynamo
from filevault.dynamo import Transaction, readable
from filevault.errors import Conflict, Unavailable
from filevault.tables import Limit, Once
from tests.faults.wire import Answer, Wire, lose_reply, lose_request, refuse

WRITE = "TransactWriteItems"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filevault.dynamo.transaction.time.sleep", lambda seconds: None)


def counter(key: str = "k", used: int = 0) -> Limit:
    row = Limit(key, used=used, ttl=dynamo.now())
    row.save()
    return row


def used(key: str = "k") -> int:
    row = Limit.fetch(key)
    assert row is not None
    return int(row.used)


def add_one(row: Limit) -> Transaction:
    tx = Transaction()
    tx.update(row, [Limit.used.add(1)])
    return tx


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        ("TransactionCanceledException", ["TransactionConflict"]),
        ("TransactionCanceledException", ["ThrottlingError"]),
        ("TransactionInProgressException", None),
        ("ThrottlingException", None),
        ("InternalServerError", None),
    ],
)
def test_passing_trouble_is_waited_out(wire: Wire, code: str, reasons: list[str] | None) -> None:
    row = counter()
    wire.add(WRITE, refuse(code, reasons=reasons), times=7)
    add_one(row).commit()
    assert used() == 1
    assert len(wire.sent(WRITE)) == 8


def test_a_store_that_stays_busy_is_given_up_after_eight_tries(wire: Wire) -> None:
    row = counter()
    trouble = refuse("TransactionCanceledException", reasons=["TransactionConflict"])
    wire.add(WRITE, trouble, times=100)
    committed: list[str] = []
    tx = add_one(row)
    tx.on_commit(lambda: committed.append("yes"))
    with pytest.raises(Unavailable) as caught:
        tx.commit()
    assert caught.value.reason == "store_busy"
    assert len(wire.sent(WRITE)) == 8
    assert used() == 0
    assert not committed


@pytest.mark.parametrize("timeout", [False, True])
def test_a_lost_reply_is_retried_with_the_same_token_and_bytes(wire: Wire, timeout: bool) -> None:
    row = counter()
    wire.add(WRITE, lose_reply(timeout=timeout), times=3)
    add_one(row).commit()
    first, *others = wire.sent(WRITE)
    assert len(others) == 3
    assert all(other == first for other in others)
    assert first["ClientRequestToken"]
    assert used() == 1, "applied once, although it was sent four times"


def test_a_lost_request_is_sent_again(wire: Wire) -> None:
    row = counter()
    wire.add(WRITE, lose_request(), times=2)
    add_one(row).commit()
    assert used() == 1


def test_two_transactions_never_share_a_token(wire: Wire) -> None:
    row = counter()
    add_one(row).commit()
    add_one(row).commit()
    tokens = {call["ClientRequestToken"] for call in wire.sent(WRITE)}
    assert len(tokens) == 2


def forget_tokens(wire: Wire) -> None:
    """From the second call on, as if ten minutes had passed: the store knows no token any more."""

    def fault(call: Callable[[], Answer]) -> Answer:
        wire.sent(WRITE)[-1].pop("ClientRequestToken")
        return call()

    wire.add(WRITE, fault)


def test_a_condition_that_our_own_write_broke_is_success_by_its_witness(wire: Wire) -> None:
    tx = Transaction()
    tx.create(Once("request-1", ttl=dynamo.now()), otherwise=Conflict(code="twice"))
    event_id = audit.record(tx, "user:1", audit.Action.USER_LOGIN, WORKER)
    wire.add(WRITE, lose_reply())
    forget_tokens(wire)
    tx.commit()
    assert AuditEvent.fetch("user:1", event_id) is not None
    assert len(wire.sent(WRITE)) == 2


def test_a_condition_that_another_broke_is_refused_although_a_reply_was_lost(wire: Wire) -> None:
    Once("request-1", ttl=dynamo.now()).save()
    tx = Transaction()
    tx.create(Once("request-1", ttl=dynamo.now()), otherwise=Conflict(code="twice"))
    audit.record(tx, "user:1", audit.Action.USER_LOGIN, WORKER)
    wire.add(WRITE, lose_request())
    with pytest.raises(Conflict) as caught:
        tx.commit()
    assert caught.value.reason == "twice"


def test_the_refusal_is_that_of_the_condition_that_failed() -> None:
    checked, deleted, updated = counter("a"), counter("b"), counter("c", used=5)
    tx = Transaction()
    tx.create(Once("new", ttl=dynamo.now()), otherwise=Conflict(code="create"))
    tx.update(updated, [Limit.used.add(1)], condition=Limit.used < 5, otherwise=Conflict(code="up"))
    tx.delete(deleted, condition=Limit.used == 0, otherwise=Conflict(code="delete"))
    tx.check(checked, Limit.used == 0, otherwise=Conflict(code="check"))
    with pytest.raises(Conflict) as caught:
        tx.commit()
    assert caught.value.reason == "up"
    assert Once.fetch("new") is None, "nothing of it happened"
    assert Limit.fetch("b") is not None


def test_a_refusal_without_a_reason_is_a_conflict() -> None:
    row = counter(used=1)
    tx = Transaction()
    tx.update(row, [Limit.used.add(1)], condition=Limit.used == 0)
    with pytest.raises(Conflict):
        tx.commit()


def test_a_refused_create_leaves_the_row_as_it_was() -> None:
    counter(used=7)
    tx = Transaction()
    tx.create(Limit("k", used=0, ttl=dynamo.now()))
    with pytest.raises(Conflict):
        tx.commit()
    assert used() == 7


def test_updates_of_one_row_are_joined_with_all_their_conditions() -> None:
    row = counter(used=1)
    tx = Transaction()
    tx.check(row, Limit.used >= 1)
    tx.update(row, [Limit.used.add(1)])
    tx.update(row, [Limit.ttl.set(dynamo.now())], condition=Limit.used < 9, otherwise=Conflict())
    tx.commit()
    assert len(tx) == 1
    assert used() == 2


@pytest.mark.parametrize("first", [0, 9], ids=["the check", "the update"])
def test_each_joined_condition_still_refuses(first: int) -> None:
    row = counter(used=first)
    tx = Transaction()
    tx.check(row, Limit.used >= 1, otherwise=Conflict())
    tx.update(row, [Limit.used.add(1)], condition=Limit.used < 9)
    with pytest.raises(Conflict):
        tx.commit()
    assert used() == first


def test_a_row_is_not_put_and_deleted_in_one_transaction() -> None:
    row = counter()
    tx = Transaction()
    tx.delete(row)
    with pytest.raises(ValueError, match="stands twice"):
        tx.put(row)


def test_more_than_a_hundred_items_are_never_split(wire: Wire) -> None:
    tx = Transaction()
    for number in range(101):
        tx.put(Once(f"k{number}", ttl=dynamo.now()))
    with pytest.raises(ValueError, match="1 to 100"):
        tx.commit()
    with pytest.raises(ValueError, match="1 to 100"):
        Transaction().commit()
    assert not wire.sent(WRITE)


def test_a_hundred_items_are_one_write(wire: Wire) -> None:
    tx = Transaction()
    for number in range(100):
        tx.put(Once(f"k{number}", ttl=dynamo.now()))
    tx.commit()
    assert len(wire.sent(WRITE)) == 1
    assert Once.fetch("k99") is not None


def test_a_broken_request_is_an_error_at_once(wire: Wire) -> None:
    row = counter()
    wire.add(WRITE, refuse("ValidationException"))
    with pytest.raises(dynamo.STORE_ERRORS):
        add_one(row).commit()
    assert len(wire.sent(WRITE)) == 1


def test_losing_a_race_is_an_answer_and_an_outage_is_not(wire: Wire) -> None:
    row = counter()
    assert row.try_update([Limit.used.add(1)], Limit.used == 0)
    assert not row.try_update([Limit.used.add(1)], Limit.used == 0)
    wire.add("UpdateItem", lose_request())
    with pytest.raises(dynamo.STORE_ERRORS):
        row.try_update([Limit.used.add(1)], Limit.used == 1)


def test_decisions_are_read_consistently(wire: Wire) -> None:
    counter("a")
    Limit.fetch("a")
    Limit.fetch_many(["a", "b"])
    assert wire.sent("GetItem")[0]["ConsistentRead"] is True
    tables = wire.sent("BatchGetItem")[0]["RequestItems"]
    assert all(request["ConsistentRead"] is True for request in tables.values())


def test_rows_of_several_tables_are_one_consistent_read(wire: Wire) -> None:
    Once("here", answer=1, ttl=dynamo.now()).save()
    Limit("there", used=2, ttl=dynamo.now()).save()
    found = dynamo.fetch_together((Limit, ("there",)), (Once, ("here",)), (Once, ("nowhere",)))
    assert [row and row.attribute_values.get("used", "once") for row in found] == [2, "once", None]
    (read,) = wire.sent("BatchGetItem")
    assert all(table["ConsistentRead"] for table in read["RequestItems"].values())


def test_rows_that_the_store_left_out_are_read_one_by_one(wire: Wire) -> None:
    Once("here", answer=1, ttl=dynamo.now()).save()
    left_out: Answer = {"Responses": {}, "UnprocessedKeys": {"filevault-Once": {"Keys": []}}}
    wire.add("BatchGetItem", lambda call: left_out)
    (row,) = dynamo.fetch_together((Once, ("here",)))
    assert row.key == "here"


def test_an_outage_of_a_read_together_is_one_of_the_store(wire: Wire) -> None:
    wire.add("BatchGetItem", lose_request(), times=5)
    with pytest.raises(dynamo.STORE_ERRORS):
        dynamo.fetch_together((Once, ("here",)))


def test_a_row_that_cannot_be_read_hides_no_other(wire: Wire) -> None:
    stream = "user:1"
    for _ in range(3):
        audit.record_alone(stream, audit.Action.USER_LOGIN, WORKER)
    middle = sorted(event.event_id for event in AuditEvent.query(stream))[1]
    client: Any = dynamo.connection(retries=0).client
    client.update_item(
        TableName=AuditEvent.Meta.table_name,
        Key={"streamId": {"S": stream}, "eventId": {"S": middle}},
        UpdateExpression="SET #at = :broken",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":broken": {"S": "yesterday"}},
    )
    assert len(list(readable(AuditEvent.query(stream)))) == 2


@pytest.mark.parametrize("name", ["delete", "delete_table", "save", "fetch", "update"])
def test_a_template_can_call_no_method_of_a_row(name: str) -> None:
    row = counter()
    rendered = Template("[{{ row." + name + " }}]").render(Context({"row": row}))
    assert rendered == "[]"
    assert Limit.fetch("k") is not None
