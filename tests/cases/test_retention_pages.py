"""What people read about the end of a case, holds and certificates, and the command beside the
worker."""

import json
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client as Browser

from accounts.actors import Practitioner
from cases import cases, certificates, holds, retention
from cases.tables import Case
from files.tables import File
from filevault.dynamo import new_id
from filevault.tables import Job
from tests.cases.casework import again, arrived, make_case, make_client
from tests.cases.endings import closed_case, days_later, run, state_of
from tests.cases.invited import enter, make_invited, sign_in
from tests.cases.test_pages import text, typed
from tests.cast import Cast
from tests.files import samples
from tests.files.space import put

WHY = "Lawsuit 4 C 117/27 <b>"
HELD = "Nothing of this case can be deleted, by anybody."
SORRY = "This case is being kept as it is for now, so nothing of it can be deleted."


@pytest.fixture
def anna(cast: Cast) -> Browser:
    return sign_in(cast.a)


def page_of(case: Case) -> str:
    return f"/cases/{case.case_id}/"


def close_now(actor: Practitioner, case: Case, *, days: int, settings: LazySettings) -> Case:
    settings.RETENTION_DAYS = days
    return cases.close_case(actor, case.case_id)


# --- The rule and the end ---


def test_the_form_offers_the_usual_and_keeps_what_was_chosen(
    cast: Cast, anna: Browser, settings: LazySettings
) -> None:
    settings.RETENTION_DAYS = 3650
    client = make_client(cast.a)
    page = anna.get("/cases/new/")
    assert "As usual here: 3650 days" in text(page)
    fields = {"title": "T", "clients": [client.client_id], "access": "code", "retention": "10y"}
    answer = anna.post("/cases/new/", typed(page) | fields)
    case_id = answer.headers["Location"].split("/")[2]
    edit = f"/cases/{case_id}/edit/"
    assert '<option value="10y" selected>10 years</option>' in anna.get(edit).content.decode()
    assert "Kept after closing 10 years" in text(anna.get(f"/cases/{case_id}/"))
    for bad in ("forever", "x" * 10_000):
        refused = anna.post(edit, typed(anna.get(edit)) | {"retention": bad})
        assert refused.status_code == 422
    left_out = typed(anna.get(edit)) | {"title": "U"}
    del left_out["retention"]
    assert anna.post(edit, left_out).status_code == 302
    assert cases.get_case(cast.a, case_id).retention == ""


def test_without_a_rule_it_is_kept(cast: Cast, anna: Browser) -> None:
    assert "As usual here: until deleted by hand" in text(anna.get("/cases/new/"))
    case = make_case(cast.a, make_client(cast.a))
    assert "Kept after closing until deleted by hand" in text(anna.get(page_of(case)))
    answer = anna.post(f"{page_of(case)}close/", follow=True)
    assert "deleted on" not in text(answer)


@pytest.mark.settled
def test_closing_says_when_it_will_be_deleted(
    cast: Cast, anna: Browser, settings: LazySettings
) -> None:
    settings.RETENTION_DAYS = 20
    case = make_case(cast.a, make_client(cast.a))
    read = text(anna.post(f"{page_of(case)}close/", follow=True))
    end = again(case).retain_until
    day = f"{end.day} {end:%B} {end.year}"
    assert f"It will be deleted on {day}." in read
    assert f"On {day} it is deleted with all of its files." in read
    assert f"Will be deleted on {day}" in text(anna.get("/cases/?status=closed"))
    home = text(anna.get("/"))
    assert "Waiting for you" in home
    assert f"Will be deleted on {day}" in home
    assert "Keep it longer" in home
    anna.post(f"{page_of(case)}reopen/")
    assert day not in text(anna.get("/"))


@pytest.mark.settled
def test_the_home_page_tells_of_nothing_that_is_far_away(cast: Cast) -> None:
    closed_case(cast.a, rule="90d")
    kept = closed_case(cast.a, rule="14d")
    with days_later(1):
        holds.place(cast.a, kept.case_id, reason=WHY)
        assert "Will be deleted" not in text(sign_in(cast.a).get("/"))
    with days_later(70):
        assert text(sign_in(cast.a).get("/")).count("Will be deleted on 31 May 2027") == 1


