"""Large files: sent in parts, paused, resumed, and told apart by their content."""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, Route, expect

from tests.browser.steps import Office

pytestmark = pytest.mark.browser

Device = Callable[..., BrowserContext]
MIB = 1024 * 1024
CORS = {"Access-Control-Allow-Origin": "*"}
#: Ends the one upload that is kept, as another device of the same person could.
GIVE_UP = """async () => {
  const key = Object.keys(localStorage).find((name) => name.startsWith("filevault:upload:"));
  const { abortUrl } = JSON.parse(localStorage.getItem(key));
  const headers = { "Content-Type": "application/json", "X-CSRFToken": document.body.dataset.csrf };
  await fetch(abortUrl, { method: "POST", headers, body: "{}" });
}"""
KEPT = "Object.keys(localStorage).filter((key) => key.startsWith('filevault:upload:')).length"


class Storage:
    """What a page sends to storage, part by part; parts can be held back or answered instead."""

    def __init__(self, page: Page) -> None:
        self.sent: Counter[int] = Counter()
        self.arrived: set[int] = set()
        self.held: list[Route] = []
        #: Part numbers that are never answered.
        self.hold: set[int] = set()
        #: Answers to the next requests for a part: a status, or the code of a 400 of S3's.
        self.answers: dict[int, list[int | str]] = {}
        page.on("requestfinished", self._finished)
        page.route(lambda url: "partNumber=" in url, self._route)

    def _route(self, route: Route) -> None:
        if route.request.method != "PUT":
            route.continue_()
            return
        number = part_number(route.request)
        self.sent[number] += 1
        if self.answers.get(number):
            answer = self.answers[number].pop(0)
            status = answer if isinstance(answer, int) else 400
            body = f"<Error><Code>{answer}</Code></Error>"
            route.fulfill(status=status, headers=CORS, body=body)
        elif number in self.hold:
            self.held.append(route)
        else:
            route.continue_()

    def _finished(self, request: Request) -> None:
        if request.method == "PUT" and "partNumber=" in request.url:
            self.arrived.add(part_number(request))

    def wait_for(self, page: Page, *numbers: int) -> None:
        """Until these parts have arrived."""
        for _tenth in range(200):
            if self.arrived >= set(numbers):
                return
            page.wait_for_timeout(100)
        raise AssertionError(f"parts {numbers} did not arrive: {self.arrived}")


def part_number(request: Request) -> int:
    found = re.search(r"partNumber=(\d+)", request.url)
    assert found
    return int(found.group(1))


@pytest.fixture
def page(device: Device, office: Office) -> Page:
    page = device(storage_state=office.state).new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(office.case)
    return page


@pytest.fixture
def storage(page: Page) -> Iterator[Storage]:
    yield Storage(page)
    page.unroute_all(behavior="ignoreErrors")


def make_file(folder: Path, name: str, *, size: int = 17 * MIB + 3, seed: int = 1) -> Path:
    """A DICOM file, of which no preview is made."""
    path = folder / name
    path.write_bytes(bytes(128) + b"DICM" + Random(f"{name} {seed}").randbytes(size - 132))
    return path


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def choose(page: Page, *paths: Path) -> None:
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    page.locator("input[type=file][data-part=files]").set_input_files(list(paths))


def row(page: Page, name: str) -> Locator:
    return page.locator(".upload").filter(has_text=name)


def press(line: Locator, name: str) -> None:
    line.get_by_role("button", name=re.compile(f"^{name}")).click()


def expect_sent(line: Locator, path: Path) -> None:
    expect(line).to_contain_text("Sent ·", timeout=30_000)
    line.get_by_text("Fingerprint (SHA-256)").click()
    expect(line.locator("code")).to_have_text(sha256_of(path))


