"""Login by OpenID Connect, from outside: L1 to L6, L8 and W3."""

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from accounts import models, oidc
from accounts.sessions import SessionStore
from accounts.tables import AuditEvent, Session, User
from tests.accounts.conftest import SignIn, session_cookie
from tests.accounts.provider import Provider

pytestmark = pytest.mark.django_db


def events(action: str) -> list[AuditEvent]:
    return [event for event in AuditEvent.scan() if event.action == action]


def is_signed_in(browser: Client) -> bool:
    """Whether the settings page opens (or the first-login page stands before it)."""
    return "/auth/login/" not in browser.get("/settings/").headers.get("Location", "")


def begin(browser: Client, **query: str) -> tuple[str, dict[str, str]]:
    """The provider's address that a login leads to, and its query."""
    address = browser.get("/auth/login/", query)["Location"]
    return address, {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def assert_refused(browser: Client, answer: Any) -> None:
    assert answer.status_code == 400
    assert b"You are not signed in" in answer.content
    assert not is_signed_in(browser)
    assert list(User.scan()) == []


# --- The login itself ---


def test_first_login_asks_for_the_name_and_then_goes_where_one_wanted(
    client: Client, sign_in: SignIn
) -> None:
    assert sign_in(client, "/settings/?a=1")["Location"] == "/settings/?a=1"
    asked = client.get("/settings/?a=1")
    assert asked["Location"] == "/welcome/?next=%2Fsettings%2F%3Fa%3D1"
    page = client.get(asked["Location"])
    assert b'value="Anna Novak"' in page.content
    done = client.post(
        asked["Location"], {"display_name": "Dr  Anna Novak ", "practice": "Novak Partners"}
    )
    assert done["Location"] == "/settings/?a=1"
    profile = next(iter(User.scan()))
    assert (profile.display_name, profile.practice) == ("Dr Anna Novak", "Novak Partners")
    assert b"Dr Anna Novak" in client.get("/settings/").content


def test_login_leaves_one_event_and_the_profile_names_it(client: Client, sign_in: SignIn) -> None:
    sign_in(client)
    profile = next(iter(User.scan()))
    (event,) = events("user:login")
    assert profile.event_id == event.event_id
    assert event.actor == f"user:{profile.user_id}"
    assert event.address == "127.0.0.1"


def test_authorization_request_carries_pkce_state_and_nonce(
    client: Client, provider: Provider
) -> None:
    address, query = begin(client)
    assert address.startswith("https://sign-in.example.test/authorize?")
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == "http://testserver/auth/callback/"
    assert len(query["state"]) >= 32
    assert len(query["nonce"]) >= 32
    assert len(query["code_challenge"]) == 43
    _address, again = begin(client)
    assert not {query["state"], query["nonce"], query["code_challenge"]} & {
        again["state"],
        again["nonce"],
        again["code_challenge"],
    }


# --- L1 ---


def test_callback_in_another_browser_is_refused_L1(client: Client, provider: Provider) -> None:
    callback = provider.authorize(begin(client)[0])
    other = Client()
    assert_refused(other, other.get(callback))
    (event,) = events("user:login_failed")
    assert event.details == {"reason": "unknown_state"}


@pytest.mark.parametrize(
    "change",
    [
        {"state": "another"},
        {"code": "another"},
        {"code": ""},
        {"iss": "https://evil.example.test"},
        {"state": "\udce4\x00"},
    ],
)
def test_altered_callback_is_refused_L1(
    client: Client, provider: Provider, change: dict[str, str]
) -> None:
    callback = provider.authorize(begin(client)[0])
    path, _, _query = callback.partition("?")
    values = {name: value[0] for name, value in parse_qs(_query).items()}
    values |= {name: value.encode("utf-8", "replace").decode() for name, value in change.items()}
    assert_refused(client, client.get(path, values))


def test_code_of_another_login_is_refused_by_pkce_L1(client: Client, provider: Provider) -> None:
    victim = Client()
    stolen = parse_qs(urlsplit(provider.authorize(begin(victim)[0])).query)["code"][0]
    callback = provider.authorize(begin(client)[0], code=stolen)
    assert_refused(client, client.get(callback))


def test_callback_works_once_L1(client: Client, provider: Provider) -> None:
    callback = provider.authorize(begin(client)[0])
    assert client.get(callback).status_code == 302
    assert client.get(callback).status_code == 400


def test_login_that_took_too_long_is_refused_L1(client: Client, provider: Provider) -> None:
    callback = provider.authorize(begin(client)[0])
    with time_machine.travel(_later(601), tick=True):
        assert client.get(callback).status_code == 400


def test_several_tabs_may_log_in_at_once_L1(client: Client, provider: Provider) -> None:
    first = provider.authorize(begin(client, next="/settings/?tab=1")[0])
    second = provider.authorize(begin(client, next="/settings/?tab=2")[0])
    assert client.get(first)["Location"] == "/settings/?tab=1"
    assert client.get(second)["Location"] == "/settings/?tab=2"


def test_what_a_browser_may_begin_is_bounded(client: Client, provider: Provider) -> None:
    for _ in range(15):
        begin(client)
    store = SessionStore(session_cookie(client))
    assert len(list(store.keys())) == 10


# --- L2 ---


@pytest.mark.parametrize("algorithm", ["none", "HS256", "PS256", "RS512"])
def test_algorithms_beside_the_fixed_ones_are_refused_L2(
    client: Client, provider: Provider, sign_in: SignIn, algorithm: str
) -> None:
    provider.algorithm = algorithm
    assert_refused(client, sign_in(client))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.example.test/other"},
        {"aud": "another-client"},
        {"aud": ["another-client", "third"]},
        {"azp": "another-client"},
        {"exp": 1},
        {"exp": "soon"},
        {"nonce": "another"},
        {"token_use": "access"},
        {"sub": 5},
        {"sub": ""},
    ],
)
def test_wrong_claims_are_refused_L2(
    client: Client, provider: Provider, sign_in: SignIn, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert_refused(client, sign_in(client))


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "nonce"])
def test_missing_claims_are_refused_L2(
    client: Client, provider: Provider, sign_in: SignIn, claim: str
) -> None:
    provider.left_out = {claim}
    assert_refused(client, sign_in(client))


