"""The trail in plain words: who reads what of a case, and what can be taken along (A2)."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import translation

from accounts import audit
from accounts.actors import WORKER, Anonymous, CaseClient, Practitioner
from accounts.audit import Action
from accounts.audit_words import KIND_LABELS, WORDS, Kind, sentence
from accounts.sealing import seal_pending
from accounts.tables import AuditEvent
from cases import activity, activity_export
from cases.activity import Choice, list_activity
from cases.tables import Case
from files import deletion, downloads, uploads
from files.spaces import get_space
from files.tables import File
from filevault.dynamo import new_id, now
from tests.cases.bursts import FILE_NAME, Burst, make_burst
from tests.cases.casework import actions_in
from tests.cases.invited import Invited, enter, make_invited, sign_in
from tests.cast import Cast
from tests.counting import counted

GONE = "Sent a file that was deleted later, which was received"
ADDRESS = "198.51.100.77"


@pytest.fixture
def burst(cast: Cast, bucket: None) -> Burst:
    """A's case with two clients, Maria and Jonas."""
    return make_burst(cast.a, "Maria", "Jonas")


def received(burst: Burst) -> File:
    """A file that Maria has sent."""
    maria = burst.clients["Maria"]
    return burst.confirm(maria, burst.upload(maria))


def path(burst: Burst, rest: str = "") -> str:
    return f"/cases/{burst.case.case_id}/activity/{rest}"


def rows(answer: Any) -> list[tuple[str, str]]:
    """What and who of each line of the page."""
    body = re.search(r'<tbody id="activity-rows">(.*?)</tbody>', answer.content.decode(), re.DOTALL)
    if body is None:
        return []
    lines = re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL) for line in lines]
    plain = [[" ".join(unescape(re.sub(r"<[^>]+>", "", c)).split()) for c in row] for row in cells]
    return [(row[0], row[1]) for row in plain]


def words(answer: Any) -> list[str]:
    return [what for what, _who in rows(answer)]


def note(burst: Burst, action: Action, actor: Any, **more: Any) -> str:
    return audit.record_alone(audit.case_stream(burst.case.case_id), action, actor, **more)


def stored(burst: Burst) -> Case:
    found = Case.fetch(burst.case.case_id)
    assert found is not None
    return found


# --- Words ---


def test_every_action_has_its_sentence_and_every_kind_its_name() -> None:
    assert set(WORDS) == set(Action)
    assert set(KIND_LABELS) == set(Kind)
    assert set(activity.KINDS) <= set(Kind)
    names = {"file": "“a.pdf”", "person": "Maria", "count": 3, "reason": ""}
    for action in Action:
        assert sentence(action, names)
        assert "%(" not in sentence(action, names)


def test_an_action_of_another_release_is_shown_as_it_is(burst: Burst) -> None:
    row = AuditEvent(f"case:{burst.case.case_id}", new_id(), action="file:sung", actor="system:x")
    row.at = now()
    row.save()
    export = sign_in(burst.practitioner).get(path(burst, "export.json"))
    (last,) = [e for e in json.loads(export.getvalue())["events"] if e["action"] == "file:sung"]
    assert (last["what"], last["who"]) == ("file:sung", "Filevault")


# --- The practitioner's page ---


def test_the_page_says_who_did_what_newest_first_A2(burst: Burst) -> None:
    file = received(burst)
    space = get_space(burst.practitioner, file.space_id)
    downloads.get_download(burst.practitioner, space, file.file_id)
    note(burst, Action.INVITATION_SEND, burst.practitioner, target=burst.clients["Jonas"].client_id)
    answer = sign_in(burst.practitioner).get(path(burst))
    assert answer.status_code == 200
    assert rows(answer)[:3] == [
        ("Invited Jonas", "You"),
        (f"Downloaded “{FILE_NAME}”", "You"),
        (f"Sent “{FILE_NAME}”, which was received", "Maria"),
    ]


def test_what_the_worker_noticed_is_its_senders_doing(burst: Burst) -> None:
    file = burst.begin(burst.clients["Maria"])
    burst.arrive(file)
    uploads.reconcile(file.space_id, file.file_id)
    events = [e for e in AuditEvent.query(file.space_id) if e.action == "upload:available"]
    assert [event.actor for event in events] == [WORKER.actor_id]
    browser = sign_in(burst.practitioner)
    assert rows(browser.get(path(burst)))[0][1] == "Maria"
    maria = burst.clients["Maria"].actor_id
    chosen = browser.get(path(burst), {"kind": "arrivals", "person": maria})
    assert words(chosen) == [f"Sent “{FILE_NAME}”, which was received"]
    jonas = burst.clients["Jonas"].actor_id
    assert rows(browser.get(path(burst), {"kind": "arrivals", "person": jonas})) == []


