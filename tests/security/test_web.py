"""What the site answers to forged, hostile and broken requests: W1 to W4, W6."""

import json
import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from accounts.audit import DAILY_SHARDS
from accounts.tables import AuditEvent
from filevault.dynamo import new_id, now
from filevault.local.ministack import REPOSITORY
from tests.security.people import ADMIN_EMAIL, NO_TLS, Person, Town
from tests.security.production import PROXY, SITE, Production
from tests.stack import TestStack

pytestmark = pytest.mark.stack

Stranger = Callable[[], Person]
NO_FILE = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def admin(app: str, stack: TestStack) -> Person:
    return Person(app, stack).sign_in(ADMIN_EMAIL)


def posts_of(town: Town) -> list[tuple[Person, str]]:
    """Every address that takes a POST, with somebody who may use it."""
    case, portal, client = town.one, town.portal_one, f"/clients/{town.client_one}/"
    people = f"{case}clients/{town.client_one}/"
    practitioner = [
        *("/auth/logout/", "/auth/keepalive/", "/settings/", "/clients/new/", "/search/"),
        *(f"{client}edit/", f"{client}delete/", "/cases/new/", "/cases/new/clients/"),
        *(f"{case}{verb}/" for verb in ("edit", "edit/clients", "close", "reopen", "delete")),
        *(f"{people}{verb}/" for verb in ("invite", "resend", "revoke")),
        *(f"{case}files/{NO_FILE}/delete", f"{case}files/add"),
        *json_routes(case),
    ]
    visitor = ["leave/", "keepalive/"]
    invite = ["/invite/enter/", "/invite/send-code/", "/invite/code/", "/invite/fresh/"]
    clients = [f"/portal/{path}" for path in visitor] + invite
    clients += [f"{portal}files/{NO_FILE}/delete", f"{portal}files/add", *json_routes(portal)]
    return [(town.a, path) for path in practitioner] + [(town.c1, path) for path in clients]


def json_routes(home: str) -> list[str]:
    return [f"{home}files/{path}" for path in ("presign", f"confirm/{NO_FILE}", f"abort/{NO_FILE}")]


def test_nothing_is_changed_without_the_pages_token_W1(town: Town, admin: Person) -> None:
    posts = [
        *posts_of(town),
        (admin, f"/admin/records/users/{new_id()}/deactivate"),
        (admin, f"/admin/records/cases/{town.case_one}/{town.client_one}/revoke"),
    ]
    for person, path in posts:
        assert person.http.post(path).status_code == 403, path
        assert person.http.post(path, data={"csrfmiddlewaretoken": "x" * 64}).status_code == 403
    assert town.a.is_signed_in
    assert town.c1.get(town.portal_one).status_code == 200


def test_a_token_counts_from_the_sites_own_pages_alone_W1(town: Town) -> None:
    token = {"csrfmiddlewaretoken": town.a.token("/settings/")}
    for origin in ("https://evil.example.test", "null", f"{town.a.site}.evil.example.test"):
        answer = town.a.http.post(f"{town.one}close/", data=token, headers={"Origin": origin})
        assert answer.status_code == 403, origin
    stolen = {"csrfmiddlewaretoken": town.b.token("/settings/")}
    assert town.a.http.post(f"{town.one}close/", data=stolen).status_code == 403


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonp",
        "text/json",
        "application/json+x",
    ],
)
def test_json_routes_take_json_alone_W1(town: Town, content_type: str) -> None:
    headers = {"X-CSRFToken": town.c1.token(town.portal_one), "Content-Type": content_type}
    for path in json_routes(town.portal_one):
        body = json.dumps({"fileName": "a.pdf", "size": 9})
        answer = town.c1.http.post(path, content=body, headers=headers)
        assert answer.status_code == 415, (path, answer.text)
        assert set(answer.json()) == {"code", "message"}


