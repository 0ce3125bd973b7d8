"""Thumbnails and previews on the real stack: made by the worker, shown by storage, gone with the
file."""

import re
from html import unescape

import httpx
import pytest

from files.keys import derived_keys
from files.sniffing import HEAD
from files.types import get_type
from filevault.aws import s3_client
from tests.files import samples
from tests.files.pictures import camera_exif, colours, decoded, encoded, half_and_half
from tests.files.space import row_by_id
from tests.security.people import NO_TLS, Person
from tests.stack import TestStack
from tests.waiting import wait_until

pytestmark = pytest.mark.stack

PHOTO = encoded(half_and_half(1800, 1200), "HEIF", exif=camera_exif(1))
#: Pages that run, in files that are what their names say all the same.
POLYGLOTS = {
    "page.pdf": samples.HTML + samples.PDF,
    "page.png": samples.PNG + samples.HTML,
    "page.jpg": samples.JPEG + samples.SVG,
    "page.webp": samples.WEBP + samples.HTML,
    "page.heic": samples.HEIC + samples.HTML,
    "page.tif": samples.TIFF + samples.SVG,
    "page.dcm": samples.HTML.ljust(128) + b"DICM" + bytes(32),
    "page.zip": samples.zipped(("index.html", samples.HTML)),
    "late.txt": b"x" * HEAD + samples.HTML,
    "late.csv": b"x" * HEAD + samples.SVG,
}


def fetch(url: str) -> httpx.Response:
    return httpx.get(unescape(url), verify=NO_TLS, timeout=20)


def versions(stack: TestStack, key: str) -> list[str]:
    """Everything that lies under a key and whatever begins with it, delete markers too."""
    found = s3_client().list_object_versions(Bucket=stack.stack["bucket"], Prefix=key)
    return [v["Key"] for v in (*found.get("Versions", []), *found.get("DeleteMarkers", []))]


def test_from_the_upload_to_the_last_version_T4_D2(app: str, stack: TestStack) -> None:
    ann = Person(app, stack).sign_in("anna.novak@example.test")
    client = ann.add_client("Paul Photo", "paul.photo@example.test")
    home = f"/cases/{ann.open_case('Photos', client)}/"
    file_id = ann.upload(home, name="IMG_1.heic", content=PHOTO)["fileId"]
    path = f"{home}files/{file_id}"
    [thumb] = wait_until(
        lambda: re.findall(r'<img class="thumb" src="([^"]+)"', ann.get(home).text), "no thumbnail"
    )
    view = ann.get(f"{path}/view")
    assert view.headers["Cache-Control"] == "no-store"
    [picture] = re.findall(r'<img src="([^"]+)"', view.text)
    for url, size in ((thumb, (320, 213)), (picture, (1600, 1067))):
        shown = fetch(url)
        assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/jpeg")
        assert shown.headers["Content-Disposition"].startswith("inline;")
        assert shown.headers["Cache-Control"] == "no-store"
        assert decoded(shown.content).size == size
        assert colours(decoded(shown.content))[:2] == ("red", "blue")
    row = row_by_id(file_id)
    kept = sorted([row.s3_key, *derived_keys(row.s3_key)])
    assert sorted(versions(stack, row.s3_key)) == kept
    assert ann.post(f"{path}/delete").status_code == 302
    wait_until(lambda: row_by_id(file_id).purged_at, "the purge")
    assert versions(stack, row.s3_key) == []
    for url in (thumb, picture):
        assert fetch(url).status_code == 404
    assert ann.get(f"{path}/view").status_code == 404


def test_an_address_shows_what_was_signed_and_nothing_else_D2_U6(
    app: str, stack: TestStack
) -> None:
    """Neither type nor disposition of a signed address can be changed into a page that runs."""
    ann = Person(app, stack).sign_in("anna.novak@example.test")
    client = ann.add_client("Nora Nice", "nora.nice@example.test")
    home = f"/cases/{ann.open_case('Types', client)}/"
    file_id = ann.upload(home, name="a.pdf", content=encoded(half_and_half(), "PDF"))["fileId"]
    opened = ann.get(f"{home}files/{file_id}/open").headers["Location"]
    shown = fetch(opened)
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "application/pdf")
    forged = opened.replace("application%2Fpdf", "text%2Fhtml")
    assert forged != opened
    assert fetch(forged).status_code == 403
    text_id = ann.upload(home, name="a.txt", content=b"plain words")["fileId"]
    page = ann.get(f"{home}files/{text_id}/view")
    assert "X-Amz-Signature" not in page.text
    assert ann.get(f"{home}files/{text_id}/open").status_code == 404
    for name, content in POLYGLOTS.items():
        path = f"{home}files/{ann.upload(home, name=name, content=content)['fileId']}"
        kind = get_type(name)
        saved = fetch(ann.get(f"{path}/download").headers["Location"])
        assert saved.headers["Content-Type"] == kind.mime_type
        assert saved.headers["Content-Disposition"].startswith("attachment;")
        inline = ann.get(f"{path}/open")
        assert inline.status_code == (302 if kind.is_inline else 404), name
        if kind.is_inline:
            shown = fetch(inline.headers["Location"])
            assert shown.headers["Content-Type"] == kind.mime_type
            assert shown.headers["Content-Disposition"].startswith("inline;")
    for name in ("a.svg", "a.html", "a.xml", "a.xhtml"):
        body = {"fileName": name, "size": 9}
        assert ann.call(f"{home}files/presign", body, page=home).status_code == 422
