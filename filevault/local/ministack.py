"""MiniStack as a subprocess: its own virtual environment, start, health, orderly stop."""

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HOST = "127.0.0.1"
FIRST_PORT = 4566
#: A region other than the SDK's default, so that what forgets to name one fails here first.
REGION: Final = "eu-central-1"
#: The only account there is.
ACCOUNT: Final = "000000000000"

REPOSITORY = Path(__file__).resolve().parents[2]
VENV = REPOSITORY / ".local" / "ministack-venv"
REQUIREMENTS = Path(__file__).with_name("ministack.txt")
LAUNCHER = Path(__file__).with_name("ministack_launcher.py")

#: What the product uses. Everything else (it can run code: Lambda, containers) stays off.
SERVICES = "s3,dynamodb,cognito-idp,ses,iam,sts,sqs,sns,ssm,kms"

START_SECONDS = 60
#: On SIGTERM MiniStack writes its tables; killing it before it has would lose them.
STOP_SECONDS = 60


class StackError(Exception):
    """The local stack can't start or go on; the text is one that a person can act on."""


@dataclass
class AdminKeys:
    """MiniStack's bootstrap (root) keys: for provisioning alone, since their header signatures
    are not checked."""

    access_key_id: str
    secret_access_key: str


@dataclass
class MiniStack:
    """One MiniStack process. `state` is its directory; `patches` are files for the launcher, and
    `settings` the variables that those read."""

    port: int
    state: Path
    keys: AdminKeys
    patches: list[Path] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The address of every AWS service here."""
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """Where it writes what it does."""
        return self.state / "ministack.log"

    def start(self) -> None:
        """Start and wait until it answers. Raises StackError with the end of its log."""
        ensure_venv()
        for name in ("tables", "objects", "tmp"):
            (self.state / name).mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal must not reach it before the web
            # server and the worker are down. The open pipe tells it that we live.
            self.process = subprocess.Popen(
                # Isolated: this directory holds a module named like the package it imports.
                [str(VENV / "bin" / "python"), "-I", "-u", str(LAUNCHER)],
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.state,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StackError(f"The local AWS did not start.\n{tail(self.log)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it by SIGTERM and wait until it has written its tables."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise StackError(
                "The local AWS did not stop in time; its last changes are lost"
            ) from None
        finally:
            if process.stdin:
                process.stdin.close()

    def _environment(self) -> dict[str, str]:
        kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "LC_ALL") if k in os.environ}
        ours = {
            "AUTH": "true",
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.keys.secret_access_key,
            "SERVICES": SERVICES,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.state / "tables"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.state / "objects"),
            "TMPDIR": str(self.state / "tmp"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # It would tidy away other people's MiniStack containers at start.
            "DOCKER_HOST": f"unix://{self.state / 'tmp' / 'no-docker.sock'}",
            "MINISTACK_TETHER": "1",
            "MINISTACK_PATCHES": ":".join(str(path) for path in self.patches),
        }
        return kept | self.settings | ours

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def ensure_venv() -> None:
    """Make MiniStack's virtual environment, or make it anew when its requirements changed."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / "requirements.sha256"
    VENV.parent.mkdir(parents=True, exist_ok=True)
    with (VENV.parent / "ministack-venv.lock").open("w") as lock:
        # `make run` and several test processes may come here at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
        install = ["install", "--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS)]
        if subprocess.run(pip + install, check=False).returncode != 0:
            raise StackError("MiniStack could not be installed; see above. Is there a network?")
        stamp.write_text(wanted)


def port_is_free(port: int) -> bool:
    """Whether a server may be started on this port of 127.0.0.1."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(first: int = FIRST_PORT) -> int:
    """The first free port from `first` on."""
    return next(port for port in range(first, 65536) if port_is_free(port))


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log file, for a message about what broke."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


if __name__ == "__main__":
    ensure_venv()
