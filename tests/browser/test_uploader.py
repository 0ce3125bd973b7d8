"""The uploader: what it says before, while and after files go, and what it does when they don't."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.failing import until
from tests.browser.saving import answer_dialogs, save
from tests.browser.steps import LOOKS, Office, choose_files, sign_in
from tests.files.test_zips_stack import lay_down
from tests.stack import TestStack

pytestmark = pytest.mark.browser

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"

Device = Callable[..., BrowserContext]
CORS = {"Access-Control-Allow-Origin": "*"}


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
    deceiving = payload("letter\u202efdp.exe", b"MZ")
    choose_files(page, payload("tool.exe", b"MZ"), payload("nothing.pdf", b""), deceiving)
    expect(row(page, "tool.exe")).to_contain_text("Files of this type aren't accepted")
    expect(row(page, "nothing.pdf")).to_contain_text("This file is empty")
    summary = page.locator(".uploads-summary")
    expect(summary).to_contain_text("3 files were not sent")
    expect(summary).to_contain_text("tool.exe, letterfdp.exe: Files of this type aren't accepted")
    expect(summary).to_contain_text("nothing.pdf: This file is empty")
    assert not sent


def test_content_that_belies_its_name_is_refused_in_words(page: Page, office: Office) -> None:
    choose_files(page, payload("really.pdf", b"<html><script>alert(1)</script></html>"))
    expect(row(page, "really.pdf")).to_contain_text("doesn")
    page.goto(office.case)
    expect(page.get_by_role("link", name="really.pdf", exact=True)).to_have_count(0)


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


def test_what_had_arrived_before_it_was_cancelled_is_not_called_cancelled(page: Page) -> None:
    late: list[Route] = []
    page.route("**/files/confirm/*", lambda route: late.append(route) if route.fetch() else None)
    choose_files(page, payload("too late.pdf", PDF + b"% late"))
    line = row(page, "too late.pdf")
    until(page, lambda: late)
    line.get_by_role("button", name="Cancel:").click()
    expect(line).to_contain_text("It had already arrived when you cancelled.")
    expect(page.get_by_role("link", name="too late.pdf", exact=True)).to_be_visible()


def test_a_small_file_that_was_paused_is_sent_whole_once(page: Page) -> None:
    """Paused on its way it begins anew, and says so; paused at the end it is only confirmed."""
    sent, confirmed = hold(page, "**/filevault-local*"), hold(page, "**/files/confirm/*")
    choose_files(page, payload("half sent.pdf", PDF + b"% half"))
    line = row(page, "half sent.pdf")
    until(page, lambda: sent)
    line.get_by_role("button", name="Pause:").click()
    expect(line).to_contain_text("Paused. It is sent from its beginning when you resume.")
    line.get_by_role("button", name="Resume:").click()
    until(page, lambda: len(sent) == 2)
    sent[1].continue_()
    until(page, lambda: confirmed)
    line.get_by_role("button", name="Pause:").click()
    expect(line).to_contain_text("Paused. What has arrived is kept.")
    line.get_by_role("button", name="Resume:").click()
    until(page, lambda: len(confirmed) == 2)
    confirmed[1].continue_()
    expect(line).to_contain_text("Sent ·")
    assert len(sent) == 2


def hold(page: Page, url: str) -> list[Route]:
    """What asks for this is held until the test answers it."""
    held: list[Route] = []
    page.route(url, lambda route: held.append(route))
    return held


def test_a_server_that_is_silent_or_answered_for_is_asked_again(page: Page) -> None:
    """A connection that was swallowed, and the page of a hotel's network."""
    page.clock.install()
    page.goto(page.url)
    page.route("**/presign", lambda route: None, times=1)
    page.route("**/presign", lambda route: route.fulfill(body="<h1>Wi-Fi</h1>"), times=1)
    later = {"Retry-After": "60"}
    page.route("**/presign", lambda route: route.fulfill(status=429, headers=later), times=1)
    page.route("**/files/confirm/*", lambda route: route.fulfill(body="<h1>Wi-Fi</h1>"), times=1)
    choose_files(page, payload("asked again.pdf", PDF + b"% asked again"))
    line = row(page, "asked again.pdf")
    expect(line).to_contain_text("The server is busy. Trying again by itself")
    for _try in range(20):
        if "Sent ·" in line.inner_text():
            break
        page.clock.fast_forward(10_000)
        page.wait_for_timeout(200)
    expect(line).to_contain_text("Sent ·")


