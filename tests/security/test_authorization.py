"""Who may do what with whose things, asked as others: Z2 to Z5, Z9."""

from collections.abc import Callable

import pytest

from cases.tables import Case, Client
from files.tables import File
from filevault.dynamo import new_id, now
from tests.files.samples import PDF
from tests.security.people import Person, Town, essence

pytestmark = pytest.mark.stack

UNSAFE = {"close", "reopen"}


def pages_of(case_id: str, client_id: str, file_id: str) -> list[str]:
    """Every path of a practitioner that names somebody's case, client or file."""
    case, file = f"/cases/{case_id}/", f"/cases/{case_id}/files/"
    client = f"/clients/{client_id}/"
    people = f"{case}clients/{client_id}/"
    return [
        *(case, f"{case}edit/", f"{case}delete/", f"{case}activity/"),
        *(f"{case}activity/export.csv", f"{case}activity/export.json"),
        *(client, f"{client}edit/", f"{client}delete/"),
        *(f"{people}invite/", f"{people}revoke/"),
        *(file, f"{file}add", f"{file}{file_id}/download"),
        *(f"{file}zip", f"{file}zip?file={file_id}"),
        *(f"{file}{file_id}/view", f"{file}{file_id}/open"),
        *(f"{file}{file_id}/delete", f"{file}{file_id}/uploaded", f"{file}{file_id}/receipt"),
    ]


def changes_of(case_id: str, client_id: str, file_id: str) -> list[str]:
    """Every path of a practitioner that changes something of a case, client or file."""
    case, file = f"/cases/{case_id}/", f"/cases/{case_id}/files/"
    people = f"{case}clients/{client_id}/"
    return [
        *(f"{case}{verb}/" for verb in ("edit", "edit/clients", "close", "reopen", "delete")),
        *(f"{people}{verb}/" for verb in ("invite", "resend", "revoke")),
        *(f"/clients/{client_id}/{verb}/" for verb in ("edit", "delete")),
        *(f"{file}{file_id}/delete", f"{file}add"),
    ]


def calls_of(home: str, file_id: str) -> list[str]:
    return [
        f"{home}files/presign",
        f"{home}files/confirm/{file_id}",
        f"{home}files/abort/{file_id}",
    ]


