"""Uploads through the running product with ClamAV's own daemon behind it (U5)."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from files.tables import File
from filevault.dynamo import new_id
from tests.files.samples import PDF
from tests.files.scanners import EICAR, Clamd, clamd_or_skip
from tests.security.people import A_EMAIL, Person
from tests.stack import TestStack, provisioned_stack, running_app
from tests.waiting import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack(scanner: Clamd) -> Iterator[TestStack]:
    """A stack of this module's own: its product has a scanner."""
    with provisioned_stack() as made:
        yield made


@pytest.fixture(scope="module")
def scanner() -> Iterator[Clamd]:
    with clamd_or_skip() as running:
        yield running


@dataclass(frozen=True)
class Desk:
    """Practitioner A before the page of a case of theirs."""

    person: Person
    case_id: str

    @property
    def home(self) -> str:
        return f"/cases/{self.case_id}/"

    def upload(self, name: str, content: bytes) -> Any:
        return self.person.upload(self.home, name=name, content=content)

    def row(self, uploaded: Any) -> File:
        found = File.fetch(f"case:{self.case_id}", uploaded["fileId"])
        assert found is not None
        return found

    def wait_for(self, uploaded: Any, state: str) -> File:
        """The file's row once it is in this state."""
        wait_until(lambda: self.row(uploaded).state == state, f"{state}")
        return self.row(uploaded)

    def download(self, uploaded: Any) -> int:
        path = f"{self.home}files/{uploaded['fileId']}/download"
        return int(self.person.get(path).status_code)


@pytest.fixture(scope="module")
def site(stack: TestStack, scanner: Clamd) -> Iterator[str]:
    with running_app(stack, settings={"SCANNER_URL": scanner.url}) as address:
        yield address


@pytest.fixture
def desk(site: str, stack: TestStack) -> Desk:
    person = Person(site, stack).sign_in(A_EMAIL)
    client = person.add_client("Clara One", f"{new_id()}@example.test")
    return Desk(person, person.open_case("A case with a scanner", client))


def zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("letters/harmless.txt", content)
    return made.getvalue()


def test_a_clean_file_is_checked_and_served(desk: Desk) -> None:
    sent = desk.upload("letter.pdf", PDF)
    assert sent["state"] in ("CHECKING", "AVAILABLE")
    found = desk.wait_for(sent, "AVAILABLE")
    assert (found.scan_verdict, found.sha256) == ("clean", hashlib.sha256(PDF).hexdigest())
    assert desk.download(sent) == 302
    assert "Nothing found." in desk.person.get(desk.home).text


@pytest.mark.parametrize(
    ("name", "content"), [("note.txt", EICAR), ("letters.zip", zipped(EICAR))], ids=["text", "zip"]
)
def test_eicar_is_refused_and_never_served_U5(desk: Desk, name: str, content: bytes) -> None:
    sent = desk.upload(name, content)
    found = desk.wait_for(sent, "REJECTED")
    assert found.reason == "infected"
    assert desk.download(sent) in (404, 409)
    assert "The virus scanner found something in it" in desk.person.get(desk.home).text
    wait_until(lambda: desk.row(sent).purged_at is not None, "its bytes are gone")


def test_a_scanner_that_is_away_is_waited_for_U5(
    desk: Desk, scanner: Clamd, stack: TestStack
) -> None:
    scanner.stop()
    try:
        sent = desk.upload("letter.pdf", PDF)
        assert sent["state"] == "CHECKING"
        log = stack.state / "log" / "worker.log"
        wait_until(lambda: '"scanner away"' in log.read_text(), "the alert")
        assert desk.row(sent).state == "CHECKING"
        assert desk.download(sent) in (404, 409)
        assert "Being checked" in desk.person.get(desk.home).text
    finally:
        scanner.start()
    assert desk.wait_for(sent, "AVAILABLE").scan_verdict == "clean"
    assert desk.download(sent) == 302
