"""A provider that answers, and a browser that goes through its login."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses
from django.conf import settings
from django.test import Client

from accounts import discovery
from tests.accounts.provider import Provider

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Any]


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    discovery.forget()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.serve(mock)
        yield made
    discovery.forget()


@pytest.fixture
def sign_in(provider: Provider) -> SignIn:
    """Take a browser through a login; answers what the callback answered."""

    def run(browser: Client, next_path: str = "/settings/") -> Any:
        begun = browser.get("/auth/login/", {"next": next_path})
        assert begun.status_code == 302
        return browser.get(provider.authorize(begun["Location"]))

    return run


@pytest.fixture
def signed_in(client: Client, sign_in: SignIn) -> Client:
    """A browser of Anna's, who has entered her name."""
    sign_in(client)
    client.post("/welcome/", {"display_name": "Dr Anna Novak", "practice": "Novak Partners"})
    return client


def session_cookie(browser: Client) -> str:
    return browser.cookies[settings.SESSION_COOKIE_NAME].value
