"""What is broken or away lets nobody in: Z11."""

from collections.abc import Callable

import httpx
import pytest

from files.tables import File
from tests.security.outages import tables_away
from tests.security.people import Person, Town
from tests.stack import TestStack

pytestmark = pytest.mark.stack

BROKEN: list[str | bytes] = [
    *("", "{", "[]", "null", '"x"', "1" * 5000, b"\xff\xfe\x00", "[" * 100_000),
    '{"size":' + "[" * 33 + "]" * 33 + "}",
    '{"__proto__": 1}',
    '{"fileName": "a.pdf", "mimeType": "", "size": NaN}',
    '{"fileName": "a.pdf", "mimeType": "", "size": 1e999}',
    '{"fileName": "a.pdf", "mimeType": 7, "size": 9}',
    '{"fileName": "a.pdf", "mimeType": "", "size": 9, "sha256": "x"}',
]
#: Where the product decides: with one of these tables away, nobody is shown anything.
DECIDING = {"Session", "User", "Case", "File", "AuditEvent"}
DECIDING_FOR_CLIENTS = {"Session", "Invitation", "Case", "File", "AuditEvent"}


@pytest.fixture(scope="module")
def letter(town: Town) -> str:
    """A file of C1's in case one."""
    return str(town.c1.upload(town.portal_one)["fileId"])


def contents(letter: str) -> list[str]:
    """Ways to a file's content, below the page of its case."""
    ways = ("download", "view", "open")
    return [f"files/zip?file={letter}", *(f"files/{letter}/{way}" for way in ways)]


def shows_nothing(answer: httpx.Response, *statuses: int) -> bool:
    location = answer.headers.get("Location", "")
    told = f"{location}{answer.text}"
    return answer.status_code in statuses and "Signature" not in told and "letter.pdf" not in told


def test_a_broken_cookie_is_nobodys_Z11(
    town: Town, letter: str, stranger: Callable[[], Person]
) -> None:
    """Cut, stretched, of the other side, of no alphabet: what comes with it is what X gets."""
    own, clients = town.a.cookie(), town.c1.cookie("client")
    assert own
    assert clients
    x = stranger()
    for value in (own[:-1], f"{own}x", own.upper(), clients, "", "%00", "../x", "\xff", "é" * 900):
        headers = {"Cookie": b"session=" + value.encode()}
        for path in (town.one, *(f"{town.one}{way}" for way in contents(letter))):
            answer = x.get(path, headers=headers)
            assert answer.headers.get("Location", "").startswith("/auth/login/"), (path, value)
            assert shows_nothing(answer, 302)
        listed = x.get(f"/api/files/list?caseId={town.case_one}", headers=headers)
        assert shows_nothing(listed, 401), value
    for value in (clients[:-1], f"{clients}x", own, town.c2.cookie("client"), "\x7f"):
        headers = {"Cookie": b"client=" + value.encode()}
        for path in (town.portal_one, *(f"{town.portal_one}{way}" for way in contents(letter))):
            assert shows_nothing(x.get(path, headers=headers), 400, 401, 404), (path, value)


def test_broken_bodies_change_nothing_Z11_Z7(town: Town, letter: str) -> None:
    """Every route that takes JSON, from a page or a program: a 4xx, and not a row more."""
    case, token = f"case:{town.case_one}", town.a.token(town.one)
    routes = [
        *(f"{town.one}files/{path}" for path in ("presign", "same", f"confirm/{letter}")),
        *(f"{town.one}files/{path}" for path in (f"abort/{letter}", f"parts/{letter}")),
        *(f"/api/files/{path}" for path in ("presign-upload", "metadata", "share")),
        f"/api/files/uploads/{letter}/parts",
    ]
    before = [row.attribute_values for row in File.query(case, consistent_read=True)]
    headers = {"X-CSRFToken": token, "Content-Type": "application/json"}
    for path in routes:
        for body in BROKEN:
            answer = town.a.http.post(path, content=body, headers=headers)
            assert 400 <= answer.status_code < 500, (path, body[:40], answer.status_code)
            assert set(answer.json()) <= {"code", "message", "fields"}, path
    after = [row.attribute_values for row in File.query(case, consistent_read=True)]
    assert [row["state"] for row in after] == [row["state"] for row in before]


@pytest.mark.parametrize("table", sorted({"*"} | DECIDING | DECIDING_FOR_CLIENTS))
def test_with_a_table_away_nothing_is_shown_Z11(
    town: Town, letter: str, stack: TestStack, table: str
) -> None:
    """The store that decides does not answer: 503, and never content."""
    sides = [
        (town.a, town.one, DECIDING, [f"/api/files/download?fileId={letter}"]),
        (town.c1, town.portal_one, DECIDING_FOR_CLIENTS, []),
    ]
    with tables_away(stack, table):
        answers = [
            person.get(path)
            for person, home, deciding, more in sides
            if table in deciding | {"*"}
            for path in [*(f"{home}{way}" for way in contents(letter)), *more]
        ]
    for answer in answers:
        assert shows_nothing(answer, 503), (table, answer.url, answer.status_code)
        assert int(answer.headers["Retry-After"]) > 0
    assert town.a.get(f"{town.one}files/{letter}/download").status_code == 302
