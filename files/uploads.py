"""Uploads: begun by a row and a signature, ended by one idempotent look at storage.

The row is there before the URL (N4). Completion is learnt from the browser (`confirm`), or by the
worker, which hears of it from storage or looks by itself (`reconcile`); all of them go through
`files.checking.settle`. Above `MULTIPART_THRESHOLD` a file goes in parts (`files.parts`).
"""

import base64
import re
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actors import WORKER, Actor
from files import checking, multipart, records
from files.keys import new_key
from files.names import clean_name
from files.presigned import PresignedPost
from files.spaces import Ability, Space, SpaceChanged, check_ability, get_space, load_space
from files.states import FileState
from files.storage import case_storage
from files.tables import File, FileRef
from files.types import FileType, get_type
from filevault import jobs
from filevault.dynamo import Transaction, new_id, now
from filevault.errors import Conflict, DomainError, Invalid, NotFound, TooLarge, Unavailable
from filevault.limits import Allowance

EXPIRE_JOB: Final = "upload.expire"
TRIES: Final = 3
#: A folder of scans at once is an ordinary thing.
UPLOADS: Final = Allowance("upload", actor=2_000, address=10_000, window=timedelta(hours=1))
#: A transfer that began in time may end later: it has ten minutes more, and what a slow line of
#: 128 KiB a second needs for its size.
GRACE: Final = timedelta(minutes=10)
SLOWEST_LINE: Final = 128 * 1024

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def begin(
    actor: Actor,
    space: Space,
    *,
    file_name: object,
    size: object,
    mime_type: object = "",
    sha256: object = None,
) -> tuple[File, PresignedPost | None]:
    """Begin an upload of exactly `size` bytes; `sha256` (hex) binds its content too. A large one
    goes in parts (None instead of a POST), which `files.parts` signs.

    Raises `Forbidden`, `Invalid` (by field), `TooLarge`, `QuotaFull`, `RateLimited`. `mime_type` is
    a hint that decides nothing."""
    check_ability(space, actor, Ability.UPLOAD)
    name = clean_name(file_name)
    file_type = get_type(name)
    length = _check_size(size)
    digest = check_sha256(sha256)
    _check_hint(mime_type)
    file = _draft(actor, space, name, file_type, length)
    file.declared_sha256 = digest
    if length > settings.MULTIPART_THRESHOLD:
        _begin_parts(actor, space, file)
        return file, None
    _write(actor, space, file)
    checksum = base64.b64encode(bytes.fromhex(digest)).decode() if digest else ""
    storage = case_storage()
    return file, storage.presign_post(file.s3_key, length, file_type.mime_type, sha256=checksum)


def begin_plain(actor: Actor, space: Space, *, file_name: object) -> File:
    """Begin an upload from a plain form, whose size nobody knows before it is there: the quota is
    counted when it is confirmed."""
    check_ability(space, actor, Ability.UPLOAD)
    name = clean_name(file_name)
    file = _draft(actor, space, name, get_type(name), 0)
    _write(actor, space, file)
    return file


def presign_plain(file: File, *, redirect_to: str) -> PresignedPost:
    """Sign a plain form's upload of up to the largest size; storage leads the browser back to
    `redirect_to`, which confirms."""
    allowed = (1, settings.MAX_UPLOAD_SIZE)
    return case_storage().presign_post(
        file.s3_key, allowed, file.mime_type, redirect_to=redirect_to
    )


def confirm(actor: Actor, space: Space, file_id: str, *, sha256: object = None) -> File:
    """Look whether an upload has arrived, by the one who began it (Z4). Answers alike however
    often it is asked: the file, `AVAILABLE`, `CHECKING`, or `REJECTED` with its reason. `sha256`
    (hex) is what the sender's device computed while it sent.

    Raises `Conflict` with the code `not_uploaded` while it isn't there whole, `upload_over` when it
    was cancelled or had run out of time, and `wrong_checksum` where it is there with another
    SHA-256."""
    digest = check_sha256(sha256)
    file = checking.settle(_own_upload(actor, space, file_id), space, actor, sha256=digest)
    if file.state == FileState.PENDING:
        raise Conflict(
            _("The file has not arrived yet. Please send it again."), code="not_uploaded"
        )
    if file.state in (FileState.EXPIRED, FileState.ABORTED):
        raise Conflict(
            _("This upload is over, and nothing of it was kept. Please send the file again."),
            code="upload_over",
        )
    if file.state == FileState.DELETED:
        raise NotFound
    if digest and file.state != FileState.REJECTED:
        checking.declare(file, digest)
    return file


def reconcile(space_id: str, file_id: str) -> File:
    """The same look by the worker: returns the file in whatever state it is then, `PENDING` where
    nothing has arrived. Raises `NotFound` for an unknown file and `Unavailable`."""
    file = File.fetch(space_id, file_id)
    if file is None:
        raise NotFound
    space = load_space(space_id)
    return file if space is None else checking.settle(file, space, WORKER)


