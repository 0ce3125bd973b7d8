"""The place that transfers are measured at: the local stack, a line to it, a browser and curl."""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from playwright.sync_api import Browser, Page, expect, sync_playwright

from filevault.local.ministack import REGION, free_port
from tests.browser.conftest import FLAGS
from tests.browser.steps import open_case, sign_in
from tests.faults.proxy import Proxy, running_proxy
from tests.run import find_chromium
from tests.stack import TestStack, running_app

MB: Final = 1_000_000
#: Far more than any run takes; a transfer that hangs must end the benchmark.
_PATIENCE: Final = 300

#: Times are taken within the page: from the choice to the server's word that the file is there.
_WATCH: Final = """() => {
  const times = (window.transferTimes = {});
  const note = (name) => () => { times[name] = performance.now(); };
  document.addEventListener("change", note("chosen"), { capture: true, once: true });
  document.body.addEventListener("filevault:uploaded", note("sent"), { once: true });
}"""
_LOOK: Final = """() => ({
  ...window.transferTimes,
  rows: [...document.querySelectorAll(".upload")].map((row) => row.innerText),
})"""


class BenchmarkError(Exception):
    """A run that says nothing: why, in words."""


@dataclass
class Desk:
    """Sends one file in either way through the proxy, to an emptied bucket each time."""

    stack: TestStack
    proxy: Proxy
    page: Page
    case: str

    def choose(self, path: Path) -> None:
        """Open the case and choose a file in the product's uploader."""
        self.empty_bucket()
        self.page.goto(self.case)
        expect(self.page.locator("[data-uploader][data-ready]")).to_be_visible()
        self.page.evaluate(_WATCH)
        self.page.locator("input[type=file][data-part=files]").set_input_files(path)

    def seconds_until_sent(self) -> float:
        """Wait until the file is confirmed; the time since it was chosen."""
        waited = 0
        while True:
            seen: dict[str, Any] = self.page.evaluate(_LOOK)
            if "sent" in seen:
                return float(seen["sent"] - seen["chosen"]) / 1000
            if waited > _PATIENCE * 1000:
                raise BenchmarkError(f"not sent in {_PATIENCE} s: {seen['rows']}")
            self.page.wait_for_timeout(50)
            waited += 50

    def by_browser(self, path: Path) -> float:
        """Seconds that the product takes in the browser."""
        self.choose(path)
        return self.seconds_until_sent()

    def by_curl(self, path: Path) -> float:
        """Seconds that `curl -T` takes to a presigned URL. It is kept from asking first whether it
        may send (`Expect:`), which would cost it time."""
        self.empty_bucket()
        url = self._s3(self.proxy.url).generate_presigned_url(
            "put_object", Params={"Bucket": self.stack.stack["bucket"], "Key": "benchmark"}
        )
        told = "%{http_code} %{time_total}"
        command = ["curl", "-sS", "-T", str(path), "-H", "Expect:", "-o", os.devnull, "-w", told]
        done = subprocess.run([*command, url], capture_output=True, text=True, check=True)
        status, seconds = done.stdout.split()
        if status != "200":
            raise BenchmarkError(f"curl was answered {status}")
        return float(seconds)

    def stored_sha256(self) -> str:
        """Of the one object that lies in the bucket, in hex."""
        bucket, s3 = self.stack.stack["bucket"], self._s3(self.stack.ministack.endpoint)
        versions = s3.list_object_versions(Bucket=bucket).get("Versions", [])
        if len(versions) != 1:
            raise BenchmarkError(f"{len(versions)} objects in storage instead of one")
        digest = hashlib.sha256()
        for piece in s3.get_object(Bucket=bucket, Key=versions[0]["Key"])["Body"].iter_chunks(MB):
            digest.update(piece)
        return digest.hexdigest()

    def empty_bucket(self) -> None:
        """Delete what earlier runs left: the emulator keeps objects in memory."""
        bucket, s3 = self.stack.stack["bucket"], self._s3(self.stack.ministack.endpoint)
        for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])

    def _s3(self, endpoint: str) -> Any:
        keys = self.stack.ministack.keys
        return boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )


@contextmanager
def running_browser() -> Iterator[Browser]:
    """The Chromium that the browser tests use."""
    executable = find_chromium()
    if executable is None:
        raise BenchmarkError("No Chromium was found: install one or set CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_desk(
    stack: TestStack, browser: Browser, settings: Mapping[str, str] | None = None
) -> Iterator[Desk]:
    """A practitioner at the page of a case, whose browser reaches storage through a proxy that is
    not shaped yet. No worker runs: it reads each file that has arrived, and would slow down the
    next run."""
    ministack = stack.ministack.port
    with running_proxy(free_port(ministack + 50), ministack) as proxy:
        ours = {"S3_PUBLIC_ENDPOINT_URL": proxy.url, **(settings or {})}
        with running_app(stack, settings=ours, worker=False) as site:
            page = browser.new_context(base_url=site, locale="en-GB").new_page()
            email = "ben.okafor@example.test"
            sign_in(page, stack, email, name="Ben Okafor", practice="Okafor Tax")
            client = {"client": "Carl Lind", "email": "carl@example.test"}
            case = urlsplit(open_case(page, title="Benchmark", **client)).path
            yield Desk(stack, proxy, page, case)


def make_file(path: Path, size: int) -> str:
    """Write `size` random bytes that pass for a DICOM file, which no preview is made of; returns
    their SHA-256 in hex."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        left, piece = size, bytes(128) + b"DICM"
        while left:
            piece = piece[:left]
            file.write(piece)
            digest.update(piece)
            left -= len(piece)
            piece = os.urandom(MB)
    return digest.hexdigest()
