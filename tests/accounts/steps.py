"""What the tests of logins do and look at over and over."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from accounts.tables import AuditEvent, User


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
