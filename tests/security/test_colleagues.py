"""A colleague on a case, from outside: what each access opens, and that nothing stays after it."""

import httpx
import pytest

from filevault.dynamo import new_id
from tests.files.samples import PDF
from tests.security.people import B_EMAIL, Town, essence

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def case(town: Town) -> str:
    """A case of A's with a file of A's."""
    case_id = town.a.open_case("Case of colleagues", town.client_one)
    town.a.upload(f"/cases/{case_id}/")
    return case_id


def share(town: Town, case: str, verb: str = "", **fields: str) -> None:
    path = f"/cases/{case}/colleagues/"
    answer = town.a.post(f"{path}{verb}", {"email": B_EMAIL, **fields}, page=path)
    assert answer.status_code == 302, answer.text


def opened(town: Town, case: str, file: str) -> list[httpx.Response]:
    """What B gets to see of the case, in every way that there is."""
    page, headers = f"/cases/{case}/", {"X-CSRFToken": town.b.token("/settings/")}
    body = {"fileName": "letter.pdf", "size": len(PDF)}
    reads = ("", "files/", "files/zip", *(f"files/{file}/{way}" for way in ("view", "download")))
    api = (f"list?caseId={case}", f"download?fileId={file}")
    answers = [town.b.get(f"{page}{path}") for path in reads]
    answers += [town.b.head(page), *(town.b.get(f"/api/files/{path}") for path in api)]
    answers.append(town.b.http.post(f"{page}files/presign", json=body, headers=headers))
    for path in ("edit/", "close/", "colleagues/", "colleagues/remove/", f"files/{file}/delete"):
        form = {"csrfmiddlewaretoken": headers["X-CSRFToken"], "email": B_EMAIL}
        answers.append(town.b.http.post(f"{page}{path}", data=form))
    return answers


def test_each_access_opens_what_it_says_and_nothing_stays_Z2_Z5(town: Town, case: str) -> None:
    file = town.a.get(f"/api/files/list?caseId={case}").json()["owned"][0]["fileId"]
    random = [essence(answer) for answer in opened(town, new_id(), new_id())]
    assert {status for status, _body, _headers in random} == {404}
    assert [essence(answer) for answer in opened(town, case, file)] == random
    share(town, case, access="read")
    reads, changes = [200, 200, 200, 200, 302, 200, 200, 200], [403] * 6
    assert [answer.status_code for answer in opened(town, case, file)] == reads + changes
    assert f"/cases/{case}/" in town.b.get("/cases/").text
    share(town, case, "access/", access="write")
    answers = opened(town, case, file)
    assert [answer.status_code for answer in answers] == [*reads, 201, *changes[1:]]
    signed = answers[len(reads)].json()
    assert town.b.send(signed).status_code == 201
    mine = town.b.call(signed["confirmUrl"], page=f"/cases/{case}/").json()
    assert (mine["state"], mine["uploadedBy"][:5]) == ("AVAILABLE", "user:")
    deleted = town.b.post(f"/cases/{case}/files/{mine['fileId']}/delete")
    assert deleted.status_code == 302
    late = town.b.presign(f"/cases/{case}/")
    headers = {"X-CSRFToken": town.b.token("/settings/")}
    share(town, case, "remove/")
    assert [essence(answer) for answer in opened(town, case, file)] == random
    assert town.b.http.post(late["confirmUrl"], json={}, headers=headers).status_code == 404
    assert case not in town.b.get("/cases/").text + town.b.get("/").text
    assert town.a.get(f"/cases/{case}/files/{file}/download").status_code == 302