def pages(town: Town, admin: Person) -> Iterator[httpx.Response]:
    for path in (
        "/",
        "/clients/",
        "/clients/new/",
        "/cases/",
        "/cases/new/",
        "/settings/",
        "/search/",
        town.one,
        f"{town.one}edit/",
        "/auth/signed-out/",
        "/nothing/",
        f"{town.one}clients/{town.client_one}/invite/",
    ):
        yield town.a.get(path)
    for path in (
        "/portal/",
        town.portal_one,
        f"{town.portal_one}files/add",
        "/portal/left/",
        "/invite/",
        "/invite/code/",
        "/invite/fresh/",
        f"/portal/{new_id()}/",
    ):
        yield town.c1.get(path)
    for path in (
        "/admin/",
        "/admin/records/users/",
        "/admin/records/cases/",
        f"/admin/records/cases/{town.case_one}/",
        "/admin/records/audit/",
        "/admin/accounts/user/",
    ):
        yield admin.get(path)


def test_every_page_has_a_strict_policy_W2(town: Town, admin: Person, stack: TestStack) -> None:
    nonces: list[str] = []
    origin = stack.ministack.endpoint
    for page in pages(town, admin):
        where = page.request.url.path
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in page.headers["Content-Security-Policy"].split(";")
        )
        assert "unsafe" not in str(policy), where
        for name in ("default-src", "object-src", "base-uri", "frame-ancestors"):
            assert policy[name] == "'none'", where
        assert set(policy["form-action"].split()) <= {"'self'", origin}, where
        assert set(policy["connect-src"].split()) == {"'self'", origin}, where
        nonces += re.findall(r"'nonce-([^']+)'", str(policy))
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in page.headers["Permissions-Policy"]
        assert (
            page.headers["Cache-Control"] == "no-store"
            or "no-cache" in page.headers["Cache-Control"]
        ), where
        assert "Server" not in page.headers or "/" not in page.headers["Server"], where
    assert len(set(nonces)) == len(nonces)


def test_no_page_holds_script_or_style_of_its_own_W2(town: Town, admin: Person) -> None:
    for page in pages(town, admin):
        where = page.request.url.path
        for tag in re.findall(r"<script\b[^>]*>", page.text):
            assert "src=" in tag or 'type="application/json"' in tag or "nonce=" in tag, where
        assert not re.search(r"<style\b|<[^>]+\s(?:style|on[a-z]+)=|javascript:", page.text), where


def test_production_asks_for_https_for_a_year_W2(production: Production) -> None:
    x = production.browser()
    for path in ("/invite/fresh/", "/auth/signed-out/", "/nothing/", "/admin/", "/static/nothing"):
        header = x.get(path).headers["Strict-Transport-Security"]
        assert int(re.findall(r"max-age=(\d+)", header)[0]) >= 365 * 24 * 3600
    plain = f"http://127.0.0.1:{production.port}/settings/"
    answer = httpx.get(plain, headers={"Host": "files.example.test"})
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{SITE}/settings/"


def test_who_is_no_proxy_is_not_believed_about_https_W5(production: Production) -> None:
    said = {"Host": "files.example.test", "X-Forwarded-Proto": "https"}
    for address, status in (("127.0.0.9", 301), (PROXY, 302)):
        transport = httpx.HTTPTransport(verify=NO_TLS, local_address=address)
        with httpx.Client(transport=transport) as visitor:
            answer = visitor.get(f"http://127.0.0.1:{production.port}/settings/", headers=said)
        assert answer.status_code == status, address


