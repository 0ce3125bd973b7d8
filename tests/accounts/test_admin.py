"""The admin area: its door, its records, and what it leaves in the audit trail."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from accounts import audit, models
from accounts.audit import Action
from accounts.sessions import AMR_KEY, PROFILE_KEY
from accounts.tables import AuditEvent, User
from cases.tables import Case, Invitation, PendingMember
from cases.tables import Client as CaseClientRow
from files.tables import File, FileRef
from filevault import jobs, mail
from filevault.dynamo import Transaction, new_id, now
from filevault.tables import Job, Mail
from tests.cast import Cast

pytestmark = pytest.mark.django_db

ISSUER = "https://login.example.test/pool"
SHA256 = "5e" * 32
SECRET_NAME = "findings-of-mrs-smith.pdf"


def signed_in(user: models.User, **session: Any) -> Client:
    """A browser in which a user has logged in through the provider."""
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    kept = browser.session
    kept[PROFILE_KEY] = str(user.pk)
    for key, value in session.items():
        kept[key] = value
    kept.save()
    return browser


def make_user(name: str, *, is_admin: bool) -> models.User:
    user_id = models.user_id_of(ISSUER, name)
    User(
        user_id,
        issuer=ISSUER,
        subject=name,
        email=f"{name}@example.test",
        email_hash=mail.address_hash(f"{name}@example.test"),
        email_verified=True,
        display_name=name.title(),
        is_admin=is_admin,
        created_at=now(),
    ).save()
    return models.User.objects.create(
        user_id=user_id,
        issuer=ISSUER,
        subject=name,
        username=user_id,
        email=f"{name}@example.test",
        display_name=name.title(),
        is_staff=is_admin,
        is_superuser=is_admin,
    )


@pytest.fixture
def admin() -> models.User:
    return make_user("ada", is_admin=True)


@pytest.fixture
def person() -> models.User:
    return make_user("paul", is_admin=False)


@pytest.fixture
def browser(admin: models.User) -> Client:
    return signed_in(admin)


@pytest.fixture
def case(person: models.User) -> Case:
    """A case of Paul's with a client, an invitation and a file."""
    row = Case(
        new_id(),
        user_id=str(person.pk),
        owner_status=f"{person.pk}#open",
        status="open",
        title="Hip replacement",
        client_ids=[new_id()],
        created_at=now(),
        updated_at=now(),
    )
    row.save()
    client_id = row.client_ids[0]
    CaseClientRow(
        str(person.pk),
        client_id,
        name="Carla Client",
        email="carla@example.test",
        email_hash=mail.address_hash("carla@example.test"),
        name_key="carla client",
        created_at=now(),
        updated_at=now(),
    ).save()
    Invitation(
        row.case_id,
        client_id,
        user_id=str(person.pk),
        access="active",
        jti=new_id(),
        expires_at=now() + timedelta(days=1),
        created_at=now(),
    ).save()
    file_id = new_id()
    File(
        f"case:{row.case_id}",
        file_id,
        owner_id=str(person.pk),
        file_name=SECRET_NAME,
        s3_key=f"cases/{row.case_id}/x",
        size=1234,
        mime_type="application/pdf",
        sha256=SHA256,
        scan_verdict="unscanned",
        state="AVAILABLE",
        uploaded_by=f"client:{client_id}",
        created_at=now(),
        upload_expires_at=now(),
    ).save()
    FileRef(file_id, space_id=f"case:{row.case_id}").save()
    return row


def viewed(admin: models.User) -> list[str]:
    events = AuditEvent.query(audit.user_stream(str(admin.pk)), consistent_read=True)
    return [event.target for event in events if event.action == Action.ADMIN_VIEW]