def test_a_large_file_goes_in_parts_and_arrives_whole(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    path = make_file(tmp_path, "whole.dcm")
    choose(page, path)
    expect_sent(row(page, "whole.dcm"), path)
    assert storage.sent == {1: 1, 2: 1, 3: 1, 4: 1}
    link = page.get_by_role("link", name="Download whole.dcm")
    body = page.request.get(str(link.get_attribute("href"))).body()
    assert hashlib.sha256(body).hexdigest() == sha256_of(path)
    assert page.evaluate(KEPT) == 0


HASHES = """async (lengths) => {
  const { hashWorker } = document.querySelector("[data-uploader]").dataset;
  const worker = new Worker(hashWorker, { type: "module" });
  let id = 0;
  const ask = (message) => new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data.sum);
    worker.postMessage({ ...message, id: id += 1 });
  });
  const sums = [];
  for (const length of lengths) {
    const byte = (_, index) => (index * 31 + length + (index >> 8)) % 251;
    const file = new Blob([Uint8Array.from({ length }, byte)]);
    const step = Math.max(1, Math.floor(length / 3));
    for (let at = 0; at < length; at += step) {
      await ask({ stream: length, slice: file.slice(at, at + step) });
    }
    sums.push(await ask({ stream: length }));
  }
  worker.terminate();
  return sums;
}"""


def test_the_streamed_hash_is_sha256(page: Page) -> None:
    lengths = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000, 65_537, MIB + 3]
    expected = [
        hashlib.sha256(bytes((i * 31 + length + (i >> 8)) % 251 for i in range(length))).hexdigest()
        for length in lengths
    ]
    assert page.evaluate(HASHES, lengths) == expected