def test_a_file_chosen_without_a_network_is_sent_when_it_is_back(page: Page) -> None:
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    choose_files(page, payload("in a tunnel.pdf", PDF + b"% tunnel"))
    expect(row(page, "in a tunnel.pdf")).to_contain_text("No connection.")
    page.context.set_offline(False)
    expect(row(page, "in a tunnel.pdf")).to_contain_text("Sent ·")


CHOOSE_LARGE = """(name) => {
  const input = document.querySelector("input[data-part=files]");
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(128), "DICM", new Uint8Array(7e6)], name));
  input.files = data.files;
  input.dispatchEvent(new Event("change"));
}"""


def test_a_browser_that_keeps_nothing_sends_all_the_same(page: Page) -> None:
    """Its storage is forbidden, or damaged, and it knows no locks."""
    page.add_init_script(
        """const refuse = { get() { throw new DOMException("no", "SecurityError"); } };
        for (const name of ["localStorage", "sessionStorage"]) {
          Object.defineProperty(window, name, refuse);
        }
        Object.defineProperty(navigator, "locks", { value: undefined });"""
    )
    page.goto(page.url)
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    page.evaluate(CHOOSE_LARGE, "unkept.dcm")
    choose_files(page, payload("unkept.pdf", PDF + b"% unkept"))
    expect(page.locator(".uploads-summary")).to_contain_text("2 files sent.")


def test_a_signature_that_had_run_out_is_not_held_against_a_file(page: Page) -> None:
    lifetimes = iter([0, 300, 300])

    def presign(route: Route) -> None:
        signed = route.fetch().json() | {"expiresIn": next(lifetimes)}
        route.fulfill(status=201, json=signed)

    page.route("**/presign", presign)
    page.route(
        "**/filevault-local*",
        lambda route: route.fulfill(status=403, headers=CORS, body="<Error/>"),
        times=2,
    )
    choose_files(page, payload("third time.pdf"))
    expect(row(page, "third time.pdf")).to_contain_text("Sent ·")


def test_forty_files_have_one_total_and_a_summary_of_what_failed_and_why(page: Page) -> None:
    refused = {"no 07.pdf", "no 21.pdf", "no 33.pdf"}
    asked: list[Route] = []

    def answer(route: Route) -> None:
        asked.append(route)
        if json.loads(route.request.post_data or "{}")["fileName"] in refused:
            route.fulfill(status=422, json={"code": "invalid", "message": "The name is taken."})
        else:
            route.continue_()

    page.route("**/presign", answer)
    names = [f"no {number:02}.pdf" for number in range(40)]
    choose_files(page, *[payload(name, PDF + name.encode()) for name in names])
    expect(page.get_by_role("progressbar", name="All files")).to_be_visible()
    summary = page.locator(".uploads-summary")
    expect(summary).to_contain_text("37 files sent. 3 files were not sent.", timeout=60_000)
    expect(summary).to_contain_text("no 07.pdf, no 21.pdf, no 33.pdf: The name is taken.")
    expect(row(page, "no 07.pdf")).to_be_in_viewport()  # the rows scroll to what went wrong
    expect(row(page, "no 39.pdf")).not_to_be_in_viewport()
    refused.clear()
    page.get_by_role("button", name="Retry all failed").click()
    expect(summary).to_contain_text("40 files sent.", timeout=30_000)
    assert len(asked) == 43
    expect(page.get_by_role("progressbar", name="All files")).to_be_hidden()


def test_a_session_that_ended_costs_a_login_and_nothing_else(
    page: Page, office: Office, stack: TestStack
) -> None:
    page.context.clear_cookies()
    choose_files(page, payload("after the break.pdf"), payload("and another.pdf"))
    expect(page.locator(".uploads-summary")).to_contain_text("Please sign in again")
    # The list of files, asked for after each file, is refused too, and leaves the page standing.
    with page.expect_response("**/files/"):
        page.evaluate("document.body.dispatchEvent(new Event('filevault:uploaded'))")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in again").click()
    tab = opened.value
    tab.wait_for_load_state()
    sign_in(tab, stack, "ben.okafor@example.test")
    expect(page.locator(".uploads-summary")).to_contain_text("2 files sent.", timeout=15_000)


