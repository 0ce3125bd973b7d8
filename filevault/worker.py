"""The worker: does what is due, again and again, until it is told to stop.

Several may run at once; claims keep them apart. A part that does not answer (DynamoDB, SES, S3) is
logged and waited for, never a reason to end.
"""

import logging
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

from filevault import jobs, queues
from filevault.dynamo import now
from filevault.logs import outage

logger = logging.getLogger(__name__)

IDLE_SECONDS: Final = 1.0
LONGEST_BACKOFF: Final = 30.0
#: How long a worker that ends waits for messages and slow jobs in hand. Messages come again, and
#: the lease of a job runs out: another worker takes both over, and nothing is lost.
LAST_WORK_SECONDS: Final = 7.0
#: A job that does nothing: that it goes proves that a worker goes round (`manage.py doctor`).
PING_JOB: Final = "worker.ping"


def owner_name() -> str:
    """Who claims: told apart by host, process and a random part, since containers share both."""
    return f"{socket.gethostname()}:{os.getpid()}:{random.randrange(16**6):06x}"  # noqa: S311


@jobs.handler(PING_JOB)
def answer_ping(claim: jobs.Claim) -> None:
    """Done by being taken."""


@jobs.periodic("jobs.age", seconds=50)
def say_age() -> None:
    """Say how long the oldest due job has waited: the figure to raise an alarm on, silence too."""
    oldest = jobs.oldest_due_at()
    seconds = round((now() - oldest).total_seconds()) if oldest else 0
    logger.info("oldest job", extra={"seconds": seconds})


@dataclass(slots=True)
class Worker:
    """One worker. `heartbeat` is a file whose age tells a health check that the loop goes round;
    `kinds` limits it to some jobs (None: all, with queues and slow jobs beside them)."""

    kinds: Collection[str] | None = None
    heartbeat: Path | None = None
    does_chores: bool = True
    owner: str = field(default_factory=owner_name)
    stopping: threading.Event = field(default_factory=threading.Event)
    failures: int = 0
    _next_chore: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Go round until `stop`; the unit of work in hand is finished first."""
        logger.info("worker started", extra={"owner": self.owner})
        threads = self._start_beside() if self.kinds is None else []
        self._go_round()
        until = time.monotonic() + LAST_WORK_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        logger.info("worker stopped", extra={"owner": self.owner})

    def step(self) -> int:
        """One round: the chores whose time has come, then a sweep of due jobs. Returns how many
        jobs were done; a fault is logged and answered with a longer pause."""
        self._beat()
        try:
            if self.does_chores:
                self._do_chores()
            done = jobs.run_due(self.owner, kinds=self.kinds, stopping=self.stopping.is_set)
        except jobs.OUTAGES as error:
            self.failures += 1
            extra = {"failures": self.failures} | outage(error)
            logger.error("worker round failed", extra=extra)
            return 0
        except Exception:
            self.failures += 1
            logger.exception("worker round failed", extra={"failures": self.failures})
            return 0
        self.failures = 0
        return done

    def read_queues(self) -> None:
        """What waits in the queues now, up to a batch each, without waiting for more."""
        for listener in queues.listeners():
            listener.poll(self.stopping)

    def stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask it to end after what it has in hand."""
        self.stopping.set()

    def stop_on_signals(self) -> None:
        """End in order at SIGTERM and SIGINT."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self.stop)

    def _go_round(self) -> None:
        while not self.stopping.is_set():
            if not self.step():
                self.stopping.wait(self._pause())

    def _start_beside(self) -> list[threading.Thread]:
        """Read each queue and do the slow jobs beside the others, so that none waits for them."""
        self.kinds = jobs.kinds(slow=False)
        slow = Worker(
            kinds=jobs.kinds(slow=True),
            does_chores=False,
            owner=f"{self.owner}:slow",
            stopping=self.stopping,
        )
        work: list[Callable[[], None]] = [slow._go_round]
        work += [partial(listener.run, self.stopping) for listener in queues.listeners()]
        threads = [threading.Thread(target=each, daemon=True) for each in work]
        for thread in threads:
            thread.start()
        return threads

    def _do_chores(self) -> None:
        for chore in jobs.chores():
            if self.stopping.is_set() or time.monotonic() < self._next_chore.get(chore.name, 0.0):
                continue
            self._next_chore[chore.name] = time.monotonic() + chore.seconds
            try:
                chore.function()
            except jobs.OUTAGES as error:
                logger.error("chore put off", extra={"chore": chore.name} | outage(error))
            except Exception:
                logger.exception("chore failed", extra={"chore": chore.name})

    def _pause(self) -> float:
        """Seconds to wait: about one, longer while something is away; jitter keeps workers from
        walking in step."""
        seconds = min(LONGEST_BACKOFF, IDLE_SECONDS * 2 ** min(self.failures, 5))
        return float(random.uniform(0.75, 1.25) * seconds)  # noqa: S311

    def _beat(self) -> None:
        if self.heartbeat is not None:
            self.heartbeat.touch()
