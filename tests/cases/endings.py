"""Cases that come to their end, for tests: closed on a day, and days passing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from accounts.actors import Practitioner
from cases import cases, certificates, retention
from cases.tables import Case, Client, RetentionEnd
from files.checking import PURGE_JOB
from filevault import jobs
from filevault.mail import SEND_JOB
from tests.cases.casework import again, edit, make_case, make_client

#: When the cases of these tests are closed: in the middle of a day.
CLOSED = datetime(2027, 3, 1, 14, 30, tzinfo=UTC)
KINDS = {retention.RETAIN_JOB, cases.PURGE_JOB, PURGE_JOB, SEND_JOB}


@contextmanager
def days_later(days: float) -> Iterator[None]:
    """So many days after the cases were closed."""
    with time_machine.travel(CLOSED + timedelta(days=days), tick=True):
        yield


def closed_case(actor: Practitioner, *people: Client, rule: str = "90d") -> Case:
    """A case that was closed in the middle of `CLOSED`'s day."""
    with days_later(0):
        case = make_case(actor, *(people or [make_client(actor)]))
        edit(actor, case, retention_rule=rule)
        return cases.close_case(actor, case.case_id)


def run(*kinds: str) -> int:
    """Do what is due of retention, and of what follows from it."""
    done = 0
    while found := jobs.run_due("test", kinds=set(kinds) or KINDS):
        done += found
    return done


def live_through(*, until: int) -> None:
    """Let the worker run every day, that many days from the closing."""
    for day in range(until + 1):
        with days_later(day):
            run()


def ends_of(actor: Practitioner) -> list[str]:
    """The ids of the cases that are listed with an end."""
    rows = RetentionEnd.query(actor.user_id, consistent_read=True)
    return [row.end_key.partition("#")[2] for row in rows]


def state_of(case: Case) -> str:
    return str(again(case).status)


def document_of(actor: Practitioner) -> dict[str, Any]:
    """The one certificate of a practitioner, with its list of files."""
    (row,) = certificates.list_certificates(actor).items
    return certificates.get_document(actor, row.certificate_id)
