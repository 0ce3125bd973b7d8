"""Errors as people and programs see them: W6, Z2, Z11, A3, I2."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import Client
from django.urls import include, path
from django.views.decorators.http import require_POST
from pynamodb.exceptions import GetError

from accounts.tables import User
from filevault import errors
from filevault.logs import JsonFormatter
from tests.faults.wire import open_wire

pytestmark = [pytest.mark.urls(__name__)]

SECRET = "arn:aws:dynamodb:eu-central-1:1:table/filevault-User s3://filevault-test /srv/app"


class Sign(Exception):
    """A mistake of ours, whose text must not be shown."""


RAISED: dict[str, Callable[[], Exception]] = {
    "not-found": errors.NotFound,
    "http404": lambda: Http404(SECRET),
    "forbidden": errors.Forbidden,
    "denied": lambda: PermissionDenied(SECRET),
    "suspicious": lambda: SuspiciousOperation(SECRET),
    "invalid": lambda: errors.Invalid(fields={"name": "Please enter a name."}),
    "too-large": lambda: errors.TooLarge("This file is larger than 200 MB."),
    "conflict": errors.Conflict,
    "limited": lambda: errors.RateLimited(42),
    "unavailable": errors.Unavailable,
    "store": lambda: GetError(SECRET),
    "storage": lambda: ConnectTimeoutError(endpoint_url=SECRET),
    "database": lambda: OperationalError(SECRET),
    "mistake": lambda: Sign(SECRET),
    "signed-out": errors.NotSignedIn,
}
STATUS = {
    "not-found": 404,
    "http404": 404,
    "forbidden": 403,
    "denied": 403,
    "suspicious": 400,
    "invalid": 422,
    "too-large": 413,
    "conflict": 409,
    "limited": 429,
    "unavailable": 503,
    "store": 503,
    "storage": 503,
    "database": 503,
    "mistake": 500,
}


def fail(request: HttpRequest, kind: str) -> HttpResponse:
    raise RAISED[kind]()


@require_POST
def only_post(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{len(request.POST)} {request.body[:0]!r}")


def rows(request: HttpRequest) -> HttpResponse:
    return HttpResponse(User.fetch("x"))


def login(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


accounts_urls = ([path("login/", login, name="login")], "accounts")
urlpatterns = [
    path("fail/<str:kind>", fail),
    path("portal/fail/<str:kind>", fail),
    path("invite/<str:token>/<str:kind>", lambda request, token, kind: fail(request, kind)),
    path("post", only_post),
    path("rows", rows),
    path("", include(accounts_urls)),
]
handler400 = "filevault.views.bad_request"
handler403 = "filevault.views.forbidden"
handler404 = "filevault.views.not_found"
handler500 = "filevault.views.server_error"


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def records() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the product logs, as it stands in its log."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in text.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("kind", STATUS)
def test_error_is_one_plain_page_W6(browser: Client, kind: str) -> None:
    answer = browser.get(f"/fail/{kind}")
    page = answer.content.decode()
    assert answer.status_code == STATUS[kind]
    assert answer["Content-Type"].startswith("text/html")
    assert "<h1" in page
    for word in ("Traceback", "arn:", "s3://", "filevault-User", "filevault-test", "/srv/", ".py"):
        assert word not in page


@pytest.mark.parametrize("kind", STATUS)
def test_error_is_code_and_message_for_programs_W6(browser: Client, kind: str) -> None:
    answer = browser.get(f"/fail/{kind}", headers={"Accept": "application/json"})
    assert answer.status_code == STATUS[kind]
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) - {"fields"} == {"code", "message"}
    assert "arn:" not in answer.content.decode()


def test_invalid_names_its_fields(browser: Client) -> None:
    body = browser.get("/fail/invalid", headers={"Accept": "application/json"}).json()
    assert body["code"] == "invalid"
    assert body["fields"] == {"name": "Please enter a name."}
    assert "Please enter a name." in browser.get("/fail/invalid").content.decode()


def test_a_message_of_its_own_is_said(browser: Client) -> None:
    assert "larger than 200 MB" in browser.get("/fail/too-large").content.decode()


def test_retry_after_W5(browser: Client) -> None:
    assert browser.get("/fail/limited")["Retry-After"] == "42"
    for kind in ("unavailable", "store", "storage", "database"):
        assert int(browser.get(f"/fail/{kind}")["Retry-After"]) > 0


def test_all_404_are_the_same_bytes_Z2(browser: Client) -> None:
    paths = ["/fail/not-found", "/fail/http404", "/no/such/route", "/fail/not-found?q=1"]
    for headers in ({}, {"Accept": "application/json"}):
        pages = {browser.get(each, headers=headers).content for each in paths}
        assert len(pages) == 1
    browser.cookies["csrf"] = "a" * 32
    assert browser.get("/fail/not-found").content == Client().get("/no/such/route").content


def test_a_404_holds_no_token(browser: Client) -> None:
    page = browser.get("/fail/not-found").content.decode()
    assert "csrf" not in page
    assert "nonce" not in page


def no_answer(call: Callable[[], Any]) -> Any:
    """Nothing answers at the store's address."""
    raise EndpointConnectionError(endpoint_url="http://dynamodb.example.test/filevault-User")


