"""What people do in the product, as steps that browser tests share."""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, FilePayload, Page, StorageState, expect

from tests.stack import TestStack

#: The options of a `device` that is held in one hand.
PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}

#: Every width, and each theme in one hand and on a wider screen: contrast hangs on the theme,
#: what fits hangs on the width.
LOOKS: Final = [(390, "light"), (390, "dark"), (768, "light"), (1440, "dark")]


@dataclass(frozen=True)
class Office:
    """A signed-in practitioner's cookies and the path of a case."""

    case: str
    state: StorageState


def choose_files(page: Page, *files: FilePayload) -> None:
    """Choose files in the uploader of the page, once it is ready."""
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    page.locator("input[type=file][data-part=files]").set_input_files(list(files))


def make_office(browser: Browser, app: str, stack: TestStack) -> Office:
    """Ben at his desk, with a case of his and a client in it."""
    context = browser.new_context(base_url=app, locale="en-GB")
    page = context.new_page()
    sign_in(page, stack, "ben.okafor@example.test", name="Ben Okafor", practice="Okafor Tax")
    case = open_case(page, title="Tax return 2025", client="Carl Lind", email="carl@example.test")
    state = context.storage_state()
    context.close()
    return Office(urlsplit(case).path, state)


def sign_in(
    page: Page, stack: TestStack, email: str, *, name: str = "", practice: str = ""
) -> None:
    """Log in at the provider's hosted page; answers the first-login page if it comes."""
    password = next(user["password"] for user in stack.stack["users"] if user["email"] == email)
    page.goto("/")
    page.locator("input[name=username]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("[type=submit]").first.click()
    page.wait_for_url(f"{stack.stack['site']}/**")
    if "/welcome" in page.url:
        page.get_by_label("Your name").fill(name)
        page.get_by_label("Practice or firm").fill(practice)
        page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def open_case(page: Page, *, title: str, client: str, email: str) -> str:
    """Add a client, open a case with them and send the invitation; returns the case's address."""
    page.goto("/clients/new/")
    page.get_by_label("Name", exact=True).fill(client)
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_role("button", name="Add the client").click()
    page.goto("/cases/new/")
    page.get_by_label("Title").fill(title)
    page.get_by_label(re.compile(client)).check()
    page.get_by_role("button", name="Open the case").click()
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    return page.url
