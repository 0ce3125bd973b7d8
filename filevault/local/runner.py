"""`make run`: everything up, in order; everything down, in order."""

import fcntl
import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO
from urllib.parse import urlsplit

from filevault.local.environment import Stack, admin_environment, app_environment, load_stack
from filevault.local.ministack import (
    HOST,
    REPOSITORY,
    AdminKeys,
    MiniStack,
    StackError,
    free_port,
    port_is_free,
)
from filevault.local.processes import Child, prepare, wait_until_answering, web_server, worker
from filevault.local.secret_store import Secrets, write_private
from filevault.local.seed import protect_tables, provision, table_names

STATE = REPOSITORY / ".local"
STACK_FILE = STATE / "stack.json"
SECRETS_FILE = STATE / "secrets.json"
LOCK_FILE = STATE / "run.lock"
LOG = STATE / "log"
STAMP = STATE / "prepared.sha256"
PREPARED = ("django.sqlite3", "static")
SOURCES = ("filevault", "accounts", "files", "cases", "static")


class StopRequested(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal. Not an Exception: nothing may swallow it."""


def run(port: int) -> None:
    """Start the product on `port` and stay until asked to stop. Raises StackError."""
    STATE.mkdir(exist_ok=True)
    # Tables, files and keys of the local product are its user's alone.
    STATE.chmod(0o700)
    with _only_run() as lock, _stop_on_signals():
        if not port_is_free(port):
            raise StackError(
                f"Port {port} is in use by another program. Try another: make run PORT={port + 1}"
            )
        secrets = Secrets.load(SECRETS_FILE)
        keys = AdminKeys(secrets.admin_access_key_id, secrets.admin_secret_access_key)
        ministack = MiniStack(_ministack_port(), STATE / "ministack", keys)
        children: list[Child] = []
        try:
            print("Starting the local AWS ...", flush=True)
            ministack.start()
            stack = provision(ministack, site=f"http://{HOST}:{port}", secrets=secrets)
            secrets.save(SECRETS_FILE)
            environment = app_environment(stack, secrets, STATE)
            _prepare_once(ministack, environment)

            web = web_server(environment, port, LOG)
            children = [web, worker(environment, LOG)]
            print("Starting web server and worker ...", flush=True)
            for child in children:
                child.kept_open.append(lock.fileno())
                child.start()
            _note_processes(lock, children)
            wait_until_answering(web, port)
            # Last: who finds it may rely on a product that answers.
            write_private(STACK_FILE, dict(stack))
            _greet(stack)
            _watch(children, ministack)
        except StopRequested:
            print("\nStopping ...", flush=True)
        finally:
            for child in children:
                child.stop()
            ministack.stop()
    print("Stopped. Your data is kept in .local/.", flush=True)


def _prepare_once(ministack: MiniStack, environment: dict[str, str]) -> None:
    """Tables and static files, unless neither the sources nor what was made of them changed."""
    if STAMP.exists() and STAMP.read_text() == _fingerprint(ministack):
        return
    print("Preparing tables and static files ...", flush=True)
    prepare(environment, admin_environment(environment, ministack.keys), LOG)
    protect_tables(ministack)
    STAMP.write_text(_fingerprint(ministack))


def _fingerprint(ministack: MiniStack) -> str:
    """Of the sources, and of what `prepare` made: a killed MiniStack comes back without tables."""
    made = [*table_names(ministack), *(str((STATE / name).exists()) for name in PREPARED)]
    digest = hashlib.sha256("\n".join(made).encode())
    sources = [path for package in SOURCES for path in sorted((REPOSITORY / package).rglob("*"))]
    for path in [REPOSITORY / "requirements.txt", *sources]:
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def execute(command: list[str]) -> None:
    """Become `command`, with the environment of the stack that `make run` set up last."""
    stack = load_stack(STACK_FILE)
    environment = app_environment(stack, Secrets.load(SECRETS_FILE), STATE)
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606
    except FileNotFoundError:
        raise StackError(f"There is no program named {command[0]}.") from None


def _ministack_port() -> int:
    """Yesterday's port where it is free, so that addresses stay what they were."""
    with suppress(StackError):
        port = urlsplit(load_stack(STACK_FILE)["aws"]["endpoint"]).port
        if port and port_is_free(port):
            return port
    return free_port()


def _watch(children: list[Child], ministack: MiniStack) -> None:
    """Wait until a part ends by itself, which is an error."""
    while True:
        for child in children:
            if child.ended():
                raise child.failure()
        if ministack.process is None or ministack.process.poll() is not None:
            raise StackError(f"The local AWS has ended. See {ministack.log}.")
        time.sleep(0.2)


def _greet(stack: Stack) -> None:
    logins = "\n".join(
        f"    {user['email']:<28} {user['password']}   ({user['role']})" for user in stack["users"]
    )
    print(
        f"""
  Filevault is running.

    Open        {stack["site"]}/
    Mailbox     {stack["mailbox"]}   (every mail that it sends)
    Admin       {stack["site"]}/admin/

  Log in as (e-mail, password):
{logins}

    Logs        {LOG.relative_to(REPOSITORY)}/
    Scripts     {STACK_FILE.relative_to(REPOSITORY)}

  Ctrl-C stops all of it; your data stays.
""",
        flush=True,
    )


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    """Turn the first stop signal into StopRequested; further ones wait for the orderly end."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def request_stop(signum: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise StopRequested

    previous = {each: signal.signal(each, request_stop) for each in signals}
    try:
        yield
    except StopRequested:
        print("\nStopped.", flush=True)
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


@contextmanager
def _only_run() -> Iterator[IO[str]]:
    """Hold the lock that says that a run is on.

    Web server and worker inherit it: where a run was killed and they were not, the lock still
    says so. Raises StackError.
    """
    with LOCK_FILE.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(_who_runs(lock)) from None
        _note_processes(lock, [])
        yield lock


def _note_processes(lock: IO[str], children: list[Child]) -> None:
    lock.seek(0)
    lock.truncate()
    pids = [child.process.pid for child in children if child.process]
    json.dump({"run": os.getpid(), "children": pids}, lock)
    lock.flush()


def _who_runs(lock: IO[str]) -> str:
    lock.seek(0)
    try:
        noted = json.loads(lock.read())
        os.kill(noted["run"], 0)
    except (ValueError, KeyError, PermissionError):
        return "Filevault is already running here."
    except ProcessLookupError:
        pids = " ".join(map(str, noted["children"]))
        return (
            "An earlier run was killed and left its web server or worker behind. "
            f"Stop them first: kill {pids}"
        )
    where = f" at {load_stack(STACK_FILE)['site']}/" if Path(STACK_FILE).exists() else ""
    return f"Filevault is already running here{where} (process {noted['run']})."
