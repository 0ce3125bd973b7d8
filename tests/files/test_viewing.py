"""Looking at files: what is shown inline, to whom, and what it costs."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings

from accounts.tables import AuditEvent
from files import viewing
from files.keys import preview_key, thumb_key
from files.records import list_files
from files.states import FileState
from files.storage import case_storage
from files.tables import File
from files.types import BY_MIME_TYPE
from filevault.dynamo import STORE_ERRORS, new_id, now
from filevault.errors import Conflict, Forbidden, NotFound
from tests.counting import counted
from tests.files import samples
from tests.files.pictures import encoded, half_and_half
from tests.files.space import C1, C2, A, B, FakeSpace, make_space, row
from tests.files.test_previews import arrive, work
from tests.files.test_uploads import actions
from tests.files.test_views import browser, routes

__all__ = ["routes"]

INLINE = {"application/pdf", "image/jpeg", "image/png", "image/webp"}


def shown(space: FakeSpace, name: str = "photo.jpg", **changes: Any) -> File:
    """A row as a checked upload with a preview leaves it."""
    file = File(
        space.space_id,
        new_id(),
        owner_id=space.owner_id,
        file_name=name,
        s3_key=f"{space.storage_prefix}{new_id()}",
        version_id="file-version",
        size=9,
        mime_type=changes.pop("mime_type", "image/jpeg"),
        thumb_version_id=changes.pop("thumb_version_id", "thumb-version"),
        preview_version_id=changes.pop("preview_version_id", "preview-version"),
        state=changes.pop("state", "AVAILABLE"),
        uploaded_by=C1.actor_id,
        created_at=now(),
        upload_expires_at=now(),
    )
    file.save()
    return file


def asked(url: str) -> dict[str, str]:
    """What a signed address asks storage for."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def addresses(view: viewing.View) -> list[str]:
    return [url for url in (view.picture_url, view.document_url) if url]


def test_an_image_is_shown_by_its_preview(space: FakeSpace) -> None:
    file = shown(space, "Brief für Łódź.heic", mime_type="image/heic")
    view = viewing.get_view(A, space, file.file_id)
    assert view.document_url == ""
    assert urlsplit(view.picture_url).path.endswith(preview_key(file.s3_key))
    query = asked(view.picture_url)
    assert query["versionId"] == "preview-version"
    assert query["X-Amz-Expires"] == "120"
    assert query["response-content-type"] == "image/jpeg"
    assert query["response-content-disposition"] == (
        'inline; filename="Brief fur odz.jpg"; '
        "filename*=UTF-8''Brief%20f%C3%BCr%20%C5%81%C3%B3d%C5%BA.jpg"
    )
    event = list(AuditEvent.query(space.space_id, consistent_read=True))[-1]
    assert (event.action, event.actor, event.target) == ("file:viewed", A.actor_id, file.file_id)
    assert "Brief" not in str(event.details)


def test_without_a_preview_the_original_is_shown_where_it_may(space: FakeSpace) -> None:
    none = {"preview_version_id": None, "thumb_version_id": None}
    png = shown(space, "a.png", mime_type="image/png", **none)
    query = asked(viewing.get_view(A, space, png.file_id).picture_url)
    assert (query["versionId"], query["response-content-type"]) == ("file-version", "image/png")
    heic = shown(space, "a.heic", mime_type="image/heic", **none)
    assert not addresses(viewing.get_view(A, space, heic.file_id))
    with pytest.raises(NotFound):
        viewing.get_original(A, space, heic.file_id)


def test_a_pdf_is_shown_by_the_browsers_viewer(space: FakeSpace) -> None:
    file = shown(space, "a.pdf", mime_type="application/pdf")
    view = viewing.get_view(A, space, file.file_id)
    query = asked(view.document_url)
    assert query["versionId"] == "file-version"
    assert query["response-content-type"] == "application/pdf"
    assert query["response-content-disposition"].startswith("inline; ")
    assert asked(view.picture_url)["versionId"] == "preview-version"


