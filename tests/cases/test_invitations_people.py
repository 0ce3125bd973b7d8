"""The practitioner's side: the mail seen before it goes, revocation, the list (I4, I8, I10)."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client as Browser

from accounts.tables import AuditEvent
from cases import invitations, people
from cases.invitation_mail import note_mail_state
from cases.tables import Case, Invitation
from filevault.dynamo import new_id, now
from filevault.errors import NotFound
from filevault.mail import address_hash
from filevault.tables import Suppression
from tests.cases.invited import (
    Invited,
    ask_for_code,
    code_in,
    deliver,
    enter,
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


def actions_of(case: Case) -> list[str]:
    return [event.action for event in AuditEvent.query(f"case:{case.case_id}")]


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
        return people.people(invited.case, [invited.client], may_manage=True)[0]

    assert (listed().state, listed().can_invite, listed().can_revoke) == ("waiting", True, False)
    invitations.send(invited.practitioner, invited.case.case_id, invited.client.client_id)
    assert listed().state == "pending"
    deliver()
    assert (listed().state, listed().can_resend, listed().can_revoke) == ("sent", True, True)
    enter(invited)
    assert (listed().state, str(listed().event)) == ("active", "Last seen")
    with time_machine.travel(now() + settings.INVITATION_TTL + timedelta(minutes=1), tick=False):
        assert (listed().state, listed().can_invite, listed().can_revoke) == ("expired", True, True)
    invited.revoke()
    assert (listed().state, listed().can_revoke) == ("revoked", False)


def test_an_undeliverable_mail_shows_on_the_invitation_I10(invited: Invited) -> None:
    Suppression(address_hash(invited.client.email), reason="bounced", created_at=now()).save()
    invitations.send(invited.practitioner, invited.case.case_id, invited.client.client_id)
    deliver()
    assert people.people(invited.case, [invited.client], may_manage=True)[0].state == "failed"


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