def test_names_are_those_of_now_and_none_is_in_the_trail_T2(burst: Burst) -> None:
    file = received(burst)
    deletion.delete(burst.practitioner, get_space(burst.practitioner, file.space_id), file.file_id)
    answer = sign_in(burst.practitioner).get(path(burst))
    assert words(answer)[:2] == ["Deleted a file", GONE]
    assert FILE_NAME not in answer.content.decode()
    trail = json.dumps([e.to_simple_dict() for e in AuditEvent.query(file.space_id)], default=str)
    assert FILE_NAME not in trail
    assert "Maria" not in trail


def test_routine_is_left_out_until_it_is_asked_for(burst: Burst) -> None:
    received(burst)
    browser = sign_in(burst.practitioner)
    begun = f"Began to send “{FILE_NAME}”"
    assert begun not in words(browser.get(path(burst)))
    assert begun in words(browser.get(path(burst), {"kind": "routine"}))


@pytest.mark.parametrize("kind", [kind.value for kind in activity.KINDS])
def test_each_kind_shows_its_own_and_no_other(burst: Burst, kind: str) -> None:
    for action in Action:
        note(burst, action, burst.practitioner)
    entries = list_activity(burst.practitioner, stored(burst), Choice(kind)).items
    expected = {action for action, (own, _words) in WORDS.items() if own == kind}
    assert {entry.event.action for entry in entries} == expected


def test_one_persons_doing_can_be_chosen(burst: Burst) -> None:
    maria, jonas = burst.clients["Maria"], burst.clients["Jonas"]
    for actor in (maria, jonas, burst.practitioner, WORKER):
        note(burst, Action.FILE_DOWNLOAD, actor, target=new_id())
    browser = sign_in(burst.practitioner)
    answer = browser.get(path(burst), {"person": maria.actor_id})
    assert {who for _what, who in rows(answer)} == {"Maria"}
    options = re.findall(
        r'<option value="(?:client|user|system):[^"]*"[^>]*>([^<]*)', _text(answer)
    )
    assert options == ["You", "Maria", "Jonas", "Filevault"]


def _text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.parametrize(
    "query", [{"kind": "nonsense"}, {"person": "nobody"}, {"person": "'\"<b>"}, {"kind": "office"}]
)
def test_choices_that_there_arent_do_no_harm(burst: Burst, query: dict[str, str]) -> None:
    answer = sign_in(burst.practitioner).get(path(burst), query)
    assert answer.status_code == 200
    assert "<b>" not in _text(answer)


def test_the_same_several_times_in_a_row_is_one_line(burst: Burst) -> None:
    file = received(burst)
    for _ in range(3):
        note(burst, Action.FILE_VIEW, burst.practitioner, target=file.file_id)
    assert rows(sign_in(burst.practitioner).get(path(burst)))[0] == (
        f"Opened “{FILE_NAME}” (3 times)",
        "You",
    )


def test_pages_follow_each_other_without_gap_or_double(
    burst: Burst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "PAGE_SIZE", 3)
    ids = [note(burst, Action.FILE_VIEW, burst.practitioner, target=new_id()) for _ in range(10)]
    browser, url, seen = sign_in(burst.practitioner), path(burst), 0
    while url:
        answer = browser.get(url)
        seen += len(rows(answer))
        found = re.search(r'class="button" href="([^"]*cursor=[^"]*)"', _text(answer))
        url = unescape(found[1]) if found else ""
    assert seen == len(ids) + len(actions_in(f"case:{burst.case.case_id}")) - 10
    assert seen >= 10


def test_a_cursor_fits_its_own_list_alone(burst: Burst, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "PAGE_SIZE", 1)
    for _ in range(3):
        note(burst, Action.FILE_VIEW, burst.practitioner, target=new_id())
    cursor = list_activity(burst.practitioner, stored(burst)).cursor
    browser = sign_in(burst.practitioner)
    assert browser.get(path(burst), {"cursor": cursor}).status_code == 200
    for query in ({"cursor": cursor, "kind": "reading"}, {"cursor": "x"}):
        assert browser.get(path(burst), query).status_code == 422