def test_the_client_reads_until_when_the_papers_stay(cast: Cast, settings: LazySettings) -> None:
    invited = make_invited(cast.a)
    browser = enter(invited)
    case = close_now(cast.a, invited.case, days=20, settings=settings)
    day = f"{case.retain_until.day} {case.retain_until:%B} {case.retain_until.year}"
    assert f"They stay here until {day}; then they are deleted." in text(
        browser.get(invited.portal)
    )
    holds.place(cast.a, case.case_id, reason=WHY)
    read = text(browser.get(invited.portal))
    assert "They stay here" not in read
    assert "hold" not in read
    assert "Lawsuit" not in read


# --- Holds ---


@pytest.mark.settled
def test_a_hold_is_placed_with_a_reason_shown_and_lifted(cast: Cast, anna: Browser) -> None:
    case = make_case(cast.a, make_client(cast.a))
    page = page_of(case)
    for bad in ("", "x" * 501, "\x00"):
        refused = anna.post(f"{page}hold/", {"reason": bad})
        assert refused.status_code == 422, bad
        assert again(case).held_at is None
    assert anna.post(f"{page}hold/", {"reason": WHY}).headers["Location"] == page
    read = text(anna.get(page))
    assert HELD in read
    assert WHY in read
    assert "Delete this case" not in read
    assert "Legal hold" in text(anna.get("/cases/"))
    assert anna.post(f"{page}hold/", {"reason": "Another"}).status_code == 302
    assert again(case).hold_reason == WHY
    assert "Lift the legal hold on" in text(anna.get(f"{page}hold/lift/"))
    assert again(case).held_at is not None, "it was only asked"
    for _ in range(2):
        assert anna.post(f"{page}hold/lift/").headers["Location"] == page
    assert HELD not in text(anna.get(page))


@pytest.mark.parametrize("path", ["hold/", "hold/lift/"])
def test_holds_are_the_owners_Z2(cast: Cast, path: str) -> None:
    case = make_case(cast.a, make_client(cast.a))
    ben, random = sign_in(cast.b), f"/cases/{new_id()}/{path}"
    for ask in (ben.get, lambda at: ben.post(at, {"reason": WHY})):
        theirs = ask(f"{page_of(case)}{path}")
        assert (theirs.status_code, theirs.content) == (404, ask(random).content)
    assert Browser().get(f"{page_of(case)}{path}").status_code == 302
    assert ben.put(f"{page_of(case)}{path}").status_code == 405
    assert again(case).held_at is None


@pytest.mark.usefixtures("bucket")
def test_what_is_held_has_no_button_and_a_plain_refusal_T5(cast: Cast, anna: Browser) -> None:
    invited = make_invited(cast.a)
    file, client = arrived(invited.case, cast.a), enter(invited)
    theirs = arrived_from(client, invited.portal)
    delete = f"{page_of(invited.case)}files/{file.file_id}/delete"
    assert delete in anna.get(page_of(invited.case)).content.decode()
    holds.place(cast.a, invited.case.case_id, reason=WHY)
    assert delete not in anna.get(page_of(invited.case)).content.decode()
    own = f"{invited.portal}files/{theirs}/delete"
    assert own not in client.get(invited.portal).content.decode()
    for browser, path in ((anna, delete), (client, own)):
        for method in ("get", "post"):
            answer = getattr(browser, method)(path)
            assert answer.status_code == 409
            assert SORRY in text(answer)
            assert "Lawsuit" not in text(answer)
    refused = anna.post(delete, headers={"Accept": "application/json"})
    assert refused.status_code == 409
    for method in ("get", "post"):
        answer = getattr(anna, method)(f"{page_of(invited.case)}delete/")
        assert (answer.status_code, SORRY in text(answer)) == (409, True)
    assert state_of(invited.case) == "open"
    assert {row.state for row in File.query(file.space_id)} == {"AVAILABLE"}


