"""The virus scanner: ClamAV's daemon, spoken to over TCP as clamd(8) describes.

A file is streamed to it in chunks (INSTREAM) and never held. Whatever is not a clear answer counts
as none: the scanner is away then, and a file waits for it.
"""

import logging
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import urlsplit

from filevault.errors import Unavailable
from filevault.logs import outage

logger = logging.getLogger(__name__)

PORT: Final = 3310
#: "Technical design limitations prevent ClamAV from scanning files greater than 2 GB", says
#: clamd.conf(5) of MaxFileSize. Some versions call such a file clean, so none is asked.
MOST: Final = 2**31 - 1
#: Seconds for the connection, for an idle scanner's first word, and for a chunk.
CONNECT_SECONDS: Final = 2.0
PING_SECONDS: Final = 5.0
CHUNK_SECONDS: Final = 20.0
#: How long a verdict is waited for, a second at a time. Clamd ends a scan after MaxScanTime, two
#: minutes by default, and scans ten files at once.
VERDICT_SECONDS: Final = 600.0
SLICE_SECONDS: Final = 1.0
#: After a connection that failed none is tried for so long: many files may be waiting, and each
#: would cost the worker two seconds (N6).
PAUSE_SECONDS: Final = 10.0

_LONGEST_REPLY: Final = 4096
_SIZE_LIMIT: Final = "INSTREAM size limit exceeded. ERROR"
#: With AlertExceedsMax, the name that is "found" in what was not scanned whole (clamd.conf(5)).
_LIMITS: Final = "Heuristics.Limits.Exceeded"

_paused_until = 0.0


class Outcome(Enum):
    """What the scanner says of a file."""

    CLEAN = auto()
    INFECTED = auto()
    TOO_LARGE = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The scanner's answer; `signature` names what was found."""

    outcome: Outcome
    signature: str = ""


class ScannerAway(Unavailable):
    """Nobody answers under the scanner's address. It says nothing about the file."""

    code = "scanner_away"


class ScanBroken(ScannerAway):
    """The scanner answered, and then gave no verdict. The file may be what it stumbled over."""

    code = "scan_broken"


class Scan:
    """One file on its way to the scanner: `feed` it piece by piece, then ask for the `verdict`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._early: Verdict | None = None

    def feed(self, piece: bytes) -> None:
        """Send the next bytes; nothing once the scanner has had enough. Raises `ScanBroken`."""
        if self._early is None and piece:
            self._send(struct.pack(">I", len(piece)) + piece)

    def verdict(self, waiting: Callable[[], None]) -> Verdict:
        """End the stream and wait for the answer, calling `waiting` about once a second. Raises
        `ScanBroken`."""
        if self._early is None:
            self._send(struct.pack(">I", 0))
        return self._early or self._receive(VERDICT_SECONDS, waiting)

    def _send(self, data: bytes) -> None:
        self._connection.settimeout(CHUNK_SECONDS)
        try:
            self._connection.sendall(data)
        except TimeoutError as error:
            raise _broken(error) from error
        except OSError as error:
            # Over its limit clamd answers and closes while we are still sending: the answer is
            # there to be read, whatever became of the connection.
            early = self._receive(CHUNK_SECONDS, lambda: None)
            if early.outcome is Outcome.CLEAN:  # of what it has not seen the end of
                raise _broken(error) from error
            self._early = early

    def _receive(self, seconds: float, waiting: Callable[[], None]) -> Verdict:
        self._connection.settimeout(SLICE_SECONDS)
        until = time.monotonic() + seconds
        reply = b""
        try:
            while b"\0" not in reply and len(reply) < _LONGEST_REPLY:
                waiting()
                if time.monotonic() > until:
                    raise TimeoutError("no verdict")
                try:
                    received = self._connection.recv(_LONGEST_REPLY)
                except TimeoutError:
                    continue
                if not received:
                    break
                reply += received
        except OSError as error:
            raise _broken(error) from error
        return _read(reply)


@contextmanager
def scanning(url: str) -> Iterator[Scan]:
    """Begin to scan a file at a scanner's `clamd://host:port`. Raises `ScannerAway`, and at once
    for a few seconds after that; each try that fails is logged as `scanner away`."""
    global _paused_until
    if time.monotonic() < _paused_until:
        raise ScannerAway
    try:
        _ping(url)
        connection = _connect(url)
    except OSError as error:
        _paused_until = time.monotonic() + PAUSE_SECONDS
        raise _logged(ScannerAway(), error) from error
    with connection:
        scan = Scan(connection)
        scan._send(b"zINSTREAM\0")
        yield scan


def _ping(url: str) -> None:
    """A scanner that hangs still takes connections, and would be streamed to in vain."""
    with _connect(url) as connection:
        connection.settimeout(PING_SECONDS)
        connection.sendall(b"zPING\0")
        reply = connection.recv(_LONGEST_REPLY)
    if not reply.startswith(b"PONG"):
        raise ConnectionError(f"not a scanner: {reply[:40]!r}")


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or PORT), CONNECT_SECONDS)


def _read(reply: bytes) -> Verdict:
    text = reply.partition(b"\0")[0].decode("utf-8", "replace").strip()
    if text == "stream: OK":
        return Verdict(Outcome.CLEAN)
    if text == _SIZE_LIMIT:
        return Verdict(Outcome.TOO_LARGE)
    if text.startswith("stream: ") and text.endswith(" FOUND"):
        signature = text.removeprefix("stream: ").removesuffix(" FOUND")
        limited = signature.startswith(_LIMITS)
        return Verdict(Outcome.TOO_LARGE if limited else Outcome.INFECTED, signature)
    raise _broken(ConnectionError(f"no verdict: {text[:200]!r}"))


def _broken(error: Exception) -> ScanBroken:
    broken = ScanBroken()
    _logged(broken, error)
    return broken


def _logged(away: ScannerAway, error: Exception) -> ScannerAway:
    logger.error("scanner away", extra=outage(error))
    return away
