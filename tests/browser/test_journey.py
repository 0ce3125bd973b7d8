"""The main job in a browser, on the real stack: from the first login to the client's way out."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from tests.browser.steps import choose_files, open_case, sign_in
from tests.stack import TestStack, mails, wait_for_mail

pytestmark = pytest.mark.browser

CLIENT = "maria.keller@example.test"

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n" * 40
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(200)
TXT = "Grüße aus dem Wartezimmer\n".encode() * 30


def test_the_main_job_end_to_end(
    app: str, stack: TestStack, device: Callable[..., BrowserContext]
) -> None:
    practitioner = device().new_page()
    sign_in(
        practitioner, stack, "anna.novak@example.test", name="Dr Anna Novak", practice="Novak Law"
    )
    case_url = open_case(
        practitioner, title="Keller v. Brandt", client="Maria Keller", email=CLIENT
    )

    link = invitation_link(stack)
    client = device().new_page()
    enter_with_code(client, stack, link)
    expect(client.get_by_role("heading", name="Keller v. Brandt")).to_be_visible()

    send_three_files(client)

    notice = wait_for_mail(stack, "anna.novak@example.test", lambda mail: "3" in mail.subject)
    assert "Keller" not in notice.subject + notice.text
    told = mails(stack, "anna.novak@example.test")
    assert len([mail for mail in told if "new file" in mail.subject]) == 1

    practitioner.goto(re.search(r"http\S+", notice.text).group())  # type: ignore[union-attr]
    assert practitioner.url.startswith(case_url)
    with practitioner.expect_download() as download:
        practitioner.get_by_role("link", name="Download passport.pdf").click()
    assert Path(download.value.path()).read_bytes() == PDF
    assert download.value.suggested_filename == "passport.pdf"

    practitioner.goto(case_url)
    practitioner.get_by_role("link", name="Delete photo.png").click()
    practitioner.get_by_role("button", name="Delete").click()
    expect(practitioner.get_by_role("link", name="photo.png", exact=True)).to_have_count(0)

    practitioner.get_by_role("link", name="Revoke access of Maria Keller").click()
    practitioner.get_by_role("button", name="Revoke").click()
    client.reload()
    expect(client.get_by_role("heading", name="Keller v. Brandt")).to_have_count(0)
    expect(client.get_by_role("link", name="passport.pdf", exact=True)).to_have_count(0)


def invitation_link(stack: TestStack) -> str:
    mail = wait_for_mail(stack, CLIENT)
    assert "asks you for documents" in mail.subject
    found = re.search(r"http\S+/invite/\S+", mail.text)
    assert found, mail.text
    return found.group()


def enter_with_code(page: Page, stack: TestStack, link: str) -> None:
    page.goto(link)
    assert page.url.endswith("/invite/"), "the token leaves the address bar at once (I2)"
    page.get_by_role("button", name="Send me the code").click()
    mail = wait_for_mail(stack, CLIENT, lambda mail: mail.subject[:6].isdigit())
    page.locator("input[autocomplete=one-time-code]").fill(mail.subject[:6])
    page.get_by_role("button", name="Continue").click()


def send_three_files(page: Page) -> None:
    contents = {"passport.pdf": PDF, "photo.png": PNG, "letter.txt": TXT}
    files = [
        FilePayload(name=name, mimeType="", buffer=content) for name, content in contents.items()
    ]
    choose_files(page, *files)
    expect(page.get_by_text("3 files sent")).to_be_visible()
    for name in contents:
        expect(page.locator("#files").get_by_role("link", name=name, exact=True)).to_be_visible()
