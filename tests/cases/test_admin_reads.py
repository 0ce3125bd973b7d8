"""An admin opens a file for a stated reason that its people read, and in no other way (Z10)."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from django.test import Client as Browser

from accounts.actors import Practitioner
from accounts.tables import AuditEvent
from files.admin_reads import KEPT
from files.tables import File, FileRef
from filevault.tables import Mail
from tests.accounts.test_admin import make_user, signed_in
from tests.cases.invited import Invited, deliver, enter, make_invited, sign_in
from tests.cast import Cast
from tests.files import samples
from tests.files.space import put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bucket")]

REASON = "The practice asked us to restore a damaged copy"
NAME = "findings-of-mrs-keller.pdf"


@pytest.fixture
def admin() -> Browser:
    return signed_in(make_user("ada", is_admin=True))


@pytest.fixture
def invited(cast: Cast) -> Invited:
    made = make_invited(cast.a)
    made.send()
    return made


@pytest.fixture
def file(invited: Invited) -> File:
    return upload(enter(invited), f"{invited.portal}files/")


def upload(browser: Browser, files: str) -> File:
    """A file that was sent by a browser; `files` is where its routes stand."""
    body = {"fileName": NAME, "size": len(samples.PDF)}
    begun = browser.post(f"{files}presign", body, content_type="application/json").json()
    put(row_of(begun["fileId"]), samples.PDF)
    confirmed = browser.post(begun["confirmUrl"], {}, content_type="application/json")
    assert confirmed.json()["state"] == "AVAILABLE"
    return row_of(begun["fileId"])


def row_of(file_id: str) -> File:
    ref = FileRef.fetch(file_id)
    assert ref is not None
    return cast(File, File.fetch(ref.space_id, file_id))


def page_of(file: File) -> str:
    return f"/admin/records/files/{file.file_id}/"


def open_file(browser: Browser, file: File, reason: str = REASON) -> Any:
    return browser.post(f"{page_of(file)}open", {"reason": reason})


def opened(file: File) -> list[AuditEvent]:
    """The events of it in the trail, where the practitioner's own are."""
    events = AuditEvent.query(file.space_id, consistent_read=True)
    return [event for event in events if event.action == "file:opened_by_admin"]


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_an_admin_opens_a_file_for_a_reason_Z10(admin: Browser, file: File) -> None:
    page = text(admin, page_of(file))
    assert NAME in page
    assert f'action="{page_of(file)}open"' in page
    answer = open_file(admin, file)
    assert answer.status_code == 302
    address = urlsplit(answer["Location"])
    assert str(file.s3_key) in address.path
    assert f"versionId={file.version_id}" in address.query
    assert "X-Amz-Expires=120" in address.query
    assert "attachment" in address.query
    assert "no-store" in answer["Cache-Control"]
    (event,) = opened(file)
    assert event.target == file.file_id
    assert event.details == {"versionId": file.version_id, "reason": REASON}
    assert event.actor.startswith("user:")
    assert event.address == "127.0.0.1"
    assert row_of(file.file_id).event_id == event.event_id


@pytest.mark.parametrize(
    "reason", ["", "   ", "because", "x" * 501, "in order to \u202egnp.exe", "a reason \x00 here"]
)
def test_without_a_reason_nothing_is_opened_Z10(admin: Browser, file: File, reason: str) -> None:
    answer = open_file(admin, file, reason)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert "Location" not in answer
    assert opened(file) == []
    assert row_of(file.file_id).admin_reads is None
    assert admin.post(f"{page_of(file)}open").status_code == 422
    assert admin.get(f"{page_of(file)}open").status_code == 405


def test_the_practitioner_reads_the_reason_and_the_client_does_not_Z10(
    admin: Browser, invited: Invited, file: File
) -> None:
    case = f"/cases/{invited.case.case_id}/"
    said = "An administrator opened this file on"
    practitioner, client = sign_in(invited.practitioner), enter(invited)
    assert said not in text(practitioner, case)
    open_file(admin, file)
    for path in (case, f"{case}files/"):
        page = text(practitioner, path)
        assert said in page
        assert REASON in page
    assert f"Reason: “{REASON}”" in text(practitioner, f"{case}activity/")
    for path in (invited.portal, f"{invited.portal}activity/"):
        assert REASON not in text(client, path)
    read = text(client, f"{invited.portal}activity/")
    assert "as an administrator" in read
    assert "Another person on this case" not in read
    assert "<td>An administrator</td>" in read


