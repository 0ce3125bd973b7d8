"""How many calls a request costs, from the cookie to the answer: two to know who asks, then three
table calls at most to begin, confirm or fetch a file."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client as Browser

from files.multipart import part_size_for
from files.tables import File
from filevault.aws import s3_client
from tests.cases.invited import Invited, enter, make_invited, sign_in
from tests.cast import Cast
from tests.counting import counted
from tests.files import samples
from tests.files.space import put

WHO_ASKS = 2
MIB = 1024 * 1024

Actors = Callable[[Invited], tuple[Browser, str]]


def practitioner(invited: Invited) -> tuple[Browser, str]:
    return sign_in(invited.practitioner), f"/cases/{invited.case.case_id}/files/"


def client(invited: Invited) -> tuple[Browser, str]:
    return enter(invited), f"{invited.portal}files/"


class Desk:
    """Somebody's browser at the files of a case, with the calls of each request counted."""

    def __init__(self, who: Actors, invited: Invited, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.invited = invited
        self.browser, self.files = who(invited)
        self.browser.get(self.files)  # what is written once a minute is written

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
        """The answer's JSON (or None), and the calls that it took."""
        with counted(self.monkeypatch) as calls:
            if body is None:
                answer = self.browser.get(path)
            else:
                answer = self.browser.post(path, body, content_type="application/json")
        assert answer.status_code < 400
        is_json = answer.headers["Content-Type"] == "application/json"
        return (answer.json() if is_json else None), calls

    def row(self, file_id: str) -> File:
        found = File.fetch(f"case:{self.invited.case.case_id}", file_id)
        assert found is not None
        return found


@pytest.fixture(params=[practitioner, client])
def desk(
    request: pytest.FixtureRequest, cast: Cast, bucket: None, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    invited = make_invited(cast.a)
    invited.send()
    return Desk(request.param, invited, monkeypatch)


def tables(calls: list[str]) -> int:
    return sum(call.startswith("dynamodb.") for call in calls)


def storage(calls: list[str]) -> int:
    return sum(call.startswith("s3.") for call in calls)


SAMPLES = {
    "a.pdf": samples.PDF,
    "large.docx": samples.office("word/document.xml", padding=MIB),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_an_upload_and_a_download(desk: Desk, name: str) -> None:
    content = SAMPLES[name]
    digest = hashlib.sha256(content).hexdigest()
    body = {"fileName": name, "size": len(content), "sha256": digest}
    grant, begun = desk.ask(f"{desk.files}presign", body)
    put(desk.row(grant["fileId"]), content)
    file, confirmed = desk.ask(grant["confirmUrl"], {})
    assert file["state"] == "AVAILABLE"
    _none, downloaded = desk.ask(f"{desk.files}{file['fileId']}/download")
    assert tables(begun) <= WHO_ASKS + 3, begun
    assert storage(begun) == 0, begun
    assert tables(confirmed) <= WHO_ASKS + 3, confirmed
    assert storage(confirmed) <= 2, confirmed
    assert tables(downloaded) <= WHO_ASKS + 3, downloaded
    assert storage(downloaded) == 0, downloaded


def test_an_upload_in_parts(desk: Desk, settings: LazySettings) -> None:
    """Two storage calls more than a POST, and no way around them: S3 is asked once what has
    arrived, and once to join it."""
    settings.MULTIPART_THRESHOLD, settings.PART_SIZE = MIB, 5 * MIB
    content = samples.PDF + b"%" * (6 * MIB)
    body = {"fileName": "a.pdf", "size": len(content)}
    grant, begun = desk.ask(f"{desk.files}presign", body)
    row = desk.row(grant["fileId"])
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
    file, confirmed = desk.ask(grant["confirmUrl"], {})
    assert set(signed["urls"]) == {"1", "2"}
    assert len(listed["parts"]) == grant["partCount"]
    assert file["state"] == "AVAILABLE"
    for calls in (begun, signing_calls, listing_calls, confirmed):
        assert tables(calls) <= WHO_ASKS + 3, calls
    assert [storage(calls) for calls in (begun, signing_calls, listing_calls)] == [1, 0, 1]
    assert storage(confirmed) == 3, confirmed
