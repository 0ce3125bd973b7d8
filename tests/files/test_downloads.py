"""What is served, and to whom: the rules, on moto."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.tables import AuditEvent
from files import downloads, uploads
from files.states import FileState
from files.storage import case_storage
from files.tables import File
from filevault.dynamo import STORE_ERRORS
from filevault.errors import Conflict, Forbidden, NotFound, RateLimited
from tests.files import samples
from tests.files.space import C1, C2, A, B, FakeSpace, make_space, put, row


def available(space: FakeSpace, name: str = "letter.pdf") -> File:
    file, _ = uploads.begin(C1, space, file_name=name, size=len(samples.PDF))
    put(file, samples.PDF)
    return uploads.confirm(C1, space, file.file_id)


def test_a_download_names_the_pinned_version_and_is_recorded(space: FakeSpace) -> None:
    file = available(space, "Brief für Łódź.pdf")
    put(file, samples.EXE)
    signed = downloads.get_download(A, space, file.file_id)
    query = parse_qs(urlsplit(signed.url).query)
    assert query["versionId"] == [file.version_id]
    assert query["X-Amz-Expires"] == ["120"]
    assert query["response-content-type"] == ["application/pdf"]
    assert query["response-content-disposition"] == [
        'attachment; filename="Brief fur odz.pdf"; '
        "filename*=UTF-8''Brief%20f%C3%BCr%20%C5%81%C3%B3d%C5%BA.pdf"
    ]
    event = list(AuditEvent.query(space.space_id, consistent_read=True))[-1]
    assert (event.action, event.actor, event.target) == (
        "file:downloaded",
        A.actor_id,
        file.file_id,
    )
    assert "Brief" not in str(event.details)


@pytest.mark.parametrize("state", [state for state in FileState if state != FileState.AVAILABLE])
def test_only_available_files_are_served_D3(space: FakeSpace, state: FileState) -> None:
    file = available(space)
    file.update([File.state.set(state.value)])
    with pytest.raises((NotFound, Conflict)):
        downloads.get_download(A, space, file.file_id)


def test_no_audit_no_url_A4(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    file = available(space)
    signed: list[Any] = []
    monkeypatch.setattr(type(case_storage()), "presign_download", lambda *_, **__: signed.append(1))
    AuditEvent.delete_table()
    with pytest.raises(STORE_ERRORS):
        downloads.get_download(A, space, file.file_id)
    assert signed == []


def test_downloads_are_limited_before_they_are_recorded_W5(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "DOWNLOADS", replace(downloads.DOWNLOADS, actor=1))
    file = available(space)
    downloads.get_download(A, space, file.file_id)
    with pytest.raises(RateLimited):
        downloads.get_download(A, space, file.file_id)
    events = AuditEvent.query(space.space_id, consistent_read=True)
    assert [event.action for event in events].count("file:downloaded") == 1


@pytest.mark.parametrize("stranger", [B, C2])
def test_a_stranger_gets_nothing(space: FakeSpace, stranger: Any) -> None:
    file = available(space)
    with pytest.raises(Forbidden):
        downloads.get_download(stranger, space, file.file_id)


def test_a_file_is_found_in_its_own_space_alone(space: FakeSpace) -> None:
    file = available(space)
    with pytest.raises(NotFound):
        downloads.get_download(A, make_space("two"), file.file_id)
    assert row(file).state == "AVAILABLE"
