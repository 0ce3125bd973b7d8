"""The image, without an engine: the build stage's own steps in a fresh place, and what they made
started as the image starts it, by somebody who may write nowhere.

What stays unproved here is the base image: the interpreter is this machine's.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from filevault.local.ministack import HOST, REPOSITORY
from tests.filevault.test_configuration import PRODUCTION
from tests.local.dockerfile import Stage, read_stages
from tests.stack import own_port

pytestmark = pytest.mark.stack

BUILD, IMAGE = read_stages()
#: As the image's own user; it owns nothing on this machine.
USER_ID = 10001
STOP_SECONDS = 10
PATHS = re.compile(r"/(?:opt|srv)/filevault")


@dataclass
class Built:
    """What the build stage made, under `root` instead of /."""

    root: Path
    variables: dict[str, str]

    def moved(self, text: str) -> str:
        return PATHS.sub(lambda found: f"{self.root}{found[0]}", text)

    @property
    def source(self) -> Path:
        return self.root / "srv" / "filevault"

    def environment(self, **changes: str) -> dict[str, str]:
        image = {name: self.moved(value) for name, value in IMAGE.variables().items()}
        image["PATH"] = image["PATH"].replace("$PATH", os.environ["PATH"])
        local = {"DATABASE_URL": "sqlite://:memory:", "ALLOW_SQLITE": "1", "HOME": "/nonexistent"}
        return image | PRODUCTION | local | changes

    def start(self, command: list[str], **changes: str) -> subprocess.Popen[str]:
        environment = self.environment(**changes)
        program = shutil.which(command[0], path=environment["PATH"])
        assert program is not None
        return subprocess.Popen(
            [program, *command[1:]],
            env=environment,
            cwd=self.source,
            user=USER_ID if os.getuid() == 0 else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="module")
def built() -> Iterator[Built]:
    with tempfile.TemporaryDirectory(prefix="filevault-image-") as directory:
        made = Built(Path(directory), {})
        made.root.chmod(0o755)
        _offer_python(made.root / "bin")
        for name, rest in BUILD.steps:
            _take(made, name, rest)
        for path in [made.root, *made.root.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
        yield made
        for path in [made.root, *made.root.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)


def _offer_python(directory: Path) -> None:
    """`python` and `pip`, as a base image has them."""
    directory.mkdir()
    (directory / "python").symlink_to(_find_python())
    pip = directory / "pip"
    pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip "$@"\n')
    pip.chmod(0o755)


def _find_python() -> str:
    """An interpreter that somebody else may run: one in root's home isn't."""
    names = [sys._base_executable, "/usr/local/bin/python3", "/usr/bin/python3"]  # type: ignore[attr-defined]
    user = USER_ID if os.getuid() == 0 else None
    is_new = "import sys, sqlite3, ssl; sys.exit(sys.version_info < (3, 11))"
    for name in filter(os.path.exists, names):
        try:
            done = subprocess.run([name, "-c", is_new], user=user, cwd="/", check=False)
        except PermissionError:
            continue
        if done.returncode == 0:
            return str(name)
    pytest.fail(f"The image's user can run none of {names}: install python3 for everybody.")


def _take(made: Built, name: str, rest: str) -> None:
    """One step of the build stage."""
    if name == "ENV":
        made.variables |= {key: made.moved(value) for key, value in _pairs(rest).items()}
    elif name == "COPY":
        *sources, target = rest.split()
        for source in sources:
            _copy(REPOSITORY / source, made.source / target)
    elif name == "RUN":
        path = made.variables.get("PATH", "$PATH")
        base = f"{made.root / 'bin'}:{os.environ['PATH']}"
        kept = {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
        # The one thing that differs: wheels that this machine has are taken from its cache.
        variables = made.variables | kept | {"PIP_NO_CACHE_DIR": "0", "HOME": str(Path.home())}
        subprocess.run(
            ["/bin/sh", "-euc", made.moved(rest)],
            env=variables | {"PATH": path.replace("$PATH", base)},
            cwd=made.source if made.source.exists() else made.root,
            check=True,
        )
    else:
        assert name == "WORKDIR"
        Path(made.moved(rest)).mkdir(parents=True, exist_ok=True)


def _pairs(rest: str) -> dict[str, str]:
    return Stage("", [("ENV", rest)]).variables()


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copy(source, target)


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def stop(process: subprocess.Popen[str]) -> int:
    """Ask for the end and wait as long as an engine does; the exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(STOP_SECONDS)


def answers(port: int, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=3) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False


def test_the_web_server_answers_and_ends_in_time(built: Built) -> None:
    port = own_port(1)
    with ended(built.start(IMAGE.command(), GUNICORN_CMD_ARGS=f"--bind {HOST}:{port}")) as web:
        assert answers(port), web.communicate(timeout=1)
        check = [part.replace(":8000", f":{port}") for part in IMAGE.health_check()]
        assert built.start(check).wait(10) == 0
        with socket.create_connection((HOST, port)) as half_a_request:
            half_a_request.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
            code = stop(web)
    assert code == 0


def test_the_worker_ends_in_time(built: Built) -> None:
    away = {"AWS_ENDPOINT_URL": f"http://{HOST}:9", "AWS_ACCESS_KEY_ID": "a"}
    command = ["python", "manage.py", "run_worker"]
    with ended(built.start(command, AWS_SECRET_ACCESS_KEY="b", **away)) as worker:
        assert worker.stdout is not None
        lines = iter(worker.stdout.readline, "")
        assert any('"worker started"' in line for line in lines)
        assert any('"worker round failed"' in line for line in lines)
        code = stop(worker)
    assert code == 0


def test_what_is_in_it_is_what_it_needs(built: Built) -> None:
    binaries = built.root / "opt" / "filevault" / "bin"
    assert not list(binaries.glob("pip*"))
    assert not (built.source / "tests").exists()
    assert (built.source / "staticfiles" / "staticfiles.json").exists()
    assert list((built.source / "cases").glob("__pycache__/*.pyc"))
