"""The worker's one look at all bytes of a file: its SHA-256, and what the virus scanner says.

The pinned version is read once, in pieces, so that memory doesn't grow with the file. Idempotent,
and safe at once: the verdict is written on condition that the file is still as it was read and the
job still ours.
"""

import hashlib
import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from accounts import audit
from accounts.actors import WORKER
from files import checking, clamd, records
from files.reading import read_whole
from files.spaces import Space, load_space
from files.states import FileState, Reason, Scan
from files.storage import case_storage
from files.tables import File
from filevault import jobs
from filevault.dynamo import Transaction, now
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

#: A file that waits for the scanner asks again after a quarter of its age, within these.
LEAST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the look told: the SHA-256 in hex, and the scanner's outcome where it was asked."""

    sha256: str
    outcome: clamd.Outcome | None


@jobs.handler(checking.INSPECT_JOB, slow=True)
def inspect(claim: jobs.Claim) -> datetime | None:
    """Read a file that is being checked, or whose SHA-256 is still to be proved, and let it pass or
    refuse it. While the scanner is away the file waits (U5)."""
    file = File.fetch(claim.payload["spaceId"], claim.payload["fileId"])
    space = load_space(file.space_id) if file is not None and _is_open(file) else None
    if file is None or space is None:  # all is said, or the file goes with its space
        return None
    try:
        with _scanner_for(file) as scan:
            finding = _look(file, claim, scan)
    except clamd.ScanBroken:
        raise  # put off longer each time: the file itself may be what breaks the scanner
    except clamd.ScannerAway:
        return _again_at(file)
    try:
        _conclude(file, space, finding, claim)
    except records.StateChanged:  # deleted meanwhile, mostly, or its SHA-256 was declared
        return now()
    return None


def _is_open(file: File) -> bool:
    unproved = file.state == FileState.AVAILABLE and not file.sha256
    return file.state == FileState.CHECKING or unproved


def _scanner_for(file: File) -> AbstractContextManager[clamd.Scan | None]:
    if file.state != FileState.CHECKING or file.size > clamd.MOST:
        return nullcontext()
    return clamd.scanning(settings.SCANNER_URL)


def _again_at(file: File) -> datetime:
    moment = now()
    return moment + min(LONGEST_WAIT, max(LEAST_WAIT, (moment - file.created_at) / 4))


def _look(file: File, claim: jobs.Claim, scan: clamd.Scan | None) -> Finding | None:
    """Read the file once, keeping the claim; None where the pinned version is no longer there."""
    digest = hashlib.sha256()
    try:
        size = int(file.size)
        for piece in read_whole(file.s3_key, file.version_id, size, waiting=claim.keep):
            claim.keep()
            digest.update(piece)
            if scan is not None:
                scan.feed(piece)
    except clamd.ScannerAway:
        raise
    except Unavailable:
        if case_storage().head(file.s3_key, file.version_id) is None:
            return None
        raise
    outcome = clamd.Outcome.TOO_LARGE if file.state == FileState.CHECKING else None
    if scan is not None:
        verdict = scan.verdict(claim.keep)
        outcome = verdict.outcome
        if outcome is clamd.Outcome.INFECTED:
            extra = {"file": file.file_id, "signature": verdict.signature}
            logger.warning("virus found", extra=extra)
    return Finding(digest.hexdigest(), outcome)


def _conclude(file: File, space: Space, finding: Finding | None, claim: jobs.Claim) -> None:
    fault = Reason.LOST if finding is None else _find_fault(file, finding)
    if fault is Reason.LOST:
        logger.error("object gone", extra={"file": file.file_id})
    if finding is None or fault is not None:
        checking.reject(file, fault or Reason.LOST, space, WORKER, held_by=claim)
    else:
        _accept(file, space, finding, claim)


def _find_fault(file: File, finding: Finding) -> Reason | None:
    if finding.outcome is clamd.Outcome.INFECTED:
        return Reason.INFECTED
    if file.declared_sha256 and file.declared_sha256 != finding.sha256:
        return Reason.WRONG_CHECKSUM
    unscanned = finding.outcome is clamd.Outcome.TOO_LARGE
    return Reason.UNSCANNABLE if unscanned and not settings.ALLOW_UNSCANNED else None


def _accept(file: File, space: Space, finding: Finding, claim: jobs.Claim) -> None:
    """Let a checked file pass, or note the SHA-256 of one that is available already."""
    tx = Transaction()
    file.sha256 = finding.sha256
    changes: dict[str, Any] = {"sha256": finding.sha256}
    details: dict[str, Any] = {
        "size": int(file.size),
        "versionId": file.version_id,
        "sha256": finding.sha256,
    }
    action = audit.Action.FILE_INSPECT
    if file.state == FileState.CHECKING:
        clean = finding.outcome is clamd.Outcome.CLEAN
        action, scan = audit.Action.UPLOAD_AVAILABLE, Scan.CLEAN if clean else Scan.UNSCANNED
        details |= {"scan": scan.value}
        changes |= {"scan_verdict": scan.value} | checking.publish_in(tx, file, space)
    else:
        records.note_digest(tx, file)
    available = FileState.AVAILABLE
    records.move(tx, file, available, action, WORKER, changes=changes, details=details)
    tx.update(file, [], condition=_declared_as_read(file), otherwise=records.StateChanged())
    claim.hold_in(tx)
    tx.commit()


def _declared_as_read(file: File) -> Any:
    """The condition that the sender has said nothing new meanwhile (`checking.declare`)."""
    if file.declared_sha256:
        return File.declared_sha256 == file.declared_sha256
    return File.declared_sha256.does_not_exist()
