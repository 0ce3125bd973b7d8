"""The worker where nothing runs all the time: each POST is one run, from AWS Lambda through its Web
Adapter (infra/modules/compute-lambda). Served by a gunicorn of its own, which no address leads to.

A run ends when nothing is due, so that an idle minute costs a second. What it leaves when its time
is up, and what a run that was cut off had in hand, the next one does.
"""

import functools
import io
import json
import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import django
from django.core.management import CommandError, call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "filevault.settings")
django.setup()

from filevault.worker import Worker  # noqa: E402  (its jobs are known once the apps are)

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

#: A run takes up no new work after so long: the next minute has its own.
RUN_SECONDS: Final = 50.0
MOST_BYTES: Final = 10_000
#: What is answered beside the status.
Outcome = dict[str, Any]


@functools.cache
def _worker() -> Worker:
    """One a process: it knows when it did its chores last."""
    return Worker()


def work() -> Outcome:
    """Do what is due until nothing is, or the run's time is up. Tells how many jobs were done."""
    until = time.monotonic() + RUN_SECONDS
    done = 0
    while True:
        _worker().read_queues()
        step = _worker().step()
        done += step
        if not step or time.monotonic() >= until:
            return {"done": done}


def migrate() -> Outcome:
    """Bring Django's own tables up to date."""
    call_command("migrate", interactive=False, verbosity=0)
    return {"done": 1}


def doctor() -> Outcome:
    """Prove the deployment where it runs, with the rights of the worker. Tells all lines."""
    lines = io.StringIO()
    with suppress(CommandError):  # the lines say what failed
        call_command("doctor", stdout=lines)
    return {"lines": lines.getvalue().splitlines()}


#: What an event may ask for, as `{"do": "work"}`.
TASKS: Final[dict[str, Callable[[], Outcome]]] = {
    "work": work,
    "migrate": migrate,
    "doctor": doctor,
}


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """POST runs a task; anything else is answered without doing anything, as a sign of life."""
    status, answer = "200 OK", {"status": "ok"}
    if environ["REQUEST_METHOD"] == "POST":
        task = TASKS.get(_asked(environ))
        if task is None:
            status, answer = "400 Bad Request", {"status": "unknown"}
        else:
            try:
                answer |= task()
            except Exception:
                logger.exception("scheduled run failed")
                status, answer = "500 Internal Server Error", {"status": "failed"}
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


def _asked(environ: "WSGIEnvironment") -> str:
    length = min(int(environ.get("CONTENT_LENGTH") or 0), MOST_BYTES)
    try:
        return str(json.loads(environ["wsgi.input"].read(length))["do"])
    except (KeyError, TypeError, ValueError):
        return ""
