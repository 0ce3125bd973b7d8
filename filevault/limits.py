"""Limits by atomic counters in DynamoDB, so that they hold across processes (I7, W5)."""

from datetime import datetime, timedelta

from filevault.dynamo import now
from filevault.errors import RateLimited
from filevault.tables import Limit


def spend(key: str, *, limit: int, window: timedelta) -> None:
    """Count one use of `key` in the current window; raises `RateLimited` beyond `limit`.

    `key` names what is limited and must hold no personal data in clear (hash addresses)."""
    seconds = int(window.total_seconds())
    start = int(now().timestamp()) // seconds * seconds
    ends = datetime.fromtimestamp(start + seconds, tz=now().tzinfo)
    row = Limit(f"{key}#{start}")
    row.update([Limit.used.add(1), Limit.ttl.set(ends + timedelta(hours=1))])
    if row.used > limit:
        raise RateLimited(max(1, int((ends - now()).total_seconds())))
