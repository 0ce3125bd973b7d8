"""Files whose pinned version is gone are pinned to the same bytes anew: after a bucket was restored
from a backup, where each object has come back as another version.

A repair tool: it scans, and reads each such file whole. What is served must be what was checked
(U4), so that the SHA-256 which was proved then is the only thing that counts.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from accounts.actors import WORKER
from accounts.audit import Action
from files import records
from files.checking import PREVIEW_JOB
from files.states import FileState
from files.storage import StoredObject, case_storage
from files.tables import File
from filevault import jobs
from filevault.dynamo import Transaction, readable


class Outcome(StrEnum):
    """What became of a file, or would with `apply`."""

    KEPT = "as they were"
    PINNED = "pinned anew"
    MISSING = "without any bytes"
    OTHER = "with other bytes than were checked"
    UNPROVED = "whose SHA-256 was never proved"


@dataclass(frozen=True, slots=True)
class Looked:
    """One available file, and what was found."""

    file_id: str
    outcome: Outcome


def repin_all(*, apply: bool) -> Iterator[Looked]:
    """Look at every available file; with `apply` also pin anew. Raises `Unavailable`."""
    rows = File.scan(File.state == FileState.AVAILABLE.value, consistent_read=True)
    for file in readable(rows):
        outcome, stored = _look(file)
        if apply and stored is not None:
            _pin(file, stored)
        yield Looked(file.file_id, outcome)


def _look(file: File) -> tuple[Outcome, StoredObject | None]:
    storage = case_storage()
    if storage.head(file.s3_key, file.version_id) is not None:
        return Outcome.KEPT, None
    stored = storage.head(file.s3_key)
    if stored is None:
        return Outcome.MISSING, None
    if not file.sha256:
        return Outcome.UNPROVED, None
    if stored.size != file.size or _digest(file.s3_key, stored.version_id) != file.sha256:
        return Outcome.OTHER, None
    return Outcome.PINNED, stored


def _digest(key: str, version_id: str) -> str:
    digest = hashlib.sha256()
    for piece in case_storage().stream(key, version_id):
        digest.update(piece)
    return digest.hexdigest()


def _pin(file: File, stored: StoredObject) -> None:
    """Its pictures are made anew, since nobody has proved theirs."""
    had_pictures = bool(file.thumb_version_id)
    tx = Transaction()
    records.move(
        tx,
        file,
        FileState.AVAILABLE,
        Action.FILE_REPIN,
        WORKER,
        changes={
            "version_id": stored.version_id,
            "thumb_version_id": None,
            "preview_version_id": None,
        },
        details={"versionBefore": file.version_id, "version": stored.version_id},
    )
    if had_pictures:
        jobs.enqueue(tx, PREVIEW_JOB, {"spaceId": file.space_id, "fileId": file.file_id})
    tx.commit()
