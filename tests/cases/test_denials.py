"""What is refused to somebody known is in the trail, whoever they are and by whichever way (A2)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser

from accounts import denials
from accounts.audit import DAILY_SHARDS
from accounts.tables import AuditEvent
from filevault import limits
from filevault.dynamo import new_id, now
from tests.cases.invited import Invited, enter, make_invited, sign_in
from tests.cast import Cast
from tests.counting import counted

#: In the middle of a day and of every window.
NOON = datetime(2026, 7, 1, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(world: None) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON) as clock:
        yield clock


@pytest.fixture
def invited(cast: Cast) -> Invited:
    return make_invited(cast.a)


def denied() -> list[AuditEvent]:
    """Today's denials, the first one first."""
    streams = [f"day:{now().date().isoformat()}#{shard}" for shard in range(DAILY_SHARDS)]
    found = [event for stream in streams for event in AuditEvent.query(stream)]
    return sorted(
        (event for event in found if event.action == "access:denied"), key=lambda e: e.event_id
    )


def only_denial() -> dict[str, Any]:
    (event,) = denied()
    told = {"actor": event.actor, "target": event.target, "address": event.address}
    return told | dict(event.details)


def test_a_strangers_look_at_a_case_A2(cast: Cast, invited: Invited) -> None:
    b = sign_in(cast.b)
    assert b.get(f"/cases/{invited.case.case_id}/").status_code == 404
    assert only_denial() == {
        "actor": f"user:{cast.b.user_id}",
        "target": invited.case.case_id,
        "address": "127.0.0.1",
        "route": "cases:detail",
        "method": "GET",
        "code": "not_found",
    }


def test_a_refusal_costs_the_same_whether_or_not_the_thing_exists_Z2(
    cast: Cast, invited: Invited, monkeypatch: pytest.MonkeyPatch
) -> None:
    b = sign_in(cast.b)
    b.get("/cases/")
    costs = []
    for case_id in (invited.case.case_id, new_id()):
        with counted(monkeypatch) as calls:
            assert b.get(f"/cases/{case_id}/").status_code == 404
        costs.append(calls)
    assert costs[0] == costs[1]
    assert len(denied()) == 2


def test_a_file_is_named_rather_than_its_case_A2(cast: Cast, invited: Invited) -> None:
    b, file_id = sign_in(cast.b), new_id()
    b.get(f"/cases/{invited.case.case_id}/files/{file_id}/download")
    assert only_denial()["target"] == file_id


def test_another_case_of_a_clients_session_A2(cast: Cast, invited: Invited) -> None:
    invited.send()
    other = make_invited(cast.a, name="Otto Other", email="otto@example.test")
    client = enter(invited)
    assert client.get(other.portal).status_code == 404
    told = only_denial()
    assert told["actor"] == f"client:{invited.client.client_id}"
    assert (told["target"], told["route"]) == (other.case.case_id, "portal:case")


def test_a_client_whose_invitation_was_revoked_A2(invited: Invited) -> None:
    invited.send()
    client = enter(invited)
    invited.revoke()
    assert client.get(invited.portal).status_code == 401
    told = only_denial()
    assert told["actor"] == f"client:{invited.client.client_id}"
    assert told["code"] == "not_signed_in"


def test_a_call_of_the_api_names_what_it_asked_for_A2(cast: Cast) -> None:
    b = sign_in(cast.b)
    by_query, by_body = new_id(), new_id()
    assert b.get(f"/api/files/download?fileId={by_query}").status_code == 404
    body = {"fileId": by_body, "email": "anna.novak@example.test"}
    b.post("/api/files/share", body, content_type="application/json")
    assert [(event.target, event.actor) for event in denied()] == [
        (by_query, f"user:{cast.b.user_id}"),
        (by_body, f"user:{cast.b.user_id}"),
    ]


def test_what_is_no_decision_is_no_denial_A2(cast: Cast, invited: Invited) -> None:
    a, x = sign_in(cast.a), Browser()
    assert a.get("/nothing/there/").status_code == 404
    assert a.get(f"/cases/{invited.case.case_id}/").status_code == 200
    assert x.get(f"/cases/{invited.case.case_id}/").status_code == 302
    assert x.get(invited.portal).status_code == 401
    assert denied() == []


def test_no_text_gets_into_a_denial_T2(cast: Cast) -> None:
    b = sign_in(cast.b)
    b.get(f"/cases/{new_id()}/?caseId=Mrs+Smith&file_id=findings.pdf")
    b.get("/api/files/download?fileId=Mrs+Smith")
    assert "Smith" not in str([event.attribute_values for event in denied()])
    assert "findings" not in str([event.attribute_values for event in denied()])


def test_a_flood_of_refusals_fills_no_table_A2(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller
) -> None:
    monkeypatch.setattr(denials, "RECORDED", 3)
    b, a = sign_in(cast.b), sign_in(cast.a)
    for _attempt in range(8):
        assert b.get(f"/cases/{new_id()}/").status_code == 404
    assert len(denied()) == 3
    a.get(f"/cases/{new_id()}/")
    assert len(denied()) == 4, "another's are recorded all the same"
    clock.shift(timedelta(minutes=10))
    b.get(f"/cases/{new_id()}/")
    assert len(denied()) == 5


def test_dead_links_and_failed_logins_fill_no_table_either_A2(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(denials, "RECORDED", 3)
    x = Browser()
    x.get("/invite/broken/")
    for _attempt in range(8):
        assert x.get("/invite/").status_code == 410
    assert len(list(AuditEvent.scan())) == 3


def test_nobody_known_asks_only_so_often_W5(
    cast: Cast, invited: Invited, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By address alone: who is signed in behind the same one goes on."""
    invited.send()
    a, client, x = sign_in(cast.a), enter(invited), Browser()
    monkeypatch.setattr("accounts.http.ANONYMOUS", 3)
    limits.forget()
    statuses = [x.get("/auth/signed-out/").status_code for _attempt in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    page = x.get("/invite/")
    assert page.status_code == 429
    assert 0 < int(page.headers["Retry-After"]) <= 600
    assert page.headers["Content-Type"].startswith("text/html")
    program = x.get("/api/files/list", headers={"Accept": "application/json"})
    assert (program.status_code, program.json()["code"]) == (429, "rate_limited")
    assert x.get(invited.portal).status_code == 429
    assert x.get("/portal/").status_code == 429
    elsewhere = Browser(REMOTE_ADDR="192.0.2.77")
    assert elsewhere.get("/auth/signed-out/").status_code == 200
    assert a.get("/cases/").status_code == 200
    assert client.get(invited.portal).status_code == 200
