"""When a job may be taken over from the worker that holds it.

A lease ends by a clock, and the clocks of two machines differ. So nobody trusts another's: whoever
wants to take a job over must have seen the same claim, unchanged, for a whole lease by a clock of
their own that only runs forward. The written end counts only when it lies further back than any two
clocks are apart: for a process that has just begun, or looks but once (a command, a cron job).
"""

import threading
import time
from collections import OrderedDict
from datetime import timedelta
from typing import Any, Final

from django.conf import settings

from filevault.dynamo import now
from filevault.tables import Job

#: More than two clocks are apart that are each up to five minutes wrong.
CLOCKS_APART: Final = timedelta(minutes=15)
#: Claims that a process keeps in sight; there are as many as there are workers.
MOST_WATCHED: Final = 1_000

_Claim = tuple[int, Any]


class Watch:
    """The claims that this process has seen, and since when. Safe for threads."""

    def __init__(self) -> None:
        self._since: OrderedDict[tuple[str, str], tuple[_Claim, float]] = OrderedDict()
        self._lock = threading.Lock()

    def see(self, job: Job) -> float:
        """Note the claim that a job is under now: for how many seconds it has been the same."""
        key, claim = (str(job.shard), str(job.due_key)), (int(job.fence), job.lease_until)
        moment = steady_seconds()
        with self._lock:
            seen, since = self._since.pop(key, (claim, moment))
            if seen != claim:
                since = moment
            self._since[key] = (claim, since)
            if len(self._since) > MOST_WATCHED:
                self._since.popitem(last=False)
        return moment - since

    def clear(self) -> None:
        with self._lock:
            self._since.clear()


_watch = Watch()


def steady_seconds() -> float:
    """A clock that nobody sets."""
    return time.monotonic()


def note(job: Job) -> None:
    """Keep a claim in sight that this process has made or lengthened itself."""
    _watch.see(job)


def is_free(job: Job) -> bool:
    """Whether a job is nobody's, or has been let go by whoever claimed it."""
    if job.lease_until is None:
        return True
    unchanged_for = _watch.see(job)
    return unchanged_for > settings.JOB_LEASE_SECONDS or job.lease_until + CLOCKS_APART < now()


def forget() -> None:
    """Drop what was seen: for tests, each of which has tables of its own."""
    _watch.clear()
