"""What the pages of the vault show beside a list of files: the gallery, and what others share."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from accounts.actors import Actor, Practitioner
from accounts.tables import User
from files.downloads import save_as
from files.gallery import list_images
from files.sections import files_url
from files.shared import list_shared
from files.spaces import Space
from files.tables import File
from files.types import BY_MIME_TYPE, UNKNOWN
from files.viewing import can_view, sign_thumbnails


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the gallery; without `thumb_url` its icon is drawn."""

    file_id: str
    file_name: str
    url: str
    thumb_url: str


@dataclass(frozen=True, slots=True)
class Day:
    """The images of one day. `is_continued` where its heading stands on the page already."""

    day: date
    is_continued: bool
    pictures: list[Picture]


@dataclass(frozen=True, slots=True)
class SharedRow:
    """A file of somebody else's, as the list of shared files draws it."""

    file_name: str
    icon: str
    size: int
    owner_name: str
    created_at: datetime
    url: str
    download_url: str
    save_as: str


def gallery_section(
    actor: Actor, space: Space, *, route: str, cursor: str = "", after: str = ""
) -> dict[str, Any]:
    """A page of images by day, in the time zone of the installation. `after` is the last day (ISO
    8601) of the page that this one is put under. Raises as `list_images`."""
    page = list_images(actor, space, cursor=cursor)
    thumbs = sign_thumbnails(actor, space, page.items)
    days = [
        Day(day, day.isoformat() == after, [_picture(space, f, route, thumbs) for f in files])
        for day, files in groupby(page.items, key=_day_of)
    ]
    last = days[-1].day.isoformat() if days else after
    query = urlencode({"cursor": page.cursor, "after": last})
    return {
        "days": days,
        "next_url": f"?{query}" if page.cursor else "",
        "is_personal": space.is_personal,
    }


def shared_section(actor: Practitioner, *, cursor: str = "") -> dict[str, Any]:
    """A page of what others share with the actor. Raises `Invalid` for a bad cursor."""
    page = list_shared(actor, cursor=cursor)
    owners = {file.owner_id for file in page.items}
    names = {user.user_id: str(user.display_name) for user in User.fetch_many(owners)}
    query = urlencode({"cursor": page.cursor})
    return {
        "files": [_shared_row(file, names) for file in page.items],
        "next_url": f"?{query}" if page.cursor else "",
    }


def _day_of(file: File) -> date:
    return timezone.localtime(file.created_at).date()


def _picture(space: Space, file: File, route: str, thumbs: dict[str, str]) -> Picture:
    if can_view(file):
        url = f"{files_url(route, 'view', space, file.file_id)}?from=gallery"
    else:
        url = files_url(route, "download", space, file.file_id)
    return Picture(file.file_id, file.file_name, url, thumbs.get(file.file_id, ""))


def _shared_row(file: File, names: dict[str, str]) -> SharedRow:
    download_url = reverse("vault:shared-download", args=[file.file_id])
    view_url = reverse("vault:shared-view", args=[file.file_id])
    return SharedRow(
        file_name=file.file_name,
        icon=BY_MIME_TYPE.get(file.mime_type, UNKNOWN).icon,
        size=int(file.size),
        owner_name=names.get(file.owner_id, ""),
        created_at=file.created_at,
        url=view_url if can_view(file) else download_url,
        download_url=download_url,
        save_as=save_as(file),
    )
