"""Uploads by the product against `curl -T`, over a line of 100 Mbit/s and 100 ms.

    python -m bench.transfer [--only speed,unshaped,recovery,memory] [--runs 5]

Prints Markdown, so that a run can go into README.md as it is.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.desk import MB, BenchmarkError, Desk, make_file, open_desk, running_browser
from bench.memory import measure_memory
from filevault.local.ministack import StackError
from tests.faults.proxy import UNSHAPED, Shape
from tests.stack import TestStack, provisioned_stack

SECTIONS: Final = ("speed", "unshaped", "recovery", "memory")
MOST_RATIO: Final = 1.05
#: When a fault comes: with two fifths of the file sent.
FAULT_AT: Final = 0.4


@dataclass(frozen=True)
class Options:
    """What is asked of a run. Sizes in bytes."""

    sections: frozenset[str]
    runs: int
    size: int
    shape: Shape
    part_size: int

    @property
    def settings(self) -> dict[str, str]:
        return {"PART_SIZE": str(self.part_size)} if self.part_size else {}


def main() -> int:
    """0 where every goal that was measured is met."""
    options = parse(sys.argv[1:])
    try:
        with tempfile.TemporaryDirectory(prefix="filevault-bench-") as directory:
            path = Path(directory) / "scan.dcm"
            sha256 = make_file(path, options.size)
            with provisioned_stack() as stack:
                met = at_the_desk(stack, options, path, sha256)
                if "memory" in options.sections:
                    met &= measure_memory(stack, options.size)
    except (BenchmarkError, StackError) as error:
        sys.exit(f"The benchmark ended early: {error}")
    print("\nEvery goal is met." if met else "\nA goal is missed.")
    return 0 if met else 1


def parse(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.transfer", description=__doc__)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--runs", type=int, default=5, help="pairs of a browser's and curl's run")
    parser.add_argument("--megabytes", type=int, default=150, help="size of the file")
    parser.add_argument("--mbit", type=float, default=100, help="bandwidth of the line")
    parser.add_argument("--milliseconds", type=float, default=100, help="its round trip")
    parser.add_argument("--part-mib", type=int, default=0, help="size of a part (product's own: 0)")
    given = parser.parse_args(arguments)
    sections = frozenset(given.only.split(","))
    if not sections <= set(SECTIONS):
        parser.error(f"--only takes {', '.join(SECTIONS)}")
    return Options(
        sections=sections,
        runs=given.runs,
        size=given.megabytes * MB,
        shape=Shape(int(given.mbit * 1_000_000), given.milliseconds / 1000),
        part_size=given.part_mib * 1024 * 1024,
    )


def at_the_desk(stack: TestStack, options: Options, path: Path, sha256: str) -> bool:
    """What is measured with a browser; whether its goals are met."""
    if not options.sections - {"memory"}:
        return True
    met = True
    with running_browser() as browser, open_desk(stack, browser, options.settings) as desk:
        cores = os.cpu_count()
        print(f"{time.strftime('%Y-%m-%d')}, {cores} cores, Chromium {browser.version}; a file of")
        print(f"{options.size // MB} MB. Times in seconds.\n")
        desk.by_browser(path)  # what is done once: modules compiled, tables opened
        if "unshaped" in options.sections:
            compare(desk, path, options.runs, "No shaping")
        desk.proxy.reshape(options.shape)
        line = f"{options.shape.bits_per_second / 1e6:g} Mbit/s, "
        line += f"{options.shape.round_trip * 1000:g} ms"
        if "speed" in options.sections:
            met &= compare(desk, path, options.runs, line) <= MOST_RATIO
        if "recovery" in options.sections:
            recover(desk, path, options.size, sha256)
        desk.proxy.reshape(UNSHAPED)
        desk.empty_bucket()
    return met


def compare(desk: Desk, path: Path, runs: int, title: str) -> float:
    """Send the file by turns with curl and with the product; returns the ratio of the medians."""
    print(f"### {title}\n\n| run | curl | browser | ratio |\n|---|---|---|---|")
    pairs = []
    for run in range(1, runs + 1):
        pair = desk.by_curl(path), desk.by_browser(path)
        pairs.append(pair)
        print(row(str(run), *pair), flush=True)
    curl, browser = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(row("median", curl, browser) + "\n")
    return float(browser / curl)


def row(name: str, curl: float, browser: float) -> str:
    return f"| {name} | {curl:.2f} | {browser:.2f} | {browser / curl:.3f} |"


def recover(desk: Desk, path: Path, size: int, sha256: str) -> None:
    """Break the network in the middle of an upload in each way. BenchmarkError where one does not
    come back by itself, or arrives other than it was sent."""
    print("### Recovery, by itself\n")
    print("| fault | without a network | whole time | beyond the outage |\n|---|---|---|---|")
    undisturbed = statistics.median(desk.by_browser(path) for _ in range(3))
    print(f"| none | 0 | {undisturbed:.1f} | 0 |")
    proxy = desk.proxy
    faults: list[tuple[str, Callable[[], None], float]] = [
        ("every connection reset", proxy.reset, 0),
        ("no network for 5 s", proxy.refuse, 5),
        ("no network for 30 s", proxy.refuse, 30),
        ("connections swallowed, new ones work", proxy.swallow, 0),
    ]
    for name, fault, outage in faults:
        before = proxy.sent
        desk.choose(path)
        while proxy.sent - before < size * FAULT_AT:
            desk.page.wait_for_timeout(10)
        fault()
        desk.page.wait_for_timeout(outage * 1000)
        proxy.restore()
        whole = desk.seconds_until_sent()
        if desk.stored_sha256() != sha256:
            raise BenchmarkError(f"{name}: what arrived is not what was sent")
        beyond = whole - undisturbed - outage
        print(f"| {name} | {outage:g} | {whole:.1f} | {beyond:.1f} |", flush=True)
    print()


if __name__ == "__main__":
    sys.exit(main())
