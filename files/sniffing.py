"""Whether the content of a file agrees with its type (U5).

Ordinary types cost one ranged read of the first 64 KiB. Containers are opened: their directory
stands at the end, which costs one read more where the file is larger than that. Sources: the
formats' own registrations (PDF 32000-1 7.5.2 with Acrobat's 1,024 bytes of tolerance, ISO 29500-2,
OpenDocument 1.3 part 2, DICOM PS3.10 7.1, ISO 14496-12 and 23008-12 for HEIC).
"""

import codecs
import io
import re
import zipfile
from collections.abc import Callable
from typing import Final

from files import types
from files.states import Reason
from files.types import FileType

HEAD: Final = 64 * 1024
#: A directory beyond this, of ten thousand members and more, is no office document. Opening it
#: costs eight times the memory.
MOST_READ: Final = 1024 * 1024

#: Reads up to `length` bytes from `start` of one pinned version.
Read = Callable[[int, int], bytes]

_MAGIC: Final[dict[FileType, tuple[bytes, ...]]] = {
    types.PNG: (b"\x89PNG\r\n\x1a\n",),
    types.JPEG: (b"\xff\xd8\xff",),
    types.TIFF: (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
}
_HEIC_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_MAIN_PARTS: Final = {
    types.DOCX: "word/document.xml",
    types.XLSX: "xl/workbook.xml",
    types.PPTX: "ppt/presentation.xml",
}
_BINARY_WORKBOOK: Final = "xl/workbook.bin"
_ODF: Final = (types.ODT, types.ODS)
CONTAINERS: Final = (*_MAIN_PARTS, *_ODF, types.ZIP)
_TEXTS: Final = (types.TXT, types.CSV)

_MARKUP: Final = re.compile(
    r"<\s*(?:!doctype|\?xml|/?(?:html|head|body|script|svg|iframe|object|embed|meta|math)"
    r"(?=[\s>/]))",
    re.IGNORECASE,
)
_NOT_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def find_fault(file_type: FileType, size: int, read: Read) -> Reason | None:
    """What is wrong with the content of a file of this type and size, or None.

    `read` may raise `Unavailable`; that says nothing about the file."""
    if size <= 0:
        return Reason.WRONG_CONTENT
    head = read(0, min(size, HEAD))
    if file_type in CONTAINERS:
        return _container_fault(file_type, size, head, read)
    if file_type in _TEXTS:
        return _text_fault(head)
    return None if _agrees(file_type, head) else Reason.WRONG_CONTENT


def _agrees(file_type: FileType, head: bytes) -> bool:
    if file_type is types.PDF:
        return b"%PDF-" in head[:1024]
    if file_type is types.DICOM:
        return head[128:132] == b"DICM"
    if file_type is types.WEBP:
        return head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    if file_type is types.HEIC:
        return _is_heic(head)
    return head.startswith(_MAGIC[file_type])


def _is_heic(head: bytes) -> bool:
    """The `ftyp` box comes first and names an HEVC brand, as the major or a compatible one."""
    length = int.from_bytes(head[:4], "big")
    if head[4:8] != b"ftyp" or not 16 <= length <= 1024:
        return False
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, min(length, len(head)), 4))}
    return bool(brands & _HEIC_BRANDS)


def _text_fault(head: bytes) -> Reason | None:
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "latin-1")
    text = head.decode(encoding, "replace")
    if _NOT_IN_TEXT.search(text):
        return Reason.WRONG_CONTENT
    return Reason.MARKUP if _MARKUP.search(text) else None


def _container_fault(file_type: FileType, size: int, head: bytes, read: Read) -> Reason | None:
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Reason.WRONG_CONTENT
    source = _Ranged(size, head, read)
    try:
        if file_type is types.ZIP:
            return None if zipfile.is_zipfile(source) else Reason.UNREADABLE
        with zipfile.ZipFile(source) as container:
            names = set(container.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return Reason.UNREADABLE
    return _odf_fault(file_type, head) if file_type in _ODF else _ooxml_fault(file_type, names)


def _odf_fault(file_type: FileType, head: bytes) -> Reason | None:
    """The first member is `mimetype`, stored as it is and without extra fields, so that it can be
    read at byte 38 (OpenDocument 1.3 part 2, 3.3)."""
    expected = b"mimetype" + file_type.mime_type.encode()
    found = head[30 : 30 + len(expected)]
    after = head[30 + len(expected) : 30 + len(expected) + 2]
    return None if found == expected and after in (b"PK", b"") else Reason.WRONG_CONTENT


def _ooxml_fault(file_type: FileType, names: set[str]) -> Reason | None:
    if "[Content_Types].xml" not in names or _MAIN_PARTS[file_type] not in names:
        return Reason.WRONG_CONTENT
    if _BINARY_WORKBOOK in names or any(name.endswith("/vbaProject.bin") for name in names):
        return Reason.MACROS
    return None


class _Ranged(io.RawIOBase):
    """A stored object as a seekable file, read in few large pieces: the head that is here already,
    and the end, where a ZIP keeps its directory."""

    def __init__(self, size: int, head: bytes, read: Read) -> None:
        self._size, self._read, self._position, self._left = size, read, 0, MOST_READ
        self._pieces: list[tuple[int, bytes]] = [(0, head)]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning")
        self._position = base + offset
        return self._position

    def read(self, length: int = -1) -> bytes:
        end = self._size if length < 0 else min(self._size, self._position + length)
        wanted = max(0, end - self._position)
        data = self._take(self._position, wanted) if wanted else b""
        self._position += len(data)
        return data

    def _take(self, start: int, length: int) -> bytes:
        for at, piece in self._pieces:
            if at <= start and start + length <= at + len(piece):
                return piece[start - at : start - at + length]
        at = max(0, min(start, self._size - HEAD))
        span = max(length + start - at, min(HEAD, self._size - at))
        if span > self._left:
            raise OSError("directory too large")
        self._left -= span
        self._pieces.append((at, self._read(at, span)))
        return self._pieces[-1][1][start - at : start - at + length]
