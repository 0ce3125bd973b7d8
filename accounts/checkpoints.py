"""Checkpoints: where each stream of the audit trail ends, signed and kept outside of the tables.

Whoever can write the tables can cut off a stream's end together with its head, or rewrite a whole
chain. They can't make the checkpoints that were written before agree with it: those are signed, lie
in the bucket, and under Object Lock (`AUDIT_LOCK_DAYS`) nobody can delete one.

Every checkpoint counts, not only the newest of a stream: the next one after a rewriting would
confirm it.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, cast

from django.conf import settings

from accounts.audit import UNSEALED_SHARDS
from accounts.tables import StreamHead
from filevault import jobs, signing
from filevault.aws import AWS_ERRORS, s3_client, sse_parameters
from filevault.dynamo import new_id, now
from filevault.errors import Unavailable
from filevault.logs import outage

logger = logging.getLogger(__name__)

CHECKPOINT_JOB: Final = "audit.checkpoint"
KIND: Final = "filevault-audit-checkpoint"
PREFIX: Final = "checkpoints/"
#: Streams of one checkpoint, at about 300 bytes each.
HEADS: Final = 1000
READS_AT_ONCE: Final = 8

#: Called between two steps, to keep a claim alive.
Keep = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a checkpoint says of a stream: its event at `sequence` had this hash."""

    sequence: int
    hash: str
    key: str


@dataclass(slots=True)
class Marks:
    """What all checkpoints say, by stream, and what is wrong with checkpoints themselves, by
    key. `checkpoints` is how many were read."""

    checkpoints: int = 0
    by_stream: dict[str, dict[tuple[int, str], Mark]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    faults: list[tuple[str, str]] = field(default_factory=list)

    def of(self, stream_id: str) -> list[Mark]:
        """What was said of one stream, in the order of its events."""
        marks = self.by_stream.get(stream_id, {}).values()
        return sorted(marks, key=lambda mark: (mark.sequence, mark.key))


@jobs.periodic("audit.checkpoint", seconds=300)
def plan_checkpoint() -> None:
    """See to it that there is one run an hour, however many workers there are."""
    jobs.plan_once(f"checkpoint:{now():%Y-%m-%dT%H}", CHECKPOINT_JOB)


@jobs.handler(CHECKPOINT_JOB, slow=True)
def run_checkpoint(claim: jobs.Claim) -> datetime | None:
    write_checkpoints(claim.keep)
    return None


def write_checkpoints(keep: Keep = lambda: None) -> int:
    """Write down the end of every stream that has moved since its last checkpoint; returns how
    many. What moves meanwhile stays marked for the next run. Raises `Unavailable`."""
    written = 0
    stream_ids = _changed_streams()
    while batch := list(islice(stream_ids, HEADS)):
        heads = [head for head in StreamHead.fetch_many(batch) if head.changed_shard]
        if heads:
            _write(heads)
            written += len(heads)
        for head in heads:
            _clear(head)
            keep()
    if written:
        logger.info("checkpoint written", extra={"streams": written})
    return written


def read_checkpoints(stream_id: str = "", *, keep: Keep = lambda: None) -> Marks:
    """Every version of every checkpoint: a delete marker hides none, and what was put over one
    doesn't count. `stream_id` keeps the marks of that stream alone. Raises `Unavailable`."""
    marks, keys = Marks(), signing.published_keys()
    versions = _versions()
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        while batch := list(islice(versions, READS_AT_ONCE * 8)):
            bodies = pool.map(_read, batch)
            for (key, _version_id), body in zip(batch, bodies, strict=True):
                _take_in(marks, key, body, keys, only=stream_id)
            keep()
    return marks


def _changed_streams() -> Iterator[str]:
    """As the index lists them: it may lag, and what it misses is still marked in an hour."""
    for shard in range(UNSEALED_SHARDS):
        for key in StreamHead.changed.query(str(shard)):
            yield key.stream_id


def _write(heads: Iterable[StreamHead]) -> None:
    moment = now()
    key = f"{PREFIX}{moment:%Y/%m/%d/%H%M%S}-{new_id()}.json"
    content = {"key": key, "at": moment.isoformat(), "streams": [_entry(head) for head in heads]}
    document = signing.sign(KIND, content)
    try:
        s3_client().put_object(
            Bucket=settings.FILEVAULT_BUCKET,
            Key=key,
            Body=json.dumps(document).encode(),
            ContentType="application/json",
            **cast(Any, sse_parameters() | _lock(moment)),
        )
    except AWS_ERRORS as error:
        raise _unavailable(error) from error


def _entry(head: StreamHead) -> dict[str, Any]:
    return {
        "streamId": head.stream_id,
        "sequence": int(head.sequence),
        "hash": head.hash,
        "lastEventId": head.last_event_id or "",
        "at": head.sealed_at.isoformat() if head.sealed_at else "",
    }


def _lock(moment: datetime) -> dict[str, Any]:
    """Compliance mode: not even the account's root can shorten it. S3 asks for a checksum then."""
    if not settings.AUDIT_LOCK_DAYS:
        return {}
    return {
        "ObjectLockMode": "COMPLIANCE",
        "ObjectLockRetainUntilDate": moment + timedelta(days=settings.AUDIT_LOCK_DAYS),
        "ChecksumAlgorithm": "SHA256",
    }


def _clear(head: StreamHead) -> None:
    """Only where the stream hasn't moved on: then it is to be written down again."""
    head.try_update(
        [StreamHead.changed_shard.remove()],
        (StreamHead.sequence == head.sequence) & (StreamHead.hash == head.hash),
    )


def _versions() -> Iterator[tuple[str, str]]:
    try:
        pages = s3_client().get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=settings.FILEVAULT_BUCKET, Prefix=PREFIX):
            yield from ((entry["Key"], entry["VersionId"]) for entry in page.get("Versions", []))
    except AWS_ERRORS as error:
        raise _unavailable(error) from error


def _read(version: tuple[str, str]) -> bytes:
    key, version_id = version
    try:
        answer = s3_client().get_object(
            Bucket=settings.FILEVAULT_BUCKET, Key=key, VersionId=version_id
        )
        return answer["Body"].read()
    except AWS_ERRORS as error:
        raise _unavailable(error) from error


def _take_in(marks: Marks, key: str, body: bytes, keys: signing.Keys, *, only: str) -> None:
    marks.checkpoints += 1
    try:
        said = signing.verify(signing.parse(body), keys, kind=KIND)
    except signing.SignatureFault as error:
        marks.faults.append((key, str(error)))
        return
    if said["key"] != key:
        marks.faults.append((key, f"it was written as {said['key']}"))
        return
    for entry in said["streams"]:
        if only in ("", entry["streamId"]):
            mark = Mark(entry["sequence"], entry["hash"], key)
            marks.by_stream[entry["streamId"]].setdefault((mark.sequence, mark.hash), mark)


def _unavailable(error: Exception) -> Unavailable:
    logger.error("checkpoints can't be reached", extra=outage(error))
    return Unavailable(code="storage_unavailable")
