"""Take the README's pictures from a running local stack: `make run` first, on fresh data, then
`.venv/bin/python -m tools.screenshots`. It walks the main job as two people would."""

import io
import json
import re
import time
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from filevault.local.mails import SentMail, sent_mails
from tests.browser.conftest import FLAGS
from tests.browser.steps import choose_files
from tests.run import find_chromium

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "screenshots"
STACK = json.loads((ROOT / ".local" / "stack.json").read_text())
CLIENT = "maria.keller@example.test"
COLLEAGUE = "ben.okafor@example.test"
OLD_MAILS = {mail.id for mail in sent_mails(STACK["aws"]["endpoint"], to=CLIENT)}
SCREENS: tuple[Any, ...] = (
    ("light", 390),
    ("light", 768),
    ("light", 1440),
    ("dark", 390),
    ("dark", 768),
    ("dark", 1440),
)


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        office = browser.new_context(base_url=STACK["site"], locale="en-GB")
        desk = office.new_page()
        log_in(desk)
        case = open_case(desk)
        phone = browser.new_context(base_url=STACK["site"], locale="en-GB")
        portal = enter(phone.new_page(), desk)
        names = ["Lease agreement 2024 signed.pdf", "East wall.jpg", "Kitchen ceiling.jpg"]
        choose_files(phone.pages[0], *map(document, names))
        expect(phone.pages[0].get_by_text("3 files sent")).to_be_visible()
        desk.goto(case)
        choose_files(desk, document("Expert opinion.pdf"))
        expect(desk.get_by_text("1 file sent")).to_be_visible()
        wait_for_thumbnails(desk, 4)
        view = desk.get_by_role("link", name=names[1], exact=True).get_attribute("href")
        pages = {"home": "/", "clients": "/clients/", "cases": "/cases/", "case": case}
        fill_vault(desk)
        pages |= {"preview": str(view), "vault": "/files/", "gallery": "/files/gallery/"}
        photograph(browser, pages, office.storage_state())
        photograph(browser, {"portal": portal}, phone.storage_state())
        browser.close()


def log_in(page: Page) -> None:
    user = STACK["users"][0]
    page.goto("/")
    page.locator("input[name=username]").fill(user["email"])
    page.locator("input[name=password]").fill(user["password"])
    page.locator("[type=submit]").first.click()
    page.wait_for_url(f"{STACK['site']}/**")
    if "/welcome" in page.url:
        page.get_by_label("Your name").fill("Dr Anna Novak")
        page.get_by_label("Practice or firm").fill("Novak & Partner")
        page.get_by_role("button", name="Save and go on").click()


def open_case(page: Page) -> str:
    page.goto("/clients/new/")
    page.get_by_label("Name", exact=True).fill("Maria Keller")
    page.get_by_label("E-mail", exact=True).fill(CLIENT)
    page.get_by_role("button", name="Add the client").click()
    page.get_by_role("link", name="New case").click()
    page.get_by_label("Title").fill("Keller v. Brandt Immobilien")
    page.get_by_label("Reference").fill("2026-0417")
    page.get_by_role("button", name="Open the case").click()
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("heading", name="Keller v. Brandt")).to_be_visible()
    return page.url


def enter(page: Page, desk: Page) -> str:
    """Come in as the client, by the newest mails."""
    page.goto(newest_mail(r"http\S+/invite/\S+"))
    page.get_by_role("button", name="Send me the code").click()
    page.locator("input[autocomplete=one-time-code]").fill(newest_mail(r"^\d{6}"))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/portal/**")
    return page.url


def fill_vault(page: Page) -> None:
    """Files of the practitioner's own, one of them shared."""
    names = ["Site plan.jpg", "North face.jpg", "Garage.jpg", "Stairwell.jpg", "Cellar.jpg"]
    names += ["Fee agreement template.pdf", "Roof.jpg", "Balcony.jpg"]
    page.goto("/files/")
    choose_files(page, *map(document, names))
    expect(page.get_by_text(f"{len(names)} files sent")).to_be_visible(timeout=30_000)
    page.reload()
    page.get_by_role("link", name="Share Fee agreement template.pdf").click()
    page.get_by_label("E-mail address").fill(COLLEAGUE)
    page.get_by_role("button", name="Share", exact=True).click()
    page.goto("/files/")
    wait_for_thumbnails(page, len(names))


def newest_mail(pattern: str) -> str:
    """What a pattern finds in the newest mail to the client that has it."""
    for _ in range(100):
        for mail in new_mails():
            found = re.search(pattern, f"{mail.subject}\n{mail.text}")
            if found:
                return found.group()
        time.sleep(0.2)
    raise SystemExit("no such mail came")


def new_mails() -> list[SentMail]:
    """The mails to the client since this began, newest first."""
    every = sent_mails(STACK["aws"]["endpoint"], to=CLIENT)
    return [mail for mail in every if mail.id not in OLD_MAILS]


def document(name: str) -> FilePayload:
    """A picture of a wall, or a page with the lines of a letter."""
    paper = name.endswith("pdf")
    image = Image.new("RGB", (1240, 1754) if paper else (1600, 1200), "white")
    draw = ImageDraw.Draw(image)
    if paper:
        for line in range(24):
            draw.line((160, 260 + 52 * line, 1080 - 37 * (line % 5), 260 + 52 * line), "#444", 6)
        draw.rectangle((160, 120, 620, 170), "#1f4f4a")
    else:
        hue = sum(name.encode()) % 60
        for row in range(1200):
            draw.line((0, row, 1600, row), f"hsl({20 + hue}, {18 + row // 60}%, {82 - row // 40}%)")
        for step in range(14):
            at = (300 + 70 * step, 90 + 60 * step + 40 * (step % 3))
            draw.line((*at, at[0] + 80, at[1] + 70), "#6b5a4a", 5)
    content = io.BytesIO()
    image.save(content, "PDF" if paper else "JPEG")
    return FilePayload(name=name, mimeType="", buffer=content.getvalue())


def wait_for_thumbnails(page: Page, count: int) -> None:
    for _ in range(60):
        page.reload()
        if page.locator("img.thumb").count() >= count:
            return
        time.sleep(1)
    raise SystemExit("the thumbnails never came")


def show_pictures(page: Page) -> None:
    """Load what else would come as one scrolls."""
    page.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager' })")
    for _ in range(100):
        if page.evaluate("[...document.images].every(image => image.complete)"):
            return
        time.sleep(0.1)
    raise SystemExit("a picture never came")


def photograph(browser: Browser, pages: dict[str, str], state: Any) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for theme, width in SCREENS:
        context = browser.new_context(
            base_url=STACK["site"],
            storage_state=state,
            color_scheme=theme,
            viewport={"width": width, "height": 900},
            locale="en-GB",
        )
        page = context.new_page()
        for name, path in pages.items():
            page.goto(path)
            if page.locator("[data-uploader]").count():
                expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
            show_pictures(page)
            shot = page.screenshot(full_page=True)
            file = PICTURES / f"{name}-{theme}-{width}.png"
            Image.open(io.BytesIO(shot)).convert("RGB").quantize().save(file, optimize=True)
        context.close()


if __name__ == "__main__":
    main()
