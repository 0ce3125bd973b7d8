"""The real stack for tests: MiniStack with signature checks on, the product's processes, mails.

Everything lives in a temporary directory and on free ports, so that several test processes run at
once. It is the code of `make run` (launcher, provisioning, environment), with one addition:
indexes lag by a second, as they do on AWS.
"""

import fcntl
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filevault.local.environment import Stack, admin_environment, app_environment
from filevault.local.mails import SentMail, sent_mails
from filevault.local.ministack import HOST, REPOSITORY, AdminKeys, MiniStack, StackError, free_port
from filevault.local.processes import Child, manage, prepare, wait_until_answering, web_server
from filevault.local.processes import worker as worker_child
from filevault.local.secret_store import Secrets
from filevault.local.seed import protect_tables, provision

#: Where all stacks of a `make test` find their static files, which take seconds to collect.
SHARED_STATIC = os.environ.get("TEST_STATIC_ROOT", "")
INDEX_LAG = REPOSITORY / "tests" / "faults" / "index_lag.py"


@dataclass
class TestStack:
    """A provisioned stack: what stack.json would hold, and the environment that it gives."""

    __test__ = False

    ministack: MiniStack
    secrets: Secrets
    state: Path
    stack: Stack

    @property
    def environment(self) -> dict[str, str]:
        """Of a process of the product: the IAM user's keys."""
        shared = {"STATIC_ROOT": SHARED_STATIC} if SHARED_STATIC else {}
        return app_environment(self.stack, self.secrets, self.state) | shared

    @property
    def admin_environment(self) -> dict[str, str]:
        """The same with the bootstrap keys, to look behind the scenes."""
        return admin_environment(self.environment, self.ministack.keys)


@contextmanager
def running_ministack(*patches: Path) -> Iterator[tuple[MiniStack, Secrets]]:
    """A MiniStack of one's own on a free port, with lagging indexes and further `patches`."""
    with tempfile.TemporaryDirectory(prefix="filevault-stack-") as directory:
        state = Path(directory)
        secrets = Secrets.load(state / "secrets.json")
        keys = AdminKeys(secrets.admin_access_key_id, secrets.admin_secret_access_key)
        lag = {"INDEX_LAG_SECONDS": os.environ.get("INDEX_LAG_SECONDS", "1")}
        ministack = MiniStack(
            own_port(0), state / "ministack", keys, [INDEX_LAG, *patches], settings=lag
        )
        ministack.start()
        try:
            yield ministack, secrets
        finally:
            ministack.stop()


@contextmanager
def provisioned_stack(site_url: str | None = None, *patches: Path) -> Iterator[TestStack]:
    """A MiniStack with everything in it, tables too, for a product at `site_url` (default: a free
    port of 127.0.0.1, see `stack["site"]`)."""
    site = site_url or f"http://{HOST}:{own_port(1)}"
    with running_ministack(*patches) as (ministack, secrets):
        state = ministack.state.parent
        stack = provision(ministack, site=site, secrets=secrets)
        made = TestStack(ministack, secrets, state, stack)
        prepare_app(made)
        protect_tables(ministack)
        yield made


@contextmanager
def running_app(
    stack: TestStack, *, settings: Mapping[str, str] | None = None, worker: bool = True
) -> Iterator[str]:
    """The product served at the stack's site, with its worker; yields the address.

    `settings` are further environment variables, such as shorter notice windows.
    """
    environment = stack.environment | dict(settings or {})
    log = stack.state / "log"
    site = stack.stack["site"]
    port = int(site.rpartition(":")[2])
    web = web_server(environment, port, log)
    children = [web, worker_child(environment, log)] if worker else [web]
    try:
        for child in children:
            child.start()
        wait_until_answering(web, port)
        yield site
        _fail_if_ended(children)
    finally:
        for child in children:
            child.stop()


def run_manage(
    stack: TestStack, *arguments: str, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a management command on the stack to its end; output as text, any exit code."""
    return subprocess.run(
        manage(*arguments),
        env=stack.environment | dict(settings or {}),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def mails(stack: TestStack, to: str | None = None) -> list[SentMail]:
    """The mails sent so far, newest first; `to` keeps those to one address."""
    return sent_mails(stack.ministack.endpoint, to=to)


def wait_for_mail(
    stack: TestStack,
    to: str,
    matches: Callable[[SentMail], bool] = lambda mail: True,
    seconds: float = 30,
) -> SentMail:
    """The newest mail to this address that matches, as soon as it is there. AssertionError after
    `seconds`, naming what did arrive."""
    deadline = time.monotonic() + seconds
    while True:
        found = mails(stack, to)
        for mail in found:
            if matches(mail):
                return mail
        if time.monotonic() > deadline:
            subjects = [mail.subject for mail in found]
            raise AssertionError(f"No such mail to {to} in {seconds} s. There are: {subjects}")
        time.sleep(0.1)


def own_port(offset: int) -> int:
    """A free port out of this test process's own range: two processes that looked for any free
    port at the same moment would find the same one."""
    worker_id = os.environ.get("PYTEST_XDIST_WORKER", "gw9")
    return free_port(21000 + 200 * int(worker_id.removeprefix("gw")) + 100 * offset)


def prepare_app(made: TestStack, *, tables: bool = True) -> None:
    """Tables (DynamoDB's only if nothing else made them) and static files; the shared ones are
    collected by whoever comes first."""
    admin = made.admin_environment if tables else None
    step = partial(prepare, made.environment, admin, made.state / "log")
    if not SHARED_STATIC:
        step()
        return
    root = Path(SHARED_STATIC)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "staticfiles.json").exists():
            step()
            return
    step(static_files=False)


def _fail_if_ended(children: list[Child]) -> None:
    for child in children:
        if child.ended():
            raise StackError(str(child.failure()))
