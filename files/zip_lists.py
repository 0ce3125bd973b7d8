"""The two lists at the end of an archive: for `sha256sum -c`, and for people."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext as _

INDEX: Final = "files.csv"
SUMS: Final = "SHA256SUMS.txt"

#: A cell that begins so is taken for a formula by spreadsheets (OWASP, "CSV Injection").
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Member:
    """A file as it goes into an archive; `size` in bytes, `sha256` in hex, or '' where nothing was
    proved. `sender` is the name behind `uploaded_by`, `path` is the one within the archive."""

    file_id: str
    file_name: str
    size: int
    mime_type: str
    s3_key: str
    version_id: str
    sha256: str
    uploaded_by: str
    created_at: datetime
    sender: str = ""
    path: str = ""


def index_head() -> tuple[str, ...]:
    """What stands above the columns of the index, in the reader's language."""
    return (
        *(_("Path"), _("Original name"), _("Size in bytes")),
        *(_("From"), _("Added"), _("SHA-256")),
    )


def index_separator() -> str:
    """Spreadsheets part cells by semicolons where the comma stands in numbers."""
    return ";" if get_format("DECIMAL_SEPARATOR") == "," else ","


def make_index(
    head: Sequence[str], rows: Sequence[tuple[Member, str]], *, separator: str = ","
) -> bytes:
    """The index: UTF-8 with the mark by which spreadsheets know it, a row a file and digest."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(head)
    for member, digest in rows:
        added = timezone.localtime(member.created_at).isoformat(" ", "seconds")
        cells = (member.path, member.file_name, member.size, member.sender, added, digest)
        writer.writerow([_harmless(str(cell)) for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def make_sums(digests: Sequence[tuple[str, str]]) -> bytes:
    """A line a path and digest, as `sha256sum` writes and checks them. Cleaned paths hold neither
    newline nor backslash, which it would want escaped."""
    return "".join(f"{digest}  {path}\n" for path, digest in digests).encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
