"""Sealing: each stream's new events get a sequence and a hash that holds the one before (A1).

Done after the fact, within a minute, so that a busy case never waits for its chain. The stream's
head is the fence: each batch is one transaction conditioned on the head that it continues, so any
number of sealers may run, and losing the race is normal.
"""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Final

from accounts.audit import UNSEALED_SHARDS
from accounts.tables import AuditEvent, StreamHead
from filevault import jobs
from filevault.dynamo import Transaction, now
from filevault.errors import Conflict

logger = logging.getLogger(__name__)

#: An event is sealed this long after it was written, at the latest.
SEALED_WITHIN: Final = timedelta(seconds=60)
#: Where the first event of a stream points to.
GENESIS: Final = "0" * 64
#: Events of one transaction; the head is one item more.
BATCH: Final = 40
#: Keys that one round takes from each shard of the index; what is over waits for the next round.
ROUND: Final = 1000


def event_hash(event: AuditEvent, sequence: int, previous_hash: str) -> str:
    """SHA-256 over the canonical JSON of all fields of an event in its place: sorted keys, no
    spaces, UTF-8, times in ISO 8601 and UTC."""
    fields = {
        "streamId": event.stream_id,
        "eventId": event.event_id,
        "action": event.action,
        "actor": event.actor,
        "target": event.target,
        "address": event.address,
        "at": event.at.isoformat(timespec="microseconds"),
        "details": event.details,
        "sequence": sequence,
        "previousHash": previous_hash,
    }
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


@jobs.periodic("audit.seal", seconds=15)
def seal_pending() -> int:
    """Seal what is listed as unsealed; returns how many events. One stream that fails is logged,
    tried again in the next round, and never holds up another (N6)."""
    sealed = 0
    for stream_id, event_ids in _listed().items():
        try:
            sealed += _seal_stream(stream_id, event_ids)
        except Conflict:
            logger.info("another sealer was first", extra={"stream": stream_id})
        except Exception:
            logger.exception("stream not sealed", extra={"stream": stream_id})
    return sealed


def _listed() -> dict[str, list[str]]:
    """Event ids by stream, as the index lists them: it may lag, so nothing is decided on it."""
    streams: dict[str, list[str]] = defaultdict(list)
    for shard in range(UNSEALED_SHARDS):
        for key in AuditEvent.unsealed.query(str(shard), limit=ROUND):
            streams[key.stream_id].append(key.event_id)
    return streams


def _seal_stream(stream_id: str, event_ids: Iterable[str]) -> int:
    keys = iter(sorted(event_ids))
    sealed = 0
    while batch := list(islice(keys, BATCH)):
        rows = AuditEvent.fetch_many((stream_id, event_id) for event_id in batch)
        unsealed = sorted(
            (row for row in rows if row.sequence is None), key=lambda row: row.event_id
        )
        if unsealed:
            _seal_batch(StreamHead.fetch(stream_id), unsealed)
            sealed += len(unsealed)
    return sealed


def _seal_batch(head: StreamHead | None, events: list[AuditEvent]) -> None:
    """Append events to a stream. Raises `Conflict` where another sealer moved its head first."""
    tx = Transaction()
    sequence, last_hash = (int(head.sequence), head.hash) if head else (0, GENESIS)
    for event in events:
        sequence, previous_hash = sequence + 1, last_hash
        last_hash = event_hash(event, sequence, previous_hash)
        tx.update(
            event,
            [
                AuditEvent.sequence.set(sequence),
                AuditEvent.previous_hash.set(previous_hash),
                AuditEvent.hash.set(last_hash),
                AuditEvent.unsealed_shard.remove(),
            ],
            condition=AuditEvent.event_id.exists() & AuditEvent.sequence.does_not_exist(),
        )
    new_head = StreamHead(
        events[0].stream_id,
        sequence=sequence,
        hash=last_hash,
        last_event_id=events[-1].event_id,
        sealed_at=now(),
        changed_shard=events[0].unsealed_shard,
    )
    if head is None:
        tx.create(new_head)
    else:
        unmoved = (StreamHead.sequence == head.sequence) & (StreamHead.hash == head.hash)
        tx.put(new_head, condition=unmoved)
    tx.commit()
