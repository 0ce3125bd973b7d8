"""Choosing files of a list and taking them along, by mouse, by keys and without script."""

import zipfile
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from filevault.dynamo import new_id
from tests.browser.steps import Office, open_case
from tests.files.samples import PDF
from tests.files.test_zips_stack import lay_down
from tests.stack import TestStack

pytestmark = pytest.mark.browser

WIDE = {"width": 1200, "height": 900}


@pytest.fixture
def case(device: Callable[..., BrowserContext], office: Office, stack: TestStack) -> str:
    """The path of a case with 52 files, `00.pdf` the oldest, and one that is being checked."""
    page = device(storage_state=office.state, java_script_enabled=False).new_page()
    name = new_id()
    address = open_case(page, title="Scans", client=name, email=f"{name}@example.test")
    path = urlsplit(address).path
    case_id = path.strip("/").split("/")[1]
    for number in range(52):
        lay_down(case_id, stack.stack["bucket"], PDF, f"{number:02}.pdf")
    lay_down(case_id, stack.stack["bucket"], PDF, "checked.pdf", state="CHECKING")
    return path


def names_in(page: Page, button: str) -> list[str]:
    """What is in the archive that a button or link downloads."""
    with page.expect_download() as download:
        page.get_by_text(button, exact=True).click()
    with zipfile.ZipFile(download.value.path()) as archive:
        return archive.namelist()[:-2]


def test_a_selection_is_counted_kept_and_downloaded(
    device: Callable[..., BrowserContext], office: Office, case: str
) -> None:
    page = device(viewport=WIDE, storage_state=office.state).new_page()
    page.goto(case)
    count = page.locator("#selection [data-part=count]")
    expect(page.get_by_label("Select all on this page")).to_be_visible()
    expect(page.get_by_role("button", name="Download as ZIP")).to_be_hidden()
    expect(page.get_by_label("Select checked.pdf")).to_have_count(0)
    page.get_by_label("Select 51.pdf").focus()
    page.keyboard.press("Space")
    expect(count).to_have_text(f"1 file selected · {len(PDF)} B")
    page.get_by_label("Select 49.pdf").check()
    with page.expect_response(lambda answer: "/files/" in answer.url):
        page.evaluate("document.body.dispatchEvent(new Event('filevault:uploaded'))")
    expect(page.locator("#selection[data-bound]")).to_be_visible()
    expect(count).to_have_text(f"2 files selected · {2 * len(PDF)} B")
    assert names_in(page, "Download as ZIP") == ["49.pdf", "51.pdf"]
    page.get_by_role("link", name="Show more").click()
    expect(page.get_by_label("Select 00.pdf")).to_be_visible()
    expect(page.get_by_label("Select 00.pdf")).not_to_be_checked()
    page.get_by_label("Select all on this page").check()
    expect(count).to_contain_text("52 files selected")
    page.get_by_role("button", name="Clear").click()
    expect(count).to_be_empty()
    expect(page.get_by_label("Select all on this page")).to_be_focused()
    assert len(names_in(page, "Download all as ZIP")) == 52


def test_ticks_count_without_script(
    device: Callable[..., BrowserContext], office: Office, case: str
) -> None:
    context = device(viewport=WIDE, storage_state=office.state, java_script_enabled=False)
    page = context.new_page()
    page.goto(case)
    expect(page.get_by_label("Select all on this page")).to_be_hidden()
    page.get_by_label("Select 50.pdf").check()
    assert names_in(page, "Download as ZIP") == ["50.pdf"]
    page.get_by_label("Select 50.pdf").uncheck()
    assert len(names_in(page, "Download as ZIP")) == 52
