"""What a browser test does and sees where a page saves a large file by itself."""

import re
from typing import Final

from playwright.sync_api import Locator, Page, expect

from tests.browser.failing import Sent
from tests.faults.proxy import Proxy

#: The system's dialog, which no test can press: a file of the browser's own stands in for the one
#: that a person would choose.
_DIALOG: Final = """
  window.showSaveFilePicker = async ({ suggestedName }) =>
    (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
"""
_SAVED: Final = """async (name) => {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle(name).catch(() => null);
  if (!handle) return null;
  const sum = await crypto.subtle.digest("SHA-256", await (await handle.getFile()).arrayBuffer());
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, "0")).join("");
}"""
PROVED: Final = re.compile("Arrived whole · .* Its SHA-256 is that of the original")
LIFETIME_MS: Final = 130_000


def answer_dialogs(page: Page) -> None:
    """Let each system dialog of this page be answered with the name that it suggests."""
    page.add_init_script(_DIALOG)


def save(page: Page, name: str) -> Locator:
    """Press a file's download; the row that tells of it."""
    page.get_by_role("link", name=f"Download {name}", exact=True).click()
    return page.locator("[data-downloads] .upload").filter(has_text=name)


def break_in_the_middle(page: Page, proxy: Proxy, file: Sent) -> Locator:
    """Begin a download, and lose the network halfway."""
    before, half = proxy.received, file.path.stat().st_size // 2
    row = save(page, file.name)
    proxy.wait_until_received(half, since=before)
    proxy.refuse()
    expect(row).to_contain_text(re.compile("%"))
    return row


def saved(page: Page, file: Sent) -> str | None:
    """The SHA-256 of what lies on the disk now; None where nothing does."""
    found: str | None = page.evaluate(_SAVED, file.name)
    return found
