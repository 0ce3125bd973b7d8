"""What people see of a file's SHA-256 and of the scanner's verdict."""

import hashlib
import re
from html import unescape

import pytest
from django.conf import LazySettings

from files.tables import File
from tests.files import samples
from tests.files.space import FakeSpace
from tests.files.test_downloads import available
from tests.files.test_inspection import arrived, inspect, no_pause, scanner
from tests.files.test_views import browser, post_json, routes

__all__ = ["no_pause", "routes", "scanner"]

PDF_SHA256 = hashlib.sha256(samples.PDF).hexdigest()
NOT_SCANNED = "Not scanned for viruses: too large for the scanner."


def listing() -> str:
    answer = browser("A").get("/cases/one/files/")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def details(page: str) -> list[str]:
    """The texts of what stands under each file's "Details"."""
    found = re.findall(r"<details class=\"file-details\">(.*?)</details>", page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", each).split()) for each in found]


def test_a_file_shows_its_sha256_once_it_is_proved(space: FakeSpace) -> None:
    available(space)
    (before,) = details(listing())
    assert before.startswith("Details : letter.pdf")
    assert "SHA-256 Being computed" in before
    assert f"Size {len(samples.PDF)} bytes" in before
    inspect()
    (after,) = details(listing())
    assert f"SHA-256 {PDF_SHA256}" in after
    assert "Virus scan" not in after


def test_nothing_is_said_of_the_content_of_what_is_not_available(
    space: FakeSpace, scanner: object
) -> None:
    arrived(space)
    page = listing()
    assert "Being checked" in page
    assert details(page) == []


@pytest.mark.parametrize("allowed", [False, True])
def test_a_file_that_was_not_scanned_says_so(
    space: FakeSpace, settings: LazySettings, scanner: object, allowed: bool
) -> None:
    settings.ALLOW_UNSCANNED = allowed
    vars(scanner)["limit"] = 10
    arrived(space)
    inspect()
    page = listing()
    assert page.count(NOT_SCANNED) == (2 if allowed else 0)
    assert ("It is too large for the virus scanner" in page) is not allowed


def test_a_clean_file_says_so_under_its_details_alone(space: FakeSpace, scanner: object) -> None:
    arrived(space)
    inspect()
    (shown,) = details(listing())
    assert "Virus scan Nothing found." in shown
    assert NOT_SCANNED not in listing()


def test_a_script_learns_of_both(space: FakeSpace, scanner: object) -> None:
    file: File = arrived(space)
    path = f"/portal/one/files/confirm/{file.file_id}"
    before = post_json("C1", path, {}).json()
    assert (before["state"], before["sha256"], before["scan"]) == ("CHECKING", None, None)
    inspect()
    after = post_json("C1", path, {}).json()
    assert (after["state"], after["sha256"], after["scan"]) == ("AVAILABLE", PDF_SHA256, "clean")


def test_the_same_content_is_pointed_out_on_the_later_file(space: FakeSpace) -> None:
    available(space, "scan.pdf")
    available(space, "scan again.pdf")
    inspect()
    page = listing()
    assert page.count("Same content as “scan.pdf”") == 1
    assert "Same content as “scan again.pdf”" not in page