def wishes_until_refused(*people: Person) -> tuple[int, httpx.Response]:
    """How many fresh links are asked for, by turns, before the first refusal. A window may end in
    between, so that up to twice the limit pass."""
    tokens = [person.token("/invite/fresh/") for person in people]
    for number in range(21):
        person, token = people[number % len(people)], tokens[number % len(people)]
        answer = person.http.post(
            "/invite/fresh/",
            data={"csrfmiddlewaretoken": token},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
        if answer.status_code != 200:
            return number, answer
    raise AssertionError("nothing was refused")


def test_a_limit_falls_on_an_address_whatever_it_says_W5(production: Production) -> None:
    x, y = production.browser(), production.browser()
    passed, page = wishes_until_refused(x)
    assert 10 <= passed <= 20
    assert page.status_code == 429
    assert 0 < int(page.headers["Retry-After"]) <= 600
    assert "That was a little too often" in page.text
    headers = {"Accept": "application/json", "X-CSRFToken": x.token("/invite/fresh/")}
    answer = x.http.post("/invite/fresh/", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    assert y.post("/invite/fresh/").status_code == 200


def test_an_ipv6_network_is_one_address_W5(production: Production) -> None:
    x, y = production.browser("2001:db8:5:1::a"), production.browser("2001:db8:5:1:b::b")
    passed, page = wishes_until_refused(x, y)
    assert 10 <= passed <= 20
    assert page.status_code == 429
    assert production.browser("2001:db8:5:2::a").post("/invite/fresh/").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test/",
        "/\\evil.test",
        "https:evil.test",
        "https://evil.test/",
        "\\\\evil.test",
        "/\t/evil.test",
        "///evil.test",
        "javascript:alert(1)",
        "evil.test",
        "/\x00/evil.test",
        "http:///evil.test",
        " //evil.test",
        "/%5cevil.test",
        "/%2f/evil.test",
    ],
)
def test_next_stays_here_W3(production: Production, target: str) -> None:
    x = production.browser()
    begun = x.get("/auth/login/", params={"next": target}).headers["Location"]
    production.provider.claims = {"sub": "traveller"}
    to = x.get(production.provider.authorize(begun)).headers["Location"]
    landed = httpx.URL(f"{SITE}/auth/callback/").join(to)
    assert landed.host == "files.example.test", to
    assert to.startswith("/"), to
    assert to[1:2] not in ("/", "\\", "\t"), to


def test_next_of_ones_own_is_kept_W3(production: Production) -> None:
    x = production.browser()
    begun = x.get("/cases/?status=closed").headers["Location"]
    begun = x.get(begun).headers["Location"]
    production.provider.claims = {"sub": "traveller"}
    to = x.get(production.provider.authorize(begun)).headers["Location"]
    assert to == "/cases/?status=closed"


def test_the_app_speaks_to_its_own_origin_alone_W4(town: Town) -> None:
    asked = {"Origin": "https://evil.example.test", "Access-Control-Request-Method": "POST"}
    for path in ("/", "/settings/", f"{town.one}files/presign", "/nothing/", "/healthz", "/admin/"):
        for method in ("GET", "OPTIONS"):
            answer = town.a.http.request(method, path, headers=asked)
            assert not [n for n in answer.headers if n.startswith("access-control")], path


def test_the_bucket_lets_in_the_sites_origin_alone_W4(town: Town) -> None:
    url = town.c1.presign(town.portal_one)["url"]
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ""}
    ours = httpx.options(url, headers={**asked, "Origin": town.a.site}, verify=NO_TLS)
    assert ours.headers["Access-Control-Allow-Origin"] == town.a.site
    for origin in ("https://evil.example.test", "null", f"{town.a.site}0", "http://localhost"):
        answer = httpx.options(url, headers={**asked, "Origin": origin}, verify=NO_TLS)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


