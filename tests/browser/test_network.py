"""Uploads and downloads over a network and a storage that fail: each ends in a file that has
arrived whole, or in a plain sentence with a way to try again.

The browser reaches storage by a proxy that the tests break at will. Minutes pass by the page's own
clock, which the tests wind forward; the network's failures are real.
"""

import collections
import hashlib
import itertools
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Dialog,
    Page,
    Route,
    expect,
)

from files.tables import File
from filevault.local.ministack import free_port
from tests.browser.failing import (
    Sent,
    again,
    choose,
    expect_sent,
    expect_whole,
    fail,
    is_listed,
    is_taken,
    outdate,
    row,
    until,
    wind,
    wind_until_given_up,
)
from tests.browser.saving import (
    LIFETIME_MS,
    PROVED,
    answer_dialogs,
    break_in_the_middle,
    save,
    saved,
)
from tests.browser.steps import Office, make_office, open_case
from tests.faults.proxy import Proxy, Shape, running_proxy
from tests.files.test_zips_stack import lay_down
from tests.stack import TestStack, mails, provisioned_stack, running_app, wait_for_mail

pytestmark = pytest.mark.browser

MIB = 1024 * 1024
#: Slow enough that a fault finds the upload under way.
LINE = Shape(bits_per_second=80_000_000, round_trip=0.02)
SETTINGS = {
    "MULTIPART_THRESHOLD": str(6 * MIB),
    "PART_SIZE": str(5 * MIB),
    "NOTICE_QUIET_SECONDS": "5",
    "NOTICE_LATEST_SECONDS": "20",
}
LARGE = 16 * MIB
#: Large enough to be saved by script.
SAVED = 8 * MIB
SMALL = 2 * MIB

Device = Callable[..., BrowserContext]
numbers = itertools.count(1)


@pytest.fixture(scope="session")
def stack() -> Iterator[TestStack]:
    """A stack of this module's own: its product signs for the proxy's address."""
    with provisioned_stack() as made:
        yield made


@pytest.fixture(scope="session")
def line(stack: TestStack) -> Iterator[Proxy]:
    port = stack.ministack.port
    with running_proxy(free_port(port + 50), port, LINE) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def app(stack: TestStack, line: Proxy) -> Iterator[str]:
    settings = SETTINGS | {"S3_PUBLIC_ENDPOINT_URL": line.url}
    with running_app(stack, settings=settings) as site:
        yield site


@pytest.fixture(scope="session")
def office(browser: Browser, app: str, stack: TestStack) -> Office:
    return make_office(browser, app, stack)


@pytest.fixture
def proxy(line: Proxy) -> Iterator[Proxy]:
    """The line to storage, whole again after each test."""
    yield line
    line.restore()
    line.reshape(LINE)