def test_nothing_goes_on_in_the_name_of_somebody_else(page: Page, stack: TestStack) -> None:
    page.goto("/files/")  # an address that everybody has a page under
    page.context.clear_cookies()
    choose_files(page, payload("mine alone.pdf"))
    summary = page.locator(".uploads-summary")
    expect(summary).to_contain_text("Please sign in again")
    tab = page.context.new_page()
    sign_in(tab, stack, "anna.novak@example.test", name="Dr Anna Novak", practice="Novak Law")
    asked: list[str] = []
    page.on("request", lambda it: asked.append(it.url) if it.method == "POST" else None)
    with page.expect_response(lambda answer: answer.request.method == "GET"):
        page.get_by_role("button", name="Retry").click()
    page.evaluate("fetch('/healthz').then((answer) => answer.ok)")  # what that set off was asked
    expect(summary).to_contain_text("Please sign in again")
    assert [url for url in asked if "/presign" in url] == []


def test_the_same_content_is_pointed_out(page: Page, office: Office) -> None:
    content = PDF + b"% twice"
    # As long as the worker hasn't proved what has arrived, the page alone can tell.
    page.route("**/files/same", lambda route: route.fulfill(json={"files": []}), times=2)
    choose_files(page, payload("first name.pdf", content))
    expect(row(page, "first name.pdf")).to_contain_text("Sent")
    choose_files(page, payload("second name.pdf", content))
    told = "It has the same content as “first name.pdf”, which is already here."
    expect(row(page, "second name.pdf")).to_contain_text(told)
    wait_until_proved(page, office, content)
    choose_files(page, payload("third name.pdf", content))
    expect(row(page, "third name.pdf")).to_contain_text("It has the same content as “")


def wait_until_proved(page: Page, office: Office, content: bytes) -> None:
    """Until the worker has read the file and its SHA-256 stands in the list."""
    sha256 = hashlib.sha256(content).hexdigest()
    for _second in range(30):
        page.goto(office.case)
        if sha256 in page.content():
            return
        page.wait_for_timeout(1000)
    raise AssertionError("the file's SHA-256 is not in the list")


def test_what_cant_be_read_of_a_drop_loses_nothing_else(page: Page) -> None:
    page.goto(page.url)
    names = page.evaluate(
        """async () => {
          const { droppedFiles } = await import("/static/js/uploader-collect.js");
          const file = (name, read) => ({ name, isFile: true, file: read });
          const good = (name) => file(name, (take) => take(new File(["x"], name)));
          const bad = file("locked.pdf", (_, fail) => fail(new Error("no")));
          const batches = [[good("a.pdf"), bad], [good("b.pdf"), good(".DS_Store")], []];
          const readEntries = (take) => take(batches.shift());
          const folder = { name: "scans", createReader: () => ({ readEntries }) };
          const items = [folder, good("c.pdf")].map((it) => ({ webkitGetAsEntry: () => it }));
          const getAsFile = () => new File(["x"], "attached.pdf");
          items.push({ webkitGetAsEntry: () => null, getAsFile });
          const createReader = () => ({ readEntries: (take) => take([]) });
          const empty = { name: "empty", createReader };
          items.push({ webkitGetAsEntry: () => empty });
          for (const item of items) item.kind = "file";
          const files = await droppedFiles({ items: [...items, { kind: "string" }] });
          return files.map((file) => `${file.name} ${file.unreadable ?? false}`);
        }"""
    )
    assert names == [
        "a.pdf false",
        "locked.pdf true",
        "b.pdf false",
        "c.pdf false",
        "attached.pdf false",
        "empty false",
    ]


CHOOSE_A_THOUSAND = """() => {
  window.changes = 0;
  new MutationObserver((all) => { changes += all.length; })
    .observe(document.querySelector(".uploads-summary"), { childList: true, subtree: true });
  const input = document.querySelector("input[data-part=folder]");
  const data = new DataTransfer();
  for (let count = 0; count < 1000; count += 1) data.items.add(new File(["x"], `${count}.exe`));
  input.files = data.files;
  input.dispatchEvent(new Event("change"));
}"""


def test_a_thousand_files_are_summed_up_once(page: Page) -> None:
    """Once for each of them takes a page seconds, and a screen reader for ever."""
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    page.evaluate(CHOOSE_A_THOUSAND)
    expect(page.locator(".uploads-summary")).to_contain_text("1,000 files were not sent.")
    assert page.evaluate("changes") < 10
    expect(page.locator(".upload")).to_have_count(1000)


WAKE_LOCK = """
  window.locks = [];
  Object.defineProperty(navigator, "wakeLock", { value: { request: async (kind) => {
    if (window.refused) throw new DOMException("low battery", "NotAllowedError");
    const lock = { kind, released: false, release: async () => { lock.released = true; } };
    locks.push(lock);
    return lock;
  } } });
  window.show = (state) => {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    if (state === "hidden") for (const lock of locks) lock.released = true;
    document.dispatchEvent(new Event("visibilitychange"));
  };"""


