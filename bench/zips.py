"""A ZIP beyond 4 GiB: how fast it is made, what memory it takes, and whether readers take it.

    python -m bench.zips

Storage is left out: one block stands for all bytes. It needs `unzip` and 7 GB of disk.
"""

import hashlib
import os
import resource
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from unittest import mock

import django

GIB: Final = 1024**3
#: A file beyond 4 GiB, and two behind it whose offsets are.
SIZES: Final = (int(4.3 * GIB), 1000, 2 * 10**9)
MOST_GROWTH: Final = 20 * 1024**2
_BLOCK: Final = hashlib.sha256(b"block").digest() * 8192


def _stream(
    storage: object, key: str, version_id: str, *, start: int = 0
) -> Generator[bytes, None, None]:
    """Stands in for storage; the key says how large the file is."""
    for at in range(start, int(key), len(_BLOCK)):
        yield _BLOCK[: int(key) - at]


def write_archive(target: Path) -> bool:
    """Write it, say what that took, and tell whether memory stayed small."""
    from files.storage import CaseStorage
    from files.zip_lists import Member
    from files.zip_stream import Archive

    now = datetime.now(UTC)
    members = [
        Member(str(size), "", size, "", str(size), "v", "", "", now, path=f"{size}.pdf")
        for size in SIZES
    ]
    before, began = _peak(), time.perf_counter()
    with mock.patch.object(CaseStorage, "stream", _stream), target.open("wb") as file:
        for piece in Archive(members, lambda member: None).pieces():
            file.write(piece)
    speed = target.stat().st_size / 1e6 / (time.perf_counter() - began)
    grown = _peak() - before
    print(f"{target.stat().st_size / GIB:.2f} GiB at {speed:.0f} MB/s, {grown / 1e6:.1f} MB more")
    return grown <= MOST_GROWTH


def is_taken(target: Path) -> bool:
    """Whether Info-ZIP and Python read every byte of it."""
    tested = subprocess.run(["unzip", "-tq", target], check=False).returncode == 0
    with zipfile.ZipFile(target) as archive:
        sizes = tuple(entry.file_size for entry in archive.infolist()[: len(SIZES)])
        whole = sizes == SIZES and archive.testzip() is None
    print(f"unzip: {tested}, Python: {whole}")
    return tested and whole


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "made.zip"
        small = write_archive(target)
        if not (is_taken(target) and small):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
