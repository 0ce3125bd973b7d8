"""The worker's pictures of images and PDFs: a thumbnail for lists and a preview to look at.

They lie beside the file and go with it. A file of which none can be made has none, and nothing else
is wrong with it. The bytes are decoded by `files.rendering` in a process of its own; they touch no
named file, so that nothing of them stays behind where the worker is killed.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from django.conf import settings

from accounts import audit
from accounts.actors import WORKER
from files import records
from files.checking import PREVIEW_JOB
from files.keys import derived_keys, preview_key, thumb_key
from files.purge import is_kept
from files.states import GONE, FileState
from files.storage import case_storage
from files.tables import File
from files.types import BY_MIME_TYPE
from filevault import jobs
from filevault.dynamo import Transaction
from filevault.errors import DomainError, Unavailable

logger = logging.getLogger(__name__)

PICTURE_TYPE: Final = "image/jpeg"
TIMEOUT_SECONDS: Final = 30.0
#: -P: the working directory is no place to import from.
COMMAND: Final = (sys.executable, "-P", "-s", "-m", "files.rendering")
#: What the renderer gets of our environment: no credentials, no keys, no addresses.
PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH")


class NoPicture(Exception):
    """None can be made of this file; says why in one word."""


@jobs.handler(PREVIEW_JOB, slow=True)
def make_preview(claim: jobs.Claim) -> datetime | None:
    """Draw thumbnail and preview of an available file, store them and pin their versions."""
    file = File.fetch(claim.payload["spaceId"], claim.payload["fileId"])
    if file is None:
        return None
    if file.state in GONE:
        if not is_kept(file):
            _delete_pictures(file)  # an earlier try may have left some after the purge
    elif _wants_pictures(file):
        try:
            _store(file, _draw(file, claim), claim)
        except NoPicture as fault:
            logger.info("no preview", extra={"file": file.file_id, "fault": str(fault)})
        except records.StateChanged:
            logger.info("file went before its preview", extra={"file": file.file_id})
    return None


def _wants_pictures(file: File) -> bool:
    kind = BY_MIME_TYPE.get(file.mime_type)
    drawable = kind is not None and kind.has_preview
    return file.state == FileState.AVAILABLE and drawable and not file.thumb_version_id


def _draw(file: File, claim: jobs.Claim) -> tuple[bytes, bytes]:
    """Thumbnail and preview of the pinned version. Raises `NoPicture`, `Unavailable`, and
    `LostClaim`."""
    try:
        with ExitStack() as stack:
            source, thumbnail, preview = (stack.enter_context(TemporaryFile()) for _ in range(3))
            for piece in case_storage().stream(file.s3_key, file.version_id):
                claim.keep()
                source.write(piece)
            source.seek(0)
            _render(file.mime_type, source, (thumbnail, preview), claim)
            for picture in (thumbnail, preview):
                picture.seek(0)  # the renderer has moved it: it writes into this very file
            return thumbnail.read(), preview.read()
    except OSError as error:  # no room for the file, no process to be had
        logger.error("preview not drawn", extra={"error": type(error).__name__})
        raise Unavailable(code="no_room") from error


def _render(
    mime_type: str, source: BinaryIO, pictures: Sequence[BinaryIO], claim: jobs.Claim
) -> None:
    descriptors = [picture.fileno() for picture in pictures]
    process = subprocess.Popen(  # noqa: S603
        [*COMMAND, mime_type, *map(str, descriptors)],
        stdin=source,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=descriptors,
        cwd="/",
        env=_environment(),
        start_new_session=True,
    )
    try:
        code = _wait(process, claim)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and whatever it has begun itself
        process.wait()
    if code != 0:
        raise NoPicture("timeout" if code is None else f"exit {code}")


def _wait(process: subprocess.Popen[bytes], claim: jobs.Claim) -> int | None:
    """The exit code; None where it takes too long. The lease is kept alive meanwhile."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while (remaining := until - time.monotonic()) > 0:
        claim.keep()
        try:
            return process.wait(min(1.0, remaining))
        except subprocess.TimeoutExpired:
            continue
    return None


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**kept, "PYTHONPATH": str(settings.BASE_DIR), "LC_ALL": "C.UTF-8"}


def _store(file: File, pictures: tuple[bytes, bytes], claim: jobs.Claim) -> None:
    """Put both and pin them. Raises `StateChanged` where the file went meanwhile: then they go,
    too."""
    storage = case_storage()
    thumbnail, preview = pictures
    pinned = {
        "thumb_version_id": storage.put(thumb_key(file.s3_key), thumbnail, PICTURE_TYPE),
        "preview_version_id": storage.put(preview_key(file.s3_key), preview, PICTURE_TYPE),
    }
    tx = Transaction()
    sizes = {"thumbSize": len(thumbnail), "previewSize": len(preview)}
    action = audit.Action.FILE_PREVIEW
    records.move(tx, file, FileState.AVAILABLE, action, WORKER, changes=pinned, details=sizes)
    tx.update(file, [], condition=File.thumb_version_id.does_not_exist())
    claim.complete_in(tx)
    try:
        tx.commit()
    except DomainError:
        now = File.fetch(file.space_id, file.file_id)
        if now is None or now.state in GONE:
            _delete_pictures(file)
        raise


def _delete_pictures(file: File) -> None:
    for key in derived_keys(file.s3_key):
        case_storage().delete_versions(key)
