"""Storage keys: where a file lies, and which file an object belongs to.

A file lies under `<prefix><fileId>.<32 hex>`, the pictures made of it under the same key with an
ending. A key holds no name (U2).
"""

import re
import secrets
from dataclasses import dataclass
from typing import Final

from filevault.dynamo import is_id

#: What the prefixes of all spaces begin with.
ROOTS: Final = ("cases/", "users/")
#: 128 bits that nobody guesses.
_RANDOM_BYTES: Final = 16

_KEY: Final = re.compile(
    r"(?P<original>(?:cases|users)/[^/]+/(?P<file_id>[0-9a-f-]{36})\.[0-9a-f]{32})"
    r"(?P<ending>\.thumb|\.preview)?"
)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key of ours. `original` is the key of the file itself; `ending` is empty for that one."""

    file_id: str
    original: str
    ending: str


def new_key(prefix: str, file_id: str) -> str:
    """Where a new file is to lie, below its space's prefix."""
    return f"{prefix}{file_id}.{secrets.token_hex(_RANDOM_BYTES)}"


def parse(key: str) -> StoredKey | None:
    """What a key says, or None where it isn't in our form."""
    match = _KEY.fullmatch(key)
    if match is None or not is_id(match["file_id"]):
        return None
    return StoredKey(match["file_id"], match["original"], match["ending"] or "")


def thumb_key(key: str) -> str:
    """Where the thumbnail of the file under `key` lies."""
    return f"{key}.thumb"


def preview_key(key: str) -> str:
    """Where its preview lies."""
    return f"{key}.preview"


def derived_keys(key: str) -> tuple[str, ...]:
    """Everything of ours that goes with the object under `key`."""
    return thumb_key(key), preview_key(key)
