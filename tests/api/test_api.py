"""The JSON API from outside: each operation, and every refusal of it."""

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings

from accounts.tables import AuditEvent, User
from files import uploads
from files.tables import Usage
from filevault.dynamo import new_id, now
from filevault.mail import address_hash
from tests.api.conftest import Caller, stored, with_session
from tests.cases.casework import make_case, make_client
from tests.cast import Cast
from tests.files import samples
from tests.files.space import put

PRESIGN = {"fileName": "letter.pdf", "mimeType": "application/pdf", "size": len(samples.PDF)}
FILE_FIELDS = {
    "fileId",
    "userId",
    "uploadedBy",
    "fileName",
    "s3Key",
    "size",
    "mimeType",
    "sha256",
    "createdAt",
    "sharedWith",
    "isReadOnly",
    "state",
    "caseId",
    "actions",
}


# --- Every operation ---


def test_a_file_goes_into_the_vault_and_out_again(cast: Cast, anna: Caller) -> None:
    begun = anna("POST", "files/presign-upload", PRESIGN)
    assert begun.status_code == 201
    assert set(begun.json()) == {"fileId", "method", "url", "fields", "expiresIn"}
    assert begun.json()["method"] == "POST"
    assert begun.json()["fields"]["key"].startswith(f"users/{cast.a.user_id}/")

    file_id = anna.upload()
    listed = anna("GET", "files/list").json()
    assert listed["shared"] == []
    assert listed["nextCursor"] is None
    [file] = listed["owned"]
    assert set(file) == FILE_FIELDS
    assert file["fileId"] == file_id
    assert file["userId"] == cast.a.user_id
    assert file["uploadedBy"] == f"user:{cast.a.user_id}"
    assert file["s3Key"] == stored(file_id).s3_key
    assert (file["caseId"], file["isReadOnly"], file["state"]) == (None, True, "AVAILABLE")
    assert file["actions"] == ["download", "share", "delete"]

    got = anna("GET", f"files/download?fileId={file_id}")
    assert set(got.json()) == {"url", "expiresIn"}
    assert "versionId=" in got.json()["url"]
    assert got.json()["expiresIn"] == 120

    gone = anna("DELETE", f"files/delete?fileId={file_id}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert anna("GET", "files/list").json()["owned"] == []
    assert anna("GET", f"files/download?fileId={file_id}").status_code == 404


def test_what_has_not_arrived_is_told_and_can_be_given_up(anna: Caller) -> None:
    file_id = anna("POST", "files/presign-upload", PRESIGN).json()["fileId"]
    missing = anna("POST", "files/metadata", {"fileId": file_id})
    assert (missing.status_code, missing.json()["code"]) == (409, "not_uploaded")
    assert anna("DELETE", f"files/uploads/{file_id}").status_code == 204
    over = anna("POST", "files/metadata", {"fileId": file_id})
    assert (over.status_code, over.json()["code"]) == (409, "upload_over")


def test_a_large_file_goes_in_parts(anna: Caller, settings: LazySettings) -> None:
    settings.MULTIPART_THRESHOLD = 1024
    begun = anna("POST", "files/presign-upload", PRESIGN | {"size": 2048}).json()
    assert set(begun) == {"fileId", "method", "uploadId", "partSize", "partCount"}
    assert (begun["method"], begun["partCount"]) == ("MULTIPART", 1)
    path = f"files/uploads/{begun['fileId']}/parts"
    assert anna("GET", path).json() == {"parts": []}
    checksum = base64.b64encode(hashlib.sha256(b"part").digest()).decode()
    signed = anna("POST", path, {"partNumbers": [1], "checksums": {"1": checksum}})
    assert signed.status_code == 200
    [(number, part)] = signed.json()["urls"].items()
    assert number == "1"
    assert part["headers"] == {"x-amz-checksum-sha256": checksum}
    bad = anna("POST", path, {"partNumbers": [7], "checksums": {"7": checksum}})
    assert (bad.status_code, list(bad.json()["fields"])) == (422, ["partNumbers"])


def test_a_file_of_a_case(cast: Cast, anna: Caller, ben: Caller) -> None:
    case = make_case(cast.a, make_client(cast.a))
    file_id = anna.upload(caseId=case.case_id)
    listed = anna("GET", f"files/list?caseId={case.case_id}").json()
    assert [file["fileId"] for file in listed["owned"]] == [file_id]
    assert listed["owned"][0]["caseId"] == case.case_id
    assert listed["owned"][0]["actions"] == ["download", "delete"]
    assert anna("GET", "files/list").json()["owned"] == []
    assert (
        anna("POST", "files/share", {"fileId": file_id, "email": "x@example.test"}).status_code
        == 403
    )
    assert ben("GET", f"files/list?caseId={case.case_id}").status_code == 404
    assert (
        ben("POST", "files/presign-upload", PRESIGN | {"caseId": case.case_id}).status_code == 404
    )


def test_sharing_by_address_tells_nobody_who_has_an_account(
    cast: Cast, anna: Caller, ben: Caller
) -> None:
    User(cast.b.user_id).update([User.email_hash.set(address_hash(cast.b.email))])
    file_id = anna.upload()
    for email in (cast.b.email, "nobody@example.test"):
        answer = anna("POST", "files/share", {"fileId": file_id, "email": email})
        assert (answer.status_code, answer.json()) == (200, {"fileId": file_id})
    [file] = anna("GET", "files/list").json()["owned"]
    assert file["sharedWith"] == [cast.b.email, "nobody@example.test"]


def test_who_a_file_is_shared_with_reads_it_and_no_more(
    cast: Cast, anna: Caller, ben: Caller
) -> None:
    file_id = anna.upload()
    named = {"fileId": file_id, "userId": cast.b.user_id}
    assert anna("POST", "files/share", named).status_code == 200
    listed = ben("GET", "files/list").json()
    assert listed["owned"] == []
    [file] = listed["shared"]
    assert set(file) == FILE_FIELDS - {"s3Key"}
    assert (file["actions"], file["sharedWith"]) == (["download"], [])
    assert ben("GET", f"files/download?fileId={file_id}").status_code == 200
    assert ben("DELETE", f"files/delete?fileId={file_id}").status_code == 403
    assert ben("POST", "files/share", named).status_code == 403
    assert anna("DELETE", "files/share", named).status_code == 200
    assert ben("GET", f"files/download?fileId={file_id}").status_code == 404


def test_a_list_goes_on_by_cursor(cast: Cast, anna: Caller, ben: Caller) -> None:
    sent = [anna.upload(f"letter {number}.pdf") for number in range(3)]
    first = anna("GET", "files/list?limit=2").json()
    assert [file["fileId"] for file in first["owned"]] == sent[:0:-1]
    rest = anna("GET", f"files/list?limit=2&cursor={first['nextCursor']}").json()
    assert [file["fileId"] for file in rest["owned"]] == sent[:1]
    assert rest["nextCursor"] is None
    stolen = ben("GET", f"files/list?cursor={first['nextCursor']}")
    assert (stolen.status_code, stolen.json()["code"]) == (400, "bad_cursor")
    with time_machine.travel(now() + timedelta(days=1, minutes=1)):
        late = with_session(cast.a)("GET", f"files/list?cursor={first['nextCursor']}")
    assert (late.status_code, late.json()["code"]) == (400, "bad_cursor")


# --- Refusals ---


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "fileName"),
        (PRESIGN | {"size": "5"}, "size"),
        (PRESIGN | {"size": True}, "size"),
        (PRESIGN | {"size": 1.5}, "size"),
        (PRESIGN | {"size": 0}, "size"),
        (PRESIGN | {"fileName": {"a": 1}}, "fileName"),
        (PRESIGN | {"fileName": "x" * 2000 + ".pdf"}, "fileName"),
        (PRESIGN | {"fileName": "program.exe"}, "fileName"),
        (PRESIGN | {"owner": "me"}, "owner"),
        (PRESIGN | {"sha256": "abc"}, "sha256"),
        (PRESIGN | {"caseId": "../x"}, "caseId"),
        ({"fileName": "a.pdf", "size": 4}, "mimeType"),
    ],
)
def test_wrong_fields_are_named(anna: Caller, body: dict[str, Any], field: str) -> None:
    answer = anna("POST", "files/presign-upload", body)
    assert answer.status_code == 422
    assert {"code", "message", "fields"} == set(answer.json())
    assert field in answer.json()["fields"]


