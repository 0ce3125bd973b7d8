"""Memory of the web server while large files go past it.

The clients are threads that do what the browser's script does, calls and bytes alike, without the
cost of ten browsers.
"""

import base64
import hashlib
import math
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from tests.security.people import A_EMAIL, NO_TLS, Person
from tests.stack import TestStack, running_app

MIB: Final = 1024 * 1024
AT_ONCE: Final = 10
#: What an upload has under way at once in the browser.
PARTS_AT_ONCE: Final = 4
MOST_GROWTH: Final = 20 * MIB
#: Lets a download last as long as the uploads do, so that all are under way together.
_PAUSE: Final = 0.2
_PATIENCE: Final = 600


class Sender:
    """One signed-in practitioner who sends and fetches at the page of a case."""

    def __init__(self, person: Person, home: str, size: int) -> None:
        self.person, self.home, self.size = person, home, size
        self.token = person.token(home)
        # The start differs from the rest, so that it passes for a DICOM file.
        self.block = secrets.token_bytes(16 * MIB)
        self.storage = httpx.Client(verify=NO_TLS, timeout=_PATIENCE)

    def call(self, path: str, body: Any) -> Any:
        answer = self.person.http.post(path, json=body, headers={"X-CSRFToken": self.token})
        answer.raise_for_status()
        return answer.json()

    def upload(self, name: str) -> str:
        """Send a file in parts, four at a time; returns its id."""
        begun = self.call(f"{self.home}files/presign", {"fileName": name, "size": self.size})
        part_size = begun["partSize"]
        numbers = range(1, math.ceil(self.size / part_size) + 1)
        with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
            list(pool.map(lambda number: self._send_part(begun, number, part_size), numbers))
        confirmed = self.call(begun["confirmUrl"], {})
        assert confirmed["state"] == "AVAILABLE", confirmed
        return str(begun["fileId"])

    def _send_part(self, begun: Any, number: int, part_size: int) -> None:
        start = (number - 1) * part_size
        content = self.block[: min(part_size, self.size - start)]
        if number == 1:
            content = bytes(128) + b"DICM" + content[132:]
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        wanted = {"partNumbers": [number], "checksums": {str(number): checksum}}
        grant = self.call(begun["partsUrl"], wanted)["urls"][str(number)]
        answer = self.storage.put(grant["url"], content=content, headers=grant["headers"])
        answer.raise_for_status()

    def download(self, file_id: str, *, pause: float = 0) -> None:
        """Fetch a file and throw it away, by the link of the page; `pause` in seconds a MiB."""
        answer = self.person.get(f"{self.home}files/{file_id}/download")
        assert answer.status_code == 302, answer.text
        got = 0
        with self.storage.stream("GET", answer.headers["Location"]) as body:
            for piece in body.iter_bytes(MIB):
                got += len(piece)
                time.sleep(pause)
        assert got == self.size, f"{got} of {self.size} bytes came"


def measure_memory(stack: TestStack, size: int) -> bool:
    """Print what the server's processes hold before and during ten uploads and ten downloads;
    whether they grew by no more than 20 MB."""
    with running_app(stack) as site:
        person = Person(site, stack).sign_in(A_EMAIL)
        client = person.add_client("Clara One", "clara.one@example.test")
        home = f"/cases/{person.open_case('Memory', client)}/"
        sender = Sender(person, home, size)
        fetched = sender.upload("first.dcm")  # the server has served each route once
        sender.download(fetched)
        pids = server_pids(urlsplit(site).port or 0)
        before = held(pids, "VmRSS")
        forget_peaks(pids)
        seconds = transfer_at_once(sender, fetched)
        most, after = held(pids, "VmHWM"), held(pids, "VmRSS")
    print(f"### Memory of the web server ({len(pids)} processes)\n")
    print(f"{AT_ONCE} uploads and {AT_ONCE} downloads of {size // 1_000_000} MB at once, in")
    print(f"{seconds:.0f} s.\n")
    print("| before | most during it | after | growth |\n|---|---|---|---|")
    figures = " | ".join(f"{value / MIB:.1f} MiB" for value in (before, most, after, most - before))
    print(f"| {figures} |", flush=True)
    return most - before <= MOST_GROWTH


def transfer_at_once(sender: Sender, fetched: str) -> float:
    """Ten uploads and ten downloads; the seconds that they took."""
    started = time.monotonic()
    with ThreadPoolExecutor(2 * AT_ONCE) as pool:
        sent = [pool.submit(sender.upload, f"scan {each}.dcm") for each in range(AT_ONCE)]
        got = [pool.submit(sender.download, fetched, pause=_PAUSE) for _ in range(AT_ONCE)]
        for upload in sent:
            upload.result(_PATIENCE)
        for download in got:
            download.result(_PATIENCE)
    return time.monotonic() - started


def server_pids(port: int) -> list[int]:
    """The processes of the web server at this port of 127.0.0.1: the first one and its workers."""
    address = f"\0--bind\x00127.0.0.1:{port}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if address in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:  # it ended meanwhile
            continue
    return sorted(found)


def held(pids: list[int], line: str) -> int:
    """Bytes of memory in the processes, summed up: what they hold now (VmRSS), or the most that
    each has held (VmHWM)."""
    total = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        total += int(status.partition(f"{line}:")[2].split()[0]) * 1024
    return total


def forget_peaks(pids: list[int]) -> None:
    """Let VmHWM begin anew (proc(5), clear_refs)."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