def test_the_owner_gets_a_mail_that_names_neither_file_nor_reason_Z10_T2(
    admin: Browser, invited: Invited, file: File
) -> None:
    before = len(deliver())
    open_file(admin, file)
    message = deliver()[before]
    assert message.to == [invited.practitioner.email]
    assert message.subject == "An administrator opened one of your files"
    assert f"/cases/{invited.case.case_id}/" in str(message.body)
    for secret in (NAME, REASON, str(invited.case.title), str(invited.client.name)):
        assert secret not in str(message.message())


def test_a_file_of_the_vault_tells_its_owner_too_Z10(admin: Browser, cast: Cast) -> None:
    owner = sign_in(cast.a)
    file = upload(owner, f"/files/{cast.a.user_id}/files/")
    open_file(admin, file)
    assert REASON in text(owner, "/files/")
    assert len(opened(file)) == 1
    assert "/files/" in str(deliver()[-1].body)


def test_each_time_is_told_and_the_trail_has_them_all_Z10(
    admin: Browser, invited: Invited, file: File
) -> None:
    for number in range(KEPT + 1):
        assert open_file(admin, file, f"{REASON} ({number})").status_code == 302
    page = text(sign_in(invited.practitioner), f"/cases/{invited.case.case_id}/")
    assert f"{REASON} (0)" not in page
    assert page.index(f"{REASON} ({KEPT})") < page.index(f"{REASON} (1)")
    assert len(opened(file)) == KEPT + 1


def test_no_audit_no_content_for_an_admin_A4(
    admin: Browser, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = admin.get(page_of(file))
    assert page.status_code == 200
    monkeypatch.setattr(AuditEvent.Meta, "table_name", "gone")
    monkeypatch.setattr(AuditEvent, "_connection", None)
    answer = open_file(admin, file)
    monkeypatch.setattr(AuditEvent, "_connection", None)
    assert answer.status_code == 503
    assert "Location" not in answer
    assert list(Mail.scan(Mail.template == "admin_read")) == []


def test_there_is_no_other_way_for_an_admin_Z10(
    admin: Browser, invited: Invited, file: File
) -> None:
    home = f"/cases/{invited.case.case_id}/"
    for path in (
        home,
        *(f"{home}files/{file.file_id}/{way}" for way in ("download", "view", "open", "receipt")),
        *(f"{home}files/{end}" for end in ("", "zip", f"zip?file={file.file_id}")),
        *(f"/api/files/{way}" for way in (f"download?fileId={file.file_id}",)),
        f"/api/files/list?caseId={invited.case.case_id}",
        f"/files/shared/{file.file_id}/download",
    ):
        assert admin.get(path).status_code == 404, path
    for page in (page_of(file), f"/admin/records/files/of/{file.space_id}/"):
        assert "X-Amz-Signature" not in text(admin, page)


def test_a_practitioner_may_not_even_for_a_reason_Z10(invited: Invited, file: File) -> None:
    person = signed_in(make_user("paul", is_admin=False))
    answer = person.post(f"{page_of(file)}open", {"reason": REASON}, follow=True)
    assert answer.status_code == 403
    assert opened(file) == []


def refuse(file: File) -> None:
    file.update([File.state.set("CHECKING")])


def delete(file: File) -> None:
    case = f"/cases/{str(file.space_id).partition(':')[2]}/"
    owner = Practitioner(str(file.owner_id), "", "", "")
    assert sign_in(owner).post(f"{case}files/{file.file_id}/delete").status_code == 302


@pytest.mark.parametrize("end", [refuse, delete])
def test_what_is_not_served_is_not_opened_either_Z10_D3(
    admin: Browser, file: File, end: Callable[[File], None]
) -> None:
    open_file(admin, file)
    end(file)
    assert open_file(admin, file).status_code == 409
    assert f'action="{page_of(file)}open"' not in text(admin, page_of(file))
    assert len(opened(file)) == 1


def test_a_deletion_takes_the_reasons_from_the_row_T4(admin: Browser, file: File) -> None:
    open_file(admin, file)
    delete(file)
    assert row_of(file.file_id).admin_reads is None
    assert len(opened(file)) == 1
