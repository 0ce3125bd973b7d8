"""Large files: sent in parts, paused, resumed, and told apart by their content."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.steps import Office

pytestmark = pytest.mark.browser

Device = Callable[..., BrowserContext]
MIB = 1024 * 1024
PART = re.compile(r"partNumber=(\d+)")


@pytest.fixture
def page(device: Device, office: Office) -> Page:
    page = device(storage_state=office.state).new_page()
    page.goto(office.case)
    return page


def make_file(folder: Path, name: str, *, size: int = 17 * MIB + 3, seed: int = 1) -> Path:
    """A DICOM file, of which no preview is made."""
    path = folder / name
    path.write_bytes(bytes(128) + b"DICM" + Random(seed).randbytes(size - 132))
    return path


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def choose(page: Page, *paths: Path) -> None:
    expect(page.locator("[data-uploader][data-ready]")).to_be_visible()
    page.locator("input[type=file][data-part=files]").set_input_files(list(paths))


def row(page: Page, name: str) -> Locator:
    return page.locator(".upload").filter(has_text=name)


def expect_sent(line: Locator, path: Path) -> None:
    expect(line).to_contain_text("Sent ·", timeout=30_000)
    line.get_by_text("Fingerprint (SHA-256)").click()
    expect(line.locator("code")).to_have_text(sha256_of(path))


def test_a_large_file_goes_in_parts_and_arrives_whole(page: Page, tmp_path: Path) -> None:
    parts: list[str] = []
    page.on("request", lambda it: parts.extend(PART.findall(it.url) if it.method == "PUT" else []))
    path = make_file(tmp_path, "whole.dcm")
    choose(page, path)
    expect_sent(row(page, "whole.dcm"), path)
    assert sorted(parts) == ["1", "2", "3", "4"]
    link = page.get_by_role("link", name="Download whole.dcm")
    body = page.request.get(str(link.get_attribute("href"))).body()
    assert hashlib.sha256(body).hexdigest() == sha256_of(path)
