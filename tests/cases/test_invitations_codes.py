"""The code beside the link, and devices that are spared it (I5, I7)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core import mail as outbox
from django.test import Client as Browser

from accounts.tables import AuditEvent
from cases import codes, invitations
from cases.codes import CodeSpent, WrongCode
from cases.tables import Case, ClientDevice
from filevault.dynamo import now
from filevault.errors import DomainError
from tests.cases.invited import (
    Invited,
    ask_for_code,
    deliver,
    enter,
    make_invited,
    open_link,
    snapshot,
)
from tests.cast import Cast


@pytest.fixture
def invited(cast: Cast) -> Invited:
    return make_invited(cast.a)


@pytest.fixture
def link_only(cast: Cast) -> Invited:
    return make_invited(cast.a, link_only=True)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def actions_of(case: Case) -> list[str]:
    return [event.action for event in AuditEvent.query(f"case:{case.case_id}")]


def test_the_code_leads_the_subject_and_is_stored_hashed_I5(invited: Invited) -> None:
    browser, path = Browser(), invited.send()
    code = ask_for_code(browser, path)
    message = deliver()[-1]
    assert message.subject.startswith(f"{code} ")
    assert message.to == [invited.client.email]
    assert code not in str(snapshot(invited))
    page = browser.get("/invite/code/").content.decode()
    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page


@pytest.mark.parametrize(
    "typed", ["{}", " {} ", "{0:.3} {0[3]}{0[4]}{0[5]}", "{0:.3}-{0[3]}{0[4]}{0[5]}"]
)
def test_the_code_opens_the_case_however_it_is_typed(invited: Invited, typed: str) -> None:
    browser, path = Browser(), invited.send()
    code = ask_for_code(browser, path)
    key = browser.cookies["client"].value
    answer = browser.post("/invite/code/", {"code": typed.format(code)})
    assert (answer.status_code, answer.headers["Location"]) == (302, invited.portal)
    assert browser.cookies["client"].value != key
    assert browser.get(invited.portal).status_code == 200
    planted = Browser()
    planted.cookies["client"] = key
    assert planted.get(invited.portal).status_code == 401
    assert {"code:sent", "code:accepted", "invitation:opened"} <= set(actions_of(invited.case))


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "x" * 500]
)
def test_what_is_no_code_is_told_beside_the_field(invited: Invited, typed: str) -> None:
    browser = Browser()
    code = ask_for_code(browser, invited.send())
    answer = browser.post("/invite/code/", {"code": typed})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert browser.post("/invite/code/", {"code": code}).status_code == 302


def test_five_wrong_tries_void_the_code_I5(invited: Invited) -> None:
    browser = Browser()
    code = ask_for_code(browser, invited.send())
    for _ in range(codes.TRIES):
        assert browser.post("/invite/code/", {"code": wrong(code)}).status_code == 422
    assert browser.post("/invite/code/", {"code": code}).status_code == 422
    assert browser.get(invited.portal).status_code == 401


def test_parallel_tries_are_counted_before_they_are_compared_I5(invited: Invited) -> None:
    browser = Browser()
    code = ask_for_code(browser, invited.send())
    invitation = invited.invitation
    grant = invitations.get_live(invitation.case_id, invitation.client_id, invitation.jti)
    assert grant is not None
    actor = grant.actor("192.0.2.7")

    def try_once(_number: int) -> type[DomainError] | None:
        try:
            codes.enter_by_code(grant, actor, wrong(code))
        except DomainError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(try_once, range(40)))
    assert outcomes.count(WrongCode) == codes.TRIES - 1
    assert outcomes.count(CodeSpent) == 40 - codes.TRIES + 1
    with pytest.raises(CodeSpent):
        codes.enter_by_code(grant, actor, code)


def test_a_code_is_good_once_I5(invited: Invited) -> None:
    path = invited.send()
    browser, second = Browser(), Browser()
    code = ask_for_code(browser, path)
    open_link(second, path)
    assert browser.post("/invite/code/", {"code": code}).status_code == 302
    assert second.post("/invite/code/", {"code": code}).status_code == 422


def test_a_second_code_voids_the_first_I5(invited: Invited) -> None:
    browser, path = Browser(), invited.send()
    first, second = ask_for_code(browser, path), ask_for_code(browser, path)
    while second == first:
        second = ask_for_code(browser, path)
    assert browser.post("/invite/code/", {"code": first}).status_code == 422
    assert browser.post("/invite/code/", {"code": second}).status_code == 302


def test_a_code_ends_after_ten_minutes_I5(invited: Invited) -> None:
    browser = Browser()
    code = ask_for_code(browser, invited.send())
    with time_machine.travel(now() + timedelta(minutes=10, seconds=1), tick=False):
        assert browser.post("/invite/code/", {"code": code}).status_code == 422


def test_a_code_that_waited_too_long_in_the_outbox_is_not_sent(invited: Invited) -> None:
    browser, path = Browser(), invited.send()
    open_link(browser, path)
    browser.post("/invite/send-code/")
    before = len(outbox.outbox)
    with time_machine.travel(now() + timedelta(minutes=11), tick=False):
        assert len(deliver()) == before


def test_asking_for_codes_is_limited_per_case_and_address_I7(invited: Invited, cast: Cast) -> None:
    path = invited.send()
    before, statuses = len(deliver()), []
    for number in range(7):
        browser = Browser(REMOTE_ADDR=f"198.51.100.{number}")
        open_link(browser, path)
        statuses.append(browser.post("/invite/send-code/").status_code)
        deliver()
    assert statuses == [302] * 5 + [429] * 2
    assert len(deliver()) - before == 5
    for _ in range(6):
        other = make_invited(cast.b)
        browser = Browser(REMOTE_ADDR="203.0.113.9")
        open_link(browser, other.send())
        answers = [browser.post("/invite/send-code/").status_code for _ in range(5)]
    assert answers == [302] * 5
    open_link(browser, make_invited(cast.b).send())
    assert browser.post("/invite/send-code/").status_code == 429


def test_a_forwarded_link_needs_the_code_in_another_browser(invited: Invited) -> None:
    path = invited.send()
    browser = Browser()
    browser.post("/invite/code/", {"code": ask_for_code(browser, path)})
    thief = Browser()
    assert b"Send me the code" in open_link(thief, path).content
    assert thief.get(invited.portal).status_code == 401
    assert thief.post("/invite/enter/").headers["Location"] == "/invite/"
    assert thief.get(invited.portal).status_code == 401


def test_link_only_opens_by_one_click_and_no_get(link_only: Invited) -> None:
    browser, path = Browser(), link_only.send()
    page = open_link(browser, path)
    assert b"Send me the code" not in page.content
    assert browser.get(link_only.portal).status_code == 401
    assert browser.get("/invite/enter/").status_code == 405
    assert link_only.invitation.opened_at is None
    assert browser.post("/invite/enter/").headers["Location"] == link_only.portal
    assert browser.get(link_only.portal).status_code == 200
    assert link_only.invitation.opened_at is not None


# --- Remembered devices ---


def test_a_remembered_device_needs_no_new_code(invited: Invited) -> None:
    browser = enter(invited, remember=True)
    cookie = browser.cookies["device"]
    assert cookie["httponly"]
    assert cookie["max-age"] > 80 * 24 * 3600
    assert cookie.value not in str([row.to_simple_dict() for row in _devices(invited)])
    later = Browser()
    later.cookies["device"] = cookie.value
    assert later.get(invited.portal).status_code == 401  # it replaces the code, not the link
    assert b"Send me the code" not in open_link(later, invited.send()).content
    assert later.post("/invite/enter/").headers["Location"] == invited.portal
    assert later.get(invited.portal).status_code == 200


def test_a_device_is_not_remembered_unasked(invited: Invited) -> None:
    assert "device" not in enter(invited).cookies


def test_a_remembered_device_dies_with_the_invitation(invited: Invited) -> None:
    browser = enter(invited, remember=True)
    invited.revoke()
    path = invited.send()
    assert b"Send me the code" in open_link(browser, path).content
    assert browser.post("/invite/enter/").headers["Location"] == "/invite/"


def test_a_device_is_remembered_for_its_own_invitation_alone(invited: Invited, cast: Cast) -> None:
    browser = enter(invited, remember=True)
    other = make_invited(cast.a, name="Jonas Brandt", email="jonas@example.test")
    assert b"Send me the code" in open_link(browser, other.send()).content


def test_a_remembered_device_is_forgotten_in_time(invited: Invited) -> None:
    browser = enter(invited, remember=True)
    with time_machine.travel(now() + settings.DEVICE_REMEMBERED + timedelta(minutes=1), tick=False):
        fresh = Browser()
        fresh.cookies["device"] = browser.cookies["device"].value
        assert b"Send me the code" in open_link(fresh, invited.send()).content


def _devices(invited: Invited) -> list[ClientDevice]:
    return list(ClientDevice.query(f"{invited.case.case_id}#{invited.client.client_id}"))
