"""File names: cleaned once, at the edge, and written into a header in one place (U7, D1)."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

from django.utils.translation import gettext as _

from filevault.errors import Invalid

MAX_BYTES: Final = 255
LONGEST_EXTENSION: Final = 16

#: What turns the direction of text around, so that `in\u202efdp.exe` reads as a PDF, and marks that
#: nobody sees. The joiners U+200C and U+200D stay: emoji and some scripts need them.
_INVISIBLE: Final = re.compile(
    "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
#: Control characters, lone surrogates, line and paragraph separators.
_CONTROL: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_NONCHARACTERS: Final = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")
_NOT_ON_WINDOWS: Final = re.compile('[<>:"|?*]')
#: With any ending, and whatever blanks stand before it.
_RESERVED_ON_WINDOWS: Final = re.compile(
    r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)"
)

#: RFC 8187 `attr-char`, beyond the letters and digits that `quote` keeps anyway.
_ATTR_CHARS: Final = "!#$&+-.^_`|~"


def clean_name(raw: object) -> str:
    """A name as it is stored and shown: NFC, at most 255 bytes of UTF-8 with its ending kept, no
    path, control or direction characters. Raises `Invalid` (field `fileName`) where nothing is
    left to call the file by."""
    if not isinstance(raw, str):
        raise _nameless()
    base = raw.replace("\\", "/").rpartition("/")[2]
    name = _INVISIBLE.sub("", base)
    name = "".join(_visible(character) for character in name)
    name = unicodedata.normalize("NFC", _NONCHARACTERS.sub("", name))
    name = _NOT_ON_WINDOWS.sub("_", re.sub(r"\s+", " ", name)).strip(". ")
    if not name:
        raise _nameless()
    if _RESERVED_ON_WINDOWS.match(name):
        name = f"_{name}"
    return _shorten(name)


def content_disposition(name: str, kind: str = "attachment") -> str:
    """One header value with one ASCII `filename` for old readers and one `filename*` that counts
    (RFC 6266, RFC 8187)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", plain).strip() or "file"
    if plain.startswith("."):
        plain = f"file{plain}"
    encoded = quote(name, safe=_ATTR_CHARS)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category not in _CONTROL:
        return character
    return " " if character in "\t\n\r\v\f\u0085\u2028\u2029" else ""


def _shorten(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f"{dot}{extension}".encode()
    if not stem or len(ending) > LONGEST_EXTENSION:
        stem, ending = name, b""
    kept = stem.encode()[: MAX_BYTES - len(ending)].decode("utf-8", "ignore")
    return kept.rstrip(". ") + ending.decode()


def _nameless() -> Invalid:
    text = _("Please give the file a name.")
    return Invalid(text, code="no_name", fields={"fileName": text})