def test_a_page_costs_few_calls(burst: Burst, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        received(burst)
    browser = sign_in(burst.practitioner)
    browser.get(path(burst))
    with counted(monkeypatch) as calls:
        browser.get(path(burst))
    assert len([call for call in calls if call.startswith("dynamodb.")]) <= 2 + 1 + 1 + 1 + 2 + 2


# --- Who may see it ---


def test_a_stranger_finds_nothing_Z2(burst: Burst, cast: Cast) -> None:
    browser, before = sign_in(cast.b), actions_in(f"case:{burst.case.case_id}")
    for rest in ("", "export.csv", "export.json"):
        answer = browser.get(path(burst, rest))
        nowhere = browser.get(f"/cases/{new_id()}/activity/{rest}")
        assert answer.status_code == nowhere.status_code == 404
        assert answer.content == nowhere.content
        assert Browser().get(path(burst, rest)).headers["Location"].startswith("/auth/login/")
        assert sign_in(burst.practitioner).post(path(burst, rest)).status_code == 405
    assert sign_in(burst.practitioner).get(path(burst, "export.xml")).status_code == 404
    assert actions_in(f"case:{burst.case.case_id}") == before


# --- The client's page ---


@pytest.fixture
def invited(cast: Cast, bucket: None) -> Invited:
    return make_invited(cast.a)


@pytest.fixture
def other(invited: Invited) -> CaseClient:
    """Another client on the same case."""
    jonas = make_invited(invited.practitioner, name="Jonas Brandt", email="jonas@example.test")
    ids = [invited.client.client_id, jonas.client.client_id]
    invited.case.update([Case.client_ids.set(ids)])
    return CaseClient(jonas.client.client_id, invited.case.case_id, invited.case.user_id)


def put_file(invited: Invited, uploaded_by: str) -> str:
    file = File(
        f"case:{invited.case.case_id}",
        new_id(),
        owner_id=invited.case.user_id,
        file_name="letter.pdf",
        s3_key="x",
        size=1,
        mime_type="application/pdf",
        state="AVAILABLE",
        uploaded_by=uploaded_by,
        created_at=now(),
        upload_expires_at=now(),
    )
    file.save()
    return str(file.file_id)


def portal(invited: Invited, browser: Browser) -> Any:
    return browser.get(f"{invited.portal}activity/")


def test_a_client_reads_what_became_of_the_files(invited: Invited, other: CaseClient) -> None:
    me = CaseClient(invited.client.client_id, invited.case.case_id, invited.case.user_id)
    anna = Practitioner(invited.case.user_id, "x", "x", "x", address=ADDRESS)
    admin = Practitioner(new_id(), "Adam Admin", "x", "adam@example.test", address=ADDRESS)
    browser, stream = enter(invited), audit.case_stream(invited.case.case_id)
    file_id = put_file(invited, me.actor_id)
    for action, actor in (
        (Action.UPLOAD_AVAILABLE, WORKER),
        (Action.FILE_DOWNLOAD, anna),
        (Action.FILE_VIEW, other),
        (Action.FILE_DOWNLOAD, admin),
    ):
        audit.record_alone(stream, action, actor, target=file_id)
    for hidden in (Action.INVITATION_SEND, Action.CODE_SEND, Action.CASE_EDIT, Action.CASE_EXPORT):
        audit.record_alone(stream, hidden, anna, target=other.client_id)
    answer = portal(invited, browser)
    assert answer.status_code == 200
    assert rows(answer) == [
        ("Downloaded “letter.pdf”", "Another person on this case"),
        ("Opened “letter.pdf”", "Another person on this case"),
        ("Downloaded “letter.pdf”", "Dr Anna Novak"),
        ("Sent “letter.pdf”, which was received", "You"),
    ]
    for secret in ("Jonas", "Adam", ADDRESS, other.client_id):
        assert secret not in _text(answer)


def test_a_clients_choices_widen_nothing(invited: Invited) -> None:
    browser, stream = enter(invited), audit.case_stream(invited.case.case_id)
    audit.record_alone(stream, Action.CASE_EDIT, invited.practitioner)
    for query in ("?kind=case", "?kind=routine", f"?person=user:{invited.case.user_id}"):
        assert rows(browser.get(f"{invited.portal}activity/{query}")) == []


def test_a_client_sees_no_other_case_I9(invited: Invited) -> None:
    browser = enter(invited)
    strange = make_invited(invited.practitioner, name="Jonas", email="jonas@example.test")
    answer = browser.get(f"{strange.portal}activity/")
    assert answer.status_code == 404
    assert answer.content == browser.get(f"/portal/{new_id()}/activity/").content
    assert Browser().get(f"{invited.portal}activity/").status_code == 401
    assert browser.get(f"{invited.portal}activity/export.csv").status_code == 404
    invited.revoke()
    assert portal(invited, browser).status_code == 401


def test_both_pages_lead_there(invited: Invited) -> None:
    detail = _text(sign_in(invited.practitioner).get(f"/cases/{invited.case.case_id}/"))
    assert f'href="/cases/{invited.case.case_id}/activity/"' in detail
    assert f'href="{invited.portal}activity/"' in _text(enter(invited).get(invited.portal))


# --- Exports ---


def exported(burst: Burst, form: str) -> str:
    answer = sign_in(burst.practitioner).get(path(burst, f"export.{form}"))
    assert answer.status_code == 200
    assert f'filename="activity-{now().date().isoformat()}.{form}"' in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "no-store"
    return str(answer.getvalue().decode())


def test_an_export_holds_everything_and_itself_A2(burst: Burst) -> None:
    received(burst)
    note(burst, Action.INVITATION_WISH, Anonymous(ADDRESS))
    seal_pending()
    document = json.loads(exported(burst, "json"))
    assert document["caseId"] == burst.case.case_id
    trail = list(AuditEvent.query(f"case:{burst.case.case_id}", consistent_read=True))
    assert [e["eventId"] for e in document["events"]] == [e.event_id for e in trail]
    assert document["events"][-1]["action"] == "case:activity_exported"
    assert document["events"][-1]["details"] == {"format": "json"}
    assert document["events"][-2]["address"] == ADDRESS
    table = list(csv.DictReader(io.StringIO(exported(burst, "csv").removeprefix("\ufeff"))))
    assert [row["eventId"] for row in table][:-1] == [e.event_id for e in trail]
    assert table[0].keys() == document["events"][0].keys()


def test_a_cell_is_no_formula(burst: Burst, cast: Cast) -> None:
    for name in ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", " =1", "＝1"):  # noqa: RUF001
        file = received(burst)
        file.update([File.file_name.set(name)])
    note(burst, Action.CASE_EDIT, burst.practitioner, details={"a": '",=1\n+2'})
    text = exported(burst, "csv")
    assert text.startswith("\ufeffat,who,what,")
    for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))):
        for cell in row:
            assert not re.match(r"\s*[=+\-@＝]", cell), cell  # noqa: RUF001
    names = {row["file"] for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}
    assert "'=HYPERLINK(1)" in names
    assert "' =1" in names


