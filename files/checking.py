"""The one look at what has arrived: bytes, content, version, and then the change of state.

Idempotent and safe at once: browser, storage's event and worker may all look, and only one of them
writes.
"""

import base64
import logging
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.conf import settings

from accounts import audit
from accounts.actors import WORKER, Actor
from files import multipart, records, sniffing
from files.spaces import Space
from files.states import REASON_LABELS, FileState, Reason
from files.storage import StoredObject, case_storage
from files.tables import File
from files.types import BY_MIME_TYPE
from filevault import jobs
from filevault.dynamo import Transaction, new_id, now
from filevault.errors import Conflict, Unavailable

logger = logging.getLogger(__name__)

PURGE_JOB: Final = "file.purge"
#: The worker reads the file once: for its SHA-256, and for the virus scanner.
INSPECT_JOB: Final = "file.inspect"
PREVIEW_JOB: Final = "file.preview"
PUBLISH_JOB: Final = "file.publish"
#: How often parts are joined anew because one of them came once more in between.
JOINS: Final = 3


@dataclass(frozen=True, slots=True)
class Arrival:
    """What lies in storage under a file's key, with its first bytes where they were read."""

    stored: StoredObject
    first: bytes = b""


def settle(file: File, space: Space, actor: Actor, *, sha256: str | None = None) -> File:
    """The file after looking at storage: unchanged where it isn't `PENDING` or hasn't arrived
    whole, else `CHECKING`, `AVAILABLE` or `REJECTED`. `sha256` (hex) is what the sender's device
    computed while it sent. Raises `Unavailable`."""
    if file.state != FileState.PENDING:
        return file
    declared, file.declared_sha256 = file.declared_sha256, file.declared_sha256 or sha256
    joined = _join(file)
    arrival = _look(file) if joined else None
    if arrival is None and joined is not None:
        return file
    if arrival is None:
        fault: Reason | None = Reason.WRONG_SIZE
    elif declared and sha256 and declared != sha256:
        fault = Reason.WRONG_CHECKSUM
    else:
        fault = _find_fault(file, arrival)
    try:
        if fault is None and arrival is not None:
            return _accept(file, arrival.stored, space, actor)
    except records.QuotaFull:
        fault = Reason.QUOTA
    except records.StateChanged:
        return records.read_again(file)
    try:
        return reject(file, fault or Reason.WRONG_CONTENT, space, actor)
    except records.StateChanged:
        return records.read_again(file)


def declare(file: File, sha256: str) -> None:
    """Hold what the sender's device computed (hex) against a file that was settled without it: an
    event, or the worker, came before the sender's word. What isn't proved yet will be held against
    it by the worker (`files.inspection`). Raises `Conflict` (`wrong_checksum`): what others may
    have seen, or a hold keeps, doesn't go by a word that comes so late."""
    known = file.sha256 or file.declared_sha256
    if known is None:
        noted = file.try_update(
            [File.declared_sha256.set(sha256)],
            (File.state == file.state)
            & File.sha256.does_not_exist()
            & File.declared_sha256.does_not_exist(),
        )
        if noted:
            return
        file = records.read_again(file)
        known = file.sha256 or file.declared_sha256
    if file.state in (FileState.AVAILABLE, FileState.CHECKING) and known != sha256:
        raise Conflict(str(REASON_LABELS[Reason.WRONG_CHECKSUM]), code=Reason.WRONG_CHECKSUM.value)


def publish_in(tx: Transaction, file: File, space: Space) -> dict[str, Any]:
    """What else belongs into the transaction that makes a file available, whose final size and
    SHA-256 are set on it. Returns further changes of its row for `records.move`."""
    space.join_available(tx, file)
    if file.sha256:
        records.note_digest(tx, file)
    kind = BY_MIME_TYPE[file.mime_type]
    if kind.has_preview and file.size <= settings.PREVIEW_MAX_SIZE:
        jobs.enqueue(tx, PREVIEW_JOB, _payload(file))
    if settings.SNS_TOPIC_ARN:
        jobs.enqueue(tx, PUBLISH_JOB, _payload(file) | {"eventId": new_id()})
    changes: dict[str, Any] = {"available_at": now()}
    return changes | ({"image_space": file.space_id} if kind.is_image else {})