def abort(actor: Actor, space: Space, file_id: str) -> File:
    """Give an upload up, by the one who began it. What has arrived, or is over already, is left as
    it is; what arrives late is removed when the upload's time has run out."""
    file = _own_upload(actor, space, file_id)
    if file.state == FileState.DELETED:
        raise NotFound
    if file.state != FileState.PENDING:
        return file
    tx = Transaction()
    records.move(
        tx,
        file,
        FileState.ABORTED,
        audit.Action.UPLOAD_ABORT,
        actor,
        changes={"file_name": ""},
    )
    records.give_back(tx, file)
    try:
        tx.commit()
    except records.StateChanged:  # it arrived, or ended, meanwhile
        return records.read_again(file)
    if file.upload_id:
        multipart.abort_quietly(file.s3_key, file.upload_id)
    return file


def over_at(file: File) -> datetime:
    """When nothing can arrive for a file any more: its signatures have run out, and so has what a
    slow line needs for the request that was under way then."""
    last_request = int(file.part_size or file.size or settings.MAX_UPLOAD_SIZE)
    slowest = timedelta(seconds=last_request / SLOWEST_LINE)
    expires_at: datetime = file.upload_expires_at
    return expires_at + GRACE + slowest


def _own_upload(actor: Actor, space: Space, file_id: str) -> File:
    file = space.fetch(file_id)
    if file is None or file.uploaded_by != actor.actor_id:
        raise NotFound
    return file


def _draft(actor: Actor, space: Space, name: str, file_type: FileType, size: int) -> File:
    moment, file_id = now(), new_id()
    return File(
        space.space_id,
        file_id,
        owner_id=space.owner_id,
        file_name=name,
        s3_key=new_key(space.storage_prefix, file_id),
        size=size,
        held_bytes=size,
        mime_type=file_type.mime_type,
        state=FileState.PENDING.value,
        uploaded_by=actor.actor_id,
        created_at=moment,
        active_at=moment,
        upload_expires_at=moment + settings.UPLOAD_URL_LIFETIME,
    )


def _begin_parts(actor: Actor, space: Space, file: File) -> None:
    """Open the upload at storage, so that the row holds its id from the start: a part can be
    signed only once that row is there. What a lost race leaves behind is swept."""
    file.part_size = multipart.part_size_for(int(file.size))
    file.upload_expires_at = file.created_at + settings.UPLOAD_RESUME
    file.upload_id = multipart.create(file.s3_key, file.mime_type)
    try:
        _write(actor, space, file)
    except DomainError:
        multipart.abort_quietly(file.s3_key, file.upload_id)
        raise


def _write(actor: Actor, space: Space, file: File) -> None:
    """Write all that an upload begins with in one transaction."""
    for _attempt in range(TRIES):
        tx = Transaction()
        details = {"size": int(file.size), "mimeType": file.mime_type}
        file.event_id = audit.record(
            tx,
            space.space_id,
            audit.Action.UPLOAD_BEGIN,
            actor,
            target=file.file_id,
            details=details,
        )
        tx.create(file)
        tx.create(FileRef(file.file_id, space_id=space.space_id))
        records.hold(tx, space.owner_id, int(file.size))
        UPLOADS.spend_in(tx, actor)
        payload = {"spaceId": space.space_id, "fileId": file.file_id}
        jobs.enqueue(tx, EXPIRE_JOB, payload, due_at=over_at(file))
        space.join_upload(tx, file, actor)
        try:
            tx.commit()
        except SpaceChanged:
            space = get_space(actor, space.space_id)
            check_ability(space, actor, Ability.UPLOAD)
        else:
            return
    raise Unavailable(code="space_busy")


def _check_size(size: object) -> int:
    if not isinstance(size, int) or isinstance(size, bool):
        text = _("The size must be a whole number of bytes.")
        raise Invalid(text, code="bad_size", fields={"size": text})
    if size <= 0:
        text = _("This file is empty.")
        raise Invalid(text, code="empty", fields={"size": text})
    if size > settings.MAX_UPLOAD_SIZE:
        text = _("This file is too large: %(limit)s is the most a file may have.") % {
            "limit": filesizeformat(settings.MAX_UPLOAD_SIZE)
        }
        raise TooLarge(text, fields={"size": text})
    return size


def check_sha256(sha256: object) -> str | None:
    """A SHA-256 in lower-case hex, or None where none was given. Raises `Invalid`."""
    if sha256 is None:
        return None
    if isinstance(sha256, str) and _SHA256.fullmatch(sha256.lower()):
        return sha256.lower()
    text = _("A SHA-256 has 64 hexadecimal digits.")
    raise Invalid(text, code="bad_sha256", fields={"sha256": text})


def _check_hint(mime_type: object) -> None:
    if not isinstance(mime_type, str):
        text = _("The media type must be a text.")
        raise Invalid(text, code="bad_mime_type", fields={"mimeType": text})
