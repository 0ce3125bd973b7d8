"""Bytes that must go: of uploads that ended, of deleted files, of whole spaces.

Everything here may be done again: versions are deleted first, by exact key, and the row says so
afterwards. A signature that is still alive can bring bytes back, which is why `end_upload` looks at
every upload once more when that time is over. What a legal hold keeps is left for later (T5), even
if it was deleted before the hold came.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import Final

from accounts import audit
from accounts.actors import WORKER
from files import multipart, records
from files.checking import PURGE_JOB
from files.keys import derived_keys
from files.spaces import load_space
from files.states import GONE, FileState
from files.storage import case_storage
from files.tables import File
from files.uploads import EXPIRE_JOB, over_at, reconcile
from filevault import jobs
from filevault.dynamo import Transaction, now
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

#: How long one run works on a space before other jobs get their turn (N6).
RUN_SECONDS: Final = 20.0
#: How often it is looked whether a hold was lifted.
HOLD_POLL: Final = timedelta(hours=1)


@jobs.handler(EXPIRE_JOB)
def end_upload_job(claim: jobs.Claim) -> datetime | None:
    """End the upload whose time has run out."""
    return end_upload(claim.payload["spaceId"], claim.payload["fileId"])


def end_upload(space_id: str, file_id: str) -> datetime | None:
    """Once an upload's signature can bring nothing more: look a last time, let what never came
    expire, and delete every version but the one that was confirmed (U3, U10). Returns when to call
    it again; None once all is done."""
    file = File.fetch(space_id, file_id)
    if file is not None and file.state == FileState.PENDING:
        file = reconcile(file.space_id, file.file_id)
        if file.state == FileState.PENDING:
            if over_at(file) > now():  # parts were signed since
                return over_at(file)
            _expire(file)
            return now()
    if file is None:
        return None
    if file.state in GONE:
        return _purge_or_wait(file)
    if file.version_id:
        case_storage().delete_versions(file.s3_key, except_version=file.version_id)
    return None


@jobs.handler(PURGE_JOB)
def purge_file(claim: jobs.Claim) -> datetime | None:
    """Delete every version of a file that was deleted or rejected, and give back its quota."""
    file = File.fetch(claim.payload["spaceId"], claim.payload["fileId"])
    return _purge_or_wait(file) if file is not None and file.state in GONE else None


def is_kept(file: File) -> bool:
    """Whether a legal hold keeps the bytes of a file that has gone (T5). What was never taken in
    is no part of its case, and kept by nothing. A purge that has read this begins at once: a hold
    that comes later than that is too late for the file."""
    if file.state != FileState.DELETED and file.available_at is None:
        return False
    space = load_space(file.space_id)
    return space is not None and space.is_held


def _purge_or_wait(file: File) -> datetime | None:
    if is_kept(file):
        return now() + HOLD_POLL
    purge(file)
    return None


def purge_space(space_id: str, claim: jobs.Claim) -> bool:
    """Delete all files of a space that is going; True once none is left. Resumable: call it again
    with the next claim until it says so. One file that fails doesn't hold up the others; once all
    were tried it raises `Unavailable`, so that its job is put off, and not done again at once."""
    until = time.monotonic() + RUN_SECONDS
    done, fault = True, None
    remaining = File.query(
        space_id, filter_condition=File.purged_at.does_not_exist(), consistent_read=True
    )
    for file in remaining:
        if time.monotonic() > until:
            return False
        claim.keep()
        try:
            purge(file, held_by=claim)
        except records.StateChanged:
            done = False
        except Unavailable as error:
            logger.warning("file not purged yet", extra={"file": file.file_id})
            fault = error
    if fault is not None:
        raise fault
    return done


def _expire(file: File) -> None:
    tx = Transaction()
    nameless = {"file_name": ""}
    records.move(tx, file, FileState.EXPIRED, audit.Action.UPLOAD_EXPIRE, WORKER, changes=nameless)
    records.give_back(tx, file)
    unextended = File.upload_expires_at == file.upload_expires_at
    tx.update(file, [], condition=unextended, otherwise=records.StateChanged())
    try:
        tx.commit()
    except records.StateChanged:
        logger.info("upload ended, or went on, meanwhile", extra={"file": file.file_id})


def purge(file: File, *, held_by: jobs.Claim | None = None) -> None:
    """Delete all bytes of a file that has gone and that nothing keeps, and give back its quota.
    With `held_by` the file is one of a space that is going, whose tombstone may still be missing.
    Raises `Unavailable`, and `StateChanged` where somebody else did it meanwhile."""
    if held_by is not None and file.state != FileState.DELETED:
        # Nobody may be sent to bytes that are going: the tombstone comes first.
        _bury(file, held_by)
    _delete_bytes(file)
    if file.purged_at is not None:
        return
    tx = Transaction()
    event_id = audit.record(tx, file.space_id, audit.Action.FILE_PURGE, WORKER, target=file.file_id)
    tx.update(
        file,
        [File.purged_at.set(now()), File.version_id.remove(), File.event_id.set(event_id)],
        condition=File.purged_at.does_not_exist() & File.state.is_in(*GONE),
        otherwise=records.StateChanged(),
    )
    records.give_back(tx, file)
    if held_by is not None:
        held_by.hold_in(tx)
    tx.commit()


def _delete_bytes(file: File) -> None:
    """Every version and part of a file, and of the pictures made of it (T4)."""
    if file.upload_id:
        multipart.abort(file.s3_key, file.upload_id)
    for key in (file.s3_key, *derived_keys(file.s3_key)):
        case_storage().delete_versions(key)


def _bury(file: File, claim: jobs.Claim) -> None:
    tx = Transaction()
    records.unlist(tx, file)
    changes = records.tombstone()
    records.move(tx, file, FileState.DELETED, audit.Action.FILE_DELETE, WORKER, changes=changes)
    claim.hold_in(tx)
    tx.commit()