def test_the_screen_stays_on_while_files_are_sent(page: Page) -> None:
    page.add_init_script(WAKE_LOCK)
    page.goto(page.url)
    held = hold(page, "**/presign")
    choose_files(page, payload("screen on.pdf", PDF + b"% screen"))
    until(page, lambda: held)
    locks = "locks.map(({ kind, released }) => `${kind} ${released ? 'off' : 'on'}`)"
    assert page.evaluate(locks) == ["screen on"]
    page.evaluate("show('hidden'), show('visible')")
    until(page, lambda: page.evaluate(locks) == ["screen off", "screen on"])
    page.evaluate("show('hidden'), refused = true, show('visible')")
    held[0].continue_()
    expect(row(page, "screen on.pdf")).to_contain_text("Sent ·")
    assert page.evaluate(locks) == ["screen off", "screen off"]
    page.evaluate("refused = false")
    choose_files(page, payload("screen off.pdf", PDF + b"% screen off"))
    until(page, lambda: len(held) == 2)
    assert page.evaluate(locks)[2:] == ["screen on"]
    held[1].continue_()
    until(page, lambda: page.evaluate(locks)[2:] == ["screen off"])


def test_folders_and_what_is_too_large_are_told_apart(page: Page) -> None:
    reasons = page.evaluate(
        """async () => {
          const { Rules } = await import("/static/js/uploader-checks.js");
          const rules = new Rules({ types: { pdf: "application/pdf" }, maxSize: 1e6 });
          const large = { name: "scan.pdf", type: "", size: 1e6 + 1 };
          const most = { ...large, size: 1e6 };
          const folder = new File([new Uint8Array(4096)], "Scans");
          return [folder, large, most].map((file) => rules.refusal(file));
        }"""
    )
    assert reasons == ["refusedFolder", "refusedSize", None]


def test_what_is_pasted_dropped_or_photographed_is_sent(page: Page) -> None:
    page.route("**/presign", lambda route: None)
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    unhandled = page.evaluate(
        """() => {
          const holding = (name) => {
            const data = new DataTransfer();
            data.items.add(new File(["\x89PNG"], name, { type: "image/png" }));
            return data;
          };
          const how = { bubbles: true, cancelable: true };
          const shot = holding("image.png");
          const paste = new ClipboardEvent("paste", { ...how, clipboardData: shot });
          document.body.dispatchEvent(paste);
          const drop = new DragEvent("drop", { ...how, dataTransfer: holding("dropped.png") });
          document.querySelector("[data-part=drop]").dispatchEvent(drop);
          // A cell that is copied out of a spreadsheet comes as text, and as a picture of itself.
          const cell = new ClipboardEvent("paste", { ...how, clipboardData: holding("image.png") });
          return document.querySelector("input[type=search]").dispatchEvent(cell);
        }"""
    )
    assert unhandled, "a field keeps what is pasted into it"
    page.locator("input[data-part=camera]").set_input_files([payload("image.jpg", b"\xff\xd8\xff")])
    for name in (r"Screenshot 20\S+ \d\d\.\d\d\.\d\d\.png", r"^dropped\.png", r"Photo 20.+\.jpg"):
        expect(page.locator(".upload-name").filter(has_text=re.compile(name))).to_have_count(1)


def test_an_upload_in_progress_keeps_the_session_and_asks_before_the_page_goes_L7(
    page: Page,
) -> None:
    page.clock.install()
    page.goto(page.url)
    goes = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert page.evaluate(goes)
    page.route("**/presign", lambda route: None)
    choose_files(page, payload("under way.pdf"))
    expect(row(page, "under way.pdf").get_by_role("button", name="Cancel")).to_be_visible()
    assert not page.evaluate(goes)
    with page.expect_response("**/auth/keepalive/") as kept:
        page.clock.fast_forward(5 * 60_000)
    assert kept.value.ok


def test_a_pause_that_outlives_the_signature_is_signed_anew(page: Page) -> None:
    page.clock.install()
    page.goto(page.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path.split("/")[-1]))
    page.route("**/filevault-local*", lambda route: None, times=1)
    line = row(page, "after lunch.pdf")
    with page.expect_request("**/filevault-local*"):
        choose_files(page, payload("after lunch.pdf"))
    line.get_by_role("button", name="Pause").click()
    page.clock.fast_forward(6 * 60_000)
    line.get_by_role("button", name="Resume").click()
    expect(line).to_contain_text("Sent ·")
    assert asked.count("presign") == 2