@pytest.mark.parametrize(
    "mime_type",
    [
        *sorted(BY_MIME_TYPE),
        *("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "image/jpeg;x=y"),
        *("IMAGE/PNG", "application/octet-stream", ""),
    ],
)
def test_inline_only_from_the_allow_list_D2_U6(space: FakeSpace, mime_type: str) -> None:
    """Whatever a row says its type is, and with a preview or without."""
    for pinned in (None, "preview-version"):
        file = shown(space, "a.html", mime_type=mime_type or "x", preview_version_id=pinned)
        view = viewing.get_view(A, space, file.file_id)
        for url in addresses(view):
            query = asked(url)
            assert query["response-content-type"] in INLINE
            assert query["response-content-disposition"].startswith("inline; ")
            if query["versionId"] == "file-version":
                assert query["response-content-type"] == mime_type
            else:
                assert query["response-content-type"] == "image/jpeg"
        if mime_type not in INLINE and pinned is None:
            assert not addresses(view)


@pytest.mark.parametrize("look", [viewing.get_view, viewing.get_original])
@pytest.mark.parametrize("state", [state for state in FileState if state != FileState.AVAILABLE])
def test_only_available_files_are_shown_D3(space: FakeSpace, look: Any, state: FileState) -> None:
    file = shown(space, state=state.value)
    with pytest.raises((NotFound, Conflict)):
        look(A, space, file.file_id)
    assert viewing.sign_thumbnails(A, space, [file]) == {}
    assert actions(space) == []


@pytest.mark.parametrize("look", [viewing.get_view, viewing.get_original])
def test_strangers_and_other_spaces_see_nothing_Z2(space: FakeSpace, look: Any) -> None:
    file = shown(space)
    for stranger in (B, C2):
        with pytest.raises(Forbidden):
            look(stranger, space, file.file_id)
    with pytest.raises(NotFound):
        look(A, make_space("two"), file.file_id)


def test_no_audit_no_url_A4(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shown(space)
    signed: list[Any] = []
    monkeypatch.setattr(type(case_storage()), "presign_download", lambda *_, **__: signed.append(1))
    AuditEvent.delete_table()
    for look in (
        lambda: viewing.get_view(A, space, file.file_id),
        lambda: viewing.get_original(A, space, file.file_id),
        lambda: viewing.sign_thumbnails(A, space, [file]),
    ):
        with pytest.raises(STORE_ERRORS):
            look()
    assert signed == []


def test_a_page_of_thumbnails_is_one_event_A2(space: FakeSpace) -> None:
    files = [shown(space) for _ in range(3)] + [shown(space, thumb_version_id=None)]
    signed = viewing.sign_thumbnails(C1, space, files)
    assert sorted(signed) == sorted(file.file_id for file in files[:3])
    query = asked(signed[files[0].file_id])
    assert urlsplit(signed[files[0].file_id]).path.endswith(thumb_key(files[0].s3_key))
    assert (query["versionId"], query["response-content-type"]) == ("thumb-version", "image/jpeg")
    [event] = AuditEvent.query(space.space_id, consistent_read=True)
    assert (event.action, dict(event.details)) == ("file:thumbnails_shown", {"count": 3})
    assert viewing.sign_thumbnails(C1, space, files[3:]) == {}
    assert len(actions(space)) == 1


def test_neighbours_are_those_of_the_list_that_can_be_shown(space: FakeSpace) -> None:
    oldest = shown(space, "1.jpg")
    shown(space, "2.docx", mime_type="application/zip", preview_version_id=None)
    middle = shown(space, "3.pdf", mime_type="application/pdf", preview_version_id=None)
    shown(space, "4.heic", mime_type="image/heic", preview_version_id=None)
    for state in FileState:
        if state != FileState.AVAILABLE:
            shown(space, "5.jpg", state=state.value)
    newest = shown(space, "6.heic", mime_type="image/heic")
    listed = [file.file_id for file in list_files(space).items if viewing.can_view(file)]
    assert listed == [newest.file_id, middle.file_id, oldest.file_id]
    for image in (oldest, newest):
        image.update([File.image_space.set(space.space_id)])
    look = viewing.get_neighbours
    images = look(space, newest.file_id, only_images=True)
    assert images == viewing.Neighbours("", oldest.file_id, 1, 2)
    assert look(space, newest.file_id) == viewing.Neighbours("", middle.file_id, 1, 3)
    assert look(space, middle.file_id) == viewing.Neighbours(newest.file_id, oldest.file_id, 2, 3)
    assert look(space, oldest.file_id) == viewing.Neighbours(middle.file_id, "", 3, 3)
    assert look(make_space("two"), middle.file_id) == viewing.Neighbours("", "", 1, 1)


def test_a_look_costs_a_handful_of_calls(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The space itself is one read more."""
    files = [shown(space) for _ in range(30)]
    with counted(monkeypatch) as looked:
        viewing.get_view(A, space, files[9].file_id)
        viewing.get_neighbours(space, files[9].file_id)
    assert looked == ["dynamodb.GetItem", "dynamodb.PutItem", "dynamodb.Query", "dynamodb.Query"]
    with counted(monkeypatch) as opened:
        viewing.get_original(A, space, files[9].file_id)
    assert opened == ["dynamodb.GetItem", "dynamodb.PutItem"]
    with counted(monkeypatch) as signed:
        viewing.sign_thumbnails(A, space, files)
    assert signed == ["dynamodb.PutItem"]


def test_large_spaces_cost_no_more_than_two_calls_a_side(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewing, "NEAR", 3)
    monkeypatch.setattr(viewing, "FAR", 5)
    first = shown(space)
    for _ in range(5):
        shown(space, state="DELETED")
    middle = shown(space)
    for _ in range(12):
        shown(space, state="DELETED")
    shown(space)
    with counted(monkeypatch) as calls:
        around = viewing.get_neighbours(space, middle.file_id)
    assert around == viewing.Neighbours("", first.file_id, 0, 0)
    assert calls == ["dynamodb.Query"] * 4


# --- Over HTTP ---


def view_path(file: File, name: str = "view", area: str = "cases") -> str:
    return f"/{area}/one/files/{file.file_id}/{name}"


@pytest.mark.parametrize(("who", "area"), [("A", "cases"), ("C1", "portal")])
def test_from_the_list_to_the_picture(space: FakeSpace, who: str, area: str) -> None:
    file = arrive(space)
    work()
    listed = browser(who).get(f"/{area}/one/files/")
    page = unescape(listed.text)
    assert listed.headers["Cache-Control"] == "no-store"
    assert f'class="file-name" href="{view_path(file, area=area)}"' in page
    assert f'href="{view_path(file, "download", area)}"' in page
    [thumb] = re.findall(r'<img class="thumb" src="([^"]+)"', page)
    assert asked(thumb)["versionId"] == row(file).thumb_version_id
    answer = browser(who).get(view_path(file, area=area))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    [picture] = re.findall(r'<img src="([^"]+)"', unescape(answer.text))
    assert asked(picture)["versionId"] == row(file).preview_version_id
    assert f'href="{view_path(file, "download", area)}"' in answer.text
    assert f'href="/{area}/one/"' in answer.text
    opened = browser(who).get(view_path(file, "open", area))
    assert opened.status_code == 302
    assert opened.headers["Cache-Control"] == "no-store"
    assert opened.headers["Referrer-Policy"] == "no-referrer"
    assert asked(opened.headers["Location"])["versionId"] == row(file).version_id
    assert actions(space).count("file:viewed") == 2


def test_a_list_without_thumbnails_leaves_no_event(space: FakeSpace) -> None:
    arrive(space)
    page = browser("A").get("/cases/one/files/").text
    assert 'class="thumb"' not in page
    assert "file:thumbnails_shown" not in actions(space)


def test_what_cant_be_shown_is_downloaded_from_the_list(space: FakeSpace) -> None:
    file = arrive(space, "notes.txt", samples.TXT)
    page = browser("A").get("/cases/one/files/").text
    assert f'class="file-name" href="{view_path(file, "download")}"' in page
    answer = browser("A").get(view_path(file))
    assert answer.status_code == 200
    assert "X-Amz-Signature" not in answer.text
    assert f'href="{view_path(file, "download")}"' in answer.text
    assert browser("A").get(view_path(file, "open")).status_code == 404
    assert "file:viewed" not in actions(space)


def test_a_pdf_stands_in_a_plain_frame(space: FakeSpace, settings: LazySettings) -> None:
    file = arrive(space, "a.pdf", encoded(half_and_half(), "PDF"))
    answer = browser("A").get(view_path(file))
    [frame] = re.findall(r"<iframe[^>]*>", answer.text)
    assert "sandbox" not in frame
    assert asked(unescape(frame))["response-content-type"] == "application/pdf"
    policy = answer.headers["Content-Security-Policy"]
    for directive in ("img-src", "frame-src"):
        sources = re.search(rf"{directive} ([^;]+)", policy)
        assert sources
        assert settings.STORAGE_ORIGIN in sources[1].split()


@pytest.mark.parametrize("name", ["view", "open"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_side_doors_give_the_same_verdict_Z2_Z8(space: FakeSpace, name: str, method: str) -> None:
    file = arrive(space)
    work()
    for who, area in (("B", "cases"), ("C2", "portal")):
        real = browser(who).generic(method, view_path(file, name, area))
        unknown = browser(who).generic(method, f"/{area}/nowhere/files/{file.file_id}/{name}")
        assert real.status_code == unknown.status_code == 404
        assert real.content == unknown.content
        assert browser(who).generic(method, f"{view_path(file, name, area)}/").status_code == 404
    assert browser("A").generic(method, f"/cases/one/files/{new_id()}/{name}").status_code == 404
    assert browser("A").generic(method, view_path(file, name)).status_code in (200, 302)
    anonymous = browser().generic(method, view_path(file, name))
    assert anonymous.status_code in (302, 401)
    assert "X-Amz-Signature" not in anonymous.headers.get("Location", "")
    assert browser("A").post(view_path(file, name)).status_code == 405


def test_a_deleted_file_is_no_longer_shown_Z5(space: FakeSpace) -> None:
    file = arrive(space)
    work()
    assert browser("C1").post(view_path(file, "delete", "portal")).status_code == 302
    for name in ("view", "open"):
        assert browser("A").get(view_path(file, name)).status_code == 404
    assert 'class="thumb"' not in browser("A").get("/cases/one/files/").text
