"""Archives from the running product: real storage, real readers, and people who go away."""

import hashlib
import os
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.tables import AuditEvent
from files.tables import File
from filevault.aws import s3_client
from filevault.dynamo import new_id, now
from tests.files.samples import PDF, TXT
from tests.security.people import Person, Town, build_town, essence
from tests.stack import TestStack

pytestmark = pytest.mark.stack

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def town(app: str, stack: TestStack) -> Town:
    return build_town(app, stack)


def new_case(town: Town) -> tuple[str, str]:
    """A case of its own: its id, and the page that its practitioner has of it."""
    case = town.a.open_case("A case", town.client_one)
    return case, f"/cases/{case}/"


def lay_down(case: str, bucket: str, content: bytes, name: str, **changes: Any) -> File:
    """An available file with these bytes, past the uploader."""
    key = f"cases/{case}/{new_id()}"
    version = s3_client().put_object(Bucket=bucket, Key=key, Body=content)["VersionId"]
    known = {
        "owner_id": "somebody",
        "file_name": name,
        "s3_key": key,
        "version_id": version,
        "size": len(content),
        "mime_type": "application/pdf",
        "state": "AVAILABLE",
        "uploaded_by": "user:somebody",
        "created_at": now(),
        "upload_expires_at": now(),
    }
    file = File(f"case:{case}", new_id(), **{**known, **changes})
    file.save()
    return file


def download(person: Person, path: str, target: Path) -> httpx.Response:
    with person.http.stream("GET", path) as answer, target.open("wb") as file:
        for piece in answer.iter_bytes():
            file.write(piece)
    return answer


def soon(seen: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_both_sides_files_open_in_every_reader(town: Town, tmp_path: Path) -> None:
    case = town.a.open_case("Whole", town.client_one)
    home = f"/cases/{case}/"
    town.a.upload(home, name="Brief für Łódź.pdf")
    town.a.upload(home, name="brief FÜR łódź.pdf")
    town.a.upload(home, name="notes.txt", content=TXT)
    target = tmp_path / "made.zip"
    answer = download(town.a, f"{home}files/zip", target)
    assert answer.status_code == 200
    assert answer.headers["transfer-encoding"] == "chunked"
    tested = subprocess.run(["unzip", "-t", target], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    names = ["Brief für Łódź.pdf", "brief FÜR łódź (2).pdf", "notes.txt"]
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*names, "files.csv", "SHA256SUMS.txt"]
        assert archive.read("notes.txt") == TXT
    unpacked = subprocess.run(["unzip", "-q", target, "-d", tmp_path / "out"], check=False)
    assert unpacked.returncode == 0
    assert (tmp_path / "out" / names[0]).read_bytes() == PDF
    checked = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS.txt"], cwd=tmp_path / "out", check=False
    )
    assert checked.returncode == 0
    (event,) = _zips_of(case)
    assert event.details["count"] == 3


def _zips_of(case: str) -> list[AuditEvent]:
    events = AuditEvent.query(f"case:{case}", consistent_read=True)
    return [event for event in events if event.action == "file:zip_downloaded"]


def test_a_strangers_archive_is_one_that_is_not_there_Z2_Z8(town: Town) -> None:
    file = town.c1.upload(town.portal_one)["fileId"]
    other = town.c2.upload(town.portal_two)["fileId"]
    for method in ("GET", "HEAD"):
        for query in ("", f"?file={file}"):
            for person, there, nowhere in (
                (town.b, town.one, f"/cases/{new_id()}/"),
                (town.c2, town.portal_one, f"/portal/{new_id()}/"),
            ):
                answer = person.http.request(method, f"{there}files/zip{query}")
                assert answer.status_code == 404
                random = person.http.request(method, f"{nowhere}files/zip{query}")
                assert essence(answer) == essence(random)
        for mixed in (other, new_id(), file[:-1]):
            path = f"{town.portal_one}files/zip?file={file}&file={mixed}"
            assert town.c1.http.request(method, path).status_code == 404
        allowed = f"{town.portal_one}files/zip?file={file}"
        with town.d.http.stream(method, allowed) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/zip"


def test_the_server_stays_small_and_ends_what_is_left(
    town: Town, stack: TestStack, tmp_path: Path
) -> None:
    """Of 300 MB two downloads are begun and left: their places and reads come back by themselves.
    The whole one is then read through the same process."""
    case, home = new_case(town)
    block = os.urandom(MEGABYTE) * 60
    for number in range(5):
        lay_down(case, stack.stack["bucket"], block, f"scan {number}.pdf")
    path = f"{home}files/zip"
    before = _resident(stack)
    clients = lay_down(town.case_one, stack.stack["bucket"], block, "scan.pdf").file_id
    begun = ((town.a, path), (town.c1, f"{town.portal_one}files/zip?file={clients}"))
    left = [who.http.send(who.http.build_request("GET", at), stream=True) for who, at in begun]
    under_way = [answer.iter_bytes() for answer in left]  # forgotten, they would be closed
    assert all(next(pieces) for pieces in under_way)
    refused = town.a.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert town.a.head(path).status_code == 200
    for answer in left:
        answer.close()
    target = tmp_path / "made.zip"
    assert soon(lambda: download(town.a, path, target).status_code == 200)
    assert target.stat().st_size > 300 * MEGABYTE
    assert _resident(stack) - before < 40 * MEGABYTE
    with zipfile.ZipFile(target) as archive:
        for name in archive.namelist()[:-2]:
            assert hashlib.sha256(archive.read(name)).digest() == hashlib.sha256(block).digest()


def _resident(stack: TestStack) -> int:
    """Resident memory of the web server's processes together, in bytes."""
    port = stack.stack["site"].rpartition(":")[2]
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            if "gunicorn" in command and f":{port}\0" in command:
                total += int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        except OSError:
            continue
    return total


def test_a_file_that_is_gone_from_storage_fails_the_download(
    town: Town, stack: TestStack, tmp_path: Path
) -> None:
    """The connection ends in the middle, so that no browser keeps half an archive."""
    case, home = new_case(town)
    bucket = stack.stack["bucket"]
    lay_down(case, bucket, PDF, "there.pdf")
    lost = lay_down(case, bucket, PDF, "lost.pdf")
    s3_client().delete_object(Bucket=bucket, Key=lost.s3_key, VersionId=str(lost.version_id))
    target = tmp_path / "made.zip"
    with pytest.raises(httpx.RemoteProtocolError):
        download(town.a, f"{home}files/zip", target)
    assert not zipfile.is_zipfile(target)
    changed = lay_down(case, bucket, PDF, "changed.pdf", sha256="0" * 64)
    with pytest.raises(httpx.RemoteProtocolError):
        download(town.a, f"{home}files/zip?file={changed.file_id}", target)
    assert not zipfile.is_zipfile(target)
    log = (stack.state / "log" / "web.log").read_text()
    assert "request broke off" in log
    assert not [line for line in log.splitlines() if not line.startswith("{")]
