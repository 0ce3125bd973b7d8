"""Due work: everything that must happen later is a `Job` row, written in the transaction that
causes it, and claimed by a conditional write. Losing a claim is normal, not an error.
"""

import logging
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from filevault import leases
from filevault.dynamo import STORE_ERRORS, Transaction, new_id, now, readable
from filevault.errors import Conflict, Unavailable
from filevault.logs import outage
from filevault.tables import Job, Once

logger = logging.getLogger(__name__)

DEAD_SHARD: Final = "dead"
MAX_TRIES: Final = 10
#: Claims that ended without a word (the worker died) before they count as one failed try.
MAX_CLAIMS: Final = 5
PAGE: Final = 50
#: Most jobs of a shard that are counted for metrics.
COUNTED: Final = 1000
#: Faults of a part that is away: waited for however long, since the job isn't to blame.
OUTAGES: Final = (Unavailable, *STORE_ERRORS)

#: A handler does one job and says when it wants to run again (None: it is done).
Handler = Callable[["Claim"], datetime | None]
_handlers: dict[str, Handler] = {}
_slow: set[str] = set()
_chores: dict[str, "Chore"] = {}


@dataclass(frozen=True, slots=True)
class Chore:
    """What every worker does again and again, due or not (sealing the audit trail). Several
    workers do it at once, so that it must guard itself."""

    name: str
    seconds: float
    function: Callable[[], object]


class LostClaim(Conflict):
    """Another worker took the job over after the lease ran out; whatever was to be written with
    this claim must not be."""

    code = "lost_claim"


class _Planned(Conflict):
    """Another worker has planned this slot."""


@dataclass(slots=True)
class Claim:
    """The right to do one job until `lease_until`. `fence` grows with each claim, so that a worker
    that was stopped beyond its lease can't write afterwards."""

    job: Job
    fence: int
    lease_until: datetime
    completed: bool = False

    @property
    def payload(self) -> dict[str, Any]:
        return dict(self.job.payload)

    def complete_in(self, tx: Transaction) -> None:
        """End the job in the transaction that does its work: both happen, or neither."""
        tx.delete(self.job, condition=Job.fence == self.fence, otherwise=LostClaim())
        tx.on_commit(self._mark_completed)

    def hold_in(self, tx: Transaction) -> None:
        """Refuse the transaction if the claim was lost meanwhile, without ending the job. The lease
        begins anew, so that what follows the transaction (a call to a provider) has all of it."""
        lease_until = _lease_end()
        tx.update(
            self.job,
            [Job.lease_until.set(lease_until)],
            condition=Job.fence == self.fence,
            otherwise=LostClaim(),
        )
        tx.on_commit(lambda: self._note_lease(lease_until))

    def keep(self) -> None:
        """Lengthen the lease once half of it is used up: for a job of many steps, before each.
        Raises `LostClaim`."""
        lease_until = _lease_end()
        if self.lease_until - now() > (lease_until - now()) / 2:
            return
        if not self.job.try_update([Job.lease_until.set(lease_until)], Job.fence == self.fence):
            raise LostClaim
        self._note_lease(lease_until)

    def _note_lease(self, lease_until: datetime) -> None:
        self.lease_until = self.job.lease_until = lease_until
        leases.note(self.job)

    def _mark_completed(self) -> None:
        self.completed = True


def handler(kind: str, *, slow: bool = False) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of a kind. Those that may take minutes (reading a large
    file) are `slow`: a worker does them beside the others, so that no mail waits for them (N6)."""

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        if slow:
            _slow.add(kind)
        return function

    return register


def kinds(*, slow: bool) -> frozenset[str]:
    """The kinds that this process knows: the slow ones, or all others."""
    return frozenset(_slow if slow else _handlers.keys() - _slow)


def periodic(name: str, *, seconds: float) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register what each worker calls every so many seconds."""

    def register(function: Callable[[], Any]) -> Callable[[], Any]:
        _chores[name] = Chore(name, seconds, function)
        return function

    return register


def chores() -> list[Chore]:
    """What workers do periodically."""
    return list(_chores.values())


def enqueue(
    tx: Transaction, kind: str, payload: dict[str, Any], *, due_at: datetime | None = None
) -> Job:
    """Add a job to a transaction; due at once unless told otherwise."""
    job = _new_job(kind, payload, due_at or now(), shard=_any_shard())
    tx.create(job)
    return job


def plan_once(slot: str, kind: str, payload: dict[str, Any] | None = None) -> None:
    """See to it that there is one job of a slot, such as a day's (`sweep:2026-03-01`), however many
    workers plan it. The slot is kept for a week."""
    row = Once(slot, ttl=now() + timedelta(days=7))
    if Once.fetch(row.key) is not None:
        return
    tx = Transaction()
    tx.create(row, otherwise=_Planned())
    enqueue(tx, kind, payload or {})
    try:
        tx.commit()
    except _Planned:
        logger.info("planned by another worker", extra={"kind": kind})


