"""How many calls a request costs, from the cookie to the answer: two to know who asks, then three
table calls at most to begin, confirm or fetch a file."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client as Browser

from accounts.actors import Practitioner
from accounts.models import user_id_of
from accounts.profiles import practitioner_of
from accounts.tables import User
from cases import colleagues
from files import sharing
from files.multipart import part_size_for
from files.vault import vault_of
from filevault.aws import s3_client
from tests.accounts.conftest import provider
from tests.accounts.provider import ISSUER
from tests.cases.invited import Invited, enter, make_invited, sign_in
from tests.counting import counted
from tests.files import samples
from tests.files.space import put, row_by_id
from tests.files.vaults import BEN, own_file

__all__ = ["provider"]

WHO_ASKS = 2
MIB = 1024 * 1024


class Desk:
    """Somebody's browser at the files of a space, with the calls of each request counted."""

    def __init__(self, browser: Browser, files: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.browser, self.files, self.monkeypatch = browser, files, monkeypatch
        self.browser.get(self.files)  # what is written once a minute is written

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
        """The answer's JSON (or None), and the calls that it took."""
        with counted(self.monkeypatch) as calls:
            if body is None:
                answer = self.browser.get(path)
            else:
                answer = self.browser.post(path, body, content_type="application/json")
        assert answer.status_code < 400, answer.content
        is_json = answer.headers["Content-Type"].startswith("application/json")
        return (answer.json() if is_json else None), calls

    def begin(self, body: dict[str, Any]) -> tuple[Any, list[str]]:
        return self.ask(f"{self.files}presign", body)

    def confirm(self, grant: dict[str, Any]) -> tuple[Any, list[str]]:
        return self.ask(grant["confirmUrl"], {})

    def download(self, file_id: str) -> list[str]:
        return self.ask(f"{self.files}{file_id}/download")[1]


class Program(Desk):
    """The same by the JSON API, into a case or (without one) into the vault."""

    def __init__(
        self, browser: Browser, case_id: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        super().__init__(browser, "/api/files/list", monkeypatch)
        self.where = {"caseId": case_id} if case_id else {}

    def begin(self, body: dict[str, Any]) -> tuple[Any, list[str]]:
        return self.ask("/api/files/presign-upload", {"mimeType": "", **self.where, **body})

    def confirm(self, grant: dict[str, Any]) -> tuple[Any, list[str]]:
        return self.ask("/api/files/metadata", {"fileId": grant["fileId"]})

    def download(self, file_id: str) -> list[str]:
        return self.ask(f"/api/files/download?fileId={file_id}")[1]


@pytest.fixture
def invited(a: Practitioner) -> Invited:
    made = make_invited(a)
    made.send()
    return made


@pytest.fixture
def open_desk(
    request: pytest.FixtureRequest, invited: Invited, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Desk]:
    """Whoever may send files: each has a way of their own to be known, and to a space."""
    a, case_id = invited.practitioner, invited.case.case_id
    files = f"/cases/{case_id}/files/"

    def colleague() -> Desk:
        b = request.getfixturevalue("b")
        colleagues.share(a, case_id, email=BEN, access="write")
        return Desk(sign_in(b), files, monkeypatch)

    def script(*, in_case: bool) -> Desk:
        request.getfixturevalue("db")
        bearer = f"Bearer {request.getfixturevalue('provider').access_token()}"
        browser = Browser(headers={"Authorization": bearer})
        browser.get("/api/files/list")
        profile = User.fetch(user_id_of(ISSUER, "anna"))
        assert profile is not None
        own = make_invited(practitioner_of(profile)).case.case_id
        return Program(browser, own if in_case else None, monkeypatch)

    desks: dict[str, Callable[[], Desk]] = {
        "practitioner": lambda: Desk(sign_in(a), files, monkeypatch),
        "client": lambda: Desk(enter(invited), f"{invited.portal}files/", monkeypatch),
        "colleague": colleague,
        "vault": lambda: Desk(sign_in(a), f"/files/{a.user_id}/files/", monkeypatch),
        "API, a case": lambda: Program(sign_in(a), case_id, monkeypatch),
        "API, the vault": lambda: Program(sign_in(a), None, monkeypatch),
        "script, a case": lambda: script(in_case=True),
        "script, the vault": lambda: script(in_case=False),
    }

    def open_one(who: str) -> Desk:
        return desks[who]()

    return open_one


ALL = [
    "practitioner",
    "client",
    "colleague",
    "vault",
    *(f"{who}, {where}" for who in ("API", "script") for where in ("a case", "the vault")),
]


def tables(calls: list[str]) -> int:
    return sum(call.startswith("dynamodb.") for call in calls)


def storage(calls: list[str]) -> int:
    return sum(call.startswith("s3.") for call in calls)


SAMPLES = {
    "a.pdf": samples.PDF,
    "large.docx": samples.office("word/document.xml", padding=MIB),
}


@pytest.mark.settled
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("who", ALL)
def test_an_upload_and_a_download(open_desk: Callable[[str], Desk], who: str, name: str) -> None:
    desk, content = open_desk(who), SAMPLES[name]
    digest = hashlib.sha256(content).hexdigest()
    grant, begun = desk.begin({"fileName": name, "size": len(content), "sha256": digest})
    put(row_by_id(grant["fileId"]), content)
    file, confirmed = desk.confirm(grant)
    assert file["state"] == "AVAILABLE"
    downloaded = desk.download(file["fileId"])
    assert tables(begun) <= WHO_ASKS + 3, begun
    assert storage(begun) == 0, begun
    assert tables(confirmed) <= WHO_ASKS + 3, confirmed
    assert storage(confirmed) <= 2, confirmed
    assert tables(downloaded) <= WHO_ASKS + 3, downloaded
    assert storage(downloaded) == 0, downloaded


@pytest.mark.settled
def test_a_download_by_whom_a_file_is_shared_with(
    a: Practitioner, b: Practitioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a program it is one more: a file's id alone doesn't say that it is shared."""
    file = own_file(a)
    sharing.share(a, vault_of(a), file.file_id, email=BEN)
    desk = Desk(sign_in(b), "/files/shared/", monkeypatch)
    assert tables(desk.download(file.file_id)) <= WHO_ASKS + 3
    assert tables(Program(sign_in(b), None, monkeypatch).download(file.file_id)) <= WHO_ASKS + 4


@pytest.mark.parametrize("who", ["practitioner", "client"])
def test_an_upload_in_parts(
    open_desk: Callable[[str], Desk], who: str, settings: LazySettings
) -> None:
    """Two storage calls more than a POST, and no way around them: S3 is asked once what has
    arrived, and once to join it."""
    settings.MULTIPART_THRESHOLD, settings.PART_SIZE = MIB, 5 * MIB
    desk = open_desk(who)
    content = samples.PDF + b"%" * (6 * MIB)
    body = {"fileName": "a.pdf", "size": len(content)}
    grant, begun = desk.begin(body)
    row = row_by_id(grant["fileId"])
    checksums = {"1": "A" * 43 + "=", "2": "A" * 43 + "="}
    signing = {"partNumbers": [1, 2], "checksums": checksums}
    signed, signing_calls = desk.ask(grant["partsUrl"], signing)
    part_size = part_size_for(len(content))
    for number in range(1, grant["partCount"] + 1):
        s3_client().upload_part(
            Bucket="filevault-test",
            Key=row.s3_key,
            UploadId=str(row.upload_id),
            PartNumber=number,
            Body=content[(number - 1) * part_size : number * part_size],
            ChecksumAlgorithm="SHA256",
        )
    listed, listing_calls = desk.ask(grant["partsUrl"])
    file, confirmed = desk.confirm(grant)
    assert set(signed["urls"]) == {"1", "2"}
    assert len(listed["parts"]) == grant["partCount"]
    assert file["state"] == "AVAILABLE"
    for calls in (begun, signing_calls, listing_calls, confirmed):
        assert tables(calls) <= WHO_ASKS + 3, calls
    assert [storage(calls) for calls in (begun, signing_calls, listing_calls)] == [1, 0, 1]
    assert storage(confirmed) == 3, confirmed
