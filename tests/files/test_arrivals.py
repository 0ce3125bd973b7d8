"""What an open page asks again and again: whether its list of files has changed."""

import re
from typing import Any

import pytest

from accounts import audit
from accounts.actors import WORKER
from files import deletion, records, uploads
from files.states import FileState
from filevault.dynamo import Transaction
from tests.counting import counted
from tests.files import samples
from tests.files.space import C1, A, FakeSpace
from tests.files.test_downloads import available
from tests.files.test_views import browser, routes

__all__ = ["routes"]

LIST = {"A": "/cases/one/files/", "C1": "/portal/one/files/"}


def poll(who: str, version: str) -> Any:
    """Ask as the page's script does."""
    headers = {"HX-Request": "true", "X-Filevault-Poll": "1", "If-None-Match": f'"{version}"'}
    return browser(who).get(LIST[who], headers=headers)


def version_of(page: Any) -> str:
    found = re.search(r'id="files"[^>]* data-version="([0-9a-f]+)"', page.content.decode())
    assert found
    return found[1]


def rows_of(page: Any) -> dict[str, str]:
    """The version of each row by the file's id."""
    text = page.content.decode()
    return dict(re.findall(r'<tr data-file="([^"]+)" data-version="([^"]+)"', text))


@pytest.mark.parametrize("who", ["A", "C1"])
def test_unchanged_is_304_without_a_body(
    space: FakeSpace, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    available(space)
    version = version_of(browser(who).get(LIST[who]))
    with counted(monkeypatch) as calls:
        answer = poll(who, version)
    assert (answer.status_code, answer.content) == (304, b"")
    assert calls == ["dynamodb.Query"]  # nothing signed, nothing recorded


def test_what_arrives_changes_the_answer_and_no_other_row(space: FakeSpace) -> None:
    first = available(space)
    page = browser("A").get(LIST["A"])
    second = available(space)
    answer = poll("A", version_of(page))
    assert answer.status_code == 200
    assert set(rows_of(answer)) == {first.file_id, second.file_id}
    assert rows_of(answer)[first.file_id] == rows_of(page)[first.file_id]
    assert b"<html" not in answer.content
    assert poll("A", version_of(answer)).status_code == 304


def test_the_first_file_and_the_last_deletion_change_it(space: FakeSpace) -> None:
    empty = version_of(browser("A").get(LIST["A"]))
    assert poll("A", empty).status_code == 304
    file = available(space)
    answer = poll("A", empty)
    assert answer.status_code == 200
    deletion.delete(A, space, file.file_id)
    assert version_of(poll("A", version_of(answer))) == empty


def test_what_happens_to_a_file_changes_its_row(space: FakeSpace) -> None:
    file = available(space)
    before = browser("A").get(LIST["A"])
    tx = Transaction()
    changes = {"thumb_version_id": "t1"}
    available_state, action = FileState.AVAILABLE, audit.Action.FILE_INSPECT
    records.move(tx, file, available_state, action, WORKER, changes=changes)
    tx.commit()
    answer = poll("A", version_of(before))
    assert answer.status_code == 200
    assert rows_of(answer)[file.file_id] != rows_of(before)[file.file_id]


def test_an_upload_that_has_not_arrived_is_nothing_new(space: FakeSpace) -> None:
    version = version_of(browser("A").get(LIST["A"]))
    uploads.begin(C1, space, file_name="a.pdf", size=len(samples.PDF))
    assert poll("A", version).status_code == 304


def test_a_change_of_what_may_be_done_changes_it(space: FakeSpace) -> None:
    version = version_of(browser("C1").get(LIST["C1"]))
    space.is_open = False
    assert poll("C1", version).status_code == 200


def test_a_stranger_learns_nothing_Z2(space: FakeSpace) -> None:
    version = version_of(browser("A").get(LIST["A"]))
    headers = {"X-Filevault-Poll": "1", "If-None-Match": f'"{version}"'}
    for who, path in (("B", LIST["A"]), ("C2", LIST["C1"])):
        assert browser(who).get(path, headers=headers).status_code == 404


def test_without_the_header_the_whole_list_comes(space: FakeSpace) -> None:
    available(space)
    version = version_of(browser("A").get(LIST["A"]))
    answer = browser("A").get(LIST["A"], headers={"If-None-Match": f'"{version}"'})
    assert answer.status_code == 200


def test_a_further_page_is_not_asked_about(space: FakeSpace, monkeypatch: Any) -> None:
    monkeypatch.setattr("files.records.list_files.__kwdefaults__", {"cursor": "", "limit": 1})
    for _ in range(2):
        available(space)
    page = browser("A").get(LIST["A"])
    more = re.search(r'href="([^"]*cursor=[^"]+)"', page.content.decode())
    assert more
    further = browser("A").get(more[1].replace("&amp;", "&"))
    assert len(rows_of(further)) == 1
    assert 'id="files"' in further.content.decode()
    assert not re.search(r'id="files"[^>]* data-version', further.content.decode())