def reject(
    file: File,
    reason: Reason,
    space: Space,
    actor: Actor,
    *,
    held_by: jobs.Claim | None = None,
) -> File:
    """Refuse a file for good, whether it was on its way, being checked or available already: its
    bytes and its place in the quota go. `held_by` ties it to the job that found the fault. Raises
    `StateChanged`."""
    tx = Transaction()
    if file.state == FileState.AVAILABLE:
        space.join_removed(tx, file)
        records.unlist(tx, file)
    records.move(
        tx,
        file,
        FileState.REJECTED,
        audit.Action.UPLOAD_REJECT,
        actor,
        changes={"reason": reason.value, "image_space": None},
        details={"reason": reason.value},
    )
    records.give_back(tx, file)
    jobs.enqueue(tx, PURGE_JOB, _payload(file))
    if held_by is not None:
        held_by.hold_in(tx)
    tx.commit()
    return file


def _join(file: File) -> bool | None:
    """Whether there may be an object: parts are joined once all have arrived. None where storage
    refuses to join the very parts that it lists."""
    if not file.upload_id:
        return True
    refused = None
    for _attempt in range(JOINS):
        parts = multipart.list_parts(file.s3_key, file.upload_id)
        if parts is None:  # joined before, or thrown away: the object tells
            return True
        if not multipart.is_whole(parts, size=int(file.size), part_size=int(file.part_size)):
            return False
        if parts == refused:
            return None
        if multipart.complete(file.s3_key, file.upload_id, parts):
            return True
        refused = parts
    return False


def _look(file: File) -> Arrival | None:
    storage = case_storage()
    if _has_checksum(file):
        stored = storage.head(file.s3_key)
        arrival = Arrival(stored) if stored is not None else None
    else:
        found = storage.peek(file.s3_key, sniffing.HEAD)
        arrival = Arrival(*found) if found is not None else None
    if arrival and arrival.stored.version_id in ("", "null"):
        logger.error("bucket keeps no versions")  # nothing could be pinned (U3)
        raise Unavailable(code="storage_unversioned")
    return arrival


def _has_checksum(file: File) -> bool:
    """Whether storage can tell the file's SHA-256, which costs a HEAD: it was declared, and the
    file came in one piece (S3's own for parts is composite). A large container is opened at both
    ends, and would cost a third request; the worker proves its SHA-256, like that of parts."""
    container = BY_MIME_TYPE[file.mime_type] in sniffing.CONTAINERS and file.size > sniffing.HEAD
    return bool(file.declared_sha256) and not file.part_size and not container


def _find_fault(file: File, arrival: Arrival) -> Reason | None:
    stored = arrival.stored
    if file.size and stored.size != file.size:
        return Reason.WRONG_SIZE
    if file.declared_sha256 and stored.sha256 and _hex(stored.sha256) != file.declared_sha256:
        return Reason.WRONG_CHECKSUM
    read = partial(_read, file, arrival)
    return sniffing.find_fault(BY_MIME_TYPE[file.mime_type], stored.size, read)


def _read(file: File, arrival: Arrival, start: int, length: int) -> bytes:
    if start + length <= len(arrival.first):
        return arrival.first[start : start + length]
    version_id = arrival.stored.version_id
    return case_storage().read_range(file.s3_key, version_id, start, length)


def _accept(file: File, stored: StoredObject, space: Space, actor: Actor) -> File:
    held = int(file.held_bytes or 0)
    proved = file.declared_sha256 if stored.sha256 else None
    changes: dict[str, Any] = {
        "version_id": stored.version_id,
        "size": stored.size,
        "held_bytes": stored.size,
        "declared_sha256": file.declared_sha256,
        "sha256": proved,
        "upload_id": None,
    }
    if actor is not WORKER:
        changes["active_at"] = now()
    tx = Transaction()
    if stored.size > held:
        records.hold(tx, file.owner_id, stored.size - held, files=0)
    file.size, file.sha256 = stored.size, proved
    state, action = FileState.CHECKING, audit.Action.UPLOAD_CHECK
    if not settings.SCANNER_URL:
        state, action = FileState.AVAILABLE, audit.Action.UPLOAD_AVAILABLE
        changes |= publish_in(tx, file, space)
    if settings.SCANNER_URL or not proved:
        jobs.enqueue(tx, INSPECT_JOB, _payload(file))
    details = {"size": stored.size, "versionId": stored.version_id}
    if proved and state is FileState.AVAILABLE:
        details["sha256"] = proved
    records.move(tx, file, state, action, actor, changes=changes, details=details)
    tx.commit()
    return file


def _payload(file: File) -> dict[str, str]:
    return {"spaceId": file.space_id, "fileId": file.file_id}


def _hex(digest: str) -> str:
    return base64.b64decode(digest).hex()
