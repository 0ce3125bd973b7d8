"""Sessions: limits, parallel requests, two realms, deactivation (L7)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client
from pynamodb.connection import Connection

from accounts import profiles
from accounts.actors import System
from accounts.sessions import ClientSessionStore, SessionStore
from accounts.tables import AuditEvent, Session, User
from filevault.dynamo import now
from tests.accounts.conftest import SignIn, session_cookie

pytestmark = pytest.mark.django_db


def is_signed_in(browser: Client) -> bool:
    return browser.get("/settings/").status_code == 200


def stored(key: str) -> dict[str, Any]:
    """What a session holds for a request that comes now."""
    return SessionStore(key).load()


def row_of(key: str) -> Session:
    return next(row for row in Session.scan() if row.key_hash == SessionStore()._hash(key))


@contextmanager
def later(**delta: float) -> Iterator[None]:
    with time_machine.travel(now() + timedelta(**delta), tick=True):
        yield


@contextmanager
def counted_requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The operations that PynamoDB sends meanwhile."""
    sent: list[str] = []
    original = Connection.dispatch

    def noting(self: Connection, operation: str, arguments: Any) -> Any:
        sent.append(f"{operation} {arguments.get('TableName', '')}")
        return original(self, operation, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "dispatch", noting)
        yield sent


# --- Limits ---


def test_idle_session_ends_after_30_minutes_L7(signed_in: Client) -> None:
    with later(minutes=29):
        assert is_signed_in(signed_in)
        with later(minutes=29):
            assert is_signed_in(signed_in)
            with later(minutes=31):
                assert not is_signed_in(signed_in)


def test_session_in_use_ends_after_12_hours_L7(signed_in: Client) -> None:
    for minutes in range(25, 12 * 60, 25):
        with later(minutes=minutes):
            assert is_signed_in(signed_in), minutes
    with later(hours=12, minutes=1):
        assert not is_signed_in(signed_in)


def test_use_is_written_at_most_once_a_minute_L7(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in.get("/settings/")
    with counted_requests(monkeypatch) as sent:
        signed_in.get("/settings/")
    assert [name for name in sent if name.startswith("UpdateItem")] == []
    with later(seconds=61), counted_requests(monkeypatch) as sent:
        signed_in.get("/settings/")
        signed_in.get("/settings/")
    assert [name for name in sent if name.startswith("UpdateItem")] == [
        "UpdateItem filevault-Session"
    ]


def test_a_request_reads_session_and_profile_once_each_L7(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted_requests(monkeypatch) as sent:
        signed_in.post("/auth/keepalive/")
    assert sorted(sent) == ["GetItem filevault-Session", "GetItem filevault-User"]


def test_keepalive_moves_the_end_L7(signed_in: Client) -> None:
    with later(minutes=20):
        assert 1795 <= signed_in.post("/auth/keepalive/").json()["secondsLeft"] <= 1800
        with later(minutes=20):
            assert is_signed_in(signed_in)


def test_keepalive_without_a_session_says_so_L7(client: Client) -> None:
    answer = client.post("/auth/keepalive/", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_page_knows_when_the_session_ends_L7(signed_in: Client) -> None:
    page = signed_in.get("/settings/").content.decode()
    assert 'data-keepalive-url="/auth/keepalive/"' in page
    assert "data-session-ends=" in page
    assert "data-session-ends=" not in Client().get("/auth/signed-out/").content.decode()


def test_whoever_only_looks_gets_no_session(client: Client) -> None:
    answer = client.get("/auth/signed-out/")
    assert settings.SESSION_COOKIE_NAME not in answer.cookies
    assert list(Session.scan()) == []


# --- Parallel requests ---


def save_one_by_one(sessions: list[SessionStore]) -> None:
    for session in sessions:
        session.save()


def save_at_once(sessions: list[SessionStore]) -> None:
    with ThreadPoolExecutor(len(sessions)) as pool:
        list(pool.map(SessionStore.save, sessions))


@pytest.mark.parametrize(
    "save", [save_one_by_one, pytest.param(save_at_once, marks=pytest.mark.stack)]
)
def test_parallel_requests_lose_nothing_L7(save: Callable[[list[SessionStore]], None]) -> None:
    """Eight requests that all read the session before any of them wrote it."""
    first = SessionStore()
    first.update({"kept": 1, "gone": 1, "with.dots and:colons#": [1]})
    first.save()
    key = str(first.session_key)
    requests = [SessionStore(key) for _ in range(8)]
    for number, session in enumerate(requests):
        session[f"value{number}"] = {"number": number}
    requests[0].pop("gone")
    requests[1]["with.dots and:colons#"].append(2)
    save(requests)
    expected = {f"value{number}": {"number": number} for number in range(8)}
    assert stored(key) == {"kept": 1, "with.dots and:colons#": [1, 2], **expected}


def test_dead_session_is_not_brought_back_by_a_parallel_request_L7(signed_in: Client) -> None:
    key = session_cookie(signed_in)
    slow = SessionStore(key)
    slow["typed"] = "while the other tab logs out"
    signed_in.post("/auth/logout/")
    with pytest.raises(UpdateError):
        slow.save()
    slow.touch()
    assert stored(key) == {}
    assert list(Session.scan()) == []


def test_key_of_the_visitors_choosing_is_not_taken(client: Client, sign_in: SignIn) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = "chosen-by-an-attacker"
    sign_in(client)
    assert session_cookie(client) != "chosen-by-an-attacker"
    assert stored("chosen-by-an-attacker") == {}


def test_key_is_stored_hashed_L7(signed_in: Client) -> None:
    key = session_cookie(signed_in)
    row = row_of(key)
    assert len(key) >= 43
    assert key not in str(row.to_simple_dict())
    assert row.realm == "practitioner"


# --- Realms ---


def test_key_of_one_realm_is_worthless_in_the_other() -> None:
    client_session, practitioner_session = ClientSessionStore(), SessionStore()
    for session in (client_session, practitioner_session):
        session["profile"] = "somebody"
        session.save()
    assert SessionStore(client_session.session_key).load() == {}
    assert ClientSessionStore(practitioner_session.session_key).load() == {}
    assert ClientSessionStore(client_session.session_key).load() == {"profile": "somebody"}


def test_portal_does_not_read_the_practitioners_session(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in.cookies[settings.CLIENT_SESSION_COOKIE_NAME] = session_cookie(signed_in)
    with counted_requests(monkeypatch) as sent:
        answer = signed_in.get("/portal/")
    assert "filevault-User" not in " ".join(sent)
    assert b"Dr Anna Novak" not in answer.content
    assert is_signed_in(signed_in)


# --- Deactivation ---


def test_deactivation_bites_on_the_next_request_L7(signed_in: Client, sign_in: SignIn) -> None:
    (profile,) = User.scan()
    key = session_cookie(signed_in)
    profiles.deactivate(System("test"), profile.user_id)
    assert not is_signed_in(signed_in)
    assert stored(key) == {}
    refused = sign_in(Client())
    assert refused.status_code == 403
    assert b"This account is closed" in refused.content
    profiles.reactivate(System("test"), profile.user_id)
    assert sign_in(Client()).status_code == 302
    actions = [event.action for event in AuditEvent.scan()]
    assert actions.count("user:deactivated") == actions.count("user:reactivated") == 1


def test_profile_that_is_gone_ends_the_session_L7(signed_in: Client) -> None:
    (profile,) = User.scan()
    profile.delete()
    assert not is_signed_in(signed_in)