def test_store_away_is_a_page_and_a_log_line_Z11(
    browser: Client, records: Callable[[], list[dict[str, Any]]]
) -> None:
    with open_wire() as wire:
        wire.add("GetItem", no_answer, times=3)
        answer = browser.get("/rows")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    page = answer.content.decode()
    assert "Traceback" not in page
    assert "dynamodb" not in page
    failures = [each for each in records() if each["message"] == "request failed"]
    assert [each["status"] for each in failures] == [503]
    assert failures[0]["requestId"] == answer["X-Request-Id"]
    assert failures[0]["cause"]
    assert "Traceback" not in json.dumps(failures)


def test_session_store_away_is_503_too_Z11(browser: Client) -> None:
    """What fails in middleware, before any view, is answered alike."""
    browser.cookies[settings.SESSION_COOKIE_NAME] = "some-key"
    with open_wire() as wire:
        wire.add("GetItem", no_answer, times=3)
        answer = browser.get("/post")
        assert wire.sent("GetItem")[0]["TableName"].endswith("Session")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert b"dynamodb" not in answer.content


def test_a_mistake_of_ours_is_logged_with_its_trace(
    browser: Client, records: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = browser.get("/fail/mistake")
    failure = next(each for each in records() if each["message"] == "request failed")
    assert failure["status"] == answer.status_code == 500
    assert "Sign" in failure["trace"]
    assert failure["requestId"] == answer["X-Request-Id"]


def test_a_body_over_the_cap_is_413_W6(browser: Client) -> None:
    text = "x" * (1024 * 1024 + 1)
    form = "application/x-www-form-urlencoded"
    for answer in (
        browser.post("/post", {"text": text}),
        browser.post("/post", f"text={text}", content_type=form),
    ):
        assert answer.status_code == 413
        assert "too much at once" in answer.content.decode()


def test_wrong_method_is_a_page(browser: Client) -> None:
    answer = browser.get("/post")
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert "<h1" in answer.content.decode()


def test_csrf_failure_says_what_was_kept_W1() -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/post", {"a": "1"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Nothing was changed" in page
    assert "is kept in this tab" in page
    answer = browser.post("/post", "{}", content_type="application/json")
    assert answer.status_code == 403
    assert set(answer.json()) == {"code", "message"}


def test_signed_out_leads_to_the_login_and_back(browser: Client) -> None:
    answer = browser.get("/fail/signed-out?a=1")
    assert isinstance(answer, HttpResponseRedirect)
    assert answer["Location"] == "/login/?next=%2Ffail%2Fsigned-out%3Fa%3D1"
    answer = browser.post("/fail/signed-out", headers={"Referer": "http://testserver/cases/"})
    assert answer["Location"] == "/login/?next=%2Fcases%2F"
    answer = browser.post("/fail/signed-out", headers={"Referer": "http://evil.test/cases/"})
    assert answer["Location"] == "/login/"


def test_signed_out_programs_get_401(browser: Client) -> None:
    answer = browser.post("/fail/signed-out", "{}", content_type="application/json")
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_signed_in"


def test_signed_out_clients_are_told_of_their_link(browser: Client) -> None:
    answer = browser.get("/portal/fail/signed-out")
    assert answer.status_code == 401
    assert "e-mail" in answer.content.decode()


def test_access_log_is_one_record_without_tokens_I2(
    browser: Client, records: Callable[[], list[dict[str, Any]]]
) -> None:
    for kind in ("mistake", "not-found", "suspicious", "store"):
        answer = browser.get(f"/invite/eyJ0b2tlbiI/{kind}?code=123456")
        assert answer["X-Request-Id"]
    logged = records()
    access = [each for each in logged if each["logger"] == "filevault.access"]
    assert [each["path"] for each in access] == ["/invite/…"] * 4
    assert [each["status"] for each in access] == [500, 404, 400, 503]
    assert set(access[0]) >= {"method", "milliseconds", "requestId"}
    text = json.dumps([{**each, "trace": ""} for each in logged])
    assert "eyJ0b2tlbiI" not in text
    assert "123456" not in text


def test_a_newline_in_a_logged_value_is_one_record_A3(
    browser: Client, records: Callable[[], list[dict[str, Any]]]
) -> None:
    browser.get('/fail/no%0A{"level": "error", "message": "forged"}%0D%0A')
    logged = records()
    assert len([each for each in logged if each["logger"] == "filevault.access"]) == 1
    assert not [each for each in logged if each["message"] == "forged"]


def test_headers_of_every_answer_W2(browser: Client) -> None:
    for address in ("/fail/not-found", "/fail/mistake", "/healthz"):
        answer = browser.get(address)
        assert answer["Cache-Control"] == "no-store"
        assert "camera=()" in answer["Permissions-Policy"]
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_health_of_the_process_asks_nobody(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    answer = browser.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
