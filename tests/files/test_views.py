"""Files over HTTP: who gets what answer, in which form."""

import io
import json
import re
import socket
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from django.utils.html import escape

from accounts.actors import Actor
from accounts.tables import AuditEvent
from files import uploads, zips
from files.sending import STALLED_SECONDS
from files.tables import File, Usage
from filevault.dynamo import new_id
from tests.files import samples
from tests.files.space import C1, C2, OTHER_ON_CASE, A, B, FakeSpace, put, row
from tests.files.test_downloads import available

_PEOPLE: dict[str, Actor] = {"A": A, "B": B, "C1": C1, "C2": C2, "C3": OTHER_ON_CASE}


class AsWhom:
    """Stands in for the session: the actor that the header names."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.actor = _PEOPLE.get(request.headers.get("X-Test-Actor", ""))  # type: ignore[attr-defined]
        return self.get_response(request)


@pytest.fixture(autouse=True)
def routes(settings: LazySettings, space: FakeSpace) -> None:
    settings.ROOT_URLCONF = "tests.files.urls"
    real = {"accounts.middleware.ActorMiddleware", "cases.middleware.PortalActorMiddleware"}
    kept = [name for name in settings.MIDDLEWARE if name not in real]
    settings.MIDDLEWARE = [*kept, "tests.files.test_views.AsWhom"]


def browser(who: str = "") -> Client:
    return Client(headers={"X-Test-Actor": who} if who else {})


def post_json(who: str, path: str, body: Any, **extra: Any) -> Any:
    return browser(who).post(path, json.dumps(body), content_type="application/json", **extra)


LETTER = {"fileName": "letter.pdf", "mimeType": "", "size": len(samples.PDF)}
PRESIGN = {"A": "/cases/one/files/presign", "C1": "/portal/one/files/presign"}


@pytest.mark.parametrize("who", ["A", "C1"])
def test_from_presign_to_download(space: FakeSpace, who: str) -> None:
    begun = post_json(who, PRESIGN[who], LETTER)
    assert begun.status_code == 201
    answer = begun.json()
    assert set(answer) == {
        "fileId",
        "fileName",
        "method",
        "url",
        "fields",
        "expiresIn",
        "confirmUrl",
        "abortUrl",
    }
    assert (answer["method"], answer["expiresIn"]) == ("POST", 300)
    assert begun.headers["Cache-Control"] == "no-store"
    early = post_json(who, answer["confirmUrl"], {})
    assert (early.status_code, early.json()["code"]) == (409, "not_uploaded")
    file = File.get(space.space_id, answer["fileId"])
    put(file, samples.PDF)
    for _ in range(2):
        done = post_json(who, answer["confirmUrl"], {})
        assert (done.status_code, done.json()["state"]) == (200, "AVAILABLE")
    assert "s3Key" not in done.json()
    path = answer["confirmUrl"].replace("confirm/", "") + "/download"
    got = browser(who).get(path)
    assert got.status_code == 302
    assert got.headers["Cache-Control"] == "no-store"
    assert got.headers["Referrer-Policy"] == "no-referrer"
    query = parse_qs(urlsplit(got.headers["Location"]).query)
    assert query["versionId"] == [row(file).version_id]


@pytest.mark.parametrize("path", ["/cases/one", "/portal/one"])
def test_a_script_is_told_where_a_file_is_and_what_it_has_to_be(
    space: FakeSpace, path: str
) -> None:
    file = available(space)
    who = "A" if path.startswith("/cases") else "C1"
    address = f"{path}/files/{file.file_id}/download"
    got = browser(who).get(address, headers={"Accept": "application/json"})
    answer = got.json()
    assert (got.status_code, got.headers["Cache-Control"]) == (200, "no-store")
    query = parse_qs(urlsplit(answer.pop("url")).query)
    assert query["versionId"] == [file.version_id]
    assert answer == {"expiresIn": 120, "size": len(samples.PDF), "sha256": file.sha256 or ""}
    actions = [event.action for event in AuditEvent.query(space.space_id, consistent_read=True)]
    assert actions[-1] == "file:downloaded"
    refused = browser("C2").get(address, headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert browser().get(address, headers={"Accept": "application/json"}).status_code == 401


def test_a_page_saves_large_files_alone_by_script(space: FakeSpace, settings: LazySettings) -> None:
    file = available(space, "Größe & Gewicht.pdf")
    large = f'data-save-as="{escape(file.file_name)}"'
    assert "data-save-as" not in browser("A").get("/cases/one/files/").text
    settings.MULTIPART_THRESHOLD = len(samples.PDF) - 1
    assert browser("A").get("/cases/one/files/").text.count(large) == 1


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({**LETTER, "s3Key": "cases/other/key"}, 422, "s3Key"),
        ({**LETTER, "userId": "somebody"}, 422, "userId"),
        ({**LETTER, "caseId": "two"}, 422, "caseId"),
        ({**LETTER, "fileName": "in\u202efdp.exe"}, 422, "fileName"),
        ({**LETTER, "fileName": "../../x"}, 422, "fileName"),
        ({**LETTER, "fileName": "a\r\nb"}, 422, "fileName"),
        ({**LETTER, "fileName": "\ud800"}, 422, "fileName"),
        ({**LETTER, "fileName": "x" * 10_000}, 422, "fileName"),
        ({**LETTER, "fileName": ["a.pdf"]}, 422, "fileName"),
        ({**LETTER, "size": "many"}, 422, "size"),
        ({**LETTER, "size": 10**400}, 413, "size"),
        ({**LETTER, "mimeType": 5}, 422, "mimeType"),
        ({**LETTER, "sha256": "00"}, 422, "sha256"),
        ({}, 422, "fileName"),
    ],
)
def test_bad_bodies_are_answered_by_field_Z4_Z7_U7(
    space: FakeSpace, body: dict[str, Any], status: int, field: str
) -> None:
    answer = post_json("A", PRESIGN["A"], body)
    assert answer.status_code == status
    assert list(answer.json()["fields"]) == [field]
    assert answer.json()["message"]
    assert File.count(space.space_id) == 0


@pytest.mark.parametrize(
    "name", ["👩‍⚕️.pdf", "דו״ח.pdf", "\ud800a.pdf", "a\r\nb.pdf", "x" * 10_000 + ".pdf"]
)
def test_odd_names_are_taken_cleaned_U7(name: str) -> None:
    answer = post_json("A", PRESIGN["A"], {**LETTER, "fileName": name})
    assert answer.status_code == 201
    assert answer.json()["fileName"].endswith(".pdf")


def test_json_alone_is_taken_W1() -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = browser("A").post(
            PRESIGN["A"], json.dumps(LETTER), content_type=f"{content_type}; boundary=x"
        )
        assert answer.status_code == 415


def test_unsafe_calls_need_the_csrf_token_W1(space: FakeSpace) -> None:
    file = available(space)
    strict = Client(enforce_csrf_checks=True, headers={"X-Test-Actor": "A"})
    for path in ("presign", f"confirm/{file.file_id}", f"{file.file_id}/delete"):
        answer = strict.post(f"/cases/one/files/{path}", "{}", content_type="application/json")
        assert answer.status_code == 403
    assert row(file).state == "AVAILABLE"


def all_routes(file_id: str) -> list[tuple[str, str]]:
    json_routes = ["presign", f"confirm/{file_id}", f"abort/{file_id}"]
    pages = ["", "add", f"{file_id}/uploaded", f"{file_id}/download", f"{file_id}/delete"]
    pages += ["zip", f"zip?file={file_id}"]
    return [
        *(("POST", route) for route in json_routes),
        *(("GET", route) for route in pages),
        *(("HEAD", route) for route in pages),
        ("POST", "add"),
        ("POST", f"{file_id}/delete"),
    ]


def call(who: str, method: str, path: str) -> Any:
    if method != "POST":
        return browser(who).generic(method, path)
    if path.endswith(("add", "delete")):
        return browser(who).post(path)
    return post_json(who, path, {})


@pytest.mark.parametrize(("who", "area"), [("B", "cases"), ("C2", "portal")])
def test_a_stranger_gets_what_a_random_id_gets_Z2(space: FakeSpace, who: str, area: str) -> None:
    file = available(space)
    for method, route in all_routes(file.file_id):
        real = call(who, method, f"/{area}/one/files/{route}")
        unknown = call(who, method, f"/{area}/nowhere/files/{route}")
        assert (real.status_code, real.content) == (404, unknown.content), route
        assert unknown.status_code == 404
    assert row(file).state == "AVAILABLE"


def test_an_unknown_file_is_404_for_members_too() -> None:
    for method, route in all_routes(new_id()):
        if "-" in route:
            assert call("A", method, f"/cases/one/files/{route}").status_code == 404


def test_nobody_gets_401_or_the_login_Z2(space: FakeSpace) -> None:
    file = available(space)
    for method, route in all_routes(file.file_id):
        status = call("", method, f"/cases/one/files/{route}").status_code
        assert status in ({401} if "presign" in route or "confirm" in route else {401, 302})


def test_confirm_and_abort_are_for_who_began_Z4(space: FakeSpace) -> None:
    file, _ = uploads.begin(C1, space, file_name="a.pdf", size=5)
    for route in ("confirm", "abort"):
        for who, area in (("A", "cases"), ("C3", "portal")):
            assert (
                post_json(who, f"/{area}/one/files/{route}/{file.file_id}", {}).status_code == 404
            )
    assert row(file).state == "PENDING"
    answer = post_json("C1", f"/portal/one/files/abort/{file.file_id}", {})
    assert (answer.status_code, answer.json()["state"]) == (200, "ABORTED")


def test_deletion_asks_first_and_answers_alike_twice(space: FakeSpace) -> None:
    file = available(space, "Letter <b>.pdf")
    path = f"/cases/one/files/{file.file_id}/delete"
    page = browser("A").get(path)
    assert "Letter _b_.pdf" in page.content.decode()
    assert row(file).state == "AVAILABLE"
    first, second = (browser("A").post(path) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert first.headers["Location"] == second.headers["Location"] == "/cases/one/"
    assert browser("A").get(path).status_code == 404
    assert browser("A").get(path.replace("delete", "download")).status_code == 404


def test_clients_cant_delete_what_others_sent(space: FakeSpace) -> None:
    file = available(space)
    path = f"/portal/one/files/{file.file_id}/delete"
    assert browser("C3").get(path).status_code == 403
    assert browser("C3").post(path).status_code == 403
    assert path not in browser("C3").get("/portal/one/files/").content.decode()
    assert path in browser("C1").get("/portal/one/files/").content.decode()


def test_the_list_is_newest_first_and_paged(space: FakeSpace) -> None:
    for number in range(52):
        file, _ = uploads.begin(C1, space, file_name=f"n{number:02}.pdf", size=len(samples.PDF))
        if number % 2 == 0:
            put(file, samples.PDF)
            uploads.confirm(C1, space, file.file_id)
            file.update(
                [File.state.set("REJECTED"), File.reason.set("markup")]
                if number == 50
                else [File.state.set("AVAILABLE")]
            )
    for number in range(60, 90):
        available(space, f"n{number}.pdf")
    first = browser("A").get("/cases/one/files/").content.decode()
    assert first.index("n89.pdf") < first.index("n60.pdf") < first.index("n50.pdf")
    assert "n49.pdf" not in first  # never arrived
    assert "web page code" in first
    assert "Clara One" in first
    (_, _, rest) = first.partition("?cursor=")
    second = browser("A").get(f"/cases/one/files/?cursor={rest.partition(chr(34))[0]}")
    seen = second.content.decode()
    assert "n00.pdf" in seen
    assert "n50.pdf" not in seen
    assert "data-more" in first
    assert "data-more" not in seen


def test_a_script_gets_the_rows_alone(space: FakeSpace) -> None:
    available(space)
    rows = browser("A").get("/cases/one/files/", headers={"HX-Request": "true"})
    assert "letter.pdf" in rows.content.decode()
    assert "<html" not in rows.content.decode()
    assert "HX-Request" in rows.headers["Vary"]


def test_a_broken_cursor_says_so() -> None:
    assert browser("A").get("/cases/one/files/?cursor=abc").status_code == 422


def test_a_closed_space_shows_files_and_takes_none(space: FakeSpace) -> None:
    available(space)
    space.is_open = False
    page = browser("A").get("/cases/one/files/").content.decode()
    assert "letter.pdf" in page
    assert "data-uploader" not in page
    assert post_json("A", PRESIGN["A"], LETTER).status_code == 403
    assert browser("A").get("/cases/one/files/add").status_code == 403


def test_the_plain_way_works_without_script(space: FakeSpace, settings: LazySettings) -> None:
    client = browser("C1")
    asked = client.get("/portal/one/files/add").content.decode()
    assert "fileName" in asked
    assert "The others see it under this name" in asked
    refused = client.post("/portal/one/files/add", {"fileName": "virus.exe"}).content.decode()
    assert "virus.exe" in refused
    assert "PDF" in refused
    page = client.post("/portal/one/files/add", {"fileName": "brief.pdf"})
    (file,) = File.query(space.space_id)
    back = f"http://testserver/portal/one/files/{file.file_id}/uploaded"
    assert f'name="success_action_redirect" value="{back}"' in page.content.decode()
    assert f'action="{settings.STORAGE_ORIGIN}' in page.content.decode()
    assert settings.STORAGE_ORIGIN in page.headers["Content-Security-Policy"]
    assert client.get(back).status_code == 409
    put(file, samples.PDF)
    for _ in range(2):
        landed = client.get(f"{back}?bucket=b&key=k&etag=e")
        assert (landed.status_code, landed.headers["Location"]) == (302, "/portal/one/")
    assert row(file).state == "AVAILABLE"
    used = Usage.fetch(space.owner_id)
    assert used is not None
    assert used.bytes_used == len(samples.PDF)


def test_an_archive_over_http_Z8(space: FakeSpace) -> None:
    file = available(space)
    for query in ("", f"?file={file.file_id}&file={file.file_id}"):
        head = browser("C1").head(f"/portal/one/files/zip{query}")
        answer = browser("C1").get(f"/portal/one/files/zip{query}")
        content = b"".join(answer)
        assert zipfile.ZipFile(io.BytesIO(content)).namelist()[0] == "letter.pdf"
        for response in (head, answer):
            assert response.status_code == 200
            assert response.headers["Content-Type"] == "application/zip"
            assert response.headers["Cache-Control"] == "no-store"
            disposition = response.headers["Content-Disposition"]
            assert re.match(r'attachment; filename="files-\d{4}-\d\d-\d\d\.zip"; ', disposition)
            assert "Content-Length" not in response.headers
    events = [event.action for event in AuditEvent.query(space.space_id, consistent_read=True)]
    assert events.count("file:zip_downloaded") == 2
    assert browser("C1").post("/portal/one/files/zip").status_code == 405


def test_a_head_of_an_archive_takes_no_place(space: FakeSpace, settings: LazySettings) -> None:
    available(space)
    settings.ZIP_CONCURRENCY = 1
    zips._places.cache_clear()
    taken = zips.open_zip(A, space)
    assert browser("A").head("/cases/one/files/zip").status_code == 200
    refused = browser("A").get("/cases/one/files/zip")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert "wait for its turn" in refused.content.decode()
    taken.close()
    assert browser("A").head("/cases/one/files/zip").status_code == 200
    assert browser("A").get("/cases/one/files/zip").status_code == 200
    zips._places.cache_clear()


def test_a_reader_that_takes_nothing_is_let_go(space: FakeSpace) -> None:
    """gunicorn's socket has no time-out of its own, and a stalled reader would keep its place."""
    available(space)
    with socket.socket() as connection:
        answer = browser("A").get("/cases/one/files/zip", **{"gunicorn.socket": connection})  # type: ignore[arg-type]
        assert answer.status_code == 200
        assert connection.gettimeout() == STALLED_SECONDS


def test_archives_that_are_turned_off_are_not_offered(
    space: FakeSpace, settings: LazySettings
) -> None:
    file = available(space)
    page = browser("A").get("/cases/one/files/").content.decode()
    assert 'href="/cases/one/files/zip"' in page
    assert f'name="file" value="{file.file_id}"' in page
    settings.ZIP_DOWNLOADS = False
    page = browser("A").get("/cases/one/files/").content.decode()
    assert "files/zip" not in page
    assert 'name="file"' not in page
    assert browser("A").get("/cases/one/files/zip").status_code == 404
    assert browser("A").head("/cases/one/files/zip").status_code == 404