def arrived_from(browser: Browser, home: str) -> str:
    """The id of a file that somebody has sent by the plain form's steps."""
    body = {"fileName": "a.pdf", "size": len(samples.PDF)}
    grant = browser.post(f"{home}files/presign", body, content_type="application/json").json()
    (row,) = [row for row in File.scan() if row.file_id == grant["fileId"]]
    put(row, samples.PDF)
    browser.post(grant["confirmUrl"], {}, content_type="application/json")
    return str(grant["fileId"])


# --- Certificates ---


def test_deleted_cases_are_listed_with_their_certificates(cast: Cast, anna: Browser) -> None:
    assert "Nothing was deleted yet" in text(anna.get("/cases/deleted/"))
    case = make_case(cast.a, make_client(cast.a), title="Canary matter")
    anna.post(f"{page_of(case)}delete/")
    assert "Being deleted" in text(anna.get("/cases/deleted/"))
    run()
    page = anna.get("/cases/deleted/")
    assert "You deleted it" in text(page)
    assert "0 files" in text(page)
    assert "Canary" not in text(page)
    (row,) = certificates.list_certificates(cast.a).items
    path = f"/cases/deleted/{row.certificate_id}/certificate/"
    assert path in page.content.decode()
    answer = anna.get(path)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert row.certificate_id in answer.headers["Content-Disposition"]
    assert json.loads(answer.content)["certificate"]["caseId"] == case.case_id
    ben = sign_in(cast.b)
    assert ben.get(path).content == ben.get(path.replace(row.certificate_id, new_id())).content
    assert "Nothing was deleted yet" in text(ben.get("/cases/deleted/"))
    assert anna.post(path).status_code == 405


def test_the_list_goes_on_in_pages(cast: Cast, anna: Browser) -> None:
    client = make_client(cast.a)
    made = [make_case(cast.a, client) for _ in range(3)]
    for case in made:
        cases.delete_case(cast.a, case.case_id)
    first = certificates.list_certificates(cast.a, limit=2)
    rest = certificates.list_certificates(cast.a, limit=2, cursor=first.cursor)
    listed = [row.case_id for row in first.items + rest.items]
    assert listed == [case.case_id for case in reversed(made)]
    assert anna.get("/cases/deleted/?cursor=x").status_code == 422


# --- The command ---


def enforce(*arguments: str) -> tuple[list[str], int]:
    """Lines and exit code."""
    out = StringIO()
    try:
        call_command("enforce_retention", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue().splitlines(), int(end.code or 0)
    return out.getvalue().splitlines(), 0


def test_the_command_looks_first_and_deletes_when_told(cast: Cast) -> None:
    warned, unwarned, held = (closed_case(cast.a, rule="30d") for _ in range(3))
    closed_case(cast.a, rule="1y")
    with days_later(10):
        holds.place(cast.a, held.case_id, reason=WHY)
    with days_later(29):
        job_of(unwarned).delete()
        run()
    with days_later(40):
        lines, code = enforce()
        assert sorted(lines[:-1]) == sorted(
            f"{case.case_id} 2027-04-01T00:00:00+00:00 {verdict}"
            for case, verdict in ((warned, "due"), (unwarned, "due"), (held, "held"))
        )
        assert (lines[-1], code) == ("2 cases are due", 1)
        assert state_of(warned) == "closed"
        lines, code = enforce("--delete")
        assert {line.split()[0]: line.split(maxsplit=2)[2] for line in lines[:-1]} == {
            warned.case_id: "deleted",
            unwarned.case_id: "warned first",
            held.case_id: "held",
        }
        assert (lines[-1], code) == ("0 cases are due", 0)
        assert [state_of(case) for case in (warned, unwarned, held)] == [
            "deleted",
            "closed",
            "closed",
        ]
        assert enforce()[1] == 0


def job_of(case: Case) -> Job:
    (job,) = [
        job
        for job in Job.scan()
        if job.kind == retention.RETAIN_JOB and job.payload["caseId"] == case.case_id
    ]
    return job
