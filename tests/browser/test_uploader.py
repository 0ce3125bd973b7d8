"""The uploader: what it says before, while and after files go, and what it does when they don't."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.steps import Office, choose_files

pytestmark = pytest.mark.browser

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"

Device = Callable[..., BrowserContext]


def payload(name: str, content: bytes = PDF) -> Any:
    return {"name": name, "mimeType": "", "buffer": content}


@pytest.fixture
def page(device: Device, office: Office) -> Page:
    page = device(storage_state=office.state).new_page()
    page.goto(office.case)
    return page


def row(page: Page, name: str) -> Any:
    return page.locator(".upload").filter(has_text=name)


def test_what_cant_be_sent_is_named_with_the_reason_before_a_byte_goes(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.post_data else None)
    choose_files(page, payload("tool.exe", b"MZ"), payload("nothing.pdf", b""))
    expect(row(page, "tool.exe")).to_contain_text("This type of file isn't accepted")
    expect(row(page, "nothing.pdf")).to_contain_text("it is empty")
    summary = page.locator(".uploads-summary")
    expect(summary).to_contain_text("2 files were not sent")
    expect(summary).to_contain_text("tool.exe: This type of file isn't accepted")
    expect(summary).to_contain_text("nothing.pdf: This file can't be sent: it is empty")
    assert not sent


def test_content_that_belies_its_name_is_refused_in_words(page: Page, office: Office) -> None:
    choose_files(page, payload("really.pdf", b"<html><script>alert(1)</script></html>"))
    expect(row(page, "really.pdf")).to_contain_text("doesn")
    page.goto(office.case)
    expect(page.get_by_role("link", name="really.pdf", exact=True)).to_have_count(0)


def test_a_storage_that_fails_for_a_while_is_tried_again(page: Page) -> None:
    failures = [503, 503]

    def answer(route: Route) -> None:
        if failures:
            route.fulfill(status=failures.pop(), body="SlowDown")
        else:
            route.continue_()

    page.route("**/filevault-local", answer)
    page.route("**/filevault-local/", answer)
    choose_files(page, payload("patient.pdf"))
    expect(row(page, "patient.pdf")).to_contain_text("Sent", timeout=30_000)
    assert not failures


def test_cancel_leaves_nothing_and_retry_sends_it_after_all(page: Page) -> None:
    held: list[Route] = []
    page.route("**/filevault-local/", lambda route: held.append(route))
    page.route("**/filevault-local", lambda route: held.append(route))
    choose_files(page, payload("second-thoughts.pdf"))
    line = row(page, "second-thoughts.pdf")
    line.get_by_role("button", name="Cancel").click()
    expect(line).to_contain_text("Nothing of it was kept")
    page.unroute_all(behavior="ignoreErrors")
    line.get_by_role("button", name="Retry").click()
    expect(line).to_contain_text("Sent")
    expect(page.get_by_role("link", name="second-thoughts.pdf", exact=True)).to_be_visible()


def test_one_file_can_be_sent_without_javascript(device: Device, office: Office) -> None:
    page = device(storage_state=office.state, java_script_enabled=False).new_page()
    page.goto(office.case)
    page.get_by_role("link", name="Add a file").click()
    page.locator("input[type=text]").fill("plain letter.pdf")
    page.get_by_role("button", name="Continue").click()
    page.locator("input[type=file]").set_input_files(payload("scan.pdf"))
    page.get_by_role("button", name="Send").click()
    page.goto(office.case)
    expect(page.get_by_role("link", name="plain letter.pdf", exact=True)).to_be_visible()
