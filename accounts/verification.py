"""Verification of the audit trail: the first event of each stream that isn't as it was sealed (A1).

A repair tool: it scans. A chain that was rewritten together with its head agrees with itself; the
checkpoints, written before and kept elsewhere, tell of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from accounts.checkpoints import Keep, Mark, Marks
from accounts.sealing import GENESIS, SEALED_WITHIN, event_hash
from accounts.tables import AuditEvent, StreamHead
from filevault.dynamo import now


class Fault(StrEnum):
    """What is wrong with a stream, or, as `FORGED`, with a checkpoint."""

    EDITED = "edited"
    REORDERED = "reordered"
    REMOVED = "removed"
    CUT_OFF = "cut off"
    UNSEALED = "unsealed"
    REWRITTEN = "rewritten"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class Finding:
    """The first fault of a stream. `event_id` is empty where the event itself is gone; `sequence`
    is its place in the chain, and 0 where it never had one. For a checkpoint `stream_id` is its
    key."""

    stream_id: str
    fault: Fault
    event_id: str
    sequence: int
    explanation: str

    def __str__(self) -> str:
        if self.fault is Fault.FORGED:
            return f"{self.stream_id}: {self.fault}: {self.explanation}"
        event = f"event {self.event_id or '(gone)'}"
        place = f" at {self.sequence}" if self.sequence else ""
        return f"{self.stream_id}: {event}{place} {self.fault}: {self.explanation}"


def verify_all(
    marks: Marks | None = None,
    *,
    grace: timedelta = timedelta(0),
    keep: Keep = lambda: None,
) -> Iterator[Finding]:
    """Verify every stream, and the checkpoints against it (`marks`, read before). `grace` is added
    to the minute in which an event is to be sealed."""
    marks = marks or Marks()
    yield from forged(marks)
    for stream_id in sorted(_streams(keep) | marks.by_stream.keys()):
        keep()
        finding = verify_stream(stream_id, marks.of(stream_id), grace=grace)
        if finding is not None:
            yield finding


def forged(marks: Marks) -> Iterator[Finding]:
    """The checkpoints that prove nothing."""
    for key, explanation in marks.faults:
        yield Finding(key, Fault.FORGED, "", 0, explanation)


def verify_stream(
    stream_id: str, marks: Sequence[Mark] = (), *, grace: timedelta = timedelta(0)
) -> Finding | None:
    """The first fault of one stream, or None. `marks` is what checkpoints said of it, in order.

    The head is read before the events, so that all that it counts is seen, even while a sealer
    appends; what is sealed meanwhile is left to the next verification."""
    head = StreamHead.fetch(stream_id)
    events = list(AuditEvent.query(stream_id, consistent_read=True))
    sealed = sorted(
        (event for event in events if event.sequence is not None),
        key=lambda event: (event.sequence, event.event_id),
    )
    if sealed and _length(head) < _length(sealed[-1]):
        newer = StreamHead.fetch(stream_id)
        if _length(newer) < _length(sealed[-1]):
            return _chain_fault(stream_id, sealed) or _behind(sealed[-1], newer)
        sealed = [event for event in sealed if _length(event) <= _length(head)]
    return (
        _chain_fault(stream_id, sealed)
        or _head_fault(stream_id, sealed, head)
        or _mark_fault(stream_id, sealed, marks)
        or _unsealed_fault(stream_id, events, grace)
    )


def _length(row: AuditEvent | StreamHead | None) -> int:
    """How many events a head or a sealed event says that there are up to it."""
    return int(row.sequence) if row else 0


def _streams(keep: Keep) -> set[str]:
    """A stream is known by its events or its head: either may have been removed."""
    found = set()
    for model in (AuditEvent, StreamHead):
        for row in model.scan(attributes_to_get=["streamId"]):
            found.add(str(row.stream_id))
            keep()
    return found


def _chain_fault(stream_id: str, sealed: Sequence[AuditEvent]) -> Finding | None:
    previous: AuditEvent | None = None
    for place, event in enumerate(sealed, start=1):
        sequence = int(event.sequence)
        if event_hash(event, sequence, str(event.previous_hash)) != event.hash:
            return _misfit(stream_id, event, sealed)
        if sequence < place:
            explanation = "another event stands at the same place"
            return Finding(stream_id, Fault.REORDERED, event.event_id, sequence, explanation)
        if sequence > place:
            explanation = f"the next one there is {event.event_id} at {sequence}"
            return Finding(stream_id, Fault.REMOVED, "", place, explanation)
        if event.previous_hash != (previous.hash if previous else GENESIS):
            return _unlinked(stream_id, event, previous)
        previous = event
    return None


def _misfit(stream_id: str, event: AuditEvent, sealed: Sequence[AuditEvent]) -> Finding:
    """An event that doesn't agree with its own hash: moved if it fits another place, else edited.
    The place may have been changed alone, or together with both hashes."""
    places = [(number, event.previous_hash, event.hash) for number in range(1, len(sealed) + 2)]
    places += [(int(other.sequence), other.previous_hash, other.hash) for other in sealed]
    moved_from = next(
        (
            number
            for number, before, seal in places
            if event_hash(event, number, str(before)) == seal
        ),
        None,
    )
    sequence = int(event.sequence)
    if moved_from is None:
        explanation = "its content doesn't agree with its hash"
        return Finding(stream_id, Fault.EDITED, event.event_id, sequence, explanation)
    explanation = f"it was sealed at {moved_from}"
    return Finding(stream_id, Fault.REORDERED, event.event_id, sequence, explanation)


def _unlinked(stream_id: str, event: AuditEvent, previous: AuditEvent | None) -> Finding:
    """Content and hash agree, but the next event was chained to something else."""
    changed = previous or event
    explanation = "it and its hash were replaced: the chain holds another"
    return Finding(stream_id, Fault.EDITED, changed.event_id, int(changed.sequence), explanation)


def _behind(last: AuditEvent, head: StreamHead | None) -> Finding:
    """The head counts fewer events than there are."""
    explanation = (
        f"the stream's head was set back to {_length(head)}"
        if head
        else "the stream's head is gone"
    )
    return Finding(last.stream_id, Fault.CUT_OFF, last.event_id, _length(last), explanation)


def _head_fault(
    stream_id: str, sealed: Sequence[AuditEvent], head: StreamHead | None
) -> Finding | None:
    """The events end where their head says, or some were cut off."""
    count = len(sealed)
    if head is None:
        return None
    if _length(head) > count:
        last_id = head.last_event_id or ""
        known = last_id if _length(head) == count + 1 else ""
        explanation = f"the stream was sealed up to {_length(head)} ({last_id})"
        return Finding(stream_id, Fault.CUT_OFF, known, count + 1, explanation)
    if sealed and head.hash != sealed[-1].hash:
        explanation = "it and its hash were replaced: the stream's head holds another"
        return Finding(stream_id, Fault.EDITED, sealed[-1].event_id, count, explanation)
    return None


def _mark_fault(
    stream_id: str, sealed: Sequence[AuditEvent], marks: Sequence[Mark]
) -> Finding | None:
    """A chain that holds, but isn't the one that was written down. In a chain without a fault the
    event at a place is the one with that number."""
    for mark in marks:
        if mark.sequence > len(sealed):
            explanation = f"{mark.key} knows {mark.sequence} events"
            return Finding(stream_id, Fault.CUT_OFF, "", len(sealed) + 1, explanation)
        event = sealed[mark.sequence - 1]
        if event.hash != mark.hash:
            explanation = f"up to here the chain is another one than in {mark.key}"
            return Finding(stream_id, Fault.REWRITTEN, event.event_id, mark.sequence, explanation)
    return None


def _unsealed_fault(
    stream_id: str, events: Sequence[AuditEvent], grace: timedelta
) -> Finding | None:
    horizon = now() - SEALED_WITHIN - grace
    for event in events:
        if event.sequence is None and event.at < horizon:
            explanation = f"written {event.at.isoformat(timespec='seconds')}"
            return Finding(stream_id, Fault.UNSEALED, event.event_id, 0, explanation)
    return None
