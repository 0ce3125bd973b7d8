"""A program that knows docs/api.md and nothing else of the product does every operation."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.conf import settings

from files.tables import Usage
from tests.api.tokens import ANNA, access_token
from tests.stack import TestStack

pytestmark = pytest.mark.stack

BEN = "ben.okafor@example.test"
TEXT = b"Some notes.\n"


@pytest.fixture
def anna(app: str, stack: TestStack) -> Iterator[httpx.Client]:
    with _program(app, access_token(stack, ANNA)) as made:
        yield made


@pytest.fixture
def ben(app: str, stack: TestStack) -> Iterator[httpx.Client]:
    with _program(app, access_token(stack, BEN)) as made:
        yield made


def _program(app: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{app}/api/", headers=headers, timeout=30)


def _begin(program: httpx.Client, size: int, name: str = "notes.txt") -> dict[str, Any]:
    body = {"fileName": name, "mimeType": "text/plain", "size": size}
    answer = program.post("files/presign-upload", json=body)
    assert answer.status_code == 201, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


def _send(program: httpx.Client, content: bytes) -> str:
    begun = _begin(program, len(content))
    sent = httpx.post(
        begun["url"],
        data=begun["fields"],
        files={"file": content},
    )
    assert sent.status_code == 201, sent.text
    file_id = str(begun["fileId"])
    confirmed = program.post("files/metadata", json={"fileId": file_id})
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "AVAILABLE")
    return file_id


def test_upload_list_download_delete(anna: httpx.Client, ben: httpx.Client) -> None:
    file_id = _send(anna, TEXT)
    owned = anna.get("files/list", params={"limit": 1}).json()["owned"]
    assert [file["fileId"] for file in owned] == [file_id]
    got = anna.get("files/download", params={"fileId": file_id}).json()
    assert httpx.get(got["url"]).content == TEXT
    assert ben.get("files/download", params={"fileId": file_id}).status_code == 404
    assert anna.delete("files/delete", params={"fileId": file_id}).status_code == 204
    assert anna.get("files/download", params={"fileId": file_id}).status_code == 404


@pytest.mark.usefixtures("named")
def test_sharing_with_a_colleague(anna: httpx.Client, ben: httpx.Client) -> None:
    file_id = _send(anna, TEXT)
    ben_id = _user_id(ben)
    named = {"fileId": file_id, "userId": ben_id}
    assert anna.post("files/share", json=named).status_code == 200
    assert file_id in {file["fileId"] for file in ben.get("files/list").json()["shared"]}
    got = ben.get("files/download", params={"fileId": file_id}).json()
    assert httpx.get(got["url"]).content == TEXT
    assert ben.delete("files/delete", params={"fileId": file_id}).status_code == 403
    assert anna.request("DELETE", "files/share", json=named).status_code == 200
    assert ben.get("files/download", params={"fileId": file_id}).status_code == 404


def _user_id(program: httpx.Client) -> str:
    file_id = _send(program, TEXT)
    [file] = program.get("files/list", params={"limit": 1}).json()["owned"]
    assert file["fileId"] == file_id
    return str(file["userId"])


def test_a_file_in_parts(anna: httpx.Client) -> None:
    content = b"0123456789abcdef" * (7 * 65536)
    begun = _begin(anna, len(content))
    assert begun["method"] == "MULTIPART"
    size, path = int(begun["partSize"]), f"files/uploads/{begun['fileId']}/parts"
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    assert len(pieces) == begun["partCount"]
    checksums = {
        str(number): base64.b64encode(hashlib.sha256(piece).digest()).decode()
        for number, piece in enumerate(pieces, start=1)
    }
    asked = {"partNumbers": [int(number) for number in checksums], "checksums": checksums}
    for number, part in anna.post(path, json=asked).json()["urls"].items():
        piece = pieces[int(number) - 1]
        assert httpx.put(part["url"], content=piece, headers=part["headers"]).status_code == 200
    arrived = anna.get(path).json()["parts"]
    assert [part["checksum"] for part in arrived] == list(checksums.values())
    confirmed = anna.post("files/metadata", json={"fileId": begun["fileId"]})
    assert confirmed.status_code == 200
    assert confirmed.json()["size"] == len(content)


def test_fifty_uploads_at_once_stay_within_the_quota_U9(ben: httpx.Client) -> None:
    size, fitting = 1000, 10
    usage = Usage(_user_id(ben))
    usage.refresh(consistent_read=True)
    taken = settings.STORAGE_QUOTA_BYTES - fitting * size - int(usage.bytes_used)
    usage.update([Usage.bytes_used.add(taken)])
    body = {"fileName": "a.txt", "mimeType": "", "size": size}

    def begin(_number: int) -> int:
        return ben.post("files/presign-upload", json=body).status_code

    try:
        with ThreadPoolExecutor(50) as threads:
            statuses = Counter(threads.map(begin, range(50)))
        usage.refresh(consistent_read=True)
        used = int(usage.bytes_used)
    finally:
        usage.update([Usage.bytes_used.add(-taken)])
    assert set(statuses) <= {201, 409, 503}, statuses  # 503: the counter stayed busy, try again
    assert 0 < statuses[201] <= fitting
    assert used == settings.STORAGE_QUOTA_BYTES - (fitting - statuses[201]) * size


def test_giving_up(anna: httpx.Client) -> None:
    begun = _begin(anna, 5)
    assert anna.delete(f"files/uploads/{begun['fileId']}").status_code == 204
    over = anna.post("files/metadata", json={"fileId": begun["fileId"]})
    assert (over.status_code, over.json()["code"]) == (409, "upload_over")
