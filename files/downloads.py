"""Downloads: decided and recorded at the click, then a short-lived URL of the pinned version."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actors import Actor
from files.names import content_disposition
from files.records import get_file
from files.spaces import Ability, Space, check_ability
from files.states import FileState
from files.storage import case_storage
from files.tables import File
from filevault.errors import Conflict
from filevault.limits import Allowance

#: Addresses to read one file under, whether to keep it or to look at it.
DOWNLOADS: Final = Allowance("read", actor=1_200, address=6_000, window=timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class Download:
    """A signed address, good for `expires_in` seconds, and what comes from there: `size` in bytes,
    `sha256` in hex, or '' where it wasn't computed yet."""

    url: str
    expires_in: int
    size: int
    sha256: str


def get_available(actor: Actor, space: Space, file_id: str) -> File:
    """A file that this actor may be sent. Raises `NotFound`, `Forbidden`, `RateLimited`, and
    `Conflict` (`not_available`) for a file that isn't served (D3)."""
    check_ability(space, actor, Ability.READ)
    DOWNLOADS.spend(actor)
    file = get_file(space, file_id)
    if file.state != FileState.AVAILABLE or not file.version_id:
        raise Conflict(_("This file can't be opened: it is not available."), code="not_available")
    return file


def get_download(actor: Actor, space: Space, file_id: str) -> Download:
    """Where the bytes of an available file can be fetched, as an attachment under its own name.

    Raises as `get_available`. The audit event comes first: no audit, no content (A4)."""
    file = get_available(actor, space, file_id)
    audit.record_alone(
        space.space_id,
        audit.Action.FILE_DOWNLOAD,
        actor,
        target=file.file_id,
        details={"versionId": file.version_id},
    )
    url = case_storage().presign_download(
        file.s3_key,
        file.version_id,
        disposition=content_disposition(file.file_name),
        mime_type=file.mime_type,
    )
    lifetime = int(settings.DOWNLOAD_URL_LIFETIME.total_seconds())
    return Download(url, lifetime, size=int(file.size), sha256=file.sha256 or "")


def save_as(file: File) -> str:
    """The name under which a page's script saves a file that is long on its way, so that it goes on
    after a break (static/js/downloader.js); '' for smaller ones, which browsers save by themselves.
    """
    return str(file.file_name) if int(file.size) > settings.MULTIPART_THRESHOLD else ""
