"""Programs with a Bearer token, and logins that begin at the API."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts import models, profiles
from accounts.actors import System
from accounts.profiles import Identity
from accounts.tables import AuditEvent, Session, User
from files.sharing import share
from files.vault import vault_of
from tests.accounts.conftest import SignIn, session_cookie
from tests.accounts.provider import ISSUER, Provider
from tests.api.conftest import Caller, with_session
from tests.cast import Cast
from tests.files.vaults import own_file

pytestmark = pytest.mark.django_db

ANNA = models.user_id_of(ISSUER, "anna")
EMAIL = "anna.novak@example.test"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_acts_for_the_practitioner_it_names(provider: Provider, nobody: Caller) -> None:
    body = {"fileName": "a.pdf", "mimeType": "", "size": 5}
    nobody.http = Client(enforce_csrf_checks=True)
    for _again in range(2):
        answer = nobody("POST", "files/presign-upload", body, **bearer(provider.access_token()))
        assert answer.status_code == 201
        assert not answer.cookies
    assert User.fetch(ANNA) is not None
    assert list(Session.scan()) == []


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.example.test/other"},
        {"client_id": "another"},
        {"token_use": "id"},
        {"exp": 1},
        {"sub": ""},
    ],
)
def test_wrong_tokens_are_refused_whatever_the_cookie(
    cast: Cast, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    program = with_session(cast.a)
    answer = program("GET", "files/list", **bearer(provider.access_token()))
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert program("GET", "files/list").status_code == 200, "the session goes on"


@pytest.mark.parametrize("claim", ["iss", "client_id", "token_use", "exp", "sub"])
def test_missing_claims_are_refused(provider: Provider, nobody: Caller, claim: str) -> None:
    provider.left_out = {claim}
    assert nobody("GET", "files/list", **bearer(provider.access_token())).status_code == 401


@pytest.mark.parametrize("algorithm", ["none", "HS256", "PS256"])
def test_other_algorithms_are_refused(provider: Provider, nobody: Caller, algorithm: str) -> None:
    provider.algorithm = algorithm
    assert nobody("GET", "files/list", **bearer(provider.access_token())).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü", "e30.e30.e30", "x" * 5000])
def test_broken_tokens_are_refused(cast: Cast, provider: Provider, token: str) -> None:
    answer = with_session(cast.a)("GET", "files/list", **bearer(token))
    assert answer.status_code == 401
    (event,) = AuditEvent.scan()  # of nobody: the cookie beside it counts for nothing (A2)
    assert (event.action, event.actor) == ("access:denied", "anonymous")


def test_an_id_token_is_no_access_token(provider: Provider, nobody: Caller) -> None:
    assert nobody("GET", "files/list", **bearer(provider.id_token("n"))).status_code == 401


def test_keys_are_kept_and_follow_a_rotation(provider: Provider, nobody: Caller) -> None:
    for _again in range(3):
        assert nobody("GET", "files/list", **bearer(provider.access_token())).status_code == 200
    assert provider.asked.count("/keys") == 1
    provider.kid, provider.published = "two", ("two",)
    assert nobody("GET", "files/list", **bearer(provider.access_token())).status_code == 200
    assert provider.asked.count("/keys") == 2
    provider.kid = "one"
    for _again in range(5):
        assert nobody("GET", "files/list", **bearer(provider.access_token())).status_code == 401
    assert provider.asked.count("/keys") == 2, "unknown keys don't make us ask each time"


def test_a_token_counts_at_the_api_alone(provider: Provider) -> None:
    answer = Client(headers=bearer(provider.access_token())).get("/files/")
    assert answer.status_code == 302
    assert User.fetch(ANNA) is None


def test_a_closed_account_is_refused(provider: Provider, nobody: Caller) -> None:
    nobody("GET", "files/list", **bearer(provider.access_token()))
    profiles.deactivate(System(), ANNA)
    answer = nobody("GET", "files/list", **bearer(provider.access_token()))
    assert (answer.status_code, answer.json()["code"]) == (403, "deactivated")


def test_a_token_leaves_what_a_login_told(provider: Provider, signed_in: Client) -> None:
    Caller(Client())("GET", "files/list", **bearer(provider.access_token()))
    profile = User.fetch(ANNA)
    assert profile is not None
    assert (profile.email, profile.email_verified) == ("anna.novak@example.test", True)


# --- The profile that a first token makes ---

TOLD = {"sub": "anna", "email": EMAIL, "email_verified": "true", "name": " Anna  Novak "}


def list_with(provider: Provider, program: Caller) -> User:
    """Let a program call once; the profile as it is then."""
    answer = program("GET", "files/list", **bearer(provider.access_token()))
    assert answer.status_code == 200, answer.content
    profile = User.fetch(ANNA)
    assert profile is not None
    return profile


def test_the_provider_is_asked_once_who_it_is(cast: Cast, provider: Provider) -> None:
    """And what was shared with the address before is there at once."""
    file = own_file(cast.b)
    share(cast.b, vault_of(cast.b), file.file_id, email=EMAIL)
    provider.userinfo = TOLD
    for _again in range(2):
        profile = list_with(provider, Caller(Client()))
    assert (profile.display_name, profile.email, profile.email_verified) == (
        "Anna Novak",
        EMAIL,
        True,
    )
    assert provider.asked.count("/userinfo") == 1
    listed = Caller(Client())("GET", "files/list", **bearer(provider.access_token())).json()
    assert [each["fileId"] for each in listed["shared"]] == [file.file_id]


@pytest.mark.parametrize(
    "told",
    [TOLD | {"sub": "another"}, {"email": EMAIL}, 401, 500, ["sub", "anna"], "anna", 302],
)
def test_what_the_provider_does_not_tell_is_left(
    provider: Provider, nobody: Caller, sign_in: SignIn, told: Any
) -> None:
    provider.userinfo = told
    profile = list_with(provider, nobody)
    assert (profile.display_name, profile.email) == ("", "")
    assert profile.email_hash is None
    sign_in(Client())
    assert list_with(provider, nobody).email == EMAIL


def test_without_the_scope_nobody_is_asked(provider: Provider, nobody: Caller) -> None:
    provider.userinfo = TOLD
    provider.claims = {"scope": "aws.cognito.signin.user.admin"}
    assert list_with(provider, nobody).email == ""
    assert "/userinfo" not in provider.asked


def test_a_name_that_could_disguise_somebody_is_left(provider: Provider, nobody: Caller) -> None:
    provider.userinfo = TOLD | {"name": "Anna\u202eavoN"}
    profile = list_with(provider, nobody)
    assert (profile.display_name, profile.email) == ("", EMAIL)


def test_a_login_that_overtakes_a_first_token_keeps_its_word(
    provider: Provider, nobody: Caller
) -> None:
    """The token found no profile, and while it asks, a login makes one."""
    login = Identity(ISSUER, "anna", email=EMAIL, email_verified=True, name="Anna Novak")

    def meanwhile() -> dict[str, Any]:
        profiles.sign_in(login, address="192.0.2.1")
        return {"sub": "anna", "name": "Somebody Else"}

    provider.userinfo = meanwhile
    profile = list_with(provider, nobody)
    assert (profile.email, profile.email_verified, profile.display_name) == (EMAIL, True, "")


def test_login_and_logout(provider: Provider, nobody: Caller) -> None:
    begun = nobody("POST", "auth/login", {"next": "/files/"})
    assert begun.status_code == 200
    address = begun.json()["authorizationUrl"]
    assert parse_qs(urlsplit(address).query)["code_challenge_method"] == ["S256"]
    assert nobody.http.get(provider.authorize(address))["Location"] == "/files/"
    assert nobody("GET", "files/list").status_code == 200
    key = session_cookie(nobody.http)
    ended = nobody("POST", "auth/logout")
    assert ended.json()["logoutUrl"].startswith("https://sign-out.example.test/end")
    stale = Client()
    stale.cookies["session"] = key
    assert Caller(stale)("GET", "files/list").status_code == 401


def test_login_leads_to_this_site_alone(provider: Provider, nobody: Caller) -> None:
    assert nobody("POST", "auth/login").status_code == 200
    begun = nobody("POST", "auth/login", {"next": "https://evil.example/"})
    assert nobody.http.get(provider.authorize(begun.json()["authorizationUrl"]))["Location"] == "/"
    assert nobody("POST", "auth/login", {"next": 5}).json()["fields"].keys() == {"next"}
