"""The first-login page, settings, and the password form of last resort."""

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from accounts import models, profiles
from accounts.tables import AuditEvent, User
from tests.accounts.conftest import SignIn
from tests.accounts.provider import Provider

pytestmark = pytest.mark.django_db


def profile() -> User:
    (found,) = User.scan()
    return found


def test_settings_change_what_others_read(signed_in: Client) -> None:
    sent = {"display_name": "Prof. Anna Novák", "practice": "", "language": "de"}
    answer = signed_in.post("/settings/", sent)
    assert answer["Location"] == "/settings/"
    assert (profile().display_name, profile().practice) == ("Prof. Anna Novák", "")
    page = signed_in.get("/settings/")
    assert page["Content-Language"] == "de"
    assert b"alert success" in page.content
    (event,) = [e for e in AuditEvent.scan() if e.event_id == profile().event_id]
    assert (event.action, event.details) == ("user:profile_changed", {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", ""),
        ("display_name", " \t "),
        ("display_name", "x" * 81),
        ("display_name", "Anna\u202eavon"),
        ("display_name", "Anna\x07"),
        ("practice", "y" * 121),
        ("practice", "Pra\u2066ctice"),
        ("language", "xx"),
    ],
)
def test_bad_values_are_named_and_nothing_typed_is_lost(
    signed_in: Client, field: str, value: str
) -> None:
    before = profile().to_simple_dict()
    sent = {
        "display_name": "Anna Typed",
        "practice": "Practice Typed",
        "language": "",
        field: value,
    }
    page = signed_in.post("/settings/", sent)
    assert page.status_code == 200
    assert page.context["form"].errors.keys() == {field}
    for name, typed in (("display_name", "Anna Typed"), ("practice", "Practice Typed")):
        assert name == field or typed in page.content.decode()
    assert profile().to_simple_dict() == before


@pytest.mark.parametrize(
    "name", ["Zoë", "Łukasz O'Neill-Żak", "山田 太郎", "نور", "👩‍⚕️ Anna", "<b>A</b>"]
)
def test_names_of_the_world_are_taken_and_escaped(signed_in: Client, name: str) -> None:
    signed_in.post("/settings/", {"display_name": name})
    assert profile().display_name == name
    assert b"<b>A</b>" not in signed_in.get("/settings/").content


def test_display_name_survives_the_next_login(
    signed_in: Client, sign_in: SignIn, provider: Provider
) -> None:
    provider.claims = {"name": "Somebody Else", "email": "new@example.test"}
    sign_in(signed_in)
    assert (profile().display_name, profile().email) == ("Dr Anna Novak", "new@example.test")


def test_welcome_page_wants_a_login_and_a_name(client: Client, sign_in: SignIn) -> None:
    assert client.get("/welcome/")["Location"] == "/auth/login/?next=%2Fwelcome%2F"
    sign_in(client)
    assert client.post("/welcome/", {"display_name": ""}).status_code == 200
    assert profile().display_name == ""
    unnamed = client.get("/settings/", headers={"accept": "application/json"})
    assert (unnamed.status_code, unnamed.json()["code"]) == (403, "no_name")


def test_user_id_is_stable() -> None:
    """Ownership hangs on it: this value must never change."""
    assert models.user_id_of("https://login.example.test/pool", "anna") == (
        "397a0971-6b79-52bf-9325-3373fd0e1d2c"
    )
    assert models.user_id_of("https://a.test/b", "c") != models.user_id_of("https://a.test/", "bc")


# --- Break-glass ---

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture
def root() -> models.User:
    return models.User.objects.create_superuser("root", PASSWORD)


def enter(browser: Client, username: str = "root", password: str = PASSWORD) -> int:
    sent = {"username": username, "password": password}
    return browser.post("/auth/break-glass/", sent).status_code


def test_password_form_is_not_there_by_default(client: Client, root: models.User) -> None:
    assert client.get("/auth/break-glass/").status_code == 404
    assert enter(client) == 404


def test_break_glass_login_opens_the_admin_is_audited_and_alerts(
    settings: Settings,
    client: Client,
    provider: Provider,
    root: models.User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.BREAK_GLASS = True
    settings.OIDC_ADMIN_AMR = ["mfa"]
    assert client.get("/auth/break-glass/").status_code == 200
    assert enter(client) == 302
    assert client.get("/admin/").status_code == 200
    (event,) = [e for e in AuditEvent.scan() if e.action == "user:break_glass_login"]
    assert event.actor == f"user:{root.pk}"
    assert [r.message for r in caplog.records if r.levelname == "ERROR"] == [
        "ALERT: break-glass login"
    ]


def test_break_glass_form_refuses_wrong_passwords_and_then_rests(
    settings: Settings, client: Client, root: models.User
) -> None:
    settings.BREAK_GLASS = True
    assert [enter(client, password="wrong") for _ in range(6)] == [200] * 5 + [429]
    assert enter(client) == 429
    assert len([e for e in AuditEvent.scan() if e.action == "user:login_failed"]) == 5


def test_break_glass_form_knows_nobody_of_the_provider(
    settings: Settings, client: Client, sign_in: SignIn
) -> None:
    settings.BREAK_GLASS = True
    sign_in(Client())
    user = models.User.objects.get()
    user.set_password(PASSWORD)
    user.save()
    assert enter(client, username=user.username) == 200


def test_superuser_is_made_by_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", "--username", "root")
    user = models.User.objects.get()
    assert (user.issuer, user.subject, user.is_staff) == ("break-glass", "root", True)
    assert str(user.pk) == profiles.Identity("break-glass", "root").user_id
