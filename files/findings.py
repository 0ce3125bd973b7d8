"""What a sweep of rows and storage can find, and what may be done about it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Finding(StrEnum):
    """What a sweep can find."""

    OVERDUE = "overdue"
    UNPURGED = "unpurged"
    PARTS = "parts"
    LEFTOVER = "leftover"
    OWNERLESS = "ownerless"
    LOST = "lost"
    FOREIGN = "foreign"
    UNCHECKED = "unchecked"


#: What each is, for the operator. Operators read English, as in all commands.
LABELS: Final[Mapping[Finding, str]] = {
    Finding.OVERDUE: "uploads that nobody ended",
    Finding.UNPURGED: "ended or deleted files whose bytes were not taken away",
    Finding.PARTS: "uploads in parts that belong to no upload any more",
    Finding.LEFTOVER: "stored versions that their file doesn't need",
    Finding.OWNERLESS: "stored versions without a file",
    Finding.LOST: "files whose bytes are gone",
    Finding.FOREIGN: "stored versions under other names than ours (left alone)",
    Finding.UNCHECKED: "files and versions that could not be looked at",
}

#: What should not be there: the count that should be zero.
UNWANTED: Final = tuple(
    finding for finding in Finding if finding not in {Finding.FOREIGN, Finding.UNCHECKED}
)

#: What the worker puts right by itself: a row of ours says that these bytes are not wanted, or
#: there never was a file. Versions without any row, and rows without bytes, are what a wrong
#: `TABLE_PREFIX`, a wrong bucket or a restored table would look like: a person decides on those.
SAFE: Final = frozenset({Finding.OVERDUE, Finding.UNPURGED, Finding.PARTS, Finding.LEFTOVER})