def test_token_signed_by_an_unpublished_key_is_refused_L2(
    client: Client, provider: Provider, sign_in: SignIn
) -> None:
    provider.kid = "two"
    assert_refused(client, sign_in(client))


def test_new_key_of_the_provider_is_fetched_once_L2(
    client: Client, provider: Provider, sign_in: SignIn
) -> None:
    sign_in(client)
    provider.kid, provider.published = "two", ("one", "two")
    assert sign_in(client).status_code == 302
    assert sign_in(client).status_code == 302
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/pool/.well-known/openid-configuration") == 1


# --- L3 ---


def test_same_address_under_another_subject_is_another_user_L3(
    client: Client, provider: Provider, sign_in: SignIn
) -> None:
    sign_in(client)
    provider.claims = {"sub": "someone-else"}
    sign_in(Client())
    assert len({user.user_id for user in User.scan()}) == 2
    assert models.User.objects.count() == 2


def test_user_is_found_again_after_the_sql_database_is_lost_L3(
    client: Client, sign_in: SignIn
) -> None:
    sign_in(client)
    before = [user.user_id for user in User.scan()]
    models.User.objects.all().delete()
    sign_in(Client())
    assert [user.user_id for user in User.scan()] == before
    assert str(models.User.objects.get().pk) == before[0]


@pytest.mark.parametrize(("verified", "known"), [(True, True), ("true", True), (False, False)])
def test_only_a_verified_address_finds_a_user(
    client: Client, provider: Provider, sign_in: SignIn, verified: object, known: bool
) -> None:
    provider.claims = {"email_verified": verified}
    sign_in(client)
    profile = next(iter(User.scan()))
    assert profile.email_verified is known
    assert (profile.email_hash is not None) is known


# --- L4, L5 ---


def test_session_key_changes_at_login_and_the_old_one_is_dead_L4(
    client: Client, sign_in: SignIn
) -> None:
    begin(client)
    before = session_cookie(client)
    sign_in(client)
    first = session_cookie(client)
    sign_in(client)
    second = session_cookie(client)
    assert len({before, first, second}) == 3
    for dead in (before, first):
        other = Client()
        other.cookies[settings.SESSION_COOKIE_NAME] = dead
        assert not is_signed_in(other)
    assert is_signed_in(client)


def test_cookie_and_pages_hold_no_token_L5(
    signed_in: Client, provider: Provider, sign_in: SignIn
) -> None:
    answer = sign_in(signed_in)
    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    for page in (answer, signed_in.get("/settings/")):
        assert b"eyJ" not in page.content
        assert session_cookie(signed_in).encode() not in page.content
    kept = json.dumps([row.data.as_dict() for row in Session.scan()])
    assert "opaque" not in kept  # the access token
    assert session_cookie(signed_in) not in kept + "".join(row.key_hash for row in Session.scan())


def test_no_token_is_kept_for_a_provider_that_needs_none_at_logout_L5(
    settings: Settings, signed_in: Client, sign_in: SignIn
) -> None:
    settings.OIDC_LOGOUT_URL = "https://pool.example.test/logout"
    sign_in(signed_in)
    assert all("eyJ" not in json.dumps(row.data.as_dict()) for row in Session.scan())


# --- L6 ---


def test_logout_is_post_alone_L6(signed_in: Client) -> None:
    assert signed_in.get("/auth/logout/").status_code == 405
    assert is_signed_in(signed_in)


