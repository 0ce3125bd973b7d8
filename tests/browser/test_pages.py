"""Pages as people meet them: readable by assistive technology, in both themes, on any width."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Request, expect

from tests.browser.steps import LOOKS, Office, open_case

pytestmark = pytest.mark.browser

Device = Callable[..., BrowserContext]
#: Bytes of a page as compressed, before pictures.
BUDGET = 40 * 1024
PATHS = ["/", "/clients/", "/clients/new/", "/cases/", "/cases/new/", "/search/", "/settings/"]


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_no_page_has_a_known_barrier_or_scrolls_sideways(
    device: Device, office: Office, theme: Any, width: int
) -> None:
    context = device(
        storage_state=office.state,
        color_scheme=theme,
        viewport={"width": width, "height": 900},
        bypass_csp=True,  # axe is injected as an inline script
    )
    page = context.new_page()
    for path in [*PATHS, office.case, f"{office.case}activity/"]:
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, f"{path} scrolls sideways at {width} px"


def test_a_case_weighs_no_more_than_its_budget(device: Device, office: Office) -> None:
    """Every byte of it as it is sent, the uploader included: a phone on a train waits for each."""
    page = device(storage_state=office.state).new_page()
    case = open_case(page, title="Light", client="Lea Licht", email="lea@example.test")
    requests: list[Request] = []
    page = device(storage_state=office.state).new_page()
    page.on("request", lambda request: requests.append(request))
    page.goto(case)
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    weights = {request.url: request.sizes()["responseBodySize"] for request in requests}
    heaviest = sorted(weights.items(), key=lambda item: -item[1])
    assert len(weights) > 20, "it counts what modules and style sheets ask for"
    assert sum(weights.values()) < BUDGET, heaviest


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(
    device: Device, office: Office
) -> None:
    page = device(storage_state=office.state).new_page()
    page.goto("/clients/new/")
    page.get_by_label("Name", exact=True).fill("Jonas Brandt")
    page.get_by_label("E-mail", exact=True).fill("jonas at example")
    page.get_by_role("button", name="Add the client").click()
    field = page.get_by_label("E-mail", exact=True)
    expect(field).to_have_value("jonas at example")
    expect(field).to_have_attribute("aria-invalid", "true")
    described = field.get_attribute("aria-describedby") or ""
    texts = [page.locator(f"#{name}").inner_text() for name in described.split()]
    assert any("e-mail address" in text for text in texts)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Jonas Brandt")


def test_the_keyboard_alone_reaches_everything(device: Device, office: Office) -> None:
    page = device(storage_state=office.state).new_page()
    page.goto(office.case)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    wanted = {"Edit", "Close", "Choose files", "Choose a folder", "Send again", "Revoke"}
    for _ in range(500):  # as many files as other tests have left in the case
        page.keyboard.press("Tab")
        wanted.discard(page.evaluate("document.activeElement.innerText?.trim()"))
        if not wanted:
            break
    assert not wanted


def test_the_case_reads_whole_without_javascript(device: Device, office: Office) -> None:
    page = device(storage_state=office.state, java_script_enabled=False).new_page()
    page.goto(office.case)
    for heading in ("Tax return 2025", "Files", "People", "About this case"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Choose files")).to_be_hidden()
