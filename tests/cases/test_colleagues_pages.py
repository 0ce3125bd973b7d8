"""What a colleague sees and may do on the pages, in JSON, and by mail; and how a case is shared."""

import re
from typing import Any

import pytest
from django.core import mail as outbox
from django.test import Client as Browser

from accounts.actors import CaseClient, Practitioner
from accounts.tables import AuditEvent
from cases import cases, colleagues, holds, invitations
from cases.tables import Case, Client, Notice
from filevault.dynamo import new_id
from tests.api.conftest import Caller, with_session
from tests.cases.bursts import run
from tests.cases.casework import again, arrived, make_case, make_client
from tests.cases.invited import deliver, sign_in
from tests.files.vaults import BEN, STRANGER, known

pytestmark = pytest.mark.settled


@pytest.fixture
def maria(a: Practitioner) -> Client:
    return make_client(a)


@pytest.fixture
def case(a: Practitioner, maria: Client) -> Case:
    made = make_case(a, maria)
    made.update([Case.notes.set("Mind the canary.")])
    return made


def share(case: Case, email: str = BEN, access: str = "read") -> None:
    owner = Practitioner(case.user_id, "Dr Anna Novak", "Practice 1", "dr.anna.novak@example.test")
    colleagues.share(owner, case.case_id, email=email, access=access)


def page(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def paths_of(case: Case) -> dict[str, str]:
    """Where the case is, and what only its owner may do with it."""
    base = f"/cases/{case.case_id}/"
    verbs = ("edit", "close", "reopen", "delete", "colleagues", "colleagues/access")
    paths = {verb: f"{base}{verb}/" for verb in (*verbs, "colleagues/remove")}
    client = f"{base}clients/{case.client_ids[0]}/"
    return {"page": base} | paths | {verb: f"{client}{verb}/" for verb in ("invite", "revoke")}


def body_of(answer: Any) -> str:
    """A body without the token that is new in each."""
    text = re.sub(r'(data-csrf|value)="\w{64}"', "", answer.content.decode())
    return re.sub(r'nonce="[^"]+"', "", text)


def test_the_owner_shares_changes_and_takes_back(a: Practitioner, case: Case) -> None:
    browser, base = sign_in(a), f"/cases/{case.case_id}/"
    assert 'id="colleagues"' in page(browser, base)
    for email in (BEN, STRANGER):
        shared = browser.post(f"{base}colleagues/", {"email": email, "access": "read"}, follow=True)
        assert shared.redirect_chain == [(base, 302)]
        assert f"{email} can open the case after signing in" in shared.content.decode()
    shown = page(browser, base)
    assert shown.count("Reads only") == 2
    assert STRANGER in shown
    body = {"email": STRANGER, "access": "write"}
    shown = browser.post(f"{base}colleagues/access/", body, follow=True).content.decode()
    assert (shown.count("Reads only"), shown.count("Reads and adds files")) == (1, 1)
    shown = browser.post(f"{base}colleagues/remove/", {"email": BEN}, follow=True).content.decode()
    assert "The access was taken back" in shown
    assert BEN not in shown


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "Please enter an e-mail address"),
        ({"email": "ben@", "access": "read"}, "Please enter an e-mail address"),
        ({"email": BEN}, "This field is required"),
        ({"email": BEN, "access": "owner"}, "Select a valid choice"),
        ({"email": "Dr.Anna.Novak@example.test", "access": "read"}, "This case is yours already."),
    ],
)
def test_a_form_that_went_wrong_keeps_what_was_typed(
    a: Practitioner, case: Case, body: dict[str, str], error: str
) -> None:
    answer = sign_in(a).post(f"/cases/{case.case_id}/colleagues/", body)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert error in shown
    assert f'value="{body.get("email", "")}"' in shown or "email" not in body
    assert again(case).pending_members.as_dict() == {}


def test_bad_changes_are_refused(a: Practitioner, b: Practitioner, case: Case) -> None:
    share(case)
    base, browser = f"/cases/{case.case_id}/colleagues/", sign_in(a)
    for path, body in (
        ("access/", {}),
        ("access/", {"email": BEN}),
        ("access/", {"email": BEN, "access": "owner"}),
        ("remove/", {}),
        ("remove/", {"email": "x" * 5000}),
    ):
        assert browser.post(f"{base}{path}", body).status_code == 422, (path, body)
        assert browser.get(f"{base}{path}").status_code == 405
    assert again(case).members.as_dict() != {}


