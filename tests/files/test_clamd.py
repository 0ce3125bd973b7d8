"""What ClamAV's own daemon says of files, and what becomes of them."""

import hashlib
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings

from files import clamd
from files.clamd import Outcome, ScannerAway, Verdict, scanning
from tests.files.samples import PDF, TXT
from tests.files.scanners import EICAR, FILE_LIMIT, LIMIT, Clamd, clamd_or_skip
from tests.files.space import FakeSpace, row
from tests.files.test_inspection import arrived, inspect


@pytest.fixture(scope="module")
def daemon() -> Iterator[Clamd]:
    with clamd_or_skip() as running:
        yield running


@pytest.fixture
def url(daemon: Clamd, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> str:
    settings.SCANNER_URL = daemon.url
    monkeypatch.setattr(clamd, "_paused_until", 0.0)
    return daemon.url


def ask(url: str, content: bytes, piece: int = 256 * 1024) -> Verdict:
    with scanning(url) as scan:
        for start in range(0, len(content), piece):
            scan.feed(content[start : start + piece])
        return scan.verdict(lambda: None)


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (PDF, Outcome.CLEAN),
        (b"", Outcome.CLEAN),
        (EICAR, Outcome.INFECTED),
        (TXT * (4 * 1024 * 1024 // len(TXT)) + EICAR, Outcome.INFECTED),
        (bytes(FILE_LIMIT + 1), Outcome.TOO_LARGE),
        (bytes(LIMIT + 1), Outcome.TOO_LARGE),
        (bytes(LIMIT * 5), Outcome.TOO_LARGE),
    ],
    ids=["clean", "empty", "EICAR", "at the end", "MaxFileSize", "over", "far over"],
)
@pytest.mark.parametrize("piece", [1000 * 1000, 256 * 1024])
def test_verdicts(url: str, content: bytes, outcome: Outcome, piece: int) -> None:
    assert ask(url, content, piece).outcome is outcome


def test_a_find_names_its_signature(url: str) -> None:
    assert ask(url, EICAR).signature == "Test.Eicar.UNOFFICIAL"


def test_a_stream_that_stops_half_way_is_no_verdict(url: str) -> None:
    """And the daemon takes the next file."""
    with scanning(url) as scan:
        scan.feed(PDF)
    assert ask(url, PDF).outcome is Outcome.CLEAN


def test_an_address_where_nobody_listens_is_away(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ScannerAway), scanning(f"clamd://127.0.0.1:{port}"):
        pass


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize(
    "size", [LIMIT + 1, LIMIT * 3, FILE_LIMIT + 1], ids=["just over", "far over", "MaxFileSize"]
)
def test_a_file_beyond_clamds_limit(
    space: FakeSpace, url: str, settings: Any, size: int, allowed: bool
) -> None:
    settings.ALLOW_UNSCANNED = allowed
    content = PDF + os.urandom(size - len(PDF))
    file = arrived(space, content)
    assert file.state == "CHECKING"
    inspect()
    found = row(file)
    if not allowed:
        assert (found.state, found.reason) == ("REJECTED", "unscannable")
        return
    assert (found.state, found.scan_verdict) == ("AVAILABLE", "unscanned")
    assert found.sha256 == hashlib.sha256(content).hexdigest()


def test_the_end_of_a_large_file_is_scanned_too_U5(space: FakeSpace, url: str) -> None:
    content = TXT * ((FILE_LIMIT - len(EICAR)) // len(TXT)) + EICAR
    file = arrived(space, content, "note.txt")
    inspect()
    assert (row(file).state, row(file).reason) == ("REJECTED", "infected")
