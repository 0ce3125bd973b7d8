"""An open page shows a file that arrives by storage's own word, and disturbs nobody who reads."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from filevault.dynamo import new_id
from tests.browser.steps import Office, open_case
from tests.files.samples import PDF
from tests.files.test_zips_stack import lay_down
from tests.stack import TestStack

pytestmark = pytest.mark.browser

SEND_AND_TELL_NOBODY = """async ({ presign, name, text }) => {
  const bytes = new TextEncoder().encode(text);
  const headers = { "Content-Type": "application/json", "X-CSRFToken": document.body.dataset.csrf };
  const body = JSON.stringify({ fileName: name, mimeType: "application/pdf", size: bytes.length });
  const signed = await (await fetch(presign, { method: "POST", headers, body })).json();
  const form = new FormData();
  for (const [field, value] of Object.entries(signed.fields)) form.append(field, value);
  form.append("file", new Blob([bytes]), "blob");
  return (await fetch(signed.url, { method: "POST", body: form })).status;
}"""


@pytest.fixture
def case(device: Callable[..., BrowserContext], office: Office) -> str:
    """The path of an empty case."""
    page = device(storage_state=office.state, java_script_enabled=False).new_page()
    name = new_id()
    address = open_case(page, title="Arrivals", client=name, email=f"{name}@example.test")
    return urlsplit(address).path


def send(page: Page, case: str, name: str) -> None:
    """Send a file from another device, whose browser says nothing when it has."""
    page.goto(case)
    presign = page.locator("[data-uploader]").get_attribute("data-presign-url")
    given = {"presign": presign, "name": name, "text": PDF.decode("latin-1")}
    assert PDF.isascii()
    assert page.evaluate(SEND_AND_TELL_NOBODY, given) == 201


def test_a_file_shows_up_by_itself_and_leaves_the_rest_alone(
    device: Callable[..., BrowserContext], office: Office, case: str, stack: TestStack
) -> None:
    page = device(storage_state=office.state).new_page()
    other = device(storage_state=office.state).new_page()
    page.goto(case)
    expect(page.get_by_text("No files yet")).to_be_visible()
    send(other, case, "first.pdf")
    expect(page.locator("#file-rows tr", has_text="first.pdf")).to_be_visible()
    # Of this one no worker finds out anything later, which would change its row.
    lay_down(case.strip("/").split("/")[1], stack.stack["bucket"], PDF, "still.pdf")
    row = page.locator("#file-rows tr", has_text="still.pdf")
    expect(row).to_be_visible()
    page.get_by_label("Select still.pdf").check()
    row.locator("summary").click()
    row.get_by_label("Download still.pdf").focus()
    row.evaluate("row => { row.isTheSame = true; }")
    send(other, case, "second.pdf")
    expect(page.locator("#file-rows tr")).to_have_count(3)
    expect(page.locator("#file-rows tr").first).to_contain_text("second.pdf")
    expect(page.get_by_label("Select still.pdf")).to_be_checked()
    expect(page.locator("#selection [data-part=count]")).to_contain_text("1 file selected")
    assert row.evaluate("row => row.isTheSame")
    expect(row.locator("details")).to_have_attribute("open", "")
    expect(row.get_by_label("Download still.pdf")).to_be_focused()


def test_it_asks_less_and_less_often_and_not_while_hidden(
    device: Callable[..., BrowserContext], office: Office, case: str
) -> None:
    page = device(storage_state=office.state).new_page()
    page.clock.install()
    page.goto(case)
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.headers.get("x-filevault-poll") == "1":
            asked.append(request.url)

    page.on("request", note)
    expect(page.locator("#files[data-version]")).to_be_visible()
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    counts = []
    for _ in range(4):
        before = len(asked)
        for _ in range(30):
            page.clock.run_for(2_000)
            page.evaluate("fetch('/healthz')")
        counts.append(len(asked) - before)
    assert counts[0] > counts[1] >= 1
    assert counts[3] <= 2


def test_it_stops_once_signed_out(device: Callable[..., BrowserContext], office: Office) -> None:
    context = device(storage_state=office.state)
    page = context.new_page()
    page.clock.install()
    page.goto(office.case)
    expect(page.locator("#files[data-version]")).to_be_visible()
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    context.clear_cookies()
    with page.expect_response(lambda answer: "x-filevault-poll" in answer.request.headers):
        page.clock.run_for(4_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(300_000)
    assert asked == []
    assert page.url.endswith(office.case)
