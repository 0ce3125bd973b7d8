"""What the pages of a space show of its files: the rows, and the uploader beside them."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.actors import Actor, Practitioner
from files import zips
from files.admin_reads import reads_of
from files.deletion import can_delete
from files.downloads import save_as
from files.receipts import has_receipt
from files.records import list_files
from files.spaces import Ability, Space, check_ability
from files.states import FileState, reason_label, scan_label, state_label
from files.tables import File
from files.types import BY_MIME_TYPE, UNKNOWN, allowed_types
from files.viewing import can_view, sign_thumbnails
from filevault.paging import Page


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as templates/includes/file_table.html draws it; an empty URL draws no button.
    `same_as` names an earlier file of the same page with the same content; `version` changes with
    anything that is shown of the file."""

    file_id: str
    version: str
    file_name: str
    icon: str
    size: int
    state: str
    state_label: str
    reason: str
    sha256: str
    same_as: str
    scan: str
    scan_label: str
    uploaded_by_name: str
    created_at: datetime
    can_download: bool
    download_url: str
    save_as: str
    delete_url: str
    view_url: str
    receipt_url: str
    thumb_url: str
    share_url: str
    shares: int
    admin_reads: list[tuple[datetime, str]]


def files_section(actor: Actor, space: Space, *, route: str, cursor: str = "") -> dict[str, Any]:
    """The context of includes/file_table.html and includes/uploader.html.

    `route` is the namespace of files/urls.py that the page belongs to. `can_upload` says whether
    the uploader is drawn. Raises `Forbidden`, and `Invalid` for a bad cursor."""
    check_ability(space, actor, Ability.READ)
    page = list_files(space, cursor=cursor)
    list_url = files_url(route, "list", space)
    return {
        "version": "" if cursor else _version(actor, space, page),
        "files": _rows(actor, space, page.items, route),
        "next_url": f"{list_url}?{urlencode({'cursor': page.cursor})}" if page.cursor else "",
        "reload_url": list_url,
        "totals": space.totals,
        "can_upload": Ability.UPLOAD in space.abilities(actor),
        "presign_url": files_url(route, "presign", space),
        "same_url": files_url(route, "same", space),
        "plain_upload_url": files_url(route, "plain", space),
        "max_size": settings.MAX_UPLOAD_SIZE,
        "parts_above": settings.MULTIPART_THRESHOLD,
        "allowed_types": allowed_types(),
        "zip_url": files_url(route, "zip", space) if settings.ZIP_DOWNLOADS else "",
        "zip_most": zips.MAX_CHOSEN,
        "is_personal": space.is_personal,
    }


def files_version(actor: Actor, space: Space) -> str:
    """What changes when the first page of `files_section` does, in one read and with nothing
    signed. Raises `Forbidden`."""
    check_ability(space, actor, Ability.READ)
    return _version(actor, space, list_files(space))


def files_url(route: str, name: str, space: Space, file_id: str = "") -> str:
    """The path of a route of files/urls.py in a space, for one file where `file_id` is given."""
    kwargs = {"space_id": space.space_id} | ({"file_id": file_id} if file_id else {})
    return reverse(f"{route}:{name}", kwargs=kwargs)


def file_json(file: File) -> dict[str, Any]:
    """A file as the JSON routes answer it; the storage key stays with us."""
    return {
        "fileId": file.file_id,
        "userId": file.owner_id,
        "uploadedBy": file.uploaded_by,
        "fileName": file.file_name,
        "size": int(file.size),
        "mimeType": file.mime_type,
        "sha256": file.sha256,
        "scan": file.scan_verdict,
        "createdAt": file.created_at,
        "isReadOnly": bool(file.is_read_only),
        "state": file.state,
        "reason": reason_label(file.reason),
    }


def _version(actor: Actor, space: Space, page: Page[File]) -> str:
    abilities = sorted(space.abilities(actor))
    parts = [get_language(), *abilities, space.is_held, bool(page.cursor)]
    return _digest(*parts, *map(_row_version, page.items))


def _row_version(file: File) -> str:
    """Whatever changes a row is an event, whose id the row holds."""
    return _digest(file.file_id, file.event_id)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _rows(actor: Actor, space: Space, files: list[File], route: str) -> list[FileRow]:
    people = {file.uploaded_by for file in files} - {actor.actor_id}
    names = {actor.actor_id: _("You"), **(space.names_of(people) if people else {})}
    thumbs = sign_thumbnails(actor, space, files)
    firsts = _firsts(files)
    return [_row(actor, space, file, route, names, thumbs, firsts) for file in files]


def _firsts(files: list[File]) -> dict[str, File]:
    """The earliest of these files by content."""
    newest_first = sorted(files, key=lambda file: str(file.file_id), reverse=True)
    return {file.sha256: file for file in newest_first if file.state == FileState.AVAILABLE}


def _row(
    actor: Actor,
    space: Space,
    file: File,
    route: str,
    names: dict[str, str],
    thumbs: dict[str, str],
    firsts: dict[str, File],
) -> FileRow:
    first = firsts.get(file.sha256) if file.sha256 else None
    available = file.state == FileState.AVAILABLE
    deletable = can_delete(space, actor, file)
    receipt = available and has_receipt(space, file)
    shareable = available and Ability.SHARE in space.abilities(actor)
    return FileRow(
        file_id=file.file_id,
        version=_row_version(file),
        file_name=file.file_name,
        icon=BY_MIME_TYPE.get(file.mime_type, UNKNOWN).icon,
        size=int(file.size),
        state=file.state,
        state_label=state_label(file.state),
        reason=reason_label(file.reason),
        sha256=file.sha256 or "",
        same_as=first.file_name if first is not None and first is not file else "",
        scan=file.scan_verdict or "",
        scan_label=scan_label(file.scan_verdict),
        uploaded_by_name=names.get(file.uploaded_by, ""),
        created_at=file.created_at,
        can_download=available,
        download_url=files_url(route, "download", space, file.file_id) if available else "",
        save_as=save_as(file) if available else "",
        delete_url=files_url(route, "delete", space, file.file_id) if deletable else "",
        receipt_url=files_url(route, "receipt", space, file.file_id) if receipt else "",
        view_url=files_url(route, "view", space, file.file_id) if can_view(file) else "",
        thumb_url=thumbs.get(file.file_id, ""),
        share_url=reverse("vault:sharing", args=[file.file_id]) if shareable else "",
        admin_reads=reads_of(file) if isinstance(actor, Practitioner) else [],
        shares=len(file.shared_with) + len(file.pending_with) if shareable else 0,
    )
