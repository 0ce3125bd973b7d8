"""A Chromium for the tests, with the flags that a container needs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from tests.browser.steps import Office, make_office
from tests.run import find_chromium, find_headless_shell
from tests.stack import TestStack

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=15_000)  # two cores may be shared with other tests
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The headless shell, where there is one: it takes a third of the processor for a page."""
    with launched(playwright, find_headless_shell() or find_chromium()) as browser:
        yield browser


@contextmanager
def launched(playwright: Playwright, executable: str | None) -> Iterator[Browser]:
    """A browser of this kind; the test fails where there is none."""
    if executable is None:
        pytest.fail("no Chromium was found: install one or set CHROMIUM")
    browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def device(browser: Browser, app: str) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts that share nothing: each is somebody's own device. A script error or
    a refusal by the Content-Security-Policy on any of their pages fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(base_url=app, locale="en-GB", **options)
        context.set_default_timeout(15_000)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on(
            "console",
            lambda message: (
                complaints.append(message.text) if "Content Security" in message.text else None
            ),
        )
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture(scope="session")
def office(browser: Browser, app: str, stack: TestStack) -> Office:
    """What tests of pages share."""
    return make_office(browser, app, stack)
