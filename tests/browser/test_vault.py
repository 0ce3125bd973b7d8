"""The vault in a real browser: sharing from page to page, and the gallery as one scrolls."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from files.gallery import PAGE_SIZE
from files.tables import File
from files.vault import VaultSpace
from tests.browser.steps import PHONE, Office
from tests.browser.test_preview import expect_file, expect_picture, swipe, wait_for_pixels
from tests.files.pictures import encoded, half_and_half
from tests.files.samples import PDF
from tests.files.vaults import image_row
from tests.security.people import Person
from tests.stack import TestStack
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

Device = Callable[..., BrowserContext]
BEN, ANNA = "ben.okafor@example.test", "anna.novak@example.test"
OLDER = PAGE_SIZE + 20


@dataclass(frozen=True)
class Vault:
    """Ben's vault: two photos of today and a letter between them, and many rows of older images
    without pictures."""

    owner: Person
    photos: list[str]


@pytest.fixture(scope="module")
def photos(app: str, stack: TestStack, office: Office) -> Vault:
    ben = Person(app, stack).sign_in(BEN)
    found = re.search(r'data-presign-url="(/files/[^/]+/files/)presign"', ben.get("/files/").text)
    assert found
    photo = encoded(half_and_half(900, 600), "JPEG")
    sent = {"beach.jpg": photo, "letter.pdf": PDF, "house.jpg": photo}
    for name, content in sent.items():
        body = {"fileName": name, "size": len(content)}
        signed = ben.call(f"{found[1]}presign", body, page="/files/").json()
        assert ben.send(signed, content).status_code == 201
        assert ben.call(signed["confirmUrl"], page="/files/").json()["state"] == "AVAILABLE"
    gallery = "/files/gallery/"
    wait_until(lambda: ben.get(gallery).text.count('class="thumb"') >= 2, "both thumbnails")
    return Vault(ben, [name for name, content in sent.items() if content is photo])


@pytest.fixture
def many(photos: Vault) -> int:
    """How many images there are, once the test's own process has written older ones."""
    shown = photos.owner.get("/files/").text
    found = re.search(r"/files/([0-9a-f-]{36})/files/presign", shown)
    assert found
    space = VaultSpace(found[1])
    begin = datetime.now(UTC) - timedelta(days=3)
    if len(list(File.query(space.space_id, limit=5))) < 5:
        for number in range(OLDER):
            at = begin + timedelta(minutes=number)
            row = image_row(space, at=at, name=f"old{number}.jpg")
            row.thumb_version_id = None
            row.save()
        time.sleep(1.2)  # the index lags by a second
    return OLDER + len(photos.photos)


def test_scrolling_brings_older_pictures(device: Device, office: Office, many: int) -> None:
    page = device(storage_state=office.state).new_page()
    page.goto("/files/gallery/")
    expect(page.locator(".picture")).to_have_count(PAGE_SIZE)
    wait_for_pixels(page.locator(".picture .thumb").first)
    page.locator("#pictures-older").scroll_into_view_if_needed()
    expect(page.locator(".picture")).to_have_count(many)
    expect(page.locator("#pictures-older")).to_have_count(0)
    days = page.locator(".gallery h2").all_inner_texts()
    assert len(days) == len(set(days)) >= 2


def test_older_pictures_without_javascript(device: Device, office: Office, many: int) -> None:
    page = device(storage_state=office.state, java_script_enabled=False).new_page()
    page.goto("/files/gallery/")
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".picture")).to_have_count(many - PAGE_SIZE)
    expect(page.locator(".gallery h2").first).to_be_visible()


def test_from_picture_to_picture_by_keyboard_and_back(
    device: Device, office: Office, many: int
) -> None:
    """The letter that lies between them is no picture."""
    page = device(storage_state=office.state).new_page()
    page.goto("/files/gallery/")
    page.get_by_role("link", name="house.jpg").focus()
    page.keyboard.press("Enter")
    expect_file(page, "house.jpg")
    expect_picture(page)
    page.keyboard.press("ArrowRight")
    expect_file(page, "beach.jpg")
    expect_picture(page)
    page.keyboard.press("ArrowLeft")
    expect_file(page, "house.jpg")
    page.keyboard.press("ArrowRight")
    expect_file(page, "beach.jpg")
    page.keyboard.press("Escape")
    page.wait_for_url("**/files/gallery/#picture-*")
    expect(page.get_by_role("link", name="beach.jpg")).to_be_focused()


def test_escape_leads_back_to_a_picture_further_down(
    device: Device, office: Office, many: int
) -> None:
    page = device(storage_state=office.state).new_page()
    page.goto("/files/gallery/")
    page.locator("#pictures-older").scroll_into_view_if_needed()
    oldest = page.get_by_role("link", name="old0.jpg", exact=True)
    oldest.click()
    expect_file(page, "old0.jpg")
    page.keyboard.press("Escape")
    page.wait_for_url("**/files/gallery/#picture-*")
    expect(oldest).to_be_focused()
    expect(oldest).to_be_in_viewport()
    expect(page.locator(".picture")).to_have_count(many)


def test_through_the_gallery_by_thumb(device: Device, office: Office, photos: Vault) -> None:
    context = device(storage_state=office.state, **PHONE)
    page = context.new_page()
    page.goto("/files/gallery/")
    page.get_by_role("link", name="house.jpg").tap()
    expect_file(page, "house.jpg")
    swipe(context, page, 300, 80)
    expect_file(page, "beach.jpg")
    swipe(context, page, 80, 300)
    expect_file(page, "house.jpg")
    page.get_by_role("link", name="Back to the files").tap()
    expect(page.get_by_role("link", name="house.jpg")).to_be_in_viewport()


def test_a_file_is_shared_read_and_taken_back(
    device: Device, office: Office, photos: Vault, app: str, stack: TestStack
) -> None:
    page = device(storage_state=office.state).new_page()
    page.goto("/files/")
    page.get_by_role("link", name="Share house.jpg").click()
    page.get_by_label("E-mail address").fill(ANNA)
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_text("can read the file after signing in")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value("")
    anna = Person(app, stack).sign_in(ANNA)
    listed = anna.get("/files/shared/").text
    found = re.search(r'class="file-name" href="(/files/shared/[^"]+)">house.jpg', listed)
    assert found
    assert anna.get(found[1]).status_code == 200
    page.get_by_role("button", name=f"Take back the access of {ANNA}").click()
    expect(page.get_by_text("The access was taken back")).to_be_visible()
    assert anna.get(found[1]).status_code == 404


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_a_barrier(device: Device, office: Office, many: int, width: int) -> None:
    context = device(
        storage_state=office.state, viewport={"width": width, "height": 844}, bypass_csp=True
    )
    page = context.new_page()
    for path in ("/files/", "/files/shared/", "/files/gallery/", sharing_page(page)):
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.body.scrollWidth") <= width, f"{path} scrolls sideways"


def sharing_page(page: Page) -> str:
    page.goto("/files/")
    return page.get_by_role("link", name="Share beach.jpg").get_attribute("href") or ""
