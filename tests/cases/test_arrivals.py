"""A page that asks by itself whether files have arrived keeps nobody signed in (L7)."""

from datetime import UTC, datetime, timedelta

import time_machine
from django.test import Client as Browser

from accounts.tables import Session
from tests.cases.casework import make_case, make_client
from tests.cases.invited import enter, make_invited, sign_in, snapshot
from tests.cast import Cast

POLL = {"HX-Request": "true", "X-Filevault-Poll": "1"}
START = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def last_seen() -> datetime:
    [session] = Session.scan()
    return session.last_seen_at


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/cases/").status_code == 200


def test_polls_do_not_move_the_sessions_end(cast: Cast) -> None:
    with time_machine.travel(START, tick=False) as clock:
        case = make_case(cast.a, make_client(cast.a))
        browser = sign_in(cast.a)
        path = f"/cases/{case.case_id}/files/"
        for minutes in (2, 10, 20, 29):
            clock.move_to(START + timedelta(minutes=minutes))
            assert browser.get(path, headers=POLL).status_code == 200
            assert last_seen() == START
        clock.move_to(START + timedelta(minutes=30))
        assert browser.get(path, headers=POLL).status_code in (302, 401)
        assert not is_signed_in(browser)


def test_a_person_who_looks_does(cast: Cast) -> None:
    with time_machine.travel(START, tick=False) as clock:
        case = make_case(cast.a, make_client(cast.a))
        browser = sign_in(cast.a)
        clock.move_to(START + timedelta(minutes=29))
        assert browser.get(f"/cases/{case.case_id}/files/").status_code == 200
        assert last_seen() == START + timedelta(minutes=29)
        clock.move_to(START + timedelta(minutes=58))
        assert is_signed_in(browser)


def test_a_clients_polls_are_no_use_of_the_invitation_I10(cast: Cast) -> None:
    invited = make_invited(cast.a)
    with time_machine.travel(START, tick=False) as clock:
        browser = enter(invited)
        browser.get(invited.portal)
        before = snapshot(invited)["lastUsedAt"]
        clock.move_to(START + timedelta(minutes=10))
        assert browser.get(f"{invited.portal}files/", headers=POLL).status_code == 200
        assert snapshot(invited)["lastUsedAt"] == before
        assert browser.get(f"{invited.portal}files/").status_code == 200
        assert snapshot(invited)["lastUsedAt"] != before


def test_the_header_counts_on_no_other_page(cast: Cast) -> None:
    with time_machine.travel(START, tick=False) as clock:
        make_client(cast.a)
        browser = sign_in(cast.a)
        clock.move_to(START + timedelta(minutes=5))
        assert browser.get("/cases/", headers=POLL).status_code == 200
        assert last_seen() == START + timedelta(minutes=5)
