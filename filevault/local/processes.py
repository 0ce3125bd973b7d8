"""The product's own processes on this machine: set-up commands, web server, worker."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from filevault.local.ministack import HOST, REPOSITORY, StackError, tail

#: The web server finishes running requests, the worker its unit of work.
STOP_SECONDS = 20
START_SECONDS = 60


@dataclass
class Child:
    """One process with a log of its own, in a session of its own so that a Ctrl-C in the terminal
    leaves the order of stopping to us. `kept_open` are file descriptors that it inherits."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    kept_open: list[int] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, beginning its log anew."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=self.kept_open,
            )

    def wait(self) -> None:
        """Wait for its end. Raises StackError with the end of its log unless it went well."""
        if self.process and self.process.wait() != 0:
            raise self.failure()

    def ended(self) -> bool:
        """Whether it ran and is no more."""
        return self.process is not None and self.process.poll() is not None

    def failure(self) -> StackError:
        """What to say about its unwanted end."""
        code = self.process.returncode if self.process else None
        return StackError(
            f"{self.name} ended with code {code}. The end of {self.log}:\n\n{tail(self.log)}"
        )

    def stop(self) -> None:
        """Stop it by SIGTERM, and by SIGKILL where it doesn't end in time."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def manage(*arguments: str) -> list[str]:
    """The command line of a management command, by this interpreter."""
    return [sys.executable, str(REPOSITORY / "manage.py"), *arguments]


def prepare(
    environment: Mapping[str, str],
    admin: Mapping[str, str] | None,
    log: Path,
    *,
    static_files: bool = True,
) -> None:
    """Bring Django's tables, DynamoDB's and the static files up to date; all are repeatable.

    `admin` is the environment with the bootstrap keys, since the app's user may not create tables;
    None where DynamoDB's tables are made elsewhere. Raises StackError naming the step that failed.
    """
    migrate = manage("migrate", "--noinput")
    steps = [Child("manage.py migrate", migrate, environment, log / "migrate.log")]
    if admin is not None:
        create = manage("create_tables")
        steps.append(Child("manage.py create_tables", create, admin, log / "create_tables.log"))
    if static_files:
        collect = manage("collectstatic", "--noinput")
        steps.append(
            Child("manage.py collectstatic", collect, environment, log / "collectstatic.log")
        )
    try:
        for step in steps:
            step.start()
        for step in steps:
            step.wait()
    finally:
        for step in steps:
            step.stop()


def web_server(environment: Mapping[str, str], port: int, log: Path) -> Child:
    """The web server on 127.0.0.1. No control socket: it would lie in the home directory, one for
    all of this user's servers."""
    command = [sys.executable, "-m", "gunicorn", "filevault.wsgi", "--bind", f"{HOST}:{port}"]
    threads = ["--worker-class", "gthread", "--threads", "16", "--graceful-timeout", "10"]
    quiet = ["--no-control-socket"]
    return Child("The web server", command + threads + quiet, environment, log / "web.log")


def worker(environment: Mapping[str, str], log: Path) -> Child:
    """The worker: mails, windows, scans and everything else that falls due."""
    return Child("The worker", manage("run_worker"), environment, log / "worker.log")


def wait_until_answering(web: Child, port: int) -> None:
    """Wait for the web server's first answer, whatever it says. Raises StackError."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if web.ended():
            raise web.failure()
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise StackError(f"The web server does not answer. The end of {web.log}:\n\n{tail(web.log)}")
