"""The session at login and logout, and the admins' evidence: L4, L5, L6 and L8."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from accounts import discovery, models
from accounts.sessions import SessionStore
from accounts.tables import Session, User
from tests.accounts.conftest import SignIn, session_cookie
from tests.accounts.provider import Provider
from tests.accounts.steps import begin, events, is_signed_in

pytestmark = pytest.mark.django_db


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
    kept = json.dumps([row.to_simple_dict() for row in Session.scan()])
    assert "opaque" not in kept  # the access token
    assert session_cookie(signed_in) not in kept + "".join(row.key_hash for row in Session.scan())


def test_no_token_is_kept_for_a_provider_that_needs_none_at_logout_L5(
    settings: Settings, signed_in: Client, sign_in: SignIn
) -> None:
    settings.OIDC_LOGOUT_URL = "https://pool.example.test/logout"
    sign_in(signed_in)
    assert all("eyJ" not in json.dumps(row.to_simple_dict()) for row in Session.scan())


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
    discovery.forget()
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