def run_due(
    owner: str,
    *,
    kinds: Collection[str] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Do every job that is due (of the given kinds); returns how many were done. One job that
    fails is put back with a delay and never holds up another (N6). `stopping` is asked between
    two jobs whether to leave the rest for later."""
    done = 0
    for job in _due_jobs(kinds):
        if stopping():
            break
        claim = _claim(job, owner)
        if claim is not None:
            _run(claim)
            done += 1
    return done


def oldest_due_at() -> datetime | None:
    """When the job that has waited longest fell due: the age to raise an alarm on."""
    firsts = [next(_query_due(shard, limit=1), None) for shard in _shards()]
    moments = [datetime.fromisoformat(job.due_key.split("#")[0]) for job in firsts if job]
    return min(moments, default=None)


def count_waiting() -> tuple[int, int]:
    """How many jobs are due, and how many were given up: up to `COUNTED` a shard, so that asking
    costs little while very many wait."""
    until = Job.due_key <= f"{_stamp(now())}~"
    due = sum(Job.count(shard, until, limit=COUNTED) for shard in _shards())
    return due, Job.count(DEAD_SHARD, limit=COUNTED)


def _due_jobs(kinds: Collection[str] | None) -> Iterator[Job]:
    """Up to a page a shard, of the kinds that this process knows: what another release has left
    must not stand in the way of the rest. What others are at work on is seen, and left to them."""
    wanted = sorted(_handlers.keys() if kinds is None else _handlers.keys() & set(kinds))
    if not wanted:
        return
    for shard in random.sample(_shards(), k=settings.JOB_SHARDS):  # workers start apart
        listed = list(_query_due(shard, limit=PAGE, kinds=wanted))
        yield from [job for job in listed if leases.is_free(job)]


def _query_due(shard: str, *, limit: int, kinds: Collection[str] = ()) -> Iterator[Job]:
    """Of the given kinds, whoever is at work on them; without any, those that nobody is at."""
    moment = now()
    if kinds:
        wanted = Job.kind.is_in(*kinds)
    else:
        wanted = Job.lease_until.does_not_exist() | (Job.lease_until < moment)
    return readable(
        Job.query(
            shard,
            Job.due_key <= f"{_stamp(moment)}~",
            filter_condition=wanted,
            consistent_read=True,
            limit=limit,
        )
    )


def _claim(job: Job, owner: str) -> Claim | None:
    fence = int(job.fence) + 1
    lease_until = _lease_end()
    seen = job.lease_until  # a lease that was lengthened since is another
    unchanged = Job.lease_until == seen if seen else Job.lease_until.does_not_exist()
    won = job.try_update(
        [Job.owner.set(owner), Job.fence.set(fence), Job.lease_until.set(lease_until)],
        condition=Job.due_key.exists() & (Job.fence == fence - 1) & unchanged,
    )
    if not won:
        return None
    leases.note(job)
    return Claim(job, fence, lease_until)


def _run(claim: Claim) -> None:
    if claim.fence > MAX_CLAIMS:
        logger.error("job ended no worker well", extra={"kind": claim.job.kind})
        _put_back(claim, "WorkerDied")
        return
    try:
        again_at = _handlers[claim.job.kind](claim)
    except LostClaim:
        logger.warning("job lost to another worker", extra={"kind": claim.job.kind})
    except OUTAGES as error:
        logger.error("job put off", extra={"kind": claim.job.kind} | outage(error))
        _put_back(claim, type(error).__name__, mortal=False)
    except Exception as error:
        logger.exception("job failed", extra={"kind": claim.job.kind})
        _put_back(claim, type(error).__name__)
    else:
        if not claim.completed:
            _finish(claim, again_at)


def _finish(claim: Claim, again_at: datetime | None) -> None:
    tx = Transaction()
    claim.complete_in(tx)
    if again_at is not None:
        tx.create(_new_job(claim.job.kind, claim.payload, again_at, shard=claim.job.shard))
    _commit_if_ours(tx)


def _put_back(claim: Claim, reason: str, *, mortal: bool = True) -> None:
    tries = int(claim.job.tries) + 1
    dead = mortal and tries >= MAX_TRIES
    delay = timedelta(seconds=min(3600, 5 * 2 ** min(tries, 10)))
    shard = DEAD_SHARD if dead else claim.job.shard
    job = _new_job(claim.job.kind, claim.payload, now() + delay, shard=shard)
    job.tries, job.last_error = tries, reason
    tx = Transaction()
    claim.complete_in(tx)
    tx.create(job)
    _commit_if_ours(tx)
    if dead:
        logger.error("job given up", extra={"kind": claim.job.kind})


def _commit_if_ours(tx: Transaction) -> None:
    try:
        tx.commit()
    except LostClaim:
        logger.warning("job was taken over before it ended")


def _new_job(kind: str, payload: dict[str, Any], due_at: datetime, *, shard: str) -> Job:
    return Job(shard, f"{_stamp(due_at)}#{new_id()}", kind=kind, payload=payload, created_at=now())


def _lease_end() -> datetime:
    return now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)


def _stamp(moment: datetime) -> str:
    """Fixed width, so that text order is time order."""
    return moment.isoformat(timespec="milliseconds")


def _shards() -> list[str]:
    return [str(number) for number in range(settings.JOB_SHARDS)]


def _any_shard() -> str:
    return random.choice(_shards())  # noqa: S311
