"""Paths within an archive: fit for every system that may unpack it, and none twice."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Final

from files.names import LONGEST_EXTENSION, clean_name
from filevault.errors import Invalid

#: In bytes of UTF-8. Windows Explorer unpacks no path beyond 260 characters, and the folder that
#: somebody unpacks into is part of it.
FOLDER_BYTES: Final = 50
NAME_BYTES: Final = 150


class Paths:
    """The paths of one archive. Systems that ignore case or spell accents otherwise would let one
    file overwrite another, so that names differ here by more than that."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = {_folded(path) for path in reserved}
        self._numbers: Counter[str] = Counter()

    def folder(self, name: str, *, fallback: str) -> str:
        """A folder for somebody of this name; another one for the next person of that name."""
        return self._free("", _clean(name, fallback), "", FOLDER_BYTES)

    def file(self, name: str, *, within: str = "") -> str:
        """A path for a file of this name: `scan.pdf`, then `scan (2).pdf`."""
        stem, ending = _split(_clean(name, "file"))
        return self._free(f"{within}/" if within else "", stem, ending, NAME_BYTES)

    def _free(self, folder: str, stem: str, ending: str, limit: int) -> str:
        path = folder + _within(limit, stem, ending)
        wanted = _folded(path)
        while _folded(path) in self._taken:
            self._numbers[wanted] += 1
            numbered = f" ({self._numbers[wanted] + 1}){ending}"
            path = folder + _within(limit, stem, numbered)
        self._taken.add(_folded(path))
        return path


def _clean(name: str, fallback: str) -> str:
    """As at the upload; a slash is a letter here, since people's names may hold one."""
    try:
        return clean_name(name.replace("/", "_").replace("\\", "_"))
    except Invalid:
        return fallback


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    ending = f"{dot}{extension}"
    return (stem, ending) if stem and len(ending.encode()) <= LONGEST_EXTENSION else (name, "")


def _within(limit: int, stem: str, ending: str) -> str:
    kept = stem.encode()[: limit - len(ending.encode())].decode("utf-8", "ignore")
    return kept.rstrip(". ") + ending


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