def test_how_a_check_ends_shows_by_itself(page: Page) -> None:
    states = iter(["CHECKING", "CHECKING", "REJECTED"])

    def answer(route: Route) -> None:
        told = route.fetch().json() | {"state": next(states), "reason": "The scanner found it."}
        route.fulfill(json=told)

    page.clock.install()
    page.goto(page.url)
    page.route("**/confirm/*", answer)
    choose_files(page, payload("checked.pdf"))
    expect(row(page, "checked.pdf")).to_contain_text("once it has been checked")
    for seconds in (2, 4):
        with page.expect_response("**/confirm/*"):
            page.clock.fast_forward(seconds * 1000)
    expect(row(page, "checked.pdf")).to_contain_text("The scanner found it.")


def test_the_time_left_is_told_from_what_was_measured(page: Page) -> None:
    """Nothing for three seconds, then bytes left by the recent speed, without jumps."""
    page.clock.install()
    page.goto(page.url)
    page.evaluate(
        """async () => {
          const { Speed } = await import("/static/js/uploader-speed.js");
          window.speed = new Speed();
        }"""
    )
    for second in range(3):
        page.evaluate(f"speed.add({second} * 1e6)")
        assert page.evaluate("speed.left(60e6)") is None
        page.clock.fast_forward(1000)
    page.evaluate("speed.add(3e6)")
    assert page.evaluate("speed.left(60e6)") == pytest.approx(60, rel=0.05)
    page.clock.fast_forward(1000)
    page.evaluate("speed.add(3e6)")
    assert page.evaluate("speed.left(60e6)") == pytest.approx(64, rel=0.05)
    for _second in range(16):
        page.clock.fast_forward(1000)
        page.evaluate("speed.add(3e6)")
    assert page.evaluate("speed.left(60e6)") is None


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_rows_in_every_state_have_no_known_barrier(
    device: Device, office: Office, stack: TestStack, theme: Any, width: int
) -> None:
    case, large = office.case.strip("/").split("/")[1], f"large {theme} {width}.dcm"
    lay_down(case, stack.stack["bucket"], PDF, large, size=7 * 1024**2)
    context = device(
        storage_state=office.state,
        color_scheme=theme,
        viewport={"width": width, "height": 900},
        has_touch=width < 500,
        bypass_csp=True,
    )
    page = context.new_page()
    answer_dialogs(page)
    page.goto(office.case)
    held: list[Route] = []
    page.route("**/presign", lambda route: held.append(route))
    page.route("**/download", lambda route: held.append(route))
    save(page, large).get_by_role("button", name="Pause").click()
    names = ["sending", "paused", "cancelled", "waiting one", "waiting two"]
    files = [payload(f"{name}.pdf", PDF + name.encode() + bytes([width % 251])) for name in names]
    choose_files(page, payload("long " * 30 + ".exe", b"MZ"), *files)
    for name in ("Pause: paused", "Cancel: cancelled"):
        page.get_by_role("button", name=name).click()
    page.unroute_all(behavior="ignoreErrors")
    choose_files(page, payload("sent.pdf", PDF + theme.encode() + str(width).encode()))
    expect(row(page, "waiting two.pdf")).to_contain_text("Sent")
    row(page, "waiting two.pdf").get_by_text("Fingerprint (SHA-256)").click()
    expect(save(page, large).first).to_contain_text("thrown away")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible(visible=width < 500)


def test_the_keyboard_alone_sends_pauses_and_resumes(page: Page) -> None:
    held: list[Route] = []
    page.route("**/presign", lambda route: held.append(route))
    page.on("filechooser", lambda chooser: chooser.set_files([payload("by keyboard.pdf")]))
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    page.get_by_role("button", name="Choose files").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pause: by keyboard.pdf").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume: by keyboard.pdf")).to_be_focused()
    page.unroute_all(behavior="ignoreErrors")
    page.keyboard.press("Enter")
    expect(row(page, "by keyboard.pdf")).to_contain_text("Sent")


def test_a_browser_that_cant_run_the_uploader_sends_one_file_at_a_time(page: Page) -> None:
    """It is of before 2024, or was cut off while it loaded the page."""
    page.add_init_script("if (location.search) delete AbortSignal.any")
    page.goto(f"{page.url}?old")
    expect(page.get_by_role("link", name="Add a file")).to_be_visible()
    page.route("**/uploader.*js", lambda route: route.abort())
    page.goto(page.url.removesuffix("?old"))
    expect(page.get_by_role("link", name="Add a file")).to_be_visible()


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
