"""Logins and sessions, as browsers meet them: L1 to L7."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from accounts.tables import Session, User
from filevault.dynamo import now
from tests.accounts.provider import ISSUER
from tests.security.people import ADMIN_EMAIL, B_EMAIL, Person, Town
from tests.security.production import SITE, Production

pytestmark = pytest.mark.stack

Stranger = Callable[[], Person]


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def changed(address: str, **changes: str) -> str:
    parts = urlsplit(address)
    return parts._replace(query=urlencode({**query_of(address), **changes})).geturl()


def row_of(person: Person, cookie: str = "session") -> Session:
    realm = {"session": "practitioner", "client": "client"}[cookie]
    digest = hashlib.sha256(f"{realm}:{person.cookie(cookie)}".encode()).hexdigest()
    row = Session.fetch(digest)
    assert row is not None
    return row


def test_a_login_is_bound_to_its_browser_L1(stranger: Stranger) -> None:
    x, y = stranger(), stranger()
    begun = x.begin_login().headers["Location"]
    asked = query_of(begun)
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32
    callback = x.prove(begun, B_EMAIL)
    assert y.get(callback).status_code == 400  # forwarded
    y.begin_login()
    assert y.get(callback).status_code == 400
    own_state = query_of(y.begin_login().headers["Location"])["state"]
    assert y.get(changed(callback, state=own_state)).status_code == 400  # PKCE
    assert not y.is_signed_in


@pytest.mark.parametrize(
    "change", [{"state": "other"}, {"state": ""}, {"code": "other"}, {"iss": "https://evil.test"}]
)
def test_an_altered_callback_is_refused_L1(stranger: Stranger, change: dict[str, str]) -> None:
    x = stranger()
    callback = x.prove(x.begin_login().headers["Location"], B_EMAIL)
    assert x.get(changed(callback, **change)).status_code == 400
    assert not x.is_signed_in


def test_a_callback_works_once_L1(stranger: Stranger) -> None:
    x = stranger()
    callback = x.prove(x.begin_login().headers["Location"], B_EMAIL)
    assert x.get(callback).status_code == 302
    assert x.get(callback).status_code == 400
    assert x.is_signed_in


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://other.example.test"},
        {"aud": "another-client"},
        {"exp": 1_000_000_000},
        {"token_use": "access"},
        {"nonce": "of-another-login"},
        {"sub": ""},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_token_with_wrong_claims_gives_no_session_L2(
    production: Production, lie: dict[str, Any]
) -> None:
    x = production.browser()
    assert production.sign_in(x, **{"sub": "mallory", **lie}).status_code == 400
    assert not x.is_signed_in
    assert production.sign_in(x, sub="honest").status_code == 302


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_by_another_algorithm_gives_no_session_L2(
    production: Production, algorithm: str
) -> None:
    x = production.browser()
    production.provider.algorithm = algorithm
    try:
        assert production.sign_in(x, sub="mallory").status_code == 400
    finally:
        production.provider.algorithm = "RS256"
    assert not x.is_signed_in


def test_one_address_under_two_subjects_is_two_users_L3(production: Production) -> None:
    titles = []
    for subject in ("first", "second"):
        x = production.browser()
        same = {"sub": subject, "email": "shared@example.test"}
        assert production.sign_in(x, **same).status_code == 302
        x.post("/welcome/", {"display_name": f"The {subject}", "practice": ""})
        x.add_client(f"Client of {subject}", "someone@example.test")
        titles.append(x.get("/clients/").text)
    assert "Client of first" not in titles[1]
    again = production.browser()
    production.sign_in(again, sub="first", email="moved@example.test")
    assert again.get("/settings/").status_code == 200
    assert 'value="The first"' in again.get("/settings/").text


def test_the_key_changes_at_login_and_the_old_one_is_dead_L4(stranger: Stranger) -> None:
    """A session that somebody planted is of no use to them afterwards."""
    victim, thief = stranger(), stranger()
    thief.http.cookies.set("session", "planted-by-the-thief", domain="127.0.0.1", path="/")
    begun = thief.begin_login().headers["Location"]
    planted = thief.cookie()
    assert planted not in ("", "planted-by-the-thief")
    victim.http.cookies.set("session", planted, domain="127.0.0.1", path="/")
    assert victim.get(victim.prove(begun, B_EMAIL)).status_code == 302
    assert victim.is_signed_in
    assert victim.cookie() != planted
    assert not thief.is_signed_in


def test_a_clients_key_changes_on_entry_L4(town: Town, stranger: Stranger) -> None:
    email = "fay.fixed@example.test"
    client = town.a.add_client("Fay Fixed", email)
    case = town.a.open_case("Fixation", client)
    fay, thief = stranger(), stranger()
    link = town.a.invite(case, client, email)
    thief.open_link(link)
    fay.http.cookies.set("client", thief.cookie("client"), domain="127.0.0.1", path="/")
    fay.enter(link, email)
    assert fay.get(f"/portal/{case}/").status_code == 200
    assert thief.get(f"/portal/{case}/").status_code == 401


def test_cookies_are_closed_in_production_L5(production: Production) -> None:
    x = production.browser()
    answers = [x.begin_login(), x.get("/invite/nothing/"), x.get("/invite/fresh/")]
    production.sign_in(x, sub="cookies")
    answers.append(x.get("/welcome/"))
    cookies = [each for answer in answers for each in answer.headers.get_list("Set-Cookie")]
    names = {cookie.partition("=")[0] for cookie in cookies}
    assert names == {"__Host-session", "__Host-client", "__Host-csrf"}
    for cookie in cookies:
        for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert flag in cookie
        assert "Domain" not in cookie


def test_no_token_is_in_an_answer_L5(production: Production) -> None:
    x = production.browser()
    issued: list[str] = []
    make = production.provider.id_token
    production.provider.id_token = lambda nonce: issued.append(make(nonce)) or issued[-1]  # type: ignore[method-assign, func-returns-value]
    try:
        answers = [production.sign_in(x, sub="tokens")]
    finally:
        del production.provider.id_token
    answers += [x.get(path) for path in ("/welcome/", "/", "/settings/")]
    signature = issued[0].rpartition(".")[2]
    for answer in answers:
        assert signature not in answer.text
        assert signature not in str(answer.headers)


def test_logout_ends_the_session_on_the_server_L6(stranger: Stranger) -> None:
    x, copy = stranger().sign_in(B_EMAIL), stranger()
    copy.http.cookies.set("session", x.cookie(), domain="127.0.0.1", path="/")
    assert x.get("/auth/logout/").status_code == 405
    assert x.http.post("/auth/logout/").status_code == 403
    assert copy.is_signed_in
    answer = x.post("/auth/logout/", page="/settings/")
    target = urlsplit(answer.headers["Location"])
    assert target.path == "/logout"
    assert query_of(answer.headers["Location"])["logout_uri"] == f"{x.site}/auth/signed-out/"
    assert not copy.is_signed_in
    assert not x.is_signed_in


def test_logout_leads_through_the_provider_L6(production: Production) -> None:
    x = production.browser()
    production.sign_in(x, sub="leaves")
    x.post("/welcome/", {"display_name": "Lou Leaves", "practice": ""})
    answer = x.post("/auth/logout/", page="/settings/")
    assert answer.headers["Location"].startswith("https://sign-out.example.test/end?")
    query = query_of(answer.headers["Location"])
    assert query["post_logout_redirect_uri"] == f"{SITE}/auth/signed-out/"


@pytest.mark.parametrize(
    ("attribute", "limit"),
    [("last_seen_at", timedelta(minutes=30)), ("created_at", timedelta(hours=12))],
)
def test_a_session_ends_in_time_L7(stranger: Stranger, attribute: str, limit: timedelta) -> None:
    x = stranger().sign_in(B_EMAIL)
    since = getattr(Session, attribute)
    row_of(x).update([since.set(now() - limit + timedelta(minutes=1))])
    assert x.is_signed_in
    row_of(x).update([since.set(now() - limit)])
    assert not x.is_signed_in


def test_a_clients_session_ends_in_time_too_L7(town: Town, stranger: Stranger) -> None:
    email = "ida.idle@example.test"
    client = town.a.add_client("Ida Idle", email)
    case = town.a.open_case("Idleness", client)
    ida = stranger()
    link = town.a.invite(case, client, email)
    ida.open_link(link)
    fields = {"code": ida.ask_for_code(email), "remember": "on"}
    assert ida.post("/invite/code/", fields).status_code == 302
    row_of(ida, "client").update([Session.last_seen_at.set(now() - timedelta(minutes=30))])
    assert ida.get(f"/portal/{case}/").status_code == 401
    ida.open_link(link)
    assert ida.post("/invite/enter/", page="/invite/").status_code == 302  # no second code
    assert ida.get(f"/portal/{case}/").status_code == 200
    row_of(ida, "client").update([Session.created_at.set(now() - timedelta(hours=12))])
    assert ida.get(f"/portal/{case}/").status_code == 401


def test_an_upload_in_progress_keeps_its_session_L7(town: Town, stranger: Stranger) -> None:
    x = stranger().sign_in(B_EMAIL)
    token = x.token("/settings/")
    for person, path, cookie, page in (
        (x, "/auth/keepalive/", "session", "/settings/"),
        (town.c1, "/portal/keepalive/", "client", town.portal_one),
    ):
        token = person.token(page)
        old = now() - timedelta(minutes=29)
        row_of(person, cookie).update([Session.last_seen_at.set(old)])
        answer = person.http.post(path, headers={"X-CSRFToken": token})
        assert answer.json()["secondsLeft"] > 29 * 60
        assert row_of(person, cookie).last_seen_at > old + timedelta(minutes=28)


def test_deactivation_bites_at_the_next_request_L7(
    production: Production, stranger: Stranger
) -> None:
    x = production.browser()
    production.sign_in(x, sub="dismissed")
    x.post("/welcome/", {"display_name": "Dee Missed", "practice": ""})
    assert x.is_signed_in
    user_id = row_of_production(x)
    admin = stranger().sign_in(ADMIN_EMAIL)
    page = f"/admin/records/users/{user_id}/"
    assert admin.post(f"{page}deactivate", page=page).status_code == 302
    assert not x.is_signed_in
    assert production.sign_in(x, sub="dismissed").status_code == 403
    assert not x.is_signed_in


def row_of_production(person: Person) -> str:
    """The user behind a session; its row stands under a hash, the key itself nowhere."""
    key = person.cookie("__Host-session")
    assert Session.fetch(key) is None
    row = Session.fetch(hashlib.sha256(f"practitioner:{key}".encode()).hexdigest())
    assert row is not None
    user = User.fetch(row.data["profile"].strip('"'))
    assert user is not None
    assert user.issuer == ISSUER
    return str(user.user_id)
