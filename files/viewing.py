"""What is shown of files without downloading them: thumbnails in lists, and one file in its page.

Storage shows inline only PDF, JPEG, PNG and WebP, under a type of our own table and never under one
that somebody sent (D2, U6), and the pictures that the worker made.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from accounts import audit
from accounts.actors import Actor
from files.downloads import get_available
from files.keys import preview_key, thumb_key
from files.names import content_disposition
from files.spaces import Space
from files.states import FileState
from files.storage import case_storage
from files.tables import File
from files.types import BY_MIME_TYPE, JPEG, FileType
from filevault.dynamo import readable
from filevault.errors import NotFound

#: Rows that are looked through on each side for the next file to show: in one call, which also
#: tells the position in all but large spaces, and in a second one where it held none.
NEAR: Final = 200
FAR: Final = 1000

#: What `can_view` looks at.
_SHOWN_BY: Final = [
    attribute.attr_name
    for attribute in (
        *(File.space_id, File.file_id, File.state),
        *(File.version_id, File.mime_type, File.preview_version_id, File.image_space),
    )
]


@dataclass(frozen=True, slots=True)
class View:
    """A file to look at: a picture, a document for the browser's own viewer, or neither. A PDF may
    have both, for browsers without a viewer. Addresses are good for two minutes."""

    file: File
    picture_url: str = ""
    document_url: str = ""

    @property
    def is_shown(self) -> bool:
        return bool(self.picture_url or self.document_url)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who stands before and after a file among those that can be shown, in the list's order; ids,
    or '' where there is none. `position` counts from 1; 0 of 0 in a space too large to count."""

    previous_id: str
    next_id: str
    position: int
    total: int


def can_view(file: File) -> bool:
    """Whether a page can show the file."""
    available = file.state == FileState.AVAILABLE and bool(file.version_id)
    return available and (_inline_type(file) is not None or bool(file.preview_version_id))


def get_view(actor: Actor, space: Space, file_id: str) -> View:
    """A file with the addresses under which it is shown; without any where it can only be
    downloaded. Raises as `get_available`; the audit event comes before anything is signed (A4)."""
    file = get_available(actor, space, file_id)
    if not can_view(file):
        return View(file)
    _record(actor, space, file)
    kind = _inline_type(file)
    if file.preview_version_id:
        picture = _sign_preview(file)
    else:
        picture = _sign_original(file, kind) if kind and kind.is_image else ""
    document = _sign_original(file, kind) if kind and not kind.is_image else ""
    return View(file, picture, document)


def get_original(actor: Actor, space: Space, file_id: str) -> str:
    """The address under which a browser shows the file itself, or the preview of one that it can't
    show. Raises as `get_available`, and `NotFound` for a file that can only be downloaded."""
    file = get_available(actor, space, file_id)
    if not can_view(file):
        raise NotFound
    _record(actor, space, file)
    kind = _inline_type(file)
    return _sign_original(file, kind) if kind else _sign_preview(file)


def get_neighbours(space: Space, file_id: str, *, only_images: bool = False) -> Neighbours:
    """The files around this one, or the images alone. At most two table calls for each side."""
    shows = _can_view_image if only_images else can_view
    newer, all_newer = _look(space, File.file_id > file_id, shows, forward=True)
    older, all_older = _look(space, File.file_id < file_id, shows, forward=False)
    whole = all_newer and all_older
    return Neighbours(
        previous_id=newer[0] if newer else "",
        next_id=older[0] if older else "",
        position=len(newer) + 1 if whole else 0,
        total=len(newer) + 1 + len(older) if whole else 0,
    )


def sign_thumbnails(actor: Actor, space: Space, files: Iterable[File]) -> dict[str, str]:
    """The addresses of the thumbnails that there are, by file id, recorded as one event (A2)."""
    shown = [file for file in files if file.state == FileState.AVAILABLE and file.thumb_version_id]
    if not shown:
        return {}
    action = audit.Action.FILE_THUMBNAILS
    audit.record_alone(space.space_id, action, actor, details={"count": len(shown)})
    return {
        file.file_id: case_storage().presign_download(
            thumb_key(file.s3_key),
            file.thumb_version_id,
            disposition=content_disposition("thumbnail.jpg", "inline"),
            mime_type=JPEG.mime_type,
        )
        for file in shown
    }


def _inline_type(file: File) -> FileType | None:
    """The file's type where a browser may show it from the storage host."""
    kind = BY_MIME_TYPE.get(file.mime_type)
    return kind if kind is not None and kind.is_inline else None


def _record(actor: Actor, space: Space, file: File) -> None:
    details = {"versionId": file.version_id}
    action = audit.Action.FILE_VIEW
    audit.record_alone(space.space_id, action, actor, target=file.file_id, details=details)


def _sign_original(file: File, kind: FileType) -> str:
    return case_storage().presign_download(
        file.s3_key,
        str(file.version_id),
        disposition=content_disposition(file.file_name, "inline"),
        mime_type=kind.mime_type,
    )


def _sign_preview(file: File) -> str:
    stem = file.file_name.rpartition(".")[0] or file.file_name
    return case_storage().presign_download(
        preview_key(file.s3_key),
        str(file.preview_version_id),
        disposition=content_disposition(f"{stem}.jpg", "inline"),
        mime_type=JPEG.mime_type,
    )


def _can_view_image(file: File) -> bool:
    return bool(file.image_space) and can_view(file)


def _look(
    space: Space, beyond: Any, shows: Callable[[File], bool], *, forward: bool
) -> tuple[list[str], bool]:
    """The files to show on one side, the nearest first, and whether these are all."""
    start = None
    for limit in (NEAR, FAR):
        rows = File.query(
            space.space_id,
            beyond,
            scan_index_forward=forward,
            consistent_read=True,
            limit=limit,
            last_evaluated_key=start,
            attributes_to_get=_SHOWN_BY,
        )
        found = [str(file.file_id) for file in readable(rows) if shows(file)]
        start, first = rows.last_evaluated_key, start is None
        if found or start is None:
            return found, first and start is None
    return [], False
