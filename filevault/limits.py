"""Limits by atomic counters in DynamoDB, so that they hold across processes (I7, W5).

What costs much or gives much away (logins, codes, mails, shares, archives) is counted use by use.
What people do all day (downloads, searches) is counted roughly: each process writes its uses down
in blocks, so that an ordinary click costs nothing, and up to a block a process passes unseen.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

from filevault.dynamo import Transaction, now
from filevault.errors import RateLimited
from filevault.tables import Limit

#: Uses that a process counts by itself before it writes them down, at the most.
BLOCK: Final = 20
#: Counters that a process keeps: a flood from many addresses must not fill its memory.
MOST_KEPT: Final = 10_000
#: Who has an IPv6 address has all of its /64 (RFC 6177): it is one address here.
_IPV6_SHARED: Final = 64
_USED_UP: Final = -1


class Who(Protocol):
    """Somebody who is limited: `accounts.actors` has the kinds."""

    @property
    def actor_id(self) -> str: ...

    @property
    def address(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """How often one actor may do something in a window, and one address with everybody behind it.
    Addresses get more, since a whole practice may share one."""

    what: str
    actor: int
    address: int
    window: timedelta

    def spend(self, who: Who) -> None:
        """Count one use, roughly. Raises `RateLimited`."""
        spend_roughly(self._of_actor(who), limit=self.actor, window=self.window)
        self._spend_of_address(who)

    def spend_in(self, tx: Transaction, who: Who) -> None:
        """Count one use in the transaction that it is: exactly by actor, roughly by address.
        Raises `RateLimited`, at once or at the commit."""
        spend_in(tx, self._of_actor(who), limit=self.actor, window=self.window)
        self._spend_of_address(who)

    def _of_actor(self, who: Who) -> str:
        return f"{self.what}#{who.actor_id}"

    def _spend_of_address(self, who: Who) -> None:
        if who.address:
            key = address_key(self.what, who.address)
            spend_roughly(key, limit=self.address, window=self.window)


def spend(key: str, *, limit: int, window: timedelta) -> None:
    """Count one use of `key` in the current window; raises `RateLimited` beyond `limit`.

    `key` names what is limited and must hold no personal data in clear (`address_key`)."""
    row_key, ends = _current(key, window)
    if _add(row_key, 1, ends) > limit:
        raise _refusal(ends)


def spend_in(tx: Transaction, key: str, *, limit: int, window: timedelta) -> None:
    """The same as a part of a transaction, which then costs no call of its own."""
    row_key, ends = _current(key, window)
    tx.update(
        Limit(row_key),
        [Limit.used.add(1), Limit.ttl.set(ends + timedelta(hours=1))],
        condition=Limit.used.does_not_exist() | (Limit.used < limit),
        otherwise=_refusal(ends),
    )


def spend_roughly(key: str, *, limit: int, window: timedelta) -> None:
    """Count one use of `key`, writing only the last one of each block. Raises `RateLimited`."""
    row_key, ends = _current(key, window)
    uses = _tally.add(row_key, block=max(1, min(BLOCK, limit // 10)))
    if uses == _USED_UP:
        raise _refusal(ends)
    if uses and _add(row_key, uses, ends) > limit:
        _tally.use_up(row_key)
        raise _refusal(ends)


def address_key(what: str, address: str) -> str:
    """The key of a limit by network address, which is kept as its hash. An IPv6 address counts with
    all of its /64, and an IPv4 one that came as IPv6 as itself."""
    return f"{what}#{hashlib.sha256(_network(address).encode()).hexdigest()}"


def forget() -> None:
    """Drop what this process has not written yet: for tests, each of which has tables of its
    own."""
    _tally.clear()


class _Tally:
    """Uses that were not written yet, by the key of their row: safe for threads, and bounded."""

    def __init__(self) -> None:
        self._uses: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, row_key: str, *, block: int) -> int:
        """Count one use: what is to be written now (mostly 0), or `_USED_UP`."""
        with self._lock:
            uses = self._uses.pop(row_key, 0)
            full = uses != _USED_UP and uses + 1 >= block
            self._uses[row_key] = uses if uses == _USED_UP else 0 if full else uses + 1
            if len(self._uses) > MOST_KEPT:
                self._uses.popitem(last=False)
            return uses if uses == _USED_UP else uses + 1 if full else 0

    def use_up(self, row_key: str) -> None:
        """Refuse the rest of the window without a write."""
        with self._lock:
            self._uses[row_key] = _USED_UP

    def clear(self) -> None:
        with self._lock:
            self._uses.clear()


_tally = _Tally()


def _current(key: str, window: timedelta) -> tuple[str, datetime]:
    """The key of the current window's row, and when that window ends."""
    seconds = int(window.total_seconds())
    start = int(now().timestamp()) // seconds * seconds
    return f"{key}#{start}", datetime.fromtimestamp(start + seconds, tz=now().tzinfo)


def _add(row_key: str, uses: int, ends: datetime) -> int:
    row = Limit(row_key)
    row.update([Limit.used.add(uses), Limit.ttl.set(ends + timedelta(hours=1))])
    return int(row.used)


def _refusal(ends: datetime) -> RateLimited:
    return RateLimited(max(1, int((ends - now()).total_seconds())))


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        bits = 128 - _IPV6_SHARED
        return f"{IPv6Address(int(parsed) >> bits << bits)}/{_IPV6_SHARED}"
    return str(parsed)
