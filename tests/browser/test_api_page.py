"""The page on which the API can be tried works under the product's own policy (no CDN)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.steps import Office

pytestmark = pytest.mark.browser


def test_calls_can_be_tried_with_the_session(
    device: Callable[..., BrowserContext], office: Office
) -> None:
    page = device(storage_state=office.state).new_page()
    page.goto("/api/docs")
    operation = page.locator("#operations-auth-filevault_api_login_login")
    expect(operation).to_be_visible()
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text(
        "200"
    )
