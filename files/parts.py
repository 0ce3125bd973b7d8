"""The parts of an upload: signed a few at a time, and told from what storage has of them."""

import base64
import binascii
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.actors import Actor
from files import multipart
from files.multipart import Part, PartGrant
from files.spaces import Ability, Space, check_ability
from files.states import FileState
from files.tables import File
from filevault.dynamo import now
from filevault.errors import Conflict, Invalid, NotFound
from filevault.limits import Allowance

#: More than a browser sends at once, few enough that a URL isn't old when its turn comes.
MOST_AT_ONCE: Final = 16
#: A file of 5 GiB asks 40 times.
SIGNINGS: Final = Allowance("parts", actor=6_000, address=30_000, window=timedelta(hours=1))


class UploadOver(Conflict):
    """The upload was cancelled, has run out of time, or is finished."""

    code = "upload_over"


def get_parts(actor: Actor, space: Space, file_id: str) -> tuple[File, list[Part]]:
    """An upload in parts of the actor's own, and what of it has arrived.

    Raises `NotFound`, and `UploadOver` where nothing can be added to it."""
    file = _open_upload(actor, space, file_id)
    parts = multipart.list_parts(file.s3_key, str(file.upload_id))
    if parts is None:
        raise _over()
    return file, parts


def sign_parts(
    actor: Actor, space: Space, file_id: str, *, part_numbers: object, checksums: object
) -> dict[int, PartGrant]:
    """Sign up to `MOST_AT_ONCE` parts; `checksums` are base64 SHA-256 by part number.

    The upload's time begins anew, and the burst that it belongs to goes on. Raises `NotFound`,
    `Forbidden`, `Invalid` (by field), `UploadOver` and `RateLimited`."""
    check_ability(space, actor, Ability.UPLOAD)
    SIGNINGS.spend(actor)
    file = _open_upload(actor, space, file_id)
    size, part_size = int(file.size), int(file.part_size)
    numbers = _check_numbers(part_numbers, most=multipart.part_count(size, part_size))
    digests = _check_checksums(checksums, numbers)
    moment = now()
    kept_alive = file.try_update(
        [File.active_at.set(moment), File.upload_expires_at.set(moment + settings.UPLOAD_RESUME)],
        File.state == FileState.PENDING.value,
    )
    if not kept_alive:
        raise _over()
    return {
        number: multipart.presign_part(
            file.s3_key,
            str(file.upload_id),
            number=number,
            length=multipart.length_of(number, size=size, part_size=part_size),
            sha256=digests[number],
        )
        for number in numbers
    }


def _open_upload(actor: Actor, space: Space, file_id: str) -> File:
    file = space.fetch(file_id)
    if file is None or file.uploaded_by != actor.actor_id or not file.part_size:
        raise NotFound
    if file.state != FileState.PENDING:
        raise _over()
    return file


def _over() -> UploadOver:
    return UploadOver(_("This upload is over. Please send the file again."))


def _check_numbers(value: object, *, most: int) -> list[int]:
    given: list[Any] = value if isinstance(value, list) else []
    whole = [each for each in given if isinstance(each, int) and not isinstance(each, bool)]
    numbers = sorted({each for each in whole if 0 < each <= most})
    if not 0 < len(numbers) == len(given) <= MOST_AT_ONCE:
        text = _("Name 1 to %(most)d parts of this upload, each once.") % {"most": MOST_AT_ONCE}
        raise Invalid(text, code="bad_part_numbers", fields={"partNumbers": text})
    return numbers


def _check_checksums(value: object, numbers: Sequence[int]) -> dict[int, str]:
    given: dict[Any, Any] = value if isinstance(value, dict) else {}
    digests = {number: given.get(str(number)) for number in numbers}
    if len(given) != len(numbers) or not all(map(_is_sha256, digests.values())):
        text = _("Each part needs its SHA-256 in base64, by part number.")
        raise Invalid(text, code="bad_checksums", fields={"checksums": text})
    return {number: str(digest) for number, digest in digests.items()}


def _is_sha256(value: object) -> bool:
    if not isinstance(value, str) or not value.isascii():
        return False
    try:
        return len(base64.b64decode(value, validate=True)) == 32
    except binascii.Error:
        return False
