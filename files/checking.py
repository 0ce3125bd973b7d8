"""The one look at what has arrived: HEAD, content, version, and then the change of state.

Idempotent and safe at once: the browser and the worker may both look, and only one of them writes.
"""

import base64
import logging
from functools import partial
from typing import Any, Final

from accounts import audit
from accounts.actors import Actor
from files import records
from files.sniffing import find_fault
from files.spaces import Space
from files.states import FileState, Reason
from files.storage import StoredObject, case_storage
from files.tables import File
from files.types import BY_MIME_TYPE
from filevault import jobs
from filevault.dynamo import Transaction, now
from filevault.errors import NotFound, Unavailable

logger = logging.getLogger(__name__)

PURGE_JOB: Final = "file.purge"


def settle(file: File, space: Space, actor: Actor) -> File:
    """The file after looking at storage: unchanged where it isn't `PENDING` or nothing has arrived,
    else `AVAILABLE` or `REJECTED`. Raises `Unavailable`."""
    if file.state != FileState.PENDING:
        return file
    stored = case_storage().head(file.s3_key)
    if stored is None:
        return file
    if not stored.version_id or stored.version_id == "null":
        logger.error("bucket keeps no versions")  # nothing could be pinned (U3)
        raise Unavailable(code="storage_unversioned")
    fault = _find_fault(file, stored)
    try:
        if fault is None:
            return _accept(file, stored, space, actor)
    except records.QuotaFull:
        fault = Reason.QUOTA
    except records.StateChanged:
        return _read_again(file)
    try:
        return _reject(file, fault, actor)
    except records.StateChanged:
        return _read_again(file)


def _find_fault(file: File, stored: StoredObject) -> Reason | None:
    if file.size and stored.size != file.size:
        return Reason.WRONG_SIZE
    if file.sha256 and stored.sha256 and _hex(stored.sha256) != file.sha256:
        return Reason.WRONG_CHECKSUM
    read = partial(case_storage().read_range, file.s3_key, stored.version_id)
    return find_fault(BY_MIME_TYPE[file.mime_type], stored.size, read)


def _accept(file: File, stored: StoredObject, space: Space, actor: Actor) -> File:
    held = int(file.held_bytes or 0)
    tx = Transaction()
    changes: dict[str, Any] = {
        "version_id": stored.version_id,
        "size": stored.size,
        "held_bytes": stored.size,
        "available_at": now(),
        # Declared, but proved by nobody, is worth nothing.
        "sha256": file.sha256 if stored.sha256 else None,
    }
    if BY_MIME_TYPE[file.mime_type].is_image:
        changes["image_space"] = file.space_id
    details = {"size": stored.size, "versionId": stored.version_id}
    records.move(
        tx,
        file,
        FileState.AVAILABLE,
        audit.Action.UPLOAD_AVAILABLE,
        actor,
        changes=changes,
        details=details,
    )
    if stored.size > held:
        records.hold(tx, file.owner_id, stored.size - held, files=0)
    file.size = stored.size
    space.join_available(tx, file)
    tx.commit()
    return file


def _reject(file: File, reason: Reason, actor: Actor) -> File:
    tx = Transaction()
    records.move(
        tx,
        file,
        FileState.REJECTED,
        audit.Action.UPLOAD_REJECT,
        actor,
        changes={"reason": reason.value},
        details={"reason": reason.value},
    )
    records.give_back(tx, file)
    jobs.enqueue(tx, PURGE_JOB, {"spaceId": file.space_id, "fileId": file.file_id})
    tx.commit()
    return file


def _read_again(file: File) -> File:
    found = File.fetch(file.space_id, file.file_id)
    if found is None:
        raise NotFound
    return found


def _hex(digest: str) -> str:
    return base64.b64decode(digest).hex()
