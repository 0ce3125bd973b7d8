"""The bytes of an archive, made while they are sent: memory doesn't grow with what is in it.

The archive can't seek back, so that checksum and sizes follow each file's bytes (data descriptors,
APPNOTE 4.3.9). Files are deflated even where there is nothing to gain: readers that go from front
to back, such as macOS' Archive Utility, find the end of a stored file by its size alone, which
isn't known to them then. ZIP64 comes in where sizes or offsets need it, from 2 GiB on.
"""

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.utils import timezone

from files import types
from files.reading import read_whole
from files.zip_lists import (
    INDEX,
    SUMS,
    Member,
    index_head,
    index_separator,
    make_index,
    make_sums,
)

#: What shrinks at all. The rest is compressed in itself: level 0 passes it on twenty times faster.
_SHRINKS: Final = {kind.mime_type for kind in (types.TXT, types.CSV, types.TIFF, types.DICOM)}
_READABLE_BY_ALL: Final = 0o100644
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)


class Damaged(Exception):
    """What storage sent isn't what was checked when the file was taken."""


class _Sink:
    """What `zipfile` writes to: without `tell`, it knows that it can't go back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes, /) -> int:
        self._pieces.append(piece)
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> Iterator[bytes]:
        """What was written since, if anything: an empty piece would end a chunked answer."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        if taken:
            yield taken


class Archive:
    """An archive of `members`. `check` is asked before each of them and raises where it must not
    be read any more. The language is that of who makes this object."""

    def __init__(self, members: Sequence[Member], check: Callable[[Member], None]) -> None:
        self._members, self._check = members, check
        self._head, self._separator = index_head(), index_separator()
        self._made_at = timezone.now()

    def pieces(self) -> Generator[bytes, None, None]:
        """The bytes in order. Raises what `check` raises, `Unavailable` where storage doesn't
        answer in the end, and `Damaged`; the directory is never sent then, and so no reader takes
        the archive for a whole one."""
        sink, digests = _Sink(), list[str]()
        with ZipFile(sink, "w", ZIP_DEFLATED) as made:
            for member in self._members:
                self._check(member)
                digest = hashlib.sha256()
                with made.open(_entry(member), "w") as entry, closing(_content(member)) as content:
                    for piece in content:
                        digest.update(piece)
                        entry.write(piece)
                        yield from sink.take()
                    _compare(member, digest.hexdigest())
                digests.append(digest.hexdigest())
            self._add_lists(made, digests)
        yield from sink.take()

    def _add_lists(self, made: ZipFile, digests: Sequence[str]) -> None:
        rows = list(zip(self._members, digests, strict=True))
        index = make_index(self._head, rows, separator=self._separator)
        sums = [(member.path, digest) for member, digest in rows]
        sums.append((INDEX, hashlib.sha256(index).hexdigest()))
        for name, text in ((INDEX, index), (SUMS, make_sums(sums))):
            made.writestr(_info(name, self._made_at), text)


def _entry(member: Member) -> ZipInfo:
    info = _info(member.path, member.created_at)
    info.file_size = member.size  # known before, it decides on ZIP64
    # Public as `compress_level` since Python 3.13, which knows this name too.
    info._compresslevel = 1 if member.mime_type in _SHRINKS else 0  # type: ignore[attr-defined]
    return info


def _info(path: str, at: datetime) -> ZipInfo:
    """Times in archives are local ones, and begin in 1980 (APPNOTE 4.4.6)."""
    local = timezone.localtime(at)
    moment = (local.year, local.month, local.day, local.hour, local.minute, local.second)
    info = ZipInfo(path, max(moment, _EARLIEST))
    info.compress_type = ZIP_DEFLATED
    info.external_attr = _READABLE_BY_ALL << 16
    return info


def _content(member: Member) -> Generator[bytes, None, None]:
    """The bytes of the pinned version. Raises `Unavailable` and `Damaged`."""
    sent = 0
    with closing(read_whole(member.s3_key, member.version_id, member.size)) as pieces:
        for piece in pieces:
            sent += len(piece)
            yield piece
    if sent > member.size:
        raise Damaged(member.file_id)


def _compare(member: Member, digest: str) -> None:
    if member.sha256 and member.sha256 != digest:
        raise Damaged(member.file_id)
