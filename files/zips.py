"""All files of a space, or some of them, as one archive: the one way in which bytes pass through
the server (`files.zip_stream` makes them), so that its places are few.

Who may and what goes in is decided before the first byte, and recorded (A4); whether each file is
still to be had is decided again when its turn comes (Z5), since a large archive takes hours.
"""

import functools
import logging
import weakref
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Final
from weakref import WeakSet

from django.conf import settings
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actors import Actor
from files.records import get_file, is_there, list_files
from files.spaces import Ability, Space, check_ability, get_space
from files.states import FileState
from files.tables import File
from files.zip_lists import INDEX, SUMS, Member
from files.zip_names import Paths
from files.zip_stream import Archive, Damaged
from filevault import limits
from filevault.dynamo import STORE_ERRORS, is_id
from filevault.errors import Busy, Conflict, DomainError, Invalid, NotFound

logger = logging.getLogger(__name__)

#: All of their ids must fit into one audit event (400 KB, the most that DynamoDB takes a row).
MAX_FILES: Final = 5_000
#: As many ids as fit into an address: gunicorn and CloudFront take 8 KB.
MAX_CHOSEN: Final = 150
LIMIT: Final = 20
WINDOW: Final = timedelta(minutes=10)
RETRY_SECONDS: Final = 60
_PAGE: Final = 500

_taking: Final = Lock()
_under_way: Final = WeakSet["Zip"]()


class Zip:
    """An archive under way, read once and piece by piece. It holds one of the process's places
    until it is closed or forgotten. Nobody who holds one takes the last one that is free, or a
    single slow reader would keep everybody else waiting."""

    def __init__(self, archive: Archive, space_id: str, owner: str) -> None:
        places = _places()
        self.owner = owner
        with _taking:
            if places.qsize() == 1 and any(each.owner == owner for each in _under_way):
                text = _("A ZIP for you is under way. Please wait until it has arrived.")
                raise Busy(RETRY_SECONDS, text)
            try:
                places.get_nowait()
            except Empty:
                raise Busy(RETRY_SECONDS) from None
            _under_way.add(self)
        # An answer that is dropped before its first byte is never closed. Unlike a lock, this
        # queue may be put to while the garbage collector runs.
        self._leave = weakref.finalize(self, places.put, None)
        self._pieces = _logged(archive, space_id)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """End what is being read, and make room for another archive."""
        self._pieces.close()
        _under_way.discard(self)
        self._leave()


@functools.cache
def _places() -> SimpleQueue[None]:
    places: SimpleQueue[None] = SimpleQueue()
    for _number in range(settings.ZIP_CONCURRENCY):
        places.put(None)
    return places


def choose(actor: Actor, space: Space, file_ids: Sequence[str] = ()) -> list[Member]:
    """What an archive would hold, the oldest first; without ids all that is available.

    Raises `NotFound` where archives are turned off and for an id that isn't of a file of this
    space, `Forbidden`, `Conflict` for a file that isn't served (D3) and where there is nothing or
    too much, and `Invalid` for too many ids."""
    if not settings.ZIP_DOWNLOADS:
        raise NotFound
    check_ability(space, actor, Ability.READ)
    members = _chosen(space, file_ids) if file_ids else list(_all(space))
    if not members:
        raise Conflict(_("There is no file to download here yet."), code="no_files")
    return _placed(space, sorted(members, key=lambda member: member.file_id))


def open_zip(actor: Actor, space: Space, file_ids: Sequence[str] = ()) -> Zip:
    """Begin an archive of these files (none: all). Raises what `choose` raises, `Busy` while all
    places are taken, and `RateLimited`."""
    members = choose(actor, space, file_ids)
    check = functools.partial(_check_still_served, actor, space.space_id)
    made = Zip(Archive(members, check), space.space_id, actor.actor_id)
    with ExitStack() as undo:
        undo.callback(made.close)
        limits.spend(f"zip#{actor.actor_id}", limit=LIMIT, window=WINDOW)
        details = {
            "count": len(members),
            "bytes": sum(member.size for member in members),
            "files": [member.file_id for member in members],
        }
        audit.record_alone(space.space_id, audit.Action.FILE_ZIP, actor, details=details)
        undo.pop_all()
    return made


def _chosen(space: Space, file_ids: Sequence[str]) -> list[Member]:
    ids = set(file_ids)
    if len(ids) > MAX_CHOSEN:
        text = _("Please select at most %(limit)s files at once, or download all.")
        raise Invalid(text % {"limit": MAX_CHOSEN}, code="too_many")
    if not all(map(is_id, ids)):  # DynamoDB fails at an empty or overlong key
        raise NotFound
    files = File.fetch_many((space.space_id, file_id) for file_id in ids)
    there = [file for file in files if is_there(file)]
    if len(there) != len(ids):
        raise NotFound
    if not all(map(_is_served, there)):
        text = _("One of these files can't be opened: it is not available.")
        raise Conflict(text, code="not_available")
    return [_member(file) for file in there]


def _all(space: Space) -> Iterator[Member]:
    """Rows become something smaller at once: there may be thousands."""
    cursor, count = "", 0
    while True:
        page = list_files(space, cursor=cursor, limit=_PAGE)
        for file in filter(_is_served, page.items):
            count += 1
            if count > MAX_FILES:
                text = _("There are more than %(limit)s files here. Please select some of them.")
                raise Conflict(text % {"limit": MAX_FILES}, code="too_many")
            yield _member(file)
        cursor = page.cursor
        if not cursor:
            return


def _placed(space: Space, members: Sequence[Member]) -> list[Member]:
    """The members with their senders and paths: a folder a person, where there are several."""
    people = list(dict.fromkeys(member.uploaded_by for member in members))
    unknown = _("Unknown sender")
    names = {who: name or unknown for who, name in space.names_of(people).items()}
    paths = Paths(reserved=(INDEX, SUMS))
    folders = {
        who: paths.folder(names.get(who, unknown), fallback=unknown) if len(people) > 1 else ""
        for who in people
    }
    return [
        replace(
            member,
            sender=names.get(member.uploaded_by, unknown),
            path=paths.file(member.file_name, within=folders[member.uploaded_by]),
        )
        for member in members
    ]


def _member(file: File) -> Member:
    return Member(
        file_id=str(file.file_id),
        file_name=str(file.file_name),
        size=int(file.size),
        mime_type=str(file.mime_type),
        s3_key=str(file.s3_key),
        version_id=str(file.version_id),
        sha256=file.sha256 or "",
        uploaded_by=str(file.uploaded_by),
        created_at=file.created_at,
    )


def _is_served(file: File) -> bool:
    return file.state == FileState.AVAILABLE and bool(file.version_id)


def _check_still_served(actor: Actor, space_id: str, member: Member) -> None:
    """Raises `NotFound`, `Forbidden` or `Conflict` once the actor or the file is out."""
    space = get_space(actor, space_id)
    check_ability(space, actor, Ability.READ)
    file = get_file(space, member.file_id)
    if not _is_served(file) or file.version_id != member.version_id:
        raise Conflict(code="not_available")


def _logged(archive: Archive, space_id: str) -> Generator[bytes, None, None]:
    """The archive's pieces. An error that is raised on makes the web server end the connection in
    the middle, and so a browser reports a failed download instead of keeping half an archive."""
    try:
        with closing(archive.pieces()) as pieces:
            yield from pieces
    except (DomainError, Damaged, *STORE_ERRORS) as error:
        reason = error.reason if isinstance(error, DomainError) else str(error)
        logger.error("zip broken off", extra={"spaceId": space_id, "error": reason})
        raise
