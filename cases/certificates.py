"""Deletion certificates: what was deleted with a case, when and why, signed for whoever asks later.

A certificate is begun in the transaction that deletes the case, and signed once the last file has
gone. It holds ids, sizes, times and digests: no title and no name. The list of files is not kept
twice: their tombstones and the trail are that list, and the certificate holds its digest.
"""

import hashlib
import json
from datetime import datetime
from typing import Any, Final

from accounts import audit
from accounts.actors import WORKER, Practitioner
from accounts.tables import AuditEvent
from cases.tables import Case, DeletionCertificate
from files.tables import File
from filevault import jobs, signing
from filevault.dynamo import Transaction, is_id, new_id, now
from filevault.errors import NotFound
from filevault.paging import Page, open_cursor, read_page

KIND: Final = "filevault-deletion-certificate"
OWNER: Final = "owner"
RETENTION: Final = "retention"
PAGE_SIZE: Final = 25


def begin_in(tx: Transaction, case: Case, reason: str) -> str:
    """Add to the transaction that deletes a case; returns the certificate's id."""
    row = DeletionCertificate(
        case.user_id,
        new_id(),
        case_id=case.case_id,
        reason=reason,
        closed_at=case.closed_at,
        retain_until=case.retain_until,
        deleted_at=now(),
    )
    tx.create(row)
    return str(row.certificate_id)


def issue(case: Case, claim: jobs.Claim) -> None:
    """Sign the certificate of a case whose files have all gone, and end the job with it. There is
    one for each case: again changes nothing."""
    row = None
    if case.certificate_id is not None:  # cases that were deleted before there were any have none
        row = DeletionCertificate.fetch(case.user_id, case.certificate_id)
    if row is None or row.document is not None:
        return
    files = files_of(case.case_id)
    row.finished_at, row.file_count = now(), len(files)
    row.byte_count, digest = sum(each["size"] for each in files), _digest(files)
    details = {"certificateId": row.certificate_id, "files": len(files), "filesSha256": digest}
    stream, action = audit.case_stream(case.case_id), audit.Action.CASE_PURGE
    tx = Transaction()
    row.event_id = audit.record(tx, stream, action, WORKER, target=case.case_id, details=details)
    document = signing.sign(KIND, _content(row, digest))
    tx.update(
        row,
        [
            DeletionCertificate.finished_at.set(row.finished_at),
            DeletionCertificate.file_count.set(row.file_count),
            DeletionCertificate.byte_count.set(row.byte_count),
            DeletionCertificate.document.set(signing.canonical_json(document).decode()),
            DeletionCertificate.event_id.set(row.event_id),
        ],
        condition=DeletionCertificate.document.does_not_exist(),
    )
    claim.complete_in(tx)
    tx.commit()


def _content(row: DeletionCertificate, digest: str) -> dict[str, Any]:
    return {
        "certificateId": row.certificate_id,
        "caseId": row.case_id,
        "userId": row.user_id,
        "reason": row.reason,
        "closedAt": _text(row.closed_at),
        "retainUntil": _text(row.retain_until),
        "deletedAt": _text(row.deleted_at),
        "finishedAt": _text(row.finished_at),
        "fileCount": row.file_count,
        "byteCount": row.byte_count,
        "filesSha256": digest,
        "auditStream": audit.case_stream(row.case_id),
        "auditEventId": row.event_id,
    }


def list_certificates(
    actor: Practitioner, *, cursor: str = "", limit: int = PAGE_SIZE
) -> Page[DeletionCertificate]:
    """A page of the actor's deleted cases, the last one first, read consistently."""
    scope = f"certificates:{actor.user_id}"
    rows = DeletionCertificate.query(
        actor.user_id,
        scan_index_forward=False,
        consistent_read=True,
        limit=limit,
        last_evaluated_key=open_cursor(cursor, scope=scope),
    )
    return read_page(rows, scope=scope)


def get_document(actor: Practitioner, certificate_id: str) -> dict[str, Any]:
    """A certificate of the actor's with the list of files that it proves. Raises `NotFound`, also
    while there is still something to delete."""
    row = None
    if is_id(certificate_id):
        row = DeletionCertificate.fetch(actor.user_id, certificate_id)
    if row is None or row.document is None:
        raise NotFound
    return {"certificate": json.loads(row.document), "files": files_of(row.case_id)}


def files_of(case_id: str) -> list[dict[str, Any]]:
    """Every file that a case has ever held and that has gone, in the order of ids. Uploads that
    were never taken in are none. What a file's SHA-256 was is known to the trail alone."""
    stream = audit.case_stream(case_id)
    purged = File.query(
        f"case:{case_id}",
        filter_condition=File.purged_at.exists() & File.available_at.exists(),
        consistent_read=True,
    )
    rows = list(purged)
    proofs = AuditEvent.fetch_many((stream, f.proof_event_id) for f in rows if f.proof_event_id)
    proved = {event.target: str(event.details["sha256"]) for event in proofs}
    return [
        {
            "fileId": file.file_id,
            "sha256": proved.get(file.file_id, ""),
            "size": int(file.size),
            "purgedAt": _text(file.purged_at),
        }
        for file in rows
    ]


def _digest(files: list[dict[str, Any]]) -> str:
    return hashlib.sha256(signing.canonical_json(files)).hexdigest()


def _text(moment: datetime | None) -> str:
    return moment.isoformat(timespec="milliseconds") if moment is not None else ""
