"""What a browser test does and sees while the network, or storage, fails under an upload."""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, Response, Route, expect

from tests.faults.proxy import UNSHAPED, Proxy

SENT = re.compile(r"Sent ·")


@dataclass(frozen=True)
class Sent:
    """A file that is chosen in the page. It lies on disk, as people's files do."""

    path: Path
    sha256: str

    @property
    def name(self) -> str:
        return self.path.name


def choose(page: Page, *files: Sent) -> None:
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    chooser = page.locator("input[type=file][data-part=files]")
    chooser.set_input_files([file.path for file in files])


def row(page: Page, file: Sent) -> Locator:
    return page.locator(".upload").filter(has_text=file.name)


def expect_sent(page: Page, file: Sent, *, seconds: float = 20) -> None:
    expect(row(page, file)).to_contain_text(SENT, timeout=seconds * 1000)


def expect_whole(page: Page, proxy: Proxy, *files: Sent) -> None:
    """What others download is what was chosen, byte for byte."""
    proxy.reshape(UNSHAPED)
    page.reload()
    for file in files:
        link = page.get_by_role("link", name=f"Download {file.name}", exact=True)
        body = page.request.get(str(link.get_attribute("href"))).body()
        assert hashlib.sha256(body).hexdigest() == file.sha256


def again(page: Page, file: Sent) -> Locator:
    """The button that sends a file after all."""
    return row(page, file).get_by_role("button", name=re.compile("^(Try again|Retry)"))


def wind_until_given_up(page: Page, file: Sent) -> None:
    """Let the quarter of an hour pass that an upload is tried for."""
    for _minute in range(20):
        if again(page, file).is_visible():
            break
        page.clock.fast_forward(60_000)
        page.wait_for_timeout(100)  # what that set off is answered
    expect(again(page, file)).to_be_visible()


def wind(page: Page, file: Sent, seconds: int) -> None:
    """Let this much time pass for the page, or less where the file is sent before. Ten times as
    fast as it does: what is under way goes on meanwhile, and must not look silent."""
    for _second in range(seconds):
        if SENT.search(row(page, file).inner_text()):
            break
        page.clock.run_for(1000)
        page.wait_for_timeout(100)


def until(page: Page, holds: Callable[[], object], *, seconds: float = 20) -> None:
    """Wait for something that is not of the page."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not in {seconds} s"
        page.wait_for_timeout(50)


def is_listed(page: Page, file: Sent) -> bool:
    """Whether the case shows a file to everybody, after looking anew."""
    page.reload()
    return page.get_by_role("link", name=f"Download {file.name}", exact=True).count() > 0


def outdate(route: Route) -> None:
    """Let what the product signs be of a time long ago, as storage sees it."""
    answer = route.fetch()
    body = re.sub(r"X-Amz-Date=\d{8}", "X-Amz-Date=20200101", answer.text())
    body = re.sub(r'("x-amz-signature": ")\w{8}', r"\g<1>00000000", body)
    route.fulfill(response=answer, body=body)


def fail(route: Route, site: str, status: int) -> None:
    """Answer as a storage in trouble, readable for the site's scripts as S3's answers are."""
    headers = {"Access-Control-Allow-Origin": site, "Content-Type": "application/xml"}
    route.fulfill(status=status, headers=headers, body="<Error></Error>")


def is_taken(answer: Response, proxy: Proxy) -> bool:
    """Whether storage has taken a body."""
    sent = answer.request.method in ("POST", "PUT")
    return sent and answer.ok and answer.url.startswith(proxy.url)
