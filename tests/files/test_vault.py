"""The vault's pages: own files, sharing, what others share, the gallery."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client as Browser

from accounts.actors import Practitioner
from accounts.tables import AuditEvent
from files.gallery import PAGE_SIZE, list_images
from files.tables import File, Usage
from files.vault import vault_of
from filevault.dynamo import new_id
from filevault.errors import Invalid
from tests.cases.invited import enter, make_invited, sign_in
from tests.files import samples
from tests.files.space import put, row
from tests.files.vaults import BEN, STRANGER, image_row, own_file

pytestmark = pytest.mark.settled

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def page(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return unescape(answer.content.decode())


def post_json(browser: Browser, path: str, body: Any) -> Any:
    return browser.post(path, json.dumps(body), content_type="application/json")


def files_of(person: Practitioner) -> str:
    return f"/files/{person.user_id}/files/"


def share(browser: Browser, file: File, email: str) -> Any:
    return browser.post(f"/files/{file.file_id}/sharing", {"email": email})


def shared_paths(file: File) -> list[str]:
    return [f"/files/shared/{file.file_id}/{name}" for name in ("view", "open", "download")]


def actions(person: Practitioner) -> list[str]:
    events = AuditEvent.query(vault_of(person).space_id, consistent_read=True)
    return [str(event.action) for event in events]


# --- Own files ---


def test_from_the_page_to_the_download_and_away(a: Practitioner) -> None:
    browser = sign_in(a)
    empty = page(browser, "/files/")
    assert "Nobody else sees it unless you share it" in empty
    presign_url = re.search(r'data-presign-url="([^"]+)"', empty)
    assert presign_url
    assert presign_url[1] == f"{files_of(a)}presign"
    body = {"fileName": "letter.pdf", "mimeType": "", "size": len(samples.PDF)}
    begun = post_json(browser, presign_url[1], body).json()
    (file,) = File.query(vault_of(a).space_id)
    assert re.fullmatch(rf"users/{a.user_id}/{file.file_id}\.[0-9a-f]{{32}}", file.s3_key)
    put(file, samples.PDF)
    assert post_json(browser, begun["confirmUrl"], {}).json()["state"] == "AVAILABLE"
    listed = page(browser, "/files/")
    base = f"{files_of(a)}{file.file_id}"
    for address in (f"{base}/view", f"{base}/download", f"{base}/delete"):
        assert f'href="{address}"' in listed
    assert f'href="/files/{file.file_id}/sharing"' in listed
    assert browser.get(f"{base}/download").status_code == 302
    assert 'href="/files/' in page(browser, f"{base}/view")
    assert "everybody you share it with" in page(browser, f"{base}/delete")
    gone = browser.post(f"{base}/delete", follow=True)
    assert gone.redirect_chain == [(f"/files/{a.user_id}/", 302), ("/files/", 302)]
    assert "The file was deleted." in gone.content.decode()


def test_the_pages_speak_of_one_persons_own_files(a: Practitioner) -> None:
    browser = sign_in(a)
    for path in (f"{files_of(a)}add", files_of(a), "/files/", "/files/gallery/"):
        shown = page(browser, path)
        assert "The others" not in shown, path
        assert "people of a case" not in shown, path
        assert "only by you and those you share them with" in shown, path


def test_the_navigation_leads_here(a: Practitioner) -> None:
    browser = sign_in(a)
    assert '<a href="/files/">My files</a>' in page(browser, "/")
    assert '<a href="/files/" aria-current="page">My files</a>' in page(browser, "/files/")
    assert '<a href="/files/" aria-current="true">My files</a>' in page(browser, "/files/gallery/")


def test_the_quota_is_shown_with_one_read(
    a: Practitioner, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STORAGE_QUOTA_BYTES = 4 * 1024**2
    Usage(a.user_id, bytes_used=1024**2, file_count=3).save()
    browser = sign_in(a)
    shown = page(browser, "/files/").replace("\xa0", " ")
    assert "1 MB of 4 MB used" in shown
    assert '<progress value="1048576" max="4194304"' in shown
    assert "The files of your cases count, too" in shown


def test_a_vault_is_its_owners_alone_Z2(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    base, nowhere = f"{files_of(a)}{file.file_id}", f"{files_of(a)}{new_id()}"
    client = enter(make_invited(b))
    for route in ("view", "open", "download", "delete"):
        for method in ("GET", "HEAD"):
            real = sign_in(b).generic(method, f"{base}/{route}")
            unknown = sign_in(b).generic(method, f"{nowhere}/{route}")
            assert (real.status_code, real.content) == (404, unknown.content)
            assert client.generic(method, f"{base}/{route}").status_code in (302, 401)
        assert sign_in(a).get(f"{nowhere}/{route}").status_code == 404
    assert sign_in(b).get(files_of(a)).status_code == 404
    assert sign_in(b).get(f"/files/{a.user_id}/").status_code == 404
    assert sign_in(b).get(f"/files/{file.file_id}/sharing").status_code == 404
    assert share(sign_in(b), file, "third@example.test").status_code == 404
    assert row(file).state == "AVAILABLE"
    for path in ("/files/", "/files/shared/", "/files/gallery/", *shared_paths(file)):
        assert Browser().get(path).status_code == 302
        assert "/auth/login/" in Browser().get(path).headers["Location"]
        assert client.get(path).status_code == 302


def test_nothing_changes_a_file(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a)
    share(sign_in(a), file, BEN)
    before = row(file).to_simple_dict()
    base = f"{files_of(a)}{file.file_id}"
    for who in (sign_in(a), sign_in(b)):
        for method in ("PUT", "PATCH", "DELETE"):
            paths = [f"{base}/{name}" for name in ("view", "open", "download", "delete")]
            for path in [*paths, *shared_paths(file), f"/files/{file.file_id}/sharing"]:
                assert who.generic(method, path, "x").status_code == 405
    for path in shared_paths(file):
        assert sign_in(b).post(path).status_code == 405
    put(file, b"%PDF-1.7 another version")
    assert post_json(sign_in(a), f"{files_of(a)}confirm/{file.file_id}", {}).status_code == 200
    assert row(file).to_simple_dict() == before
    assert before["isReadOnly"] is True if "isReadOnly" in before else row(file).is_read_only


# --- Sharing ---


def test_sharing_and_taking_back(a: Practitioner, b: Practitioner) -> None:
    file = own_file(a, "Letter & more.pdf")
    owner, recipient = sign_in(a), sign_in(b)
    path = f"/files/{file.file_id}/sharing"
    assert "Nobody else yet." in page(owner, path)
    done = owner.post(path, {"email": BEN}, follow=True)
    assert done.redirect_chain == [(path, 302)]
    shown = unescape(done.content.decode())
    assert f"{BEN} can read the file after signing in with this address." in shown
    assert 'class="alert success"' in shown
    assert f'name="email" value="{BEN}"' in shown
    assert "Shared since" in shown
    assert "Shared with 1 person" in page(owner, "/files/")
    listed = page(recipient, "/files/shared/")
    assert "Letter & more.pdf" in listed
    assert "Dr Anna Novak" in listed
    view, opened, download = shared_paths(file)
    assert f'href="{view}"' in listed
    assert f'href="{download}"' in listed
    seen = page(recipient, view)
    assert f'href="{download}"' in seen
    assert f'href="{opened}"' in seen
    assert 'href="/files/shared/"' in seen
    assert "delete" not in seen
    assert "viewer-next" not in seen
    for address in (opened, download):
        answer = recipient.get(address)
        assert answer.status_code == 302
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert query["versionId"] == [row(file).version_id]
    assert actions(a)[-3:] == ["file:viewed", "file:viewed", "file:downloaded"]
    back = owner.post(f"/files/{file.file_id}/unshare", {"email": BEN}, follow=True)
    assert "It ends at the next click" in back.content.decode()
    for address in shared_paths(file):
        assert recipient.get(address).status_code == 404
        unknown = recipient.get(address.replace(file.file_id, new_id()))
        assert recipient.get(address).content == unknown.content
    assert "Nothing is shared with you" in page(recipient, "/files/shared/")


def test_the_page_tells_nothing_of_accounts(a: Practitioner, b: Practitioner) -> None:
    owner, texts = sign_in(a), []
    for email in (BEN, STRANGER):
        file = own_file(a)
        answer = share(owner, file, email)
        assert answer.status_code == 302
        shown = page(owner, answer.headers["Location"]).replace(email, "WHO")
        shown = shown.replace(file.file_id, "FILE")
        texts.append(
            re.sub(r'csrf[^"]*" value="[^"]+"|data-[a-z-]+="[^"]*"|\d{4}-[^"]+', "", shown)
        )
    known_one, unknown_one = (re.sub(r"\s+|nonce=\S+", " ", strip(text)) for text in texts)
    assert known_one == unknown_one
    (file,) = (each for each in File.query(vault_of(a).space_id) if each.shared_with)
    confirmed = post_json(owner, f"{files_of(a)}confirm/{file.file_id}", {})
    assert b.user_id not in confirmed.content.decode()


def strip(text: str) -> str:
    main = re.search(r"<main.*</main>", text, re.DOTALL)
    assert main
    return re.sub(r"<time.*?</time>|avatar\" aria-hidden=\"true\">[^<]*", "", main[0])


@pytest.mark.parametrize("email", ["", "ben", "a@b, c@d", "dr.anna.novak@example.test", "x" * 400])
def test_a_refused_address_stays_in_its_field(a: Practitioner, email: str) -> None:
    file = own_file(a)
    answer = share(sign_in(a), file, email)
    assert answer.status_code == 422
    shown = unescape(answer.content.decode())
    assert 'aria-invalid="true"' in shown
    assert not email or f'value="{email}"' in shown
    assert "Nobody else yet." in shown


def test_taking_back_twice_answers_alike(a: Practitioner) -> None:
    file, owner = own_file(a), sign_in(a)
    path = f"/files/{file.file_id}/unshare"
    answers = [owner.post(path, {"email": STRANGER}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert owner.get(path).status_code == 405
    assert owner.post(path).status_code == 422
    assert owner.post(f"/files/{new_id()}/unshare", {"email": STRANGER}).status_code == 404


def test_unsafe_calls_need_the_csrf_token_W1(a: Practitioner) -> None:
    file = own_file(a)
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = sign_in(a).cookies
    for name in ("sharing", "unshare"):
        answer = strict.post(f"/files/{file.file_id}/{name}", {"email": STRANGER})
        assert answer.status_code == 403
    assert list(row(file).pending_with) == []


# --- The gallery ---


def gallery_files(shown: str) -> list[str]:
    return re.findall(r'<a class="picture" id="[^"]+" href="[^"]+" title="([^"]+)"', shown)


def headings(shown: str) -> list[str]:
    return re.findall(r'<h2><time datetime="([^"]+)">', shown)


def test_pictures_stand_under_their_days_newest_first(a: Practitioner) -> None:
    space = vault_of(a)
    for name, at in (
        ("old.jpg", NOON - timedelta(days=3)),
        ("morning.jpg", NOON - timedelta(hours=3)),
        ("noon.jpg", NOON),
    ):
        image_row(space, at=at, name=name).save()
    own_file(a, "letter.pdf")
    shown = page(sign_in(a), "/files/gallery/")
    assert gallery_files(shown) == ["noon.jpg", "morning.jpg", "old.jpg"]
    assert headings(shown) == ["2026-03-04", "2026-03-01"]
    assert shown.index("2026-03-04") < shown.index("noon.jpg") < shown.index("2026-03-01")
    assert shown.count('loading="lazy"') == 3
    assert shown.count("versionId=thumb-version") == 3
    newest = next(File.images.query(space.space_id, scan_index_forward=False)).file_id
    view = f"{files_of(a)}{newest}/view?from=gallery"
    assert f'href="{view}"' in shown
    opened = page(sign_in(a), view)
    assert opened.count(f'href="/files/gallery/#picture-{newest}"') == 1
    assert re.search(r'href="[^"]+/view\?from=gallery" rel="next"', opened)
    assert 'id="pictures-older"' not in shown
    assert actions(a).count("file:thumbnails_shown") == 1


def test_what_the_index_still_lists_is_read_again(a: Practitioner) -> None:
    space = vault_of(a)
    gone, refused, elsewhere, kept = (image_row(space) for _ in range(4))
    for file in (gone, refused, elsewhere, kept):
        file.save()
    listed = {file.file_id for file in list_images(a, space).items}
    assert listed == {gone.file_id, refused.file_id, elsewhere.file_id, kept.file_id}
    refused.update([File.state.set("REJECTED")])
    gone.update([File.state.set("DELETED"), File.file_name.set("")])
    elsewhere.delete()
    assert [file.file_id for file in list_images(a, space).items] == [kept.file_id]


def test_pages_go_on_by_cursor_and_days_without_a_second_heading(a: Practitioner) -> None:
    space, browser = vault_of(a), sign_in(a)
    names = [f"p{number:03}.jpg" for number in range(PAGE_SIZE + 5)]
    for number, name in enumerate(names):
        image_row(space, at=NOON + timedelta(seconds=number), name=name).save()
    first = page(browser, "/files/gallery/")
    link = re.search(r'id="pictures-older" href="([^"]+)" hx-get="([^"]+)"', first)
    assert link
    assert link[1] == link[2]
    older = f"/files/gallery/{link[1]}"
    plain = page(browser, older)
    assert headings(plain) == ["2026-03-04"]
    scripted = browser.get(older, headers={"HX-Request": "true"})
    assert "HX-Request" in scripted.headers["Vary"]
    assert headings(scripted.content.decode()) == []
    assert gallery_files(first) + gallery_files(plain) == names[::-1]
    assert gallery_files(scripted.content.decode()) == gallery_files(plain)
    assert 'id="pictures-more"' in plain
    assert "pictures-older" not in plain


def test_an_empty_gallery_says_so(a: Practitioner) -> None:
    own_file(a, "letter.pdf")
    shown = page(sign_in(a), "/files/gallery/")
    assert "No pictures yet" in shown
    assert "file:thumbnails_shown" not in actions(a)


def test_a_cursor_fits_its_own_list_alone(a: Practitioner, b: Practitioner) -> None:
    for person in (a, b):
        for _ in range(3):
            image_row(vault_of(person)).save()
    cursor = list_images(a, vault_of(a), limit=1).cursor
    assert cursor
    with pytest.raises(Invalid):
        list_images(b, vault_of(b), cursor=cursor)
    for path in ("/files/", "/files/shared/", "/files/gallery/"):
        assert sign_in(b).get(path, {"cursor": cursor}).status_code == 422
        assert sign_in(b).get(path, {"cursor": "x"}).status_code == 422