def test_the_same_file_chosen_after_a_reload_goes_on_where_it_was(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    path = make_file(tmp_path, "interrupted.dcm")
    interrupt(page, storage, path)
    note = page.locator(".interrupted .alert")
    expect(note).to_contain_text("“interrupted.dcm” was interrupted at 58 %")
    kept = str(page.evaluate("JSON.stringify(localStorage)"))
    assert "interrupted.dcm" not in kept
    with page.expect_file_chooser() as chooser:
        press(note, "Choose the file")
    chooser.value.set_files(path)
    expect_sent(row(page, "interrupted.dcm"), path)
    assert storage.sent == {3: 1, 4: 1}
    expect(note).to_have_count(0)
    assert page.evaluate(KEPT) == 0


def interrupt(page: Page, storage: Storage, path: Path, *, missing: set[int] | None = None) -> None:
    """Send the first two of four parts, or all but the missing ones, then reload."""
    storage.hold = missing or {3, 4}
    choose(page, path)
    storage.wait_for(page, *({1, 2, 3, 4} - storage.hold))
    page.reload()
    storage.hold = set()
    storage.sent.clear()
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()


def test_of_a_file_that_is_chosen_twice_one_goes_on(page: Page) -> None:
    taken = page.evaluate(
        """async () => {
          const { remember, takeInterrupted } = await import("/static/js/uploader-resume.js");
          const file = new File(["x"], "twice.dcm", { lastModified: 1 });
          await remember(file, { fileId: "one", presignUrl: "/here" });
          const both = [takeInterrupted(file, "/here"), takeInterrupted(file, "/here")];
          return (await Promise.all(both)).map((entry) => entry?.fileId);
        }"""
    )
    assert taken == ["one", None]


def test_another_file_of_the_same_name_and_size_is_not_joined(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    path = make_file(tmp_path, "twins.dcm")
    content, when = path.read_bytes(), path.stat().st_mtime_ns
    interrupt(page, storage, path, missing={2})
    path.write_bytes(content[: 10 * MIB] + content[10 * MIB :][::-1])
    os.utime(path, ns=(when, when))
    signed_for: set[str] = set()
    page.on("request", lambda it: signed_for.add(it.url) if is_signing(it) else None)
    choose(page, path)
    expect_sent(row(page, "twins.dcm"), path)
    assert storage.sent == {1: 1, 2: 1, 3: 1, 4: 1}
    assert len(signed_for) == 1, "a part of it was meant for the other's upload"

    path.write_bytes(content)
    os.utime(path, ns=(when, when))
    storage.sent.clear()
    page.reload()
    choose(page, path)
    expect_sent(row(page, "twins.dcm"), path)
    assert storage.sent == {2: 1}


def is_signing(request: Request) -> bool:
    return request.method == "POST" and "/files/parts/" in request.url


def test_an_upload_that_was_given_up_elsewhere_begins_anew(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    path = make_file(tmp_path, "given up.dcm")
    interrupt(page, storage, path)
    page.evaluate(GIVE_UP)
    choose(page, path)
    expect_sent(row(page, "given up.dcm"), path)
    assert storage.sent == {1: 1, 2: 1, 3: 1, 4: 1}
    assert page.evaluate(KEPT) == 0


def test_an_interrupted_upload_can_be_discarded(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    interrupt(page, storage, make_file(tmp_path, "discarded.dcm"))
    note = page.locator(".interrupted .alert")
    page.route("**/abort/**", lambda route: route.abort(), times=1)
    press(note, "Discard")
    expect(note).to_contain_text("That didn't reach the server.")
    with page.expect_response("**/abort/**") as answer:
        press(note, "Discard")
    assert answer.value.ok
    expect(note).to_have_count(0)
    assert page.evaluate(KEPT) == 0


def test_logging_out_forgets_what_was_interrupted(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    interrupt(page, storage, make_file(tmp_path, "forgotten.dcm"))
    assert page.evaluate(KEPT) == 1
    # Others share this session, so that it goes on.
    page.route("**/logout/", lambda route: route.fulfill(status=204))
    page.get_by_label("Account of").click()
    page.get_by_role("button", name="Log out").click()
    assert page.evaluate(KEPT) == 0


def test_an_upload_under_way_in_another_tab_is_not_called_interrupted(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    storage.hold = {3, 4}
    choose(page, make_file(tmp_path, "elsewhere.dcm"))
    storage.wait_for(page, 1, 2)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("[data-uploader][data-ready]")).to_be_visible()
    other.wait_for_load_state("networkidle")
    expect(other.locator(".interrupted .alert")).to_have_count(0)


def test_pause_keeps_what_has_arrived(page: Page, storage: Storage, tmp_path: Path) -> None:
    path = make_file(tmp_path, "paused.dcm")
    storage.hold = {3, 4}
    choose(page, path)
    storage.wait_for(page, 1, 2)
    line = row(page, "paused.dcm")
    press(line, "Pause")
    expect(line).to_contain_text("Paused. What has arrived is kept.")
    expect(line.get_by_role("button", name="Resume")).to_be_focused()
    storage.hold = set()
    press(line, "Resume")
    expect_sent(line, path)
    assert storage.sent[1] == storage.sent[2] == 1


def test_a_paused_file_chosen_again_goes_on(page: Page, storage: Storage, tmp_path: Path) -> None:
    path = make_file(tmp_path, "chosen twice.dcm")
    storage.hold = {3, 4}
    choose(page, path)
    storage.wait_for(page, 1, 2)
    press(row(page, "chosen twice.dcm"), "Pause")
    storage.hold = set()
    choose(page, path)
    expect(row(page, "chosen twice.dcm")).to_have_count(1)
    expect_sent(row(page, "chosen twice.dcm"), path)
    assert storage.sent[1] == storage.sent[2] == 1


def test_all_can_be_paused_and_resumed(page: Page, storage: Storage, tmp_path: Path) -> None:
    paths = [make_file(tmp_path, f"all {number}.dcm", size=7 * MIB) for number in range(4)]
    storage.hold = {2}
    choose(page, *paths)
    storage.wait_for(page, 1)
    page.get_by_role("button", name="Pause all").click()
    for path in paths:
        expect(row(page, path.name)).to_contain_text("Paused")
    storage.hold = set()
    page.get_by_role("button", name="Resume all").click()
    expect(page.get_by_text("4 files sent")).to_be_visible(timeout=30_000)


def test_cancel_gives_the_upload_up(page: Page, storage: Storage, tmp_path: Path) -> None:
    storage.hold = {3, 4}
    choose(page, make_file(tmp_path, "cancelled.dcm"))
    storage.wait_for(page, 1, 2)
    with page.expect_response("**/abort/**") as answer:
        press(row(page, "cancelled.dcm"), "Cancel")
    assert answer.value.ok
    expect(row(page, "cancelled.dcm")).to_contain_text("Nothing of it was kept")
    assert page.evaluate(KEPT) == 0


def test_a_part_that_is_denied_is_signed_anew_once(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    signed: Counter[int] = Counter()

    def count(request: Request) -> None:
        if is_signing(request):
            signed.update(json.loads(request.post_data or "{}")["partNumbers"])

    page.on("request", count)
    path = make_file(tmp_path, "denied once.dcm")
    storage.answers = {number: [403] for number in (1, 2, 3, 4)}
    choose(page, path)
    expect_sent(row(page, "denied once.dcm"), path)
    assert signed == {1: 2, 2: 2, 3: 2, 4: 2}


def test_a_part_that_is_denied_twice_says_so_and_retry_sends_the_rest(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    path = make_file(tmp_path, "denied twice.dcm")
    storage.answers = {4: [403, 403, 403]}
    choose(page, path)
    line = row(page, "denied twice.dcm")
    expect(line).to_contain_text("The storage did not take this file", timeout=15_000)
    press(line, "Retry")
    expect_sent(line, path)


def test_a_storage_that_slows_parts_down_is_tried_again(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    path = make_file(tmp_path, "slow.dcm")
    storage.answers = {1: [503, 503, 500], 2: ["RequestTimeout"], 3: [503]}
    choose(page, path)
    expect_sent(row(page, "slow.dcm"), path)
    assert storage.sent == {1: 4, 2: 2, 3: 2, 4: 1}


def test_a_refused_part_ends_in_a_sentence(page: Page, storage: Storage, tmp_path: Path) -> None:
    path = make_file(tmp_path, "refused.dcm")
    storage.answers = {2: [400]}
    choose(page, path)
    line = row(page, "refused.dcm")
    expect(line).to_contain_text("The storage did not take this file. Has it changed")
    press(line, "Retry")
    expect_sent(line, path)


def test_a_file_that_changes_while_it_is_sent_is_chosen_again(
    page: Page, storage: Storage, tmp_path: Path
) -> None:
    path = make_file(tmp_path, "changing.dcm")
    storage.hold = {3, 4}
    choose(page, path)
    storage.wait_for(page, 1, 2)
    make_file(tmp_path, "changing.dcm", size=18 * MIB, seed=2)
    storage.hold = set()
    for route in storage.held:
        route.abort()
    line = row(page, "changing.dcm")
    expect(line).to_contain_text("This file changed while it was being sent", timeout=15_000)
    with page.expect_file_chooser() as chooser:
        press(line, "Choose again")
    chooser.value.set_files(path)
    expect(line).to_have_count(1)
    expect_sent(line, path)


@pytest.mark.parametrize("size", [MIB, 7 * MIB])
def test_a_file_that_is_gone_says_so(
    page: Page, storage: Storage, tmp_path: Path, size: int
) -> None:
    storage.hold = {1, 2, 3, 4}
    first = [make_file(tmp_path, f"before {number}.dcm") for number in range(3)]
    gone = make_file(tmp_path, "gone.dcm", size=size)
    choose(page, *first, gone)
    expect(row(page, "gone.dcm")).to_contain_text("Waiting for its turn")
    gone.unlink()
    press(row(page, "before 0.dcm"), "Cancel")
    expect(row(page, "gone.dcm")).to_contain_text("This file can't be read")
    expect(row(page, "gone.dcm").get_by_role("button", name="Choose again")).to_be_visible()
