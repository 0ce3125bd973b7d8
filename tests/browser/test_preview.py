"""Looking through the files of a case in a real browser, with the Content-Security-Policy on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect

from tests.browser.conftest import launched
from tests.browser.steps import LOOKS, PHONE, Office
from tests.files.pictures import encoded, half_and_half
from tests.files.samples import TXT
from tests.run import find_chromium
from tests.security.people import Person
from tests.stack import TestStack
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

Device = Callable[..., BrowserContext]
EMAIL = "greta.looks@example.test"
WIDE, TALL = half_and_half(1800, 1200), half_and_half(1200, 3000)


@dataclass(frozen=True)
class Gallery:
    """A case with files; newest first: tall.heic, letter.pdf, notes.txt, wide.jpg."""

    home: str
    portal: str
    cookies: list[Any]
    views: dict[str, str]


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The whole browser: it alone shows PDFs."""
    with launched(playwright, find_chromium()) as browser:
        yield browser


@pytest.fixture(scope="module")
def gallery(app: str, stack: TestStack, office: Office) -> Gallery:
    ben = Person(app, stack).sign_in("ben.okafor@example.test")
    client = ben.add_client("Greta Looks", EMAIL)
    case = ben.open_case("Water damage", client)
    home = f"/cases/{case}/"
    views = {}
    for name, content in (
        ("wide.jpg", encoded(WIDE, "JPEG")),
        ("notes.txt", TXT),
        ("letter.pdf", encoded(WIDE, "PDF")),
        ("tall.heic", encoded(TALL, "HEIF")),
    ):
        views[name] = f"{home}files/{ben.upload(home, name=name, content=content)['fileId']}/view"
    wait_until(lambda: ben.get(home).text.count('class="thumb"') >= 3, "previews")
    greta = Person(app, stack).enter(ben.invite(case, client, EMAIL), EMAIL)
    cookies = [
        {"name": name, "value": value, "url": app} for name, value in greta.http.cookies.items()
    ]
    return Gallery(home, f"/portal/{case}/", cookies, views)


def wait_for_pixels(picture: Locator) -> None:
    picture.scroll_into_view_if_needed()
    loaded = "image => image.complete && image.naturalWidth > 0"
    wait_until(lambda: picture.evaluate(loaded), "the picture", seconds=15)