def test_logout_without_the_csrf_token_is_refused_L6(signed_in: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in.cookies
    assert strict.post("/auth/logout/").status_code == 403
    assert is_signed_in(signed_in)


def test_logout_kills_the_session_and_leads_through_the_provider_L6(signed_in: Client) -> None:
    key = session_cookie(signed_in)
    answer = signed_in.post("/auth/logout/")
    address = urlsplit(answer["Location"])
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == (
        "https://sign-out.example.test/end"
    )
    assert query["post_logout_redirect_uri"] == "http://testserver/auth/signed-out/"
    assert query["client_id"] == "filevault-web"
    assert query["id_token_hint"].startswith("eyJ")
    other = Client()
    other.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not is_signed_in(other)
    assert len(events("user:logout")) == 1
    assert b"You are signed out" in signed_in.get("/auth/signed-out/").content


@pytest.mark.parametrize("configured", [True, False])
def test_logout_speaks_cognitos_form_L6(
    settings: Settings, provider: Provider, client: Client, configured: bool
) -> None:
    if configured:
        settings.OIDC_LOGOUT_URL = "https://sign-out.example.test/end"
    else:
        settings.OIDC_ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_x"
        provider.metadata = {"issuer": settings.OIDC_ISSUER, "end_session_endpoint": ""}
    where = (
        "https://sign-out.example.test/end" if configured else "https://sign-in.example.test/logout"
    )
    assert client.post("/auth/logout/")["Location"] == (
        f"{where}?client_id=filevault-web&logout_uri=http%3A%2F%2Ftestserver%2Fauth%2Fsigned-out%2F"
    )


def test_logout_works_while_the_provider_is_away_L6(signed_in: Client, provider: Provider) -> None:
    provider.away = True
    oidc.forget()
    key = session_cookie(signed_in)
    answer = signed_in.post("/auth/logout/")
    assert answer["Location"] == "http://testserver/auth/signed-out/"
    assert SessionStore(key).load() == {}


# --- L8, admins ---


def test_admin_rights_follow_the_group_at_each_login(
    client: Client, provider: Provider, sign_in: SignIn
) -> None:
    provider.claims = {"cognito:groups": ["filevault-admins", "others"]}
    sign_in(client)
    user = models.User.objects.get()
    assert (user.is_staff, user.is_superuser) == (True, True)
    assert client.get("/admin/").status_code == 200
    provider.claims = {}
    sign_in(Client())
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert client.get("/admin/", follow=True).status_code == 403
    assert next(iter(User.scan())).is_admin is False


@pytest.mark.parametrize(
    ("amr", "status"), [(None, 403), (["pwd"], 403), ("mfa", 200), (["pwd", "mfa"], 200)]
)
def test_admin_area_asks_for_mfa_where_configured_L8(
    settings: Settings,
    client: Client,
    provider: Provider,
    sign_in: SignIn,
    amr: object,
    status: int,
) -> None:
    settings.OIDC_ADMIN_AMR = ["mfa"]
    provider.claims = {"cognito:groups": ["filevault-admins"], **({"amr": amr} if amr else {})}
    sign_in(client)
    assert client.get("/admin/", follow=True).status_code == status


# --- W3 ---


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example.test",
        "/\\evil.example.test",
        "https:evil.example.test",
        "https://evil.example.test/",
        "http:///evil.example.test",
        "\\\\evil.example.test",
        "/\t/evil.example.test",
        "\x08//evil.example.test",
        "javascript:alert(1)",
        "evil",
        "/" + "a" * 5000,
    ],
)
def test_next_elsewhere_goes_home_W3(client: Client, sign_in: SignIn, target: str) -> None:
    assert sign_in(client, target)["Location"] == "/"
    posted = client.post(f"/welcome/?next={target}", {"display_name": "Anna"})
    assert posted["Location"] == "/"


# --- The provider is away, or wrong ---


def test_provider_away_is_one_plain_page(client: Client, provider: Provider) -> None:
    provider.away = True
    answer = client.get("/auth/login/")
    assert answer.status_code == 503
    assert b"Filevault is out for a moment" in answer.content
    assert b"Traceback" not in answer.content


def test_provider_away_at_the_callback_is_one_plain_page(
    client: Client, provider: Provider
) -> None:
    callback = provider.authorize(begin(client)[0])
    provider.away = True
    assert client.get(callback).status_code == 503


def test_discovery_of_another_issuer_is_not_trusted(client: Client, provider: Provider) -> None:
    provider.metadata = {"issuer": "https://evil.example.test"}
    assert client.get("/auth/login/").status_code == 503


def test_pages_let_forms_lead_to_the_provider_W2(signed_in: Client, provider: Provider) -> None:
    policy = signed_in.get("/settings/")["Content-Security-Policy"]
    allowed = next(part for part in policy.split("; ") if part.startswith("form-action"))
    assert "https://sign-in.example.test" in allowed
    assert "https://sign-out.example.test" in allowed


def _later(seconds: float) -> float:
    return time.time() + seconds
