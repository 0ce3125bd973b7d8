"""The link of an invitation: opened, dead, asked for afresh (I1, I2, I6, I7)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client as Browser

from cases import invitations, tokens
from cases.tables import Case
from filevault.dynamo import new_id, now
from tests.cases.invited import (
    Invited,
    deliver,
    enter,
    link_in,
    make_invited,
    open_link,
    sign_in,
    snapshot,
)
from tests.cast import Cast

DEAD = 410


@pytest.fixture
def invited(cast: Cast) -> Invited:
    return make_invited(cast.a)


def test_get_and_head_change_nothing_I1(invited: Invited) -> None:
    path = invited.send()
    before, mails = snapshot(invited), len(deliver())
    for _ in range(20):
        scanner = Browser()
        scanner.head(path, follow=True)
        assert open_link(scanner, path).status_code == 200
        scanner.get("/invite/code/")
    assert snapshot(invited) == before
    assert len(deliver()) == mails
    assert Browser().post(path).status_code == 405
    assert snapshot(invited) == before
    enter(invited)
    assert invited.invitation.opened_at is not None


def test_the_token_leaves_the_address_bar_I2(invited: Invited) -> None:
    browser, path = Browser(), invited.send()
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/invite/")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    token = path.split("/")[2]
    assert token not in str(answer.cookies)
    for address in ("/invite/", "/invite/code/", "/invite/fresh/"):
        page = browser.get(address)
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert token not in page.content.decode()


def test_the_page_names_practice_and_practitioner(invited: Invited) -> None:
    page = open_link(Browser(), invited.send()).content.decode()
    assert "Dr Anna Novak" in page
    assert "Practice 1" in page
    assert page.count('type="submit"') == 1
    assert invited.client.name not in page  # a forwarded link tells nothing of the recipient
    assert invited.case.title not in page


def test_links_are_built_from_site_url_never_from_the_host_I8(invited: Invited) -> None:
    browser = sign_in(invited.practitioner)
    address = f"/cases/{invited.case.case_id}/clients/{invited.client.client_id}/resend/"
    assert browser.post(address, headers={"host": "evil.example.test"}).status_code == 400
    settings.ALLOWED_HOSTS.append("evil.example.test")
    try:
        assert browser.post(address, headers={"host": "evil.example.test"}).status_code == 302
    finally:
        settings.ALLOWED_HOSTS.remove("evil.example.test")
    body = str(deliver()[-1].body)
    assert f"{settings.SITE_URL}/invite/" in body
    assert "evil" not in body


def dead_links(invited: Invited, cast: Cast) -> Iterator[str]:
    """One link for each reason not to open: altered, not ours, unknown, revoked, replaced, expired,
    of a deleted case, of a client taken off the case."""
    good = invited.send()
    yield good[:-3] + ("A" if good[-3] != "A" else "B") + good[-2:]
    yield "/invite/nonsense/"
    yield "/invite/with/slashes/"
    unknown = tokens.Claims(new_id(), new_id(), new_id())
    yield f"/invite/{tokens.sign(unknown, expires_at=now() + timedelta(days=1))}/"
    other = make_invited(cast.b, name="Jonas Brandt", email="jonas@example.test")
    revoked = other.send()
    other.revoke()
    yield revoked
    other.send()
    yield revoked
    expired = tokens.Claims(invited.case.case_id, invited.client.client_id, invited.invitation.jti)
    yield f"/invite/{tokens.sign(expired, expires_at=now() - timedelta(seconds=1))}/"
    gone = make_invited(cast.b)
    path = gone.send()
    gone.case.update([Case.status.set("deleted")])
    yield path
    moved = make_invited(cast.b)
    path = moved.send()
    moved.case.update([Case.client_ids.set([])])
    yield path


def test_dead_links_are_answered_alike_I6(invited: Invited, cast: Cast) -> None:
    answers = []
    for path in dead_links(invited, cast):
        browser = Browser()
        first = browser.get(path)
        page = browser.get("/invite/")
        names = sorted(name for name in page.headers if name != "X-Request-Id")
        answers.append((first.status_code, first.content, page.status_code, page.content, names))
    assert len(answers) == 9
    assert {answer[2] for answer in answers} == {DEAD}
    assert all(answer == answers[0] for answer in answers)
    never = Browser().get("/invite/")
    assert (never.status_code, never.content) == (DEAD, answers[0][3])
    assert b"fresh" in never.content


def test_no_dead_link_leads_to_a_code_or_a_case_I6(invited: Invited, cast: Cast) -> None:
    for path in dead_links(invited, cast):
        browser = Browser()
        open_link(browser, path)
        mails = len(deliver())
        for address in ("/invite/send-code/", "/invite/enter/", "/invite/code/"):
            assert browser.post(address, {"code": "123456"}).status_code == DEAD
        assert browser.get("/portal/").status_code == 401
        assert len(deliver()) == mails


# --- A fresh link ---


def test_an_expired_link_gets_a_fresh_one_to_the_address_on_file(invited: Invited) -> None:
    old = invited.send()
    with time_machine.travel(now() + settings.INVITATION_TTL + timedelta(minutes=1), tick=False):
        browser = Browser()
        assert open_link(browser, old).status_code == DEAD
        assert browser.get("/invite/fresh/").status_code == 200
        answer = browser.post("/invite/fresh/", {"email": "thief@example.test"})
        assert answer.status_code == 200
        message = deliver()[-1]
        assert message.to == [invited.client.email]
        assert invited.invitation.wished_at is not None
        assert open_link(Browser(), link_in(message)).status_code == 200
        assert open_link(Browser(), old).status_code == DEAD


def test_wishes_are_answered_alike_whether_or_not_a_mail_went_I7(
    invited: Invited, cast: Cast
) -> None:
    answers = set()
    for path in dead_links(invited, cast):
        browser = Browser()
        open_link(browser, path)
        answer = browser.post("/invite/fresh/")
        answers.add((answer.status_code, answer.content))
    assert len(answers) == 1


def test_a_revoked_client_gets_no_fresh_link_but_is_heard(invited: Invited) -> None:
    path = invited.send()
    invited.revoke()
    mails, browser = len(deliver()), Browser()
    open_link(browser, path)
    assert browser.post("/invite/fresh/").status_code == 200
    assert len(deliver()) == mails
    assert invited.invitation.access == "revoked"
    assert invited.invitation.wished_at is not None


def test_wishes_are_limited_per_case_and_per_address_I7(invited: Invited) -> None:
    path = invited.send()
    before = len(deliver())
    with time_machine.travel(now() + settings.INVITATION_TTL + timedelta(minutes=1), tick=False):
        statuses = []
        for number in range(12):
            browser = Browser(REMOTE_ADDR=f"198.51.100.{number // 11}")
            open_link(browser, path)
            answer = browser.post("/invite/fresh/")
            statuses.append(answer.status_code)
            if answer.status_code == 429:
                assert int(answer.headers["Retry-After"]) > 0
        assert len(deliver()) - before == invitations.WISHES
    assert statuses == [200] * 10 + [429] + [200]


def test_several_links_on_one_device_are_all_kept(cast: Cast) -> None:
    first, second = make_invited(cast.a, link_only=True), make_invited(cast.b, link_only=True)
    browser, path = Browser(), first.send()
    open_link(browser, path)
    open_link(browser, second.send())
    # the page of the first link is still open in another tab
    entered = browser.post("/invite/enter/", {"case": first.case.case_id})
    assert entered.headers["Location"] == first.portal
    entered = browser.post("/invite/enter/", {"case": second.case.case_id})
    assert entered.headers["Location"] == second.portal
    assert browser.get(first.portal).status_code == browser.get(second.portal).status_code == 200
    assert open_link(browser, path).redirect_chain[-1][0] == first.portal


def test_a_form_cannot_name_a_case_without_its_link_Z3(cast: Cast) -> None:
    mine, other = make_invited(cast.a, link_only=True), make_invited(cast.a, link_only=True)
    other.send()
    browser = Browser()
    open_link(browser, mine.send())
    entered = browser.post("/invite/enter/", {"case": other.case.case_id})
    assert entered.headers["Location"] == mine.portal
    assert browser.get(other.portal).status_code == 404
    assert other.invitation.opened_at is None
