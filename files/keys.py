"""Storage keys, read back: which file an object belongs to.

A file lies under `<prefix><fileId>.<32 hex>` (`files.uploads`), the pictures made of it under the
same key with an ending (`files.storage.derived_keys`).
"""

import re
from dataclasses import dataclass
from typing import Final

from filevault.dynamo import is_id

#: What the prefixes of all spaces begin with.
ROOTS: Final = ("cases/", "users/")

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


def parse(key: str) -> StoredKey | None:
    """What a key says, or None where it isn't in our form."""
    match = _KEY.fullmatch(key)
    if match is None or not is_id(match["file_id"]):
        return None
    return StoredKey(match["file_id"], match["original"], match["ending"] or "")