def expect_file(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.wait_for_load_state("domcontentloaded")  # its scripts, which hear the keys, have run


def expect_picture(page: Page) -> None:
    wait_for_pixels(page.locator(".viewer-stage > img"))


def test_through_the_files_by_keyboard(
    device: Device, office: Office, gallery: Gallery, stack: TestStack
) -> None:
    page = device(storage_state=office.state).new_page()
    page.goto(gallery.home)
    expect(page.locator("img.thumb")).to_have_count(3)
    for thumb in page.locator("img.thumb").all():
        wait_for_pixels(thumb)
    page.get_by_role("link", name="tall.heic", exact=True).focus()
    page.keyboard.press("Enter")
    expect_file(page, "tall.heic")
    expect_picture(page)
    expect(page.get_by_text("1 of 3")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    expect_file(page, "letter.pdf")
    frame = page.locator("iframe")
    assert (frame.get_attribute("src") or "").startswith(stack.stack["aws"]["endpoint"])
    expect(frame).to_be_visible()
    assert frame.get_attribute("sandbox") is None
    page.keyboard.press("ArrowRight")
    expect_file(page, "wide.jpg")
    expect_picture(page)
    expect(page.get_by_text("3 of 3")).to_be_visible()
    expect(page.get_by_role("link", name="Next file")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect_file(page, "letter.pdf")
    page.keyboard.press("Escape")
    page.wait_for_url(f"**{gallery.home}")
    expect(page.get_by_role("heading", name="Files", exact=True)).to_be_visible()


def test_a_client_looks_through_the_same_files(device: Device, gallery: Gallery) -> None:
    context = device()
    context.add_cookies(gallery.cookies)
    page = context.new_page()
    page.goto(gallery.portal)
    page.get_by_role("link", name="wide.jpg", exact=True).click()
    expect_file(page, "wide.jpg")
    expect_picture(page)
    expect(page.get_by_text("You are here as")).to_be_visible()
    page.get_by_role("link", name="Previous file").click()
    expect_file(page, "letter.pdf")
    with context.expect_page() as opened:
        page.get_by_role("link", name="Open in a new tab").click()
    assert "response-content-type=application%2Fpdf" in opened.value.url
    page.get_by_role("link", name="Back to the files").click()
    page.wait_for_url(f"**{gallery.portal}")


def test_links_do_it_all_without_javascript(
    device: Device, office: Office, gallery: Gallery
) -> None:
    page = device(storage_state=office.state, java_script_enabled=False).new_page()
    page.goto(gallery.home)
    page.get_by_role("link", name="letter.pdf", exact=True).click()
    expect(page.locator("iframe")).to_be_visible()
    page.get_by_role("link", name="Next file").click()
    expect_file(page, "wide.jpg")
    page.get_by_role("link", name="Back to the files").click()
    page.wait_for_url(f"**{gallery.home}")
    with page.expect_download() as got:
        page.get_by_role("link", name="notes.txt", exact=True).click()
    assert got.value.suggested_filename == "notes.txt"


def test_escape_closes_an_open_menu_first(device: Device, office: Office, gallery: Gallery) -> None:
    page = device(storage_state=office.state).new_page()
    page.goto(gallery.views["wide.jpg"])
    page.locator("details[data-menu] > summary").click()
    page.keyboard.press("Escape")
    expect(page.locator("details[data-menu]")).not_to_have_attribute("open", "")
    expect_file(page, "wide.jpg")
    page.keyboard.press("Escape")
    page.wait_for_url(f"**{gallery.home}")


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pictures_fit_the_window_and_nothing_is_a_barrier(
    device: Device, office: Office, gallery: Gallery, width: int, theme: Any
) -> None:
    context = device(
        storage_state=office.state,
        color_scheme=theme,
        viewport={"width": width, "height": 844},
        bypass_csp=True,  # axe is injected as an inline script
    )
    page = context.new_page()
    for name in ("tall.heic", "wide.jpg", "letter.pdf", "notes.txt"):
        page.goto(gallery.views[name])
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        size = page.evaluate("[document.body.scrollWidth, document.body.scrollHeight]")
        assert size == [width, 844], f"{name} scrolls at {width} px"
        if name in ("tall.heic", "wide.jpg"):
            expect_picture(page)
            picture = page.locator(".viewer-stage > img").bounding_box()
            stage = page.locator(".viewer-stage").bounding_box()
            assert picture
            assert stage
            assert picture["y"] >= stage["y"] - 1
            assert picture["y"] + picture["height"] <= stage["y"] + stage["height"] + 1
            drawn = picture["width"] / picture["height"]
            assert abs(drawn - (0.4 if name == "tall.heic" else 1.5)) < 0.02


def test_on_a_phone_by_thumb(device: Device, office: Office, gallery: Gallery) -> None:
    context = device(storage_state=office.state, **PHONE)
    page = context.new_page()
    page.goto(gallery.views["letter.pdf"])
    for name in ("Previous file", "Next file", "Download", "Open in a new tab"):
        box = page.get_by_role("link", name=name).bounding_box()
        assert box
        assert box["y"] > 700, f"{name} is out of reach"
        assert min(box["width"], box["height"]) >= 44
    expect(page.locator("iframe")).to_be_hidden()
    wait_for_pixels(page.get_by_role("img", name="First page"))
    expect(page.get_by_role("link", name="Open the document")).to_be_visible()
    swipe(context, page, 300, 80)
    expect_file(page, "wide.jpg")
    expect_picture(page)
    swipe(context, page, 80, 300)
    expect_file(page, "letter.pdf")
    swipe(context, page, 200, 230)
    expect_file(page, "letter.pdf")


def swipe(context: BrowserContext, page: Page, start: int, end: int) -> None:
    """A finger across the middle of the page."""
    session = context.new_cdp_session(page)
    for kind, x in (("touchStart", start), ("touchMove", end), ("touchEnd", None)):
        points = [] if x is None else [{"x": x, "y": 400}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.detach()


def test_a_picture_that_does_not_come_is_said(
    device: Device, office: Office, gallery: Gallery, stack: TestStack
) -> None:
    page = device(storage_state=office.state).new_page()
    page.route(f"{stack.stack['aws']['endpoint']}/**", lambda route: route.abort())
    page.goto(gallery.home)
    expect(page.locator("img.thumb")).to_have_count(3)
    expect(page.locator("img.thumb:visible")).to_have_count(0)  # the icon beneath shows instead
    page.goto(gallery.views["wide.jpg"])
    expect(page.get_by_text("The picture did not load.")).to_be_visible()
    page.unroute(f"{stack.stack['aws']['endpoint']}/**")
    page.get_by_role("link", name="Try again").click()
    expect_picture(page)