def text(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


PAGES = [
    "/admin/records/users/",
    "/admin/records/cases/",
    "/admin/records/files/",
    "/admin/records/mails/",
    "/admin/records/jobs/",
    "/admin/records/audit/",
]


def test_nobody_signed_in_is_led_to_the_provider() -> None:
    answer = Client().get("/admin/")
    assert answer.status_code == 302
    answer = Client().get(answer["Location"])
    assert answer["Location"] == "/auth/login/?next=%2Fadmin%2F"


@pytest.mark.parametrize("address", ["/admin/", "/admin/accounts/user/", *PAGES])
def test_a_practitioner_is_kept_out(person: models.User, address: str) -> None:
    browser = signed_in(person)
    answer = browser.get(address, follow=True)
    assert answer.status_code == 403
    assert "Filevault administration" not in answer.content.decode()


def test_who_is_kept_out_is_in_the_trail_A2(person: models.User) -> None:
    signed_in(person).get("/admin/", follow=True)
    (event,) = AuditEvent.scan()
    assert (event.action, event.actor) == ("access:denied", f"user:{person.pk}")
    assert event.details == {"route": "admin:login", "method": "GET", "code": "forbidden"}


@pytest.mark.parametrize("address", ["/admin/", "/admin/accounts/user/", *PAGES])
def test_pages_are_there_in_the_products_colours(browser: Client, address: str) -> None:
    page = text(browser, address)
    assert "css/admin.css" in page
    assert "style=" not in page


@pytest.mark.parametrize("address", ["/admin/accounts/user/", *PAGES])
def test_each_view_is_audited_A2(browser: Client, admin: models.User, address: str) -> None:
    before = len(viewed(admin))
    text(browser, address)
    assert len(viewed(admin)) == before + 1


def test_no_audit_no_content_A4(
    browser: Client, person: models.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AuditEvent.Meta, "table_name", "away")
    monkeypatch.setattr(AuditEvent, "_connection", None)
    answer = browser.get(f"/admin/records/users/{person.pk}/")
    monkeypatch.setattr(AuditEvent, "_connection", None)
    assert answer.status_code == 503
    assert "paul@example.test" not in answer.content.decode()


@override_settings(OIDC_ADMIN_AMR=["mfa"])
def test_evidence_is_asked_for_where_configured_L8(admin: models.User) -> None:
    assert signed_in(admin).get("/admin/", follow=True).status_code == 403
    assert signed_in(admin, **{AMR_KEY: ["pwd", "mfa"]}).get("/admin/").status_code == 200


def test_an_admin_who_is_none_any_more_is_out_at_once(browser: Client, admin: models.User) -> None:
    User(str(admin.pk)).update([User.is_admin.set(False)])
    assert browser.get("/admin/", follow=True).status_code == 403


@pytest.mark.settled
@pytest.mark.parametrize("asked", ["id", "paul@example.test", " Paul@Example.test "])
def test_user_is_found_by_id_or_address(browser: Client, person: models.User, asked: str) -> None:
    query = str(person.pk) if asked == "id" else asked
    answer = browser.get("/admin/records/users/", {"q": query})
    assert f"/admin/records/users/{person.pk}/" in answer.content.decode()


@pytest.mark.parametrize("asked", ["paul", "nobody@example.test", "' OR 1=1 --", "x" * 400])
def test_nobody_is_found_by_less(browser: Client, person: models.User, asked: str) -> None:
    answer = browser.get("/admin/records/users/", {"q": asked})
    assert answer.status_code == 200
    assert str(person.pk) not in answer.content.decode()


def test_deactivation_bites_at_the_next_request_L7(browser: Client, person: models.User) -> None:
    theirs = signed_in(person)
    assert theirs.get("/settings/").status_code == 200
    answer = browser.post(f"/admin/records/users/{person.pk}/deactivate", follow=True)
    assert "The account is closed." in answer.content.decode()
    assert theirs.get("/settings/").status_code == 302
    events = AuditEvent.query(audit.user_stream(str(person.pk)), consistent_read=True)
    assert Action.USER_DEACTIVATE in {event.action for event in events}
    browser.post(f"/admin/records/users/{person.pk}/reactivate")
    profile = User.fetch(str(person.pk))
    assert profile is not None
    assert profile.deactivated_at is None


def test_changes_need_post_and_a_token_W1(admin: models.User, person: models.User) -> None:
    address = f"/admin/records/users/{person.pk}/deactivate"
    assert signed_in(admin).get(address).status_code == 405
    checking = Client(enforce_csrf_checks=True)
    checking.cookies = signed_in(admin).cookies
    assert checking.post(address).status_code == 403
    profile = User.fetch(str(person.pk))
    assert profile is not None
    assert profile.deactivated_at is None


def test_accounts_are_closed_from_djangos_list_too(browser: Client, person: models.User) -> None:
    answer = browser.post(
        "/admin/accounts/user/",
        {"action": "close_accounts", "_selected_action": [str(person.pk)], "index": "0"},
        follow=True,
    )
    assert "The accounts are closed." in answer.content.decode()
    profile = User.fetch(str(person.pk))
    assert profile is not None
    assert profile.deactivated_at is not None


def test_djangos_list_is_read_only(browser: Client, person: models.User) -> None:
    assert browser.get("/admin/accounts/user/add/").status_code == 403
    assert browser.get(f"/admin/accounts/user/{person.pk}/delete/").status_code == 403
    page = f"/admin/accounts/user/{person.pk}/change/"
    assert browser.get(page).status_code == 200
    assert browser.post(page, {"display_name": "Mallory"}).status_code == 403


@pytest.mark.settled
def test_from_user_to_case_to_files(browser: Client, person: models.User, case: Case) -> None:
    page = text(browser, f"/admin/records/users/{person.pk}/")
    cases = f"/admin/records/cases/of/{person.pk}/"
    assert cases in page
    page = text(browser, cases)
    assert f"/admin/records/cases/{case.case_id}/" in page
    page = text(browser, f"/admin/records/cases/{case.case_id}/")
    assert "Carla Client" in page
    assert "Shared with nobody." in page
    hashed = mail.address_hash("ben.okafor@example.test")
    case.update([Case.pending_members.set({hashed: "read"})])
    PendingMember(
        hashed,
        case.case_id,
        shared_by=str(person.pk),
        email="ben.okafor@example.test",
        created_at=now(),
    ).save()
    page = text(browser, f"/admin/records/cases/{case.case_id}/")
    assert "ben.okafor@example.test" in page
    assert "read only" in page
    files = f"/admin/records/files/of/case%3A{case.case_id}/"
    assert files in page or files.replace("%3A", ":") in page
    page = text(browser, files)
    assert SECRET_NAME in page
    assert SHA256 in page
    assert "too large for the scanner" in page
    assert "download" not in page


def test_what_was_looked_at_is_audited_by_id_alone_T2(
    browser: Client, admin: models.User, case: Case
) -> None:
    text(browser, f"/admin/records/cases/{case.case_id}/")
    text(browser, f"/admin/records/files/of/case:{case.case_id}/")
    browser.get("/admin/records/cases/", {"q": "carla@example.test"})
    targets = viewed(admin)
    assert targets == [f"case:{case.case_id}", f"files-of:case:{case.case_id}", "cases"]


@pytest.mark.settled
def test_case_and_file_are_found_by_id_and_client_by_address(browser: Client, case: Case) -> None:
    listed = f"/admin/records/cases/{case.case_id}/"
    for query in (case.case_id, case.client_ids[0], "carla@example.test"):
        assert listed in browser.get("/admin/records/cases/", {"q": query}).content.decode()
    file_id = next(iter(File.query(f"case:{case.case_id}"))).file_id
    page = browser.get("/admin/records/files/", {"q": file_id}).content.decode()
    assert SECRET_NAME in page


def test_invitation_is_revoked(browser: Client, admin: models.User, case: Case) -> None:
    address = f"/admin/records/cases/{case.case_id}/{case.client_ids[0]}/revoke"
    browser.post(address)
    invitation = Invitation.fetch(case.case_id, case.client_ids[0])
    assert invitation is not None
    assert invitation.access == "revoked"
    events = list(AuditEvent.query(audit.case_stream(case.case_id), consistent_read=True))
    assert [(event.action, event.actor) for event in events] == [
        (Action.INVITATION_REVOKE, f"user:{admin.pk}")
    ]
    browser.post(address)
    assert len(list(AuditEvent.query(audit.case_stream(case.case_id)))) == 1


def test_dead_job_is_put_back_and_runs(browser: Client, admin: models.User) -> None:
    dead = Job(
        jobs.DEAD_SHARD,
        "2026-01-01T00:00:00.000+00:00#1",
        kind="admin.test",
        payload={"mailId": "m"},
        tries=10,
        last_error="ValueError",
        created_at=now(),
    )
    dead.save()
    page = text(browser, "/admin/records/jobs/")
    assert "admin.test" in page
    answer = browser.post("/admin/records/jobs/revive", {"job": dead.due_key}, follow=True)
    assert "put back" in answer.content.decode()
    assert Job.fetch(jobs.DEAD_SHARD, dead.due_key) is None
    ran: list[dict[str, Any]] = []
    jobs.handler("admin.test")(lambda claim: ran.append(claim.payload))
    jobs.run_due("test", kinds=["admin.test"])
    assert ran == [{"mailId": "m"}]
    answer = browser.post("/admin/records/jobs/revive", {"job": dead.due_key}, follow=True)
    assert "put back already" in answer.content.decode()
    actions = {event.action for event in AuditEvent.query(audit.user_stream(str(admin.pk)))}
    assert Action.ADMIN_REVIVE in actions


@pytest.mark.settled
def test_outbox_shows_states_and_no_content(browser: Client) -> None:
    tx = Transaction()
    mail_id = mail.queue(tx, "code", {"caseId": "c", "code": "135790"})
    tx.commit()
    Mail(mail_id).update([Mail.state.set("dead"), Mail.reason.set("suppressed")])
    for address in ("/admin/records/mails/", f"/admin/records/mails/?q={mail_id}"):
        page = text(browser, address)
        assert mail_id in page
        assert "suppressed" in page
        assert "135790" not in page


def test_job_list_shows_ids_alone(browser: Client) -> None:
    tx = Transaction()
    jobs.enqueue(tx, "admin.secret", {"caseId": "c-1", "code": "135790"})
    tx.commit()
    page = text(browser, "/admin/records/jobs/")
    assert "c-1" in page
    assert "135790" not in page


def test_audit_stream_is_paged_by_cursor(browser: Client, cast: Cast) -> None:
    stream = "case:22222222-2222-7222-8222-222222222222"
    for number in range(60):
        audit.record_alone(stream, Action.FILE_DOWNLOAD, cast.a, target=f"file-{number}")
    answer = browser.get("/admin/records/audit/", {"stream": stream})
    first = answer.content.decode()
    assert "file-59" in first
    assert "file-9<" not in first
    more = next(table.more_url for table in answer.context["page"].tables)
    assert "file-0" in text(browser, more)
    answer = browser.get("/admin/records/audit/", {"stream": "user:x", "cursor": "broken"})
    assert answer.status_code == 422


def test_logout_is_the_products_own_L6(browser: Client) -> None:
    answer = browser.post("/admin/logout/")
    assert answer.status_code == 307
    assert answer["Location"] == "/auth/logout/"


def test_sessions_are_shown_nowhere(browser: Client) -> None:
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    for address in ("/admin/", *PAGES):
        page = text(browser, address)
        assert key not in page
        assert "/sessions/" not in page