def errors(town: Town) -> Iterator[tuple[int, httpx.Response]]:
    """Each kind of refusal, with the status that it should have."""
    a, c1, home = town.a, town.c1, town.portal_one
    token = {"X-CSRFToken": a.token("/settings/")}
    as_json = {"X-CSRFToken": c1.token(home), "Content-Type": "application/json"}
    presign = f"{home}files/presign"

    def call(body: str | bytes, **headers: str) -> httpx.Response:
        return c1.http.post(presign, content=body, headers={**as_json, **headers})

    yield 400, a.get("/", headers={"Host": "evil.example.test"})
    yield 400, a.get("/", headers={"Host": "a b"})
    yield (
        400,
        a.http.post(
            "/settings/",
            content=b"x",
            headers={"Content-Type": "text/plain; charset=utf-7", **token},
        ),
    )
    yield 401, a.get("/portal/")
    yield 403, a.http.post("/settings/")
    yield 404, a.get("/nothing/%00/%ff")
    yield 404, a.get(f"{town.one}files/{NO_FILE}/download")
    yield 405, a.get(f"{town.one}close/")
    yield 405, a.http.request("TRACE", "/")
    yield 405, a.http.request("PROPFIND", town.one, headers=token)
    yield 410, c1.get("/invite/unknown/", follow_redirects=True)
    # The server may close a connection whose body it hasn't read: each has one of its own.
    alone = {**token, "Connection": "close"}
    yield 413, call(json.dumps({"fileName": "a" * 2**20, "size": 1}), Connection="close")
    yield 413, a.http.post("/clients/new/", data={"name": "a" * 2**20}, headers=alone)
    files = {"file": ("big.pdf", b"x" * (2**20 + 1))}
    yield 413, a.http.post("/clients/new/", data={"name": "a"}, files=files, headers=alone)
    # Not even read for the lack of a token.
    yield 413, a.http.post("/settings/", files=files, headers={"Connection": "close"})
    yield 415, call("{}", **{"Content-Type": "text/plain"})
    for body in (
        "",
        "{",
        "[]",
        "null",
        '"x"',
        "[" * 100_000,
        '{"size":' + "[" * 33 + "]" * 33 + "}",
        b"\xff\xfe\x00",
        '{"size": NaN, "fileName": "a.pdf"}',
        "1" * 5000,
        '{"__proto__": 1}',
        '{"size": 1e999, "fileName": "a.pdf"}',
        '{"fileName": "a.pdf", "size": 9, "mimeType": 7}',
        '{"fileName": "a.pdf", "size": 9, "sha256": "x"}',
    ):
        yield 422, call(body)
    yield 422, a.get("/clients/?cursor=broken")
    yield 422, a.get("/clients/?cursor=%00%ff%F0%9F%98%80")
    yield 422, a.http.post("/clients/new/", data={"name": "\x00", "email": "x"}, headers=token)


def test_errors_are_plain_and_tell_nothing_W6(town: Town, stack: TestStack) -> None:
    secrets = [stack.stack["bucket"], "filevault-", str(stack.state), str(REPOSITORY), "dynamodb"]
    inner = ["Traceback", "pynamodb", "botocore", "django.", 'File "', "Exception", "site-packages"]
    for status, answer in errors(town):
        what = f"{answer.request.method} {answer.request.url}: {answer.status_code}"
        assert answer.status_code == status, what
        told = re.sub(r"/static/\S+", "", answer.text)
        for word in (*secrets, *inner):
            assert word not in told, (what, word)
        if answer.headers["Content-Type"].startswith("application/json"):
            assert set(answer.json()) <= {"code", "message", "fields"}, what
        else:
            assert answer.headers["Content-Type"].startswith("text/html"), what


def test_a_program_gets_code_and_message_W6(town: Town, stranger: Stranger) -> None:
    accepts = {"Accept": "application/json"}
    for person, path, status in (
        (town.a, "/nothing/", 404),
        (town.a, f"{town.one}close/", 405),
        (stranger(), town.one, 401),
        (town.b, town.one, 404),
    ):
        answer = person.get(path, headers=accepts)
        assert answer.status_code == status
        assert set(answer.json()) == {"code", "message"}


def test_an_address_is_believed_from_the_proxy_alone_W5(
    production: Production, stranger: Stranger
) -> None:
    """What a visitor writes into X-Forwarded-For stands left of what the proxy adds."""
    x = production.browser()
    x.http.headers["X-Forwarded-For"] = "203.0.113.66"
    x.get("/auth/callback/?state=forged-w5&code=x")
    y = stranger()
    y.get("/auth/callback/?state=forged-w5&code=x", headers={"X-Forwarded-For": "203.0.113.67"})
    streams = [f"day:{now().date().isoformat()}#{shard}" for shard in range(DAILY_SHARDS)]
    events = [event for stream in streams for event in AuditEvent.query(stream)]
    addresses = {event.address for event in events if event.action == "user:login_failed"}
    assert {x.address, y.address} <= addresses
    assert not {"203.0.113.66", "203.0.113.67"} & addresses
