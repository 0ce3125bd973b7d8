"""The doctor on login: a provider that knows us is ok, and what it refuses is named."""

from collections.abc import Iterator

import pytest
import responses
from django.conf import settings

from accounts import discovery
from tests.accounts.provider import BASE, Provider
from tests.examining import failures, the_failure

pytestmark = pytest.mark.django_db


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    discovery.forget()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{BASE}/authorize", body="a login page")
        yield mock
    discovery.forget()


@pytest.fixture
def provider(web: responses.RequestsMock) -> Provider:
    made = Provider()
    made.serve(web)
    return made


@pytest.mark.usefixtures("provider")
def test_a_provider_that_knows_us_is_ok() -> None:
    assert failures("login") == []


def test_a_provider_of_another_issuer(provider: Provider) -> None:
    provider.metadata["issuer"] = "https://login.example.test/other"
    assert "it names another issuer: set OIDC_ISSUER" in failures("login")[0]


def test_a_document_that_is_no_discovery(web: responses.RequestsMock, provider: Provider) -> None:
    issuer = settings.OIDC_ISSUER
    web.replace("GET", settings.OIDC_DISCOVERY_URL, json={"issuer": issuer})
    found = failures("login")
    assert len(found) == 4
    assert "it lacks authorization_endpoint, jwks_uri, token_endpoint" in found[0]
    assert all("mend what failed above" in line for line in found[1:])


def test_a_provider_that_is_away(web: responses.RequestsMock) -> None:
    found = failures("login")
    assert "no answer (ConnectionError)" in found[0]
    assert all("mend what failed above first" in line for line in found[1:])


def test_keys_that_nobody_can_check_with(provider: Provider) -> None:
    provider.published = ()
    assert "login: the provider publishes its keys: none of RS256" in the_failure("login")


@pytest.mark.usefixtures("provider")
def test_a_callback_that_is_not_registered(web: responses.RequestsMock) -> None:
    address = f"{BASE}/authorize"
    where = {"Location": f"{BASE}/error?error=redirect_mismatch"}
    web.replace("GET", address, status=302, headers=where)
    assert "register this address as the callback of OIDC_CLIENT_ID" in the_failure("login")


@pytest.mark.usefixtures("provider")
def test_a_wrong_client_secret_is_not_printed(web: responses.RequestsMock) -> None:
    web.replace("POST", f"{BASE}/token", status=401, json={"error": "invalid_client"})
    found = the_failure("login")
    assert "it says invalid_client: check OIDC_CLIENT_ID and OIDC_CLIENT_SECRET" in found
    assert settings.OIDC_CLIENT_SECRET not in found
