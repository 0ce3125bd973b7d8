"""From the link in the mail to the case: links, codes, devices, revocation (I1-I10)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail as outbox
from django.test import Client as Browser
from freezegun import freeze_time

from accounts.tables import AuditEvent
from cases import codes, invitations, people, tokens
from cases.codes import CodeSpent, WrongCode
from cases.invitation_mail import note_mail_state
from cases.tables import Case, ClientDevice, Invitation
from filevault.dynamo import new_id, now
from filevault.errors import DomainError, NotFound
from filevault.mail import address_hash
from filevault.tables import Suppression
from tests.cases.invited import (
    Invited,
    ask_for_code,
    code_in,
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


@pytest.fixture
def link_only(cast: Cast) -> Invited:
    return make_invited(cast.a, link_only=True)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def actions_of(case: Case) -> list[str]:
    return [event.action for event in AuditEvent.query(f"case:{case.case_id}")]


# --- The link ---


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
    with freeze_time(now() + settings.INVITATION_TTL + timedelta(minutes=1)):
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
    with freeze_time(now() + settings.INVITATION_TTL + timedelta(minutes=1)):
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


# --- The code ---


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
    with freeze_time(now() + timedelta(minutes=10, seconds=1)):
        assert browser.post("/invite/code/", {"code": code}).status_code == 422


def test_a_code_that_waited_too_long_in_the_outbox_is_not_sent(invited: Invited) -> None:
    browser, path = Browser(), invited.send()
    open_link(browser, path)
    browser.post("/invite/send-code/")
    before = len(outbox.outbox)
    with freeze_time(now() + timedelta(minutes=11)):
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
    with freeze_time(now() + settings.DEVICE_REMEMBERED + timedelta(minutes=1)):
        fresh = Browser()
        fresh.cookies["device"] = browser.cookies["device"].value
        assert b"Send me the code" in open_link(fresh, invited.send()).content


def _devices(invited: Invited) -> list[ClientDevice]:
    return list(ClientDevice.query(f"{invited.case.case_id}#{invited.client.client_id}"))


# --- Several links on one device ---


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


# --- The practitioner's side ---


def routes(invited: Invited) -> dict[str, str]:
    base = f"/cases/{invited.case.case_id}/clients/{invited.client.client_id}"
    return {name: f"{base}/{name}/" for name in ("invite", "resend", "revoke")}


def test_the_mail_is_seen_before_it_goes(invited: Invited) -> None:
    browser = sign_in(invited.practitioner)
    page = browser.get(routes(invited)["invite"]).content.decode()
    assert Invitation.fetch(invited.case.case_id, invited.client.client_id) is None
    assert browser.post(routes(invited)["invite"]).status_code == 302
    message = deliver()[-1]
    assert message.subject == "Dr Anna Novak (Practice 1) asks you for documents"
    assert message.subject in page
    for line in str(message.body).splitlines():
        if "/invite/" not in line:
            assert line.replace("'", "&#x27;") in page
    assert message.from_email.startswith('"Dr Anna Novak (Practice 1)" <')
    assert message.reply_to == ["anna.novak@example.test"]
    assert invited.invitation.mail_state == "sent"


def test_mails_hold_no_title_and_no_other_names_T2(invited: Invited) -> None:
    ask_for_code(Browser(), invited.send())
    for message in deliver():
        whole = f"{message.subject}{message.body}{message.alternatives}"
        assert invited.case.title not in whole
        assert "Brandt" not in whole


def test_a_resent_link_keeps_the_grant_and_a_revoked_one_does_not(invited: Invited) -> None:
    first = invited.send()
    jti = invited.invitation.jti
    second = invited.send()
    assert invited.invitation.jti == jti
    assert open_link(Browser(), first).status_code == open_link(Browser(), second).status_code
    invited.revoke()
    third = invited.send()
    assert invited.invitation.jti != jti
    assert open_link(Browser(), second).status_code == DEAD
    assert open_link(Browser(), third).status_code == 200


def test_revoking_ends_live_sessions_at_the_next_call_I4(invited: Invited) -> None:
    browser, idle = enter(invited), enter(invited)
    practitioner = sign_in(invited.practitioner)
    assert b"Maria Keller" in practitioner.get(routes(invited)["revoke"]).content
    assert browser.get(invited.portal).status_code == 200
    assert practitioner.post(routes(invited)["revoke"]).status_code == 302
    assert practitioner.post(routes(invited)["revoke"]).status_code == 302
    assert browser.get(invited.portal).status_code == 401
    invited.send()
    assert browser.get(invited.portal).status_code == 401
    assert idle.get(invited.portal).status_code == 401  # a new grant revives no old session
    assert actions_of(invited.case).count("invitation:revoked") == 1


def test_a_revoked_invitation_is_not_mailed(invited: Invited) -> None:
    invitations.send(invited.practitioner, invited.case.case_id, invited.client.client_id)
    invited.revoke()
    assert deliver() == []


def test_strangers_get_404_and_wrong_methods_405(invited: Invited, cast: Cast) -> None:
    invited.send()
    before = snapshot(invited)
    stranger, nobody = sign_in(cast.b), Browser()
    random_id = routes(invited)["revoke"].replace(invited.case.case_id, new_id())
    for path in routes(invited).values():
        assert stranger.post(path).status_code == 404
        assert nobody.post(path).status_code == 302
        assert stranger.put(path).status_code == 405
    same = stranger.get(routes(invited)["revoke"]), stranger.get(random_id)
    assert same[0].content == same[1].content
    assert sign_in(cast.a).get(routes(invited)["resend"]).status_code == 405
    assert snapshot(invited) == before


def test_only_clients_of_the_case_are_invited(invited: Invited, cast: Cast) -> None:
    other = make_invited(cast.a, name="Jonas Brandt", email="jonas@example.test")
    with pytest.raises(NotFound):
        invitations.send(cast.a, invited.case.case_id, other.client.client_id)


def test_deleting_a_case_ends_its_links(invited: Invited) -> None:
    browser = enter(invited)
    invited.case.update([Case.status.set("deleted")])
    assert browser.get(invited.portal).status_code == 401
    invitations.revoke_all(invited.practitioner, invited.case.case_id)
    assert invited.invitation.access == "revoked"


def test_every_link_is_listed_with_its_state_I10(invited: Invited) -> None:
    def listed() -> people.Person:
        return people.people(invited.case, [invited.client])[0]

    assert (listed().state, listed().can_invite, listed().can_revoke) == ("waiting", True, False)
    invitations.send(invited.practitioner, invited.case.case_id, invited.client.client_id)
    assert listed().state == "pending"
    deliver()
    assert (listed().state, listed().can_resend, listed().can_revoke) == ("sent", True, True)
    enter(invited)
    assert (listed().state, str(listed().event)) == ("active", "Last seen")
    with freeze_time(now() + settings.INVITATION_TTL + timedelta(minutes=1)):
        assert (listed().state, listed().can_invite, listed().can_revoke) == ("expired", True, True)
    invited.revoke()
    assert (listed().state, listed().can_revoke) == ("revoked", False)


def test_an_undeliverable_mail_shows_on_the_invitation_I10(invited: Invited) -> None:
    Suppression(address_hash(invited.client.email), reason="bounced", created_at=now()).save()
    invitations.send(invited.practitioner, invited.case.case_id, invited.client.client_id)
    deliver()
    assert people.people(invited.case, [invited.client])[0].state == "failed"


def test_the_state_of_an_older_mail_changes_nothing_I10(invited: Invited) -> None:
    invited.send()
    context = {"caseId": invited.case.case_id, "clientId": invited.client.client_id}
    note_mail_state(context, new_id(), "dead")
    assert invited.invitation.mail_state == "sent"


def test_the_code_mail_goes_to_the_address_on_file_now(invited: Invited) -> None:
    browser, path = Browser(), invited.send()
    invited.client.email = "new@example.test"
    invited.client.save()
    ask_for_code(browser, path)
    assert deliver()[-1].to == ["new@example.test"]
    assert code_in(deliver()[-1])