@pytest.fixture(scope="module")
def letter(town: Town) -> str:
    """A file of C1's in case one."""
    return str(town.c1.upload(town.portal_one)["fileId"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_anothers_is_what_is_not_there_Z2(town: Town, letter: str, method: str) -> None:
    theirs = pages_of(town.case_one, town.client_one, letter)
    nowhere = pages_of(new_id(), new_id(), new_id())
    for there, random in zip(theirs, nowhere, strict=True):
        answer = town.b.http.request(method, there)
        assert answer.status_code == 404, there
        assert essence(answer) == essence(town.b.http.request(method, random)), there
        if not there.endswith("/uploaded"):  # that one is for who sent the file
            assert town.a.http.request(method, there).status_code in (200, 202, 302), there


def test_what_is_anothers_cant_be_changed_Z2(town: Town, letter: str) -> None:
    token = {"csrfmiddlewaretoken": town.b.token("/settings/"), "title": "Mine"}
    before = Case.fetch(town.case_one)
    paths = zip(
        changes_of(town.case_one, town.client_one, letter),
        changes_of(new_id(), new_id(), new_id()),
        strict=True,
    )
    for there, random in paths:
        answer = town.b.http.post(there, data=token)
        assert answer.status_code == 404, there
        assert essence(answer) == essence(town.b.http.post(random, data=token)), there
    after = Case.fetch(town.case_one)
    assert before is not None
    assert after is not None
    assert (after.event_id, after.status, after.title) == (before.event_id, "open", "Case one")
    assert town.a.get(f"{town.one}files/{letter}/download").status_code == 302


def test_calls_to_anothers_case_are_calls_to_none_Z2(town: Town, letter: str) -> None:
    headers = {"X-CSRFToken": town.b.token("/settings/")}
    body = {"fileName": "letter.pdf", "size": len(PDF)}
    random = calls_of(f"/cases/{new_id()}/", new_id())
    for there, nowhere in zip(calls_of(town.one, letter), random, strict=True):
        answer = town.b.http.post(there, json=body, headers=headers)
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
        assert essence(answer) == essence(town.b.http.post(nowhere, json=body, headers=headers))


def test_anonymous_gets_the_login_or_401_Z2(
    town: Town, letter: str, stranger: Callable[[], Person]
) -> None:
    x = stranger()
    for path in pages_of(town.case_one, town.client_one, letter):
        answer = x.get(path)
        assert answer.headers["Location"].startswith("/auth/login/?next="), path
        assert x.get(path, headers={"Accept": "application/json"}).status_code == 401, path
    for path in (town.portal_one, f"{town.portal_one}files/{letter}/download", "/portal/"):
        assert x.get(path).status_code == 401
        assert essence(x.get(path)) == essence(x.get(path.replace(town.case_one, new_id())))


def test_a_client_of_another_case_finds_nothing_Z2_Z3(town: Town, letter: str) -> None:
    paths = ("", "files/", "files/add", f"files/{letter}/download", f"files/{letter}/delete")
    more = (f"files/{letter}/uploaded", f"files/{letter}/receipt", "activity/")
    for path in (*paths, *more, "files/zip", f"files/zip?file={letter}"):
        answer = town.c2.get(f"{town.portal_one}{path}")
        assert answer.status_code == 404
        assert essence(answer) == essence(town.c2.get(f"/portal/{new_id()}/{path}"))
        assert town.c2.head(f"{town.portal_one}{path}").status_code == 404


def test_the_case_comes_from_the_session_Z3(town: Town, letter: str) -> None:
    """Neither path, query, body nor header leads C2 into case one."""
    upload = {"fileName": "x.pdf", "size": 9}
    for path in calls_of(town.portal_one, letter):
        assert town.c2.call(path, upload, page=town.portal_two).status_code == 404
    for field in ("caseId", "spaceId", "userId", "s3Key", "uploadedBy"):
        body = {**upload, field: town.case_one}
        answer = town.c2.call(f"{town.portal_two}files/presign", body, page=town.portal_two)
        assert answer.status_code == 422
        assert list(answer.json()["fields"]) == [field]
    for query in (f"?caseId={town.case_one}", f"?space_id=case:{town.case_one}"):
        assert letter not in town.c2.get(f"{town.portal_two}files/{query}").text
    for file in (f"files/{letter}/download", f"files/{letter}/delete"):
        assert town.c2.get(f"{town.portal_two}{file}").status_code == 404


def test_another_clients_upload_is_no_ones_to_end_Z4(town: Town) -> None:
    """D is on the same case as C1, and A owns it; neither began this upload."""
    signed = town.c1.presign(town.portal_one)
    assert town.d.call(signed["confirmUrl"], page=town.portal_one).status_code == 404
    assert town.d.call(signed["abortUrl"], page=town.portal_one).status_code == 404
    for path in ("confirm", "abort"):
        answer = town.a.call(f"{town.one}files/{path}/{signed['fileId']}", page=town.one)
        assert answer.status_code == 404
    assert town.d.get(f"{town.portal_one}files/{signed['fileId']}/uploaded").status_code == 404
    body = {"s3Key": "cases/x", "uploadedBy": "me"}
    refused = town.c1.call(signed["confirmUrl"], body, page=town.portal_one)
    assert refused.status_code == 422
    assert town.c1.send(signed).status_code == 201
    confirmed = town.c1.call(signed["confirmUrl"], page=town.portal_one)
    again = town.c1.call(signed["confirmUrl"], page=town.portal_one)
    assert confirmed.json()["state"] == "AVAILABLE"
    assert again.content == confirmed.content
    late = town.c1.call(signed["abortUrl"], page=town.portal_one)
    assert late.json()["state"] == "AVAILABLE"


def test_a_client_deletes_own_files_alone_Z4(town: Town, letter: str) -> None:
    home, path = town.portal_one, f"{town.portal_one}files/{letter}/delete"
    assert town.d.get(path).status_code == 403
    token = {"csrfmiddlewaretoken": town.d.token(home)}
    assert town.d.http.post(path, data=token).status_code == 403
    assert (
        town.d.http.delete(path, headers={"X-CSRFToken": token["csrfmiddlewaretoken"]}).status_code
        == 405
    )
    assert town.c1.get(f"{home}files/{letter}/download").status_code == 302


def test_access_is_checked_at_use_Z5(town: Town, stranger: Callable[[], Person]) -> None:
    email = "lena.leaves@example.test"
    client = town.a.add_client("Lena Leaves", email)
    case = town.a.open_case("Case of leaving", client)
    home = f"/portal/{case}/"
    lena = stranger().enter(town.a.invite(case, client, email), email)
    file = lena.upload(home)["fileId"]
    signed = lena.presign(home)
    token = {"X-CSRFToken": lena.token(home)}
    assert town.a.post(f"/cases/{case}/close/", page=f"/cases/{case}/").status_code == 302
    refused = lena.http.post(
        f"{home}files/presign", json={"fileName": "x.pdf", "size": 9}, headers=token
    )
    assert refused.status_code == 403
    assert lena.get(f"{home}files/{file}/download").status_code == 302
    assert town.a.post(f"/cases/{case}/delete/").status_code == 302
    for path in (home, f"{home}files/", f"{home}files/{file}/download"):
        assert lena.get(path).status_code == 401, path
    for path in (signed["confirmUrl"], f"{home}files/presign"):
        assert lena.http.post(path, json={}, headers=token).status_code in (401, 403)
    for path in (
        f"/cases/{case}/",
        f"/cases/{case}/files/",
        f"/cases/{case}/files/{file}/download",
    ):
        assert essence(town.a.get(path)) == essence(town.a.get(path.replace(case, new_id())))


def test_what_is_deleted_is_gone_at_the_next_click_Z5(town: Town) -> None:
    file = town.c1.upload(town.portal_one)["fileId"]
    path = f"{town.portal_one}files/{file}/delete"
    assert town.c1.post(path).status_code == 302
    for person, home in ((town.c1, town.portal_one), (town.a, town.one)):
        answer = person.get(f"{home}files/{file}/download")
        assert essence(answer) == essence(person.get(f"{home}files/{new_id()}/download"))


def test_a_part_of_an_id_touches_nothing_Z9(town: Town, letter: str) -> None:
    token = {"csrfmiddlewaretoken": town.a.token("/settings/")}
    for cut in (letter[:-1], letter[:8], letter.upper(), f"{letter}x", "%2a", f"{letter}%00"):
        answer = town.a.http.post(f"{town.one}files/{cut}/delete", data=token)
        assert answer.status_code == 404, cut
    for path in (
        f"/cases/{town.case_one[:-1]}/delete/",
        f"/clients/{town.client_one[:-1]}/delete/",
    ):
        assert town.a.http.post(path, data=token).status_code == 404
    row = File.fetch(f"case:{town.case_one}", letter)
    assert row is not None
    assert row.state == "AVAILABLE"


def test_deleting_one_spares_its_neighbours_Z9(town: Town) -> None:
    files = [town.c1.upload(town.portal_one)["fileId"] for _ in range(3)]
    assert town.a.post(f"{town.one}files/{files[1]}/delete").status_code == 302
    there = [town.a.get(f"{town.one}files/{file}/download").status_code for file in files]
    assert there == [302, 404, 302]


def test_spellings_of_a_path_open_no_side_door_Z2(town: Town, letter: str) -> None:
    """Doubled and encoded slashes, dots, a missing one, and methods by header: the same verdict."""
    file = f"cases/{town.case_one}/files/{letter}/download"
    for path in (
        f"//{file}",
        f"/%2f{file}",
        f"/portal/../{file}",
        f"/portal/%2e%2e/{file}",
        f"/{file}/",
        f"/{file}%20",
        f"/;/{file}",
        f"/invite/../{file}",
    ):
        for person in (town.b, town.c1, town.c2):
            answer = person.http.send(person.http.build_request("GET", f"{person.site}{path}"))
            assert "X-Amz-Signature" not in answer.headers.get("Location", ""), path
            assert letter not in answer.text, path
    assert town.b.get(town.one.rstrip("/"), follow_redirects=True).status_code == 404
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "X-Script-Name": "/"}
    answer = town.a.get(f"{town.one}close/", headers=override)
    assert answer.status_code == 405
    for name in ("SCRIPT_NAME", "Script-Name", "PATH_INFO", "X-Original-URL", "X-Rewrite-URL"):
        answer = town.b.get("/settings/", headers={name: f"/{file}"})
        assert "X-Amz-Signature" not in answer.headers.get("Location", "")


def test_a_cursor_fits_its_own_list_alone_Z2(town: Town) -> None:
    """A cursor of case three's files opens no other list, whoever asks."""
    case = town.a.open_case("Case three", town.client_one)
    for _ in range(51):
        _old_row(case)
    page = town.a.get(f"/cases/{case}/").text
    cursor = page.partition("cursor=")[2].partition('"')[0]
    assert len(cursor) > 100
    assert town.a.get(f"/cases/{case}/files/?cursor={cursor}").status_code == 200
    for person, path in (
        (town.a, f"{town.one}files/"),
        (town.a, "/clients/"),
        (town.a, "/cases/"),
        (town.b, "/clients/"),
        (town.c2, f"{town.portal_two}files/"),
    ):
        assert person.get(f"{path}?cursor={cursor}").status_code == 422, path
    assert town.b.get(f"/cases/{case}/files/?cursor={cursor}").status_code == 404


def test_a_form_takes_no_ones_else_clients_Z4(town: Town) -> None:
    """B opens no case with A's client, and none under the id of A's case."""
    mine = town.b.add_client("Bea Own", "bea.own@example.test")
    fields = {"title": "Theirs", "clients": [town.client_one], "access": "code"}
    answer = town.b.post("/cases/new/", fields)
    assert answer.status_code == 422
    assert "Clara" not in answer.text
    assert "Clara" not in town.b.get(f"/cases/new/?client={town.client_one}").text
    taken = town.b.post("/cases/new/", fields | {"clients": [mine], "once": town.case_one})
    assert town.case_one not in taken.headers.get("Location", "")
    case = Case.fetch(town.case_one)
    assert case is not None
    assert case.title == "Case one"
    kept = Client.fetch(case.user_id, town.client_one)
    assert kept is not None
    assert kept.name == "Clara One"


def _old_row(case_id: str) -> None:
    File(
        f"case:{case_id}",
        new_id(),
        owner_id="nobody",
        file_name="old.pdf",
        s3_key=f"cases/{case_id}/none",
        size=1,
        mime_type="application/pdf",
        state="AVAILABLE",
        version_id="none",
        uploaded_by="nobody",
        created_at=now(),
        upload_expires_at=now(),
    ).save()
