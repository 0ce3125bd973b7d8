"""The way through the provider and back, from outside: L1 and W3."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client

from accounts.sessions import SessionStore
from accounts.tables import User
from tests.accounts.conftest import SignIn, session_cookie
from tests.accounts.provider import Provider
from tests.accounts.steps import assert_refused, begin, events

pytestmark = pytest.mark.django_db


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


def test_state_is_spent_by_a_failed_callback_too_L1(client: Client, provider: Provider) -> None:
    address, _query = begin(client)
    assert client.get(provider.authorize(address, code="guessed")).status_code == 400
    assert_refused(client, client.get(provider.authorize(address)))


def test_login_that_took_too_long_is_refused_L1(client: Client, provider: Provider) -> None:
    callback = provider.authorize(begin(client)[0])
    with time_machine.travel(time.time() + 601, tick=True):
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