def test_a_colleague_sees_the_case_and_no_button_of_its_owner(
    a: Practitioner, b: Practitioner, maria: Client, case: Case
) -> None:
    invitations.send(a, case.case_id, maria.client_id)
    share(case)
    browser, paths = sign_in(b), paths_of(case)
    shown = page(browser, paths["page"])
    for text in ("Keller v. Brandt", "Maria Keller", "Shared by Dr Anna Novak (Practice 1)"):
        assert text in shown
    assert "you may read and download" in shown
    for text in ("canary", "data-uploader", maria.email, 'id="colleagues"'):
        assert text not in shown, text
    own = [path for verb, path in paths.items() if verb != "page"]
    assert [path for path in own if f'"{path}"' in shown] == []
    for path in own:
        assert {browser.get(path).status_code, browser.post(path, {}).status_code} <= {403, 405}
    for listing in ("/", "/cases/"):
        listed = page(browser, listing)
        assert "Shared by Dr Anna Novak (Practice 1)" in listed
        assert "read only" in listed
    colleagues.change_access(a, case.case_id, email=BEN, access="write")
    shown = page(browser, paths["page"])
    assert "data-uploader" in shown
    assert "you may add files, too" in shown


def test_nothing_is_left_of_the_case_once_access_was_taken_back_Z5(
    a: Practitioner, b: Practitioner, case: Case
) -> None:
    share(case)
    browser, path = sign_in(b), f"/cases/{case.case_id}/"
    assert browser.get(path).status_code == 200
    colleagues.remove(a, case.case_id, email=BEN)
    for there in (path, f"{path}files/", f"{path}files/zip", f"{path}colleagues/"):
        nowhere = browser.get(there.replace(case.case_id, new_id()))
        answer = browser.get(there)
        assert (answer.status_code, body_of(answer)) == (404, body_of(nowhere)), there
    assert "Keller" not in page(browser, "/") + page(browser, "/cases/")


def test_the_client_is_told_who_sees_the_files(a: Practitioner, maria: Client, case: Case) -> None:
    case.update([Case.link_only.set(True)])
    invitations.send(a, case.case_id, maria.client_id)
    link = re.search(r"/invite/\S+", str(deliver()[-1].body))
    assert link
    browser = Browser()
    browser.get(link[0], follow=True)
    browser.post("/invite/enter/")
    portal = f"/portal/{case.case_id}/"
    assert "Only the two of you" in page(browser, portal)
    share(case, STRANGER)  # who counts as well before they have come in
    shown = page(browser, portal)
    assert "works on this case with 1 colleague, who sees its files, too" in shown
    assert "Only the two of you" not in shown
    share(case)
    shown = page(browser, portal)
    assert "works on this case with 2 colleagues, who see its files, too" in shown
    assert "okafor" not in shown.lower()


def test_the_json_api_keeps_the_same_rule(a: Practitioner, b: Practitioner, case: Case) -> None:
    ann, ben = with_session(a), with_session(b)
    letter = ann.upload(caseId=case.case_id)
    body = {"fileName": "a.pdf", "mimeType": "", "size": 9, "caseId": case.case_id}
    assert status(ben, "GET", f"files/list?caseId={case.case_id}") == 404
    share(case)
    (file,) = ben("GET", f"files/list?caseId={case.case_id}").json()["owned"]
    assert (file["fileId"], file["actions"], "s3Key" in file) == (letter, ["download"], False)
    assert status(ben, "GET", f"files/download?fileId={letter}") == 200
    assert status(ben, "POST", "files/presign-upload", body) == 403
    assert status(ben, "DELETE", f"files/delete?fileId={letter}") == 403
    share(case, access="write")
    mine = ben.upload(caseId=case.case_id)
    (newest, _older) = ben("GET", f"files/list?caseId={case.case_id}").json()["owned"]
    assert (newest["fileId"], newest["actions"]) == (mine, ["download", "delete"])
    assert (newest["userId"], newest["uploadedBy"]) == (a.user_id, b.actor_id)
    assert status(ben, "DELETE", f"files/delete?fileId={letter}") == 403
    assert status(ben, "DELETE", f"files/delete?fileId={mine}") == 204
    colleagues.remove(a, case.case_id, email=BEN)
    for method, path, sent in (
        ("GET", "files/list?caseId={}", None),
        ("GET", "files/download?fileId={}", None),
        ("DELETE", "files/delete?fileId={}", None),
        ("POST", "files/presign-upload", body),
    ):
        theirs = letter if "fileId" in path else case.case_id
        there = ben(method, path.format(theirs), sent)
        random = ben(method, path.format(new_id()), {**sent, "caseId": new_id()} if sent else None)
        assert (there.status_code, there.content) == (404, random.content), path