Make = Callable[[int], Sent]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes DICOM files, of which no preview is made, each with a content of its own."""

    def write(size: int) -> Sent:
        content = bytes(128) + b"DICM" + os.urandom(size - 132)
        path = tmp_path / f"scan {next(numbers)}.dcm"
        path.write_bytes(content)
        return Sent(path, hashlib.sha256(content).hexdigest())

    return write


@pytest.fixture
def page(device: Device, office: Office) -> Page:
    page = device(storage_state=office.state).new_page()
    page.clock.install()
    page.goto(office.case)
    return page


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["post", "parts"])
def test_an_upload_whose_connections_are_reset_goes_on_by_itself(
    page: Page, proxy: Proxy, make: Make, size: int
) -> None:
    file, before = make(size), proxy.sent
    choose(page, file)
    proxy.wait_until_sent(size // 2, since=before)
    proxy.reset()
    expect_sent(page, file)
    expect_whole(page, proxy, file)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["post", "parts"])
def test_half_a_minute_without_a_network_is_outlived(
    page: Page, proxy: Proxy, make: Make, size: int
) -> None:
    file, before = make(size), proxy.sent
    choose(page, file)
    proxy.wait_until_sent(size // 2, since=before)
    proxy.refuse()
    wind(page, file, 30)
    expect(row(page, file)).to_contain_text("No connection. Trying again by itself")
    proxy.restore()
    wind(page, file, 20)
    expect_sent(page, file)
    expect_whole(page, proxy, file)


def test_a_network_away_for_longer_than_signatures_live_ends_in_a_sentence(
    page: Page, proxy: Proxy, make: Make
) -> None:
    file, before = make(LARGE), proxy.sent
    choose(page, file)
    proxy.wait_until_sent(LARGE // 2, since=before)
    proxy.refuse()
    wind_until_given_up(page, file)
    expect(row(page, file)).to_contain_text("connection was lost for too long")
    proxy.restore()
    again(page, file).click()
    expect_sent(page, file)
    expect_whole(page, proxy, file)


def test_a_laptop_that_was_closed_for_twenty_minutes_goes_on_by_itself(
    page: Page, proxy: Proxy, make: Make
) -> None:
    """Its connections and its signatures are dead when it wakes, and its network comes later."""
    large, small, before = make(LARGE), make(SMALL), proxy.sent
    choose(page, large, small)
    proxy.wait_until_sent(SMALL, since=before)
    proxy.refuse()
    page.clock.fast_forward(20 * 60_000)
    wind(page, large, 5)
    proxy.restore()
    for file in (large, small):
        wind(page, file, 30)
        expect_sent(page, file)
    expect_whole(page, proxy, large, small)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["post", "parts"])
def test_connections_that_fall_silent_are_given_up_and_replaced(
    page: Page, proxy: Proxy, make: Make, size: int
) -> None:
    file, before = make(size), proxy.sent
    choose(page, file)
    proxy.wait_until_sent(size // 2, since=before)
    proxy.swallow()
    proxy.restore()
    wind(page, file, 90)
    expect_sent(page, file)
    expect_whole(page, proxy, file)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["post", "parts"])
def test_a_signature_that_has_run_out_is_renewed_once(
    page: Page, proxy: Proxy, make: Make, size: int
) -> None:
    """Storage may answer 403, or end the connection while the body is still on its way."""
    outdated: list[str] = []

    def spoil(route: Route) -> None:
        outdated.append(route.request.url)
        outdate(route)

    page.route(re.compile(r"/files/(presign|parts/)"), spoil, times=2 if size == LARGE else 1)
    file = make(size)
    choose(page, file)
    expect_sent(page, file)
    assert "/files/parts/" in outdated[-1] or size == SMALL
    expect_whole(page, proxy, file)


def test_a_storage_that_fails_for_a_while_is_tried_again(
    page: Page, proxy: Proxy, make: Make, app: str
) -> None:
    small, large, statuses = make(SMALL), make(LARGE), [500, 503, 507, 500, 503, 507]
    page.route(f"{proxy.url}/**", lambda route: fail(route, app, statuses.pop()), times=6)
    choose(page, large, small)
    expect_sent(page, large)
    expect_sent(page, small)
    assert not statuses
    expect_whole(page, proxy, large, small)


@pytest.mark.parametrize(("status", "size"), [(403, SMALL), (403, LARGE), (507, LARGE)])
def test_a_storage_that_goes_on_failing_is_told_of_and_tried_again_on_request(
    page: Page, proxy: Proxy, make: Make, app: str, status: int, size: int
) -> None:
    file = make(size)
    page.route(f"{proxy.url}/**", lambda route: fail(route, app, status))
    choose(page, file)
    wind_until_given_up(page, file)
    told = re.compile(r"storage did not take|connection was lost|server took nothing", re.I)
    expect(row(page, file)).to_contain_text(told)
    page.unroute_all(behavior="ignoreErrors")
    again(page, file).click()
    expect_sent(page, file)
    expect_whole(page, proxy, file)


def test_forty_files_go_at_once(page: Page, proxy: Proxy, make: Make) -> None:
    files = [make(50_000) for _ in range(40)]
    choose(page, *files)
    expect(page.get_by_text("40 files sent.")).to_be_visible(timeout=30_000)
    expect_whole(page, proxy, files[0], files[39])


def test_a_tab_closed_after_the_last_byte_loses_nothing_and_tells_once(
    browser: Browser, page: Page, proxy: Proxy, make: Make, stack: TestStack
) -> None:
    email = "tom.berg@example.test"
    case = open_case(page, title="Closed tab", client="Tom Berg", email=email)
    invitation = wait_for_mail(stack, email)
    small, large = make(SMALL), make(LARGE)
    page.route("**/files/confirm/*", lambda route: None)
    expected = {"POST": 1, "PUT": 4}
    taken = collections.Counter[str]()
    page.on("response", lambda a: taken.update([a.request.method] if is_taken(a, proxy) else []))
    choose(page, large, small)
    until(page, lambda: dict(taken) == expected)
    observer = page.context.new_page()
    page.close()
    observer.goto(case)
    for file in (small, large):
        until(observer, partial(is_listed, observer, file), seconds=40)
    expect_whole(observer, proxy, small, large)
    notice = wait_for_mail(stack, email, lambda mail: mail.id != invitation.id, seconds=40)
    assert "2" in notice.subject
    assert len(mails(stack, email)) == 2


Store = Callable[..., tuple[Sent, File]]


@pytest.fixture
def store(page: Page, make: Make, office: Office, stack: TestStack) -> Store:
    """Lays a large file into the case, and shows it in the page, which answers its own dialogs."""

    def lay(**changes: Any) -> tuple[Sent, File]:
        file, case = make(SAVED), office.case.strip("/").split("/")[1]
        known = {"sha256": file.sha256, "mime_type": "application/dicom", **changes}
        content, bucket = file.path.read_bytes(), stack.stack["bucket"]
        laid = lay_down(case, bucket, content, file.name, **known)
        answer_dialogs(page)
        page.reload()
        return file, laid

    return lay


def test_a_large_download_goes_on_where_it_broke_and_is_proved(
    page: Page, proxy: Proxy, store: Store
) -> None:
    (file, _), ranges = store(), list[str]()
    page.on("request", lambda asked: ranges.append(asked.headers.get("range", "")))
    row = break_in_the_middle(page, proxy, file)
    proxy.restore()
    expect(row).to_contain_text(PROVED)
    assert saved(page, file) == file.sha256
    (start,) = [int(each.removeprefix("bytes=").rstrip("-")) for each in ranges if each]
    assert start > SAVED // 4
    row.get_by_role("button", name=f"Remove from this list: {file.name}").click()
    expect(page.get_by_role("heading", name="Downloads")).to_be_hidden()


def test_an_address_that_ran_out_in_the_middle_is_asked_for_anew(
    page: Page, proxy: Proxy, store: Store
) -> None:
    """By the page's own clock, and once more where storage's clock is ahead of it; whatever stands
    before the product may refuse meanwhile."""
    file, _ = store()
    row = break_in_the_middle(page, proxy, file)
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url) if "/download" in each.url else None)
    page.route("**/download", outdate, times=1)
    page.route("**/download", lambda route: route.fulfill(status=403, body="<p>No"), times=1)
    page.clock.fast_forward(LIFETIME_MS)
    proxy.restore()
    expect(row).to_contain_text(PROVED)
    assert saved(page, file) == file.sha256
    assert len(asked) == 3


def test_a_download_is_paused_outlives_its_session_and_is_cancelled(
    page: Page, proxy: Proxy, store: Store
) -> None:
    file, _ = store()
    row = break_in_the_middle(page, proxy, file)
    row.get_by_role("button", name="Pause").click()
    expect(row.get_by_role("button", name="Resume")).to_be_focused()
    cookies: Any = page.context.cookies()
    page.context.clear_cookies()
    page.clock.fast_forward(LIFETIME_MS)
    proxy.restore()
    page.keyboard.press("Enter")
    expect(row).to_contain_text("Please sign in again; what has arrived is kept")
    page.context.add_cookies(cookies)
    page.locator("[data-downloads]").get_by_role("button", name="Retry").click()
    expect(row).to_contain_text(PROVED)
    assert saved(page, file) == file.sha256
    row = break_in_the_middle(page, proxy, store()[0])
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_count(0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": "DELETED"}, "This file isn't here any more"),
        ({"sha256": "0" * 64}, "The file here is another one than before"),
    ],
    ids=["deleted", "another"],
)
def test_a_download_whose_file_is_not_the_same_any_more_leaves_nothing(
    page: Page, proxy: Proxy, store: Store, changes: dict[str, str], told: str
) -> None:
    file, laid = store()
    row = break_in_the_middle(page, proxy, file)
    laid.update([getattr(File, name).set(value) for name, value in changes.items()])
    page.clock.fast_forward(LIFETIME_MS)
    proxy.restore()
    expect(row).to_contain_text(told)
    assert saved(page, file) is None


def test_a_small_file_is_taken_along_meanwhile_and_nobody_is_asked_to_leave(
    page: Page, proxy: Proxy, store: Store, office: Office, stack: TestStack
) -> None:
    small = f"small {next(numbers)}.dcm"
    case = office.case.strip("/").split("/")[1]
    lay_down(case, stack.stack["bucket"], b"DICM", small, mime_type="application/dicom")
    file, _ = store()
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    row = break_in_the_middle(page, proxy, file)
    proxy.restore()
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {small}", exact=True).click()
    assert Path(download.value.path()).read_bytes() == b"DICM"
    expect(row).to_contain_text(PROVED)
    assert asked == []
    save(page, file.name)
    page.get_by_role("link", name="Home").click()
    expect(page).to_have_url(re.compile("/$"))
    assert asked == ["beforeunload"]


def test_nothing_but_the_rest_of_the_same_bytes_is_joined(
    page: Page, proxy: Proxy, store: Store, app: str
) -> None:
    file, _ = store()
    row = break_in_the_middle(page, proxy, file)
    headers = {
        "Access-Control-Allow-Origin": app,
        "Access-Control-Expose-Headers": "Content-Range, ETag",
        "ETag": '"of another version"',
    }

    def answer(route: Route) -> None:
        rest = f"{route.request.headers['range'].replace('=', ' ')}{SAVED - 1}/{SAVED}"
        route.fulfill(status=206, headers={**headers, "Content-Range": rest}, body=b"x")

    page.route(f"{proxy.url}/**", answer)
    expect(row).to_contain_text("The file here is another one than before")
    assert saved(page, file) is None


@pytest.mark.parametrize(
    "dialog",
    ["undefined", "() => Promise.reject(new DOMException('not here', 'SecurityError'))"],
    ids=["none", "refused"],
)
def test_without_the_systems_dialog_a_large_file_is_a_link(
    page: Page, store: Store, dialog: str
) -> None:
    file, _ = store()
    page.add_init_script(f"window.showSaveFilePicker = {dialog}")
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {file.name}", exact=True).click()
    assert download.value.suggested_filename == file.name
    download.value.cancel()


@pytest.mark.parametrize(
    ("changes", "room", "told"),
    [
        (
            {"sha256": "0" * 64},
            10 * SAVED,
            "What arrived isn't the original, so it was thrown away",
        ),
        ({}, SAVED // 2, "Is there room for 8 MB?"),
    ],
    ids=["altered", "full disk"],
)
def test_what_is_not_the_original_or_finds_no_room_is_told_of_and_not_kept(
    page: Page, store: Store, app: str, changes: dict[str, str], room: int, told: str
) -> None:
    file, _ = store(**changes)
    quota = {"origin": app, "quotaSize": room}
    page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
    expect(save(page, file.name)).to_contain_text(told)
    assert saved(page, file) is None
