"""The states of a file, and the plain words for them and for why a file was not taken."""

from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class FileState(StrEnum):
    """Where a file stands. Only `AVAILABLE` files are served (D3); every state but `PENDING` and
    `CHECKING` is left by deletion alone."""

    PENDING = "PENDING"
    CHECKING = "CHECKING"
    AVAILABLE = "AVAILABLE"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    ABORTED = "ABORTED"
    DELETED = "DELETED"


#: What a listing shows: files that are there, that will be, or that failed with a reason (N1).
LISTED: Final = (FileState.AVAILABLE, FileState.CHECKING, FileState.REJECTED)

#: States whose bytes must not stay in storage.
GONE: Final = (FileState.REJECTED, FileState.EXPIRED, FileState.ABORTED, FileState.DELETED)

STATE_LABELS: Final[dict[str, Promise]] = {
    FileState.PENDING: _("On its way"),
    FileState.CHECKING: _("Being checked"),
    FileState.AVAILABLE: _("Available"),
    FileState.REJECTED: _("Not accepted"),
    FileState.EXPIRED: _("Never arrived"),
    FileState.ABORTED: _("Cancelled"),
    FileState.DELETED: _("Deleted"),
}


class Reason(StrEnum):
    """Why a file was rejected. The row keeps the code; people read its sentence."""

    WRONG_SIZE = "wrong_size"
    WRONG_CONTENT = "wrong_content"
    WRONG_CHECKSUM = "wrong_checksum"
    UNREADABLE = "unreadable"
    MACROS = "macros"
    MARKUP = "markup"
    QUOTA = "quota"
    INFECTED = "infected"
    UNSCANNABLE = "unscannable"
    LOST = "lost"


REASON_LABELS: Final[dict[str, Promise]] = {
    Reason.WRONG_SIZE: _("It did not arrive whole. Please send it again."),
    Reason.WRONG_CONTENT: _(
        "Its content doesn't match the ending of its name. Please save it again and send that."
    ),
    Reason.WRONG_CHECKSUM: _("It arrived altered. Please send it again."),
    Reason.UNREADABLE: _("It is damaged and can't be opened. Please send a sound copy."),
    Reason.MACROS: _("It contains macros. Please send it without them, or as a PDF."),
    Reason.MARKUP: _("It contains web page code. Please send it as a PDF."),
    Reason.INFECTED: _(
        "The virus scanner found something in it, so it was not kept. Have your device checked."
    ),
    Reason.UNSCANNABLE: _(
        "It is too large for the virus scanner, so it was not taken. Please send it in parts."
    ),
    Reason.LOST: _("It is no longer in storage. Please send it again."),
    Reason.QUOTA: _("There is no room left for it. Please tell your practice."),
}


class Scan(StrEnum):
    """What the virus scanner said of an available file; nothing where none is configured."""

    CLEAN = "clean"
    UNSCANNED = "unscanned"


SCAN_LABELS: Final[dict[str, Promise]] = {
    Scan.CLEAN: _("Nothing found."),
    Scan.UNSCANNED: _("Not scanned for viruses: too large for the scanner."),
}


def state_label(state: str) -> str:
    return str(STATE_LABELS.get(state, state))


def reason_label(reason: str | None) -> str:
    """The sentence for a stored reason; '' where there is none."""
    return str(REASON_LABELS.get(reason, "")) if reason else ""


def scan_label(verdict: str | None) -> str:
    """The sentence for a scanner's verdict; '' where none was asked."""
    return str(SCAN_LABELS.get(verdict, "")) if verdict else ""