def status(caller: Caller, method: str, path: str, body: Any = None) -> int:
    return int(caller(method, path, body).status_code)


# --- Notices ---


def heard(case: Case, sender: Practitioner | CaseClient) -> list[str]:
    """Who is written to about an upload, once its window has closed."""
    deliver()
    before = len(outbox.outbox)
    arrived(case, sender, name="canary.pdf")
    run(minutes=6)
    return sorted(mail.to[0] for mail in outbox.outbox[before:])


def test_who_hears_of_whose_files(
    a: Practitioner, b: Practitioner, maria: Client, case: Case
) -> None:
    client = CaseClient(maria.client_id, case.case_id, a.user_id, "Maria")
    invitations.send(a, case.case_id, maria.client_id)
    share(case, access="write")
    share(case, STRANGER)
    case = again(case)
    assert heard(case, client) == [BEN, a.email]
    events = [e for e in AuditEvent.scan() if e.action == "notice:queued"]
    streams = {event.target: event.stream_id for event in events}
    assert streams == {a.actor_id: f"case:{case.case_id}", b.actor_id: f"user:{b.user_id}"}
    assert heard(case, a) == [maria.email]
    assert heard(case, b) == sorted([a.email, maria.email])
    texts = str([(mail.subject, mail.body, mail.alternatives) for mail in deliver()[-5:]])
    for canary in ("canary", "Keller", "Okafor"):  # T2
        assert canary not in texts.replace("Hello Ben Okafor", "").replace("Maria Keller", "")


def test_who_was_taken_off_before_the_window_closes_hears_nothing(
    a: Practitioner, b: Practitioner, maria: Client, case: Case
) -> None:
    client = CaseClient(maria.client_id, case.case_id, a.user_id, "Maria")
    share(case)
    deliver()
    arrived(case, client, name="canary.pdf")
    assert len(list(Notice.scan())) == 2
    colleagues.remove(a, case.case_id, email=BEN)
    before = len(outbox.outbox)
    run(minutes=6)
    assert [mail.to for mail in outbox.outbox[before:]] == [[a.email]]
    assert outbox.outbox[-1].subject.endswith("from your client in a case")


def test_the_largest_case_still_takes_an_upload_of_anybody(
    a: Practitioner, b: Practitioner
) -> None:
    people = [make_client(a, f"Client {number}") for number in range(20)]
    case = make_case(a, *people)
    for number in range(colleagues.MOST_COLLEAGUES - 1):
        member = known(f"Person {number}", 100 + number)
        share(case, member.email)
    share(case, access="write")
    case = again(case)
    client = CaseClient(people[0].client_id, case.case_id, a.user_id, "Client 0")
    for sender in (a, b, client):
        assert arrived(case, sender, name="canary.pdf").state == "AVAILABLE"
    cases.delete_case(a, case.case_id)


def test_why_a_case_is_held_is_for_its_owner(a: Practitioner, b: Practitioner, case: Case) -> None:
    share(case)
    holds.place(a, case.case_id, reason="Suspicion against a partner")
    theirs, mine = (
        sign_in(person).get(f"/cases/{case.case_id}/").content.decode() for person in (b, a)
    )
    assert "Legal hold" in theirs
    assert "Suspicion" not in theirs
    assert "Suspicion" in mine
