"""What an ID token must be, and whom it names: L2 and L3."""

from typing import Any

import pytest
from django.test import Client

from accounts import models
from accounts.tables import User
from tests.accounts.conftest import SignIn
from tests.accounts.provider import Provider
from tests.accounts.steps import assert_refused

pytestmark = pytest.mark.django_db


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
        {"sub": "s" * 256},
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


@pytest.mark.parametrize("email", ["a@b\nBcc: x@y.test", "nobody", 5, "a" * 300 + "@b.test"])
def test_what_is_no_address_is_not_taken_for_one(
    client: Client, provider: Provider, sign_in: SignIn, email: object
) -> None:
    provider.claims = {"email": email, "name": "N" * 500}
    assert sign_in(client).status_code == 302
    profile = next(iter(User.scan()))
    assert (profile.email, profile.email_verified) == ("", False)
    assert profile.email_hash is None
