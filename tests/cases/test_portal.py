"""What a client's session opens, and what it doesn't (I4, I9, Z2, Z3)."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse

from accounts.tables import AuditEvent
from cases.tables import Case, Client
from filevault.dynamo import new_id, now
from tests.cases.invited import Invited, enter, make_invited, sign_in
from tests.cast import Cast


@pytest.fixture
def invited(cast: Cast) -> Invited:
    return make_invited(cast.a)


def test_the_case_page_shows_what_and_who(invited: Invited) -> None:
    page = enter(invited).get(invited.portal)
    text = page.content.decode()
    for shown in (invited.case.title, "Dr Anna Novak", "Practice 1", "Maria Keller"):
        assert shown in text
    assert "data-uploader" in text
    assert f"/portal/{invited.case.case_id}/files/presign" in text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_client_session_opens_its_case_and_nothing_else_I9(invited: Invited, cast: Cast) -> None:
    other = make_invited(cast.a, name="Jonas Brandt", email="jonas@example.test")
    other.send()
    browser = enter(invited)
    random_page = browser.get(f"/portal/{new_id()}/")
    strange_page = browser.get(other.portal)
    assert random_page.status_code == strange_page.status_code == 404
    assert random_page.content == strange_page.content
    for path in (
        "/",
        f"/cases/{invited.case.case_id}/",
        "/clients/",
        f"{reverse('search')}?q=a",
        "/settings/",
    ):
        answer = browser.get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/auth/login/")
    assert browser.get("/admin/").status_code in {302, 403, 404}


def test_a_clients_cookie_is_no_practitioners_and_the_other_way_round_I9(
    invited: Invited,
) -> None:
    browser = enter(invited)
    swapped = Browser()
    swapped.cookies["session"] = browser.cookies["client"].value
    assert swapped.get(f"/cases/{invited.case.case_id}/").status_code == 302
    practitioner = sign_in(invited.practitioner)
    practitioner.cookies["client"] = practitioner.cookies["session"].value
    assert practitioner.get(invited.portal).status_code == 401


def test_the_case_comes_from_the_session_never_from_the_request_Z3(
    invited: Invited, cast: Cast
) -> None:
    other = make_invited(cast.a, name="Jonas Brandt", email="j@example.test", title="Tax return")
    other.send()
    browser = enter(invited)
    other_id = other.case.case_id
    page = browser.get(f"{invited.portal}?caseId={other_id}&case_id={other_id}").content.decode()
    assert invited.case.title in page
    assert other.case.title not in page
    presign = f"{other.portal}files/presign"
    body = {"fileName": "a.pdf", "mimeType": "application/pdf", "size": 10}
    answer = browser.post(presign, body, content_type="application/json")
    assert answer.status_code == 404


def test_without_a_session_the_answer_is_the_same_for_every_case_Z2(invited: Invited) -> None:
    invited.send()
    known, random = Browser().get(invited.portal), Browser().get(f"/portal/{new_id()}/")
    assert known.status_code == random.status_code == 401
    assert known.content == random.content
    assert Browser().get("/portal/").status_code == 401
    json = Browser().get(f"{invited.portal}files/", headers={"accept": "application/json"})
    assert (json.status_code, json.json()["code"]) == (401, "not_signed_in")


def test_a_client_taken_off_the_case_is_out_at_once_I4(invited: Invited) -> None:
    browser = enter(invited)
    invited.case.update([Case.client_ids.set([])])
    assert browser.get(invited.portal).status_code == 401


def test_a_closed_case_is_read_only_and_says_so(invited: Invited) -> None:
    browser = enter(invited)
    owner_status = f"{invited.case.user_id}#closed"
    invited.case.update([Case.status.set("closed"), Case.owner_status.set(owner_status)])
    page = browser.get(invited.portal)
    assert page.status_code == 200
    assert "data-uploader" not in page.content.decode()
    assert "has closed this case" in page.content.decode()


def test_the_list_holds_the_live_cases_of_this_device(invited: Invited, cast: Cast) -> None:
    other = make_invited(cast.b, name="Maria Keller", title="Tax return")
    browser = enter(other, enter(invited))
    page = browser.get("/portal/").content.decode()
    assert invited.case.title in page
    assert "Tax return" in page
    other.revoke()
    page = browser.get("/portal/").content.decode()
    assert invited.case.title in page
    assert "Tax return" not in page


def test_a_session_ends_when_idle_and_after_its_longest_L7(invited: Invited) -> None:
    browser = enter(invited)
    with time_machine.travel(now() + settings.SESSION_IDLE + timedelta(seconds=1), tick=False):
        assert browser.get(invited.portal).status_code == 401
    browser = enter(invited)
    start = now()
    for minutes in range(20, 12 * 60, 20):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert browser.post("/portal/keepalive/").status_code == 200
    with time_machine.travel(start + settings.SESSION_ABSOLUTE + timedelta(seconds=1), tick=False):
        assert browser.get(invited.portal).status_code == 401
        assert browser.post("/portal/keepalive/").status_code == 401


def test_leaving_ends_the_session_on_the_server(invited: Invited) -> None:
    browser = enter(invited)
    key = browser.cookies["client"].value
    assert browser.get("/portal/leave/").status_code == 405
    answer = browser.post("/portal/leave/", follow=True)
    assert "You have left" in answer.content.decode()
    browser.cookies["client"] = key
    assert browser.get(invited.portal).status_code == 401
    actions = [event.action for event in AuditEvent.query(f"case:{invited.case.case_id}")]
    assert "portal:left" in actions


def test_posts_need_the_csrf_token_W1(invited: Invited) -> None:
    browser = enter(invited)
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies["client"] = browser.cookies["client"].value
    for path in ("/portal/leave/", "/portal/keepalive/", "/invite/enter/", "/invite/send-code/"):
        assert strict.post(path).status_code == 403
    assert strict.post("/invite/code/", {"code": "123456"}).status_code == 403
    assert strict.post("/invite/fresh/").status_code == 403
    assert strict.get(invited.portal).status_code == 200


def test_a_client_reads_the_pages_in_their_language(invited: Invited) -> None:
    invited.client.update([Client.language.set("de")])
    assert '<html lang="de"' in enter(invited).get(invited.portal).content.decode()