def test_bodies_that_are_no_json_object(anna: Caller) -> None:
    for content in ("{", "[1]", '"x"', "[" * 5000, '{"fileId": "\\ud800"}', "null"):
        answer = anna.http.post("/api/files/metadata", content, content_type="application/json")
        assert answer.status_code == 422, content
        assert {"code", "message"} <= set(answer.json())
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/xml"):
        answer = anna.http.post("/api/files/metadata", "{}", content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_queries_that_are_not_known_or_wrong(anna: Caller) -> None:
    for query in ("limit=0", "limit=101", "limit=x", "caseId=1", "more=1", "limit=5&page=2"):
        answer = anna("GET", f"files/list?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), query
    assert anna("GET", "files/download").json()["fields"].keys() == {"fileId"}
    twice = anna("GET", "files/list?limit=1&cursor=&limit=2")
    assert (twice.status_code, twice.json()["fields"].keys()) == (422, {"limit"})
    broken = anna("GET", "files/list?cursor=broken")
    assert (broken.status_code, broken.json()["code"]) == (400, "bad_cursor")


def test_other_methods_are_405_in_json(anna: Caller) -> None:
    for method in ("PUT", "PATCH", "GET", "DELETE"):
        answer = anna(method, "files/presign-upload")
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST"
    assert anna("POST", "openapi.json").status_code == 405
    other = anna("PUT", "files/list")
    assert set(other.headers["Allow"].split(", ")) == {"GET", "HEAD"}


def test_head_answers_like_get_without_a_body(anna: Caller, ben: Caller) -> None:
    file_id = anna.upload()
    for path, status in (
        ("files/list?limit=1", 200),
        (f"files/download?fileId={file_id}", 200),
        (f"files/download?fileId={new_id()}", 404),
        (f"files/uploads/{file_id}/parts", 404),
        ("files/list?more=1", 422),
    ):
        got, asked = anna("GET", path), anna("HEAD", path)
        assert (got.status_code, asked.status_code) == (status, status), path
        assert asked.headers["Content-Type"] == got.headers["Content-Type"]
        assert asked.content == b""
    assert ben("HEAD", f"files/download?fileId={file_id}").status_code == 404
    assert "head" not in anna("GET", "openapi.json").json()["paths"]["/api/files/list"]


def test_what_one_may_not_know_of_reads_like_a_random_id(
    cast: Cast, anna: Caller, ben: Caller
) -> None:
    file_id = anna.upload()
    waiting = anna("POST", "files/presign-upload", PRESIGN).json()["fileId"]

    def refusals(target: str) -> list[tuple[int, bytes]]:
        named = {"fileId": target}
        answers = [
            ben("GET", f"files/download?fileId={target}"),
            ben("DELETE", f"files/delete?fileId={target}"),
            ben("POST", "files/metadata", named),
            ben("POST", "files/share", named | {"email": "x@example.test"}),
            ben("DELETE", "files/share", named | {"email": "x@example.test"}),
            ben("DELETE", f"files/uploads/{target}"),
            ben("GET", f"files/uploads/{target}/parts"),
            ben("POST", f"files/uploads/{target}/parts", {"partNumbers": [1], "checksums": {}}),
        ]
        return [(answer.status_code, answer.content) for answer in answers]

    random = refusals(new_id())
    assert {status for status, _body in random} == {404}
    assert refusals(file_id) == refusals(waiting) == random


def test_without_sign_in_everything_is_401(nobody: Caller) -> None:
    for method, path in (
        ("GET", "files/list"),
        ("POST", "files/presign-upload"),
        ("GET", f"files/download?fileId={new_id()}"),
        ("POST", "auth/logout"),
    ):
        answer = nobody(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), path
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_needs_the_csrf_token_to_change_anything(cast: Cast) -> None:
    program = with_session(cast.a, csrf=True)
    refused = program("POST", "files/presign-upload", PRESIGN)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert program("GET", "files/list").status_code == 200
    program.http.get("/files/")
    token = program.http.cookies["csrf"].value
    allowed = program("POST", "files/presign-upload", PRESIGN, **{"X-CSRFToken": token})
    assert allowed.status_code == 201


def test_presigning_is_limited(anna: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UPLOADS", replace(uploads.UPLOADS, actor=1))
    assert anna("POST", "files/presign-upload", PRESIGN).status_code == 201
    answer = anna("POST", "files/presign-upload", PRESIGN)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


# --- Idempotency-Key ---


def test_the_same_key_does_the_work_once(cast: Cast, anna: Caller) -> None:
    key = {"Idempotency-Key": "one"}
    first = anna("POST", "files/presign-upload", PRESIGN, **key)
    again = anna("POST", "files/presign-upload", PRESIGN, **key)
    assert (
        (again.status_code, again.json())
        == (first.status_code, first.json())
        == (201, first.json())
    )
    usage = Usage.fetch(cast.a.user_id)
    assert usage is not None
    assert int(usage.file_count) == 1
    other = anna("POST", "files/presign-upload", PRESIGN | {"size": 7}, **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    with time_machine.travel(now() + timedelta(hours=24, minutes=1)):
        later = with_session(cast.a)("POST", "files/presign-upload", PRESIGN, **key)
    assert later.json()["fileId"] != first.json()["fileId"]


def test_a_key_belongs_to_one_actor_and_keeps_no_refusal(
    cast: Cast, anna: Caller, ben: Caller
) -> None:
    key = {"Idempotency-Key": "one"}
    file_id = anna("POST", "files/presign-upload", PRESIGN, **key).json()["fileId"]
    assert ben("POST", "files/presign-upload", PRESIGN, **key).json()["fileId"] != file_id
    assert anna("POST", "files/metadata", {"fileId": file_id}, **key).status_code == 409
    put(stored(file_id), samples.PDF)
    first = anna("POST", "files/metadata", {"fileId": file_id}, **key)
    assert (first.status_code, first.json()["state"]) == (200, "AVAILABLE")
    assert anna("POST", "files/metadata", {"fileId": file_id}, **key).json() == first.json()


def test_two_at_once_do_not_both_work(anna: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    inner: list[Any] = []
    begin = uploads.begin

    def slow(*args: Any, **values: Any) -> Any:
        monkeypatch.setattr(uploads, "begin", begin)
        inner.append(anna("POST", "files/presign-upload", PRESIGN, **{"Idempotency-Key": "k"}))
        return begin(*args, **values)

    monkeypatch.setattr(uploads, "begin", slow)
    outer = anna("POST", "files/presign-upload", PRESIGN, **{"Idempotency-Key": "k"})
    assert outer.status_code == 201
    assert (inner[0].status_code, inner[0].json()["code"]) == (409, "in_progress")


# --- Login, documents ---


def test_a_download_is_recorded(cast: Cast, anna: Caller) -> None:
    file_id = anna.upload()
    anna("GET", f"files/download?fileId={file_id}")
    events = AuditEvent.query(f"user:{cast.a.user_id}", consistent_read=True)
    assert [event.target for event in events if event.action == "file:downloaded"] == [file_id]


def test_openapi_and_its_page_need_nothing_from_elsewhere(nobody: Caller) -> None:
    document = nobody("GET", "openapi.json").json()
    assert len(document["paths"]) == 10
    assert set(document["components"]["securitySchemes"]) == {"BearerToken", "SessionCookie"}
    page = nobody.http.get("/api/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "http://" not in text
    assert "https://" not in text
    assert "<style" not in text
    assert 'src="/static/ninja/swagger-ui-init.js"' in text
