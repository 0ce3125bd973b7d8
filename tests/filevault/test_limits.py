"""Limits: use by use or in blocks, by actor and by address (W5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from filevault import limits
from filevault.dynamo import Transaction, now
from filevault.errors import RateLimited
from filevault.limits import BLOCK, Allowance
from filevault.tables import Limit, Once
from tests.counting import counted

WINDOW = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def clock(world: None) -> Iterator[time_machine.Traveller]:
    """In the middle of a window, whatever the hour."""
    with time_machine.travel(datetime(2026, 7, 1, 12, 1, tzinfo=UTC)) as clock:
        yield clock


@dataclass(frozen=True)
class Somebody:
    actor_id: str
    address: str


def refused(key: str, *, limit: int, most: int) -> int:
    """How many rough uses of a key pass before the first that is refused."""
    for passed in range(most):
        try:
            limits.spend_roughly(key, limit=limit, window=WINDOW)
        except RateLimited:
            return passed
    raise AssertionError(f"{most} uses passed")


def test_beyond_the_limit_comes_when_to_try_again_W5(clock: time_machine.Traveller) -> None:
    for _use in range(3):
        limits.spend("key", limit=3, window=WINDOW)
    with pytest.raises(RateLimited) as refusal:
        limits.spend("key", limit=3, window=WINDOW)
    assert 0 < refusal.value.retry_after <= WINDOW.total_seconds()
    limits.spend("another key", limit=3, window=WINDOW)
    clock.shift(WINDOW)
    limits.spend("key", limit=3, window=WINDOW)


def test_ordinary_use_costs_one_write_a_block_W5(monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch) as calls:
        for _use in range(BLOCK - 1):
            limits.spend_roughly("key", limit=1000, window=WINDOW)
        assert calls == []
        limits.spend_roughly("key", limit=1000, window=WINDOW)
    assert calls == ["dynamodb.UpdateItem"]
    (row,) = Limit.scan()
    assert int(row.used) == BLOCK


def test_processes_share_a_rough_limit_to_within_a_block_each_W5(
    monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller
) -> None:
    passed = 0
    for _process in range(2):
        limits.forget()
        passed += refused("key", limit=100, most=200)
    assert 100 <= passed <= 100 + 2 * 10
    with counted(monkeypatch) as calls, pytest.raises(RateLimited):
        limits.spend_roughly("key", limit=100, window=WINDOW)
    assert calls == [], "what is used up costs nothing any more"
    clock.shift(WINDOW)
    limits.spend_roughly("key", limit=100, window=WINDOW)


def test_a_flood_from_many_addresses_fills_no_memory_W5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEPT", 5)
    for number in range(50):
        limits.spend_roughly(f"key {number}", limit=1000, window=WINDOW)
    assert len(limits._tally._uses) == 5


def test_a_limit_in_a_transaction_holds_and_counts_only_what_was_done_W5() -> None:
    def use(name: str, *, limit: int) -> None:
        tx = Transaction()
        tx.create(Once(name, ttl=now()))
        limits.spend_in(tx, "key", limit=limit, window=WINDOW)
        tx.commit()

    use("a", limit=2)
    use("b", limit=2)
    for _again in range(2):
        with pytest.raises(RateLimited):
            use("c", limit=2)
    use("d", limit=3)
    assert sorted(row.key for row in Once.scan()) == ["a", "b", "d"]


def test_an_allowance_is_one_actors_and_one_addresss_W5() -> None:
    allowance = Allowance("read", actor=5, address=8, window=WINDOW)
    ann, ben, far = (
        Somebody("user:ann", "192.0.2.1"),
        Somebody("user:ben", "192.0.2.1"),
        Somebody("user:far", "192.0.2.2"),
    )
    for _use in range(5):
        allowance.spend(ann)
    with pytest.raises(RateLimited):
        allowance.spend(ann)
    for _use in range(3):
        allowance.spend(ben)
    with pytest.raises(RateLimited):
        allowance.spend(ben)
    allowance.spend(far)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "unix:", False),
    ],
)
def test_an_ipv6_address_counts_with_its_network_W5(one: str, other: str, alike: bool) -> None:
    keys = [limits.address_key("login", address) for address in (one, other)]
    assert (keys[0] == keys[1]) is alike
    assert not any(address and address in key for address in (one, other) for key in keys)