def test_an_export_is_written_as_it_is_sent(burst: Burst, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_export, "BATCH", 5)
    for _ in range(40):
        note(burst, Action.FILE_VIEW, burst.practitioner, target=new_id())
    answer = sign_in(burst.practitioner).get(path(burst, "export.csv"))
    pieces: Iterator[bytes] = iter(answer)
    with counted(monkeypatch) as calls:
        for _ in range(4):
            next(pieces)
    assert calls.count("dynamodb.Query") == 1
    assert sum(1 for _ in pieces) >= 38


def test_head_takes_nothing_along_and_records_nothing_Z8(burst: Burst) -> None:
    browser, before = sign_in(burst.practitioner), actions_in(f"case:{burst.case.case_id}")
    for form in ("csv", "json"):
        answer = browser.head(path(burst, f"export.{form}"))
        assert answer.status_code == 200
        assert answer.getvalue() == b""
    assert actions_in(f"case:{burst.case.case_id}") == before


def test_an_export_speaks_the_language_of_who_asked(burst: Burst) -> None:
    browser = sign_in(burst.practitioner)
    answer = browser.get(path(burst, "export.json"), headers={"Accept-Language": "de"})
    translation.activate("en")
    with translation.override("de"):
        expected = str(WORDS[Action.CASE_EXPORT][1])
    assert json.loads(answer.getvalue())["events"][-1]["what"] == expected
