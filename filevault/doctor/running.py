"""The processes: whether the site answers as itself, and whether a worker goes round."""

import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin

import requests
from django.conf import settings

from filevault import jobs
from filevault.doctor.examination import TIMEOUT, Fault, Step, part
from filevault.dynamo import Transaction, now
from filevault.tables import Job
from filevault.worker import PING_JOB

#: A worker that lives takes a job within a second or two, one that is started each minute within
#: that; the rest is for its start.
PING_SECONDS: Final = 90
POLL_SECONDS: Final = 0.3
#: Beyond a failing job's first delays: whoever waits so long waits for a worker.
LATE_SECONDS: Final = 120


@part("site")
def web() -> Iterator[Step]:
    yield Step(f"site: {settings.SITE_URL} answers", _reach_site)
    yield Step("site: knows the scheme that browsers use", _follow_home)


@part("worker")
def worker() -> Iterator[Step]:
    yield Step("worker: takes a job", _ping)
    yield Step(f"worker: nothing is overdue by {LATE_SECONDS} s", _check_age)


def _reach_site() -> None:
    answer = requests.get(f"{settings.SITE_URL}/healthz", timeout=TIMEOUT)
    if answer.status_code != 200 or answer.text.strip() != '{"status": "ok"}':
        raise Fault(
            f"/healthz says {answer.status_code}: start the web server, and let SITE_URL's name "
            "and its proxy lead there"
        )


def _follow_home() -> None:
    """Behind a proxy that isn't trusted each page leads to itself, again and again."""
    address = f"{settings.SITE_URL}/"
    answer = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
    if urljoin(address, answer.headers.get("Location", "")) == address and answer.is_redirect:
        raise Fault(
            "the page leads to itself: name the proxy's network in TRUSTED_PROXIES, and let the "
            "proxy send X-Forwarded-Proto"
        )


def _ping() -> None:
    tx = Transaction()
    job = jobs.enqueue(tx, PING_JOB, {})
    tx.commit()
    until = time.monotonic() + PING_SECONDS
    while Job.fetch(job.shard, job.due_key) is not None:
        if time.monotonic() > until:
            job.delete()
            raise Fault(
                f"none took one in {PING_SECONDS} s: start `manage.py run_worker` of this release, "
                "with the same variables, and read its log"
            )
        time.sleep(POLL_SECONDS)


def _check_age() -> None:
    oldest = jobs.oldest_due_at()
    age = (now() - oldest).total_seconds() if oldest else 0.0
    if age > LATE_SECONDS:
        raise Fault(
            f"the oldest job has waited {age:.0f} s: start more workers, and look for `job failed` "
            "and `job put off` in their logs"
        )
