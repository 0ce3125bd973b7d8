"""`make test`: the fast tests, those on the real stack, and those in a browser, in this order.

Each group is a pytest run of its own, so that one doesn't hide another's failures. Browser tests
run where a Chromium is found (`CHROMIUM`, or on PATH), those of the virus scanner where a clamd is
(`CLAMD`, on PATH or in /usr/sbin), those of Terraform where that is (`TERRAFORM`, or on PATH);
Where there is a headless shell of Chromium too, it takes less of the processor for most of them.
`REQUIRE_BROWSER=1`, `REQUIRE_CLAMD=1` and `REQUIRE_TERRAFORM=1` make their absence a failure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass

from tests.files.scanners import find_clamd
from tests.infra.terraform import find_terraform

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHELL_NAMES = ("chromium-headless-shell", "chrome-headless-shell")


@dataclass(frozen=True)
class Group:
    """A pytest run: its name, and which tests belong to it."""

    name: str
    arguments: tuple[str, ...]


#: Each file whole by one process: what its tests share is then made once.
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
GROUPS = (
    Group("fast", ("-n", "2", "-m", "not stack and not browser")),
    # They wait for processes for much of the time.
    Group("stack", ("-n", "3", *BY_FILE, "-m", "stack and not browser")),
)
BROWSER = Group("browser", ("-n", "2", *BY_FILE, "-m", "browser"))


def main() -> int:
    """Run the groups; 0 where all of them passed."""
    chromium = find_chromium()
    groups = [*GROUPS, BROWSER] if chromium else list(GROUPS)
    environment = os.environ | ({"CHROMIUM": chromium} if chromium else {})
    with tempfile.TemporaryDirectory(prefix="filevault-static-") as static:
        environment["TEST_STATIC_ROOT"] = static
        failed = [group.name for group in groups if not passes(group, environment)]
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll tests that ran have passed.")
    missing = [] if chromium else [("browser", "Chromium", "CHROMIUM", "REQUIRE_BROWSER")]
    missing += [] if find_clamd() else [("scanner", "clamd", "CLAMD", "REQUIRE_CLAMD")]
    terraform = ("Terraform", "terraform", "TERRAFORM", "REQUIRE_TERRAFORM")
    missing += [] if find_terraform() else [terraform]
    for tests, program, variable, required in missing:
        print(f"The {tests} tests were LEFT OUT: no {program} was found.", end=" ")
        print(f"Install one or set {variable}.")
        if os.environ.get(required) == "1":
            print(f"{required}=1 makes that a failure.")
            failed.append(tests)
    return 1 if failed else 0


def find_chromium() -> str | None:
    """The path of the browser to test with, if there is one."""
    named = os.environ.get("CHROMIUM")
    return _first([named] if named else CHROMIUM_NAMES)


def find_headless_shell() -> str | None:
    """The path of the same browser without windows, menus and a viewer of PDFs, if there is one."""
    return _first(SHELL_NAMES)


def _first(names: Iterable[str]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


def passes(group: Group, environment: dict[str, str]) -> bool:
    """Run a group's tests. A group without any has not passed."""
    print(f"\n=== {group.name} tests ===", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", *group.arguments, *sys.argv[1:]]
    return subprocess.run(command, env=environment, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
