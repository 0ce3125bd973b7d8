"""The actions that `bench.cost` prices, done by the product on moto: what each of them takes."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import time_machine
from django.conf import settings
from django.core import mail as outbox
from django.test import Client as Browser

from bench.units import Bill, metered, size_of
from cases.notices import CLOSE_JOB
from files.tables import File
from filevault import jobs
from filevault.aws import s3_client
from filevault.dynamo import all_tables, connection, now
from filevault.tables import Job
from filevault.worker import IDLE_SECONDS, Worker
from tests.cases.casework import make_case, make_client
from tests.cases.invited import Invited, enter, sign_in
from tests.cast import make_cast
from tests.files import samples
from tests.files.space import make_bucket, put

#: Seconds of a month, as AWS counts it: 730 hours.
MONTH: Final = 730 * 3600
#: Hours after which what an action brings with it is looked for: windows and uploads end.
LATER: Final = (0, 1, 25)


def measure(*, idle: str) -> dict[str, Bill]:
    """Each action's bill: what `metered` counts, `mails`, and `row_bytes` that stay. Looking for
    due work isn't an action's, since workers do so all the time: its bill, that of an idle month,
    is called `idle`."""
    if not any(each["Name"] == settings.FILEVAULT_BUCKET for each in _buckets()):
        make_bucket(settings.FILEVAULT_BUCKET)
    cast = make_cast()
    bills: dict[str, Bill] = {}

    @contextmanager
    def action(name: str) -> Iterator[None]:
        before, mails = _row_bytes(), len(outbox.outbox)
        with metered(without_queries_of=Job.Meta.table_name) as bill:
            yield
        bill["mails"] += len(outbox.outbox) - mails
        bill["row_bytes"] += max(0, _row_bytes() - before)
        bills[name] = bill

    with action("open a case"):
        person = make_client(cast.a)
        case = make_case(cast.a, person)
        _settle()
    invited = Invited(cast.a, case, person)
    with action("invite and enter"):
        portal = enter(invited)
        _settle()
    practitioner = sign_in(cast.a)
    pages = ((practitioner, f"/cases/{case.case_id}/"), (portal, invited.portal))
    uploads = [_upload(portal, invited, each) for each in range(2)]  # a page has something to list
    _settle()
    for name, (browser, path) in zip(
        ("a page of the practitioner's", "a page of the client's"), pages, strict=True
    ):
        browser.get(path)  # what is written once a minute or once a visit is written
        with action(name):
            assert browser.get(path).status_code == 200
    with action("an upload"):
        _upload(portal, invited, 3)
        _settle(without=frozenset({CLOSE_JOB}))
    with action("a burst's mail"):
        _settle()
    with action("a download"):
        path = f"/cases/{case.case_id}/files/{uploads[0].file_id}/download"
        assert practitioner.get(path).status_code == 302
        _settle()
    bills[idle] = _idle_month()
    return bills


def _upload(browser: Browser, invited: Invited, number: int) -> File:
    body: dict[str, Any] = {"fileName": f"Letter {number}.pdf", "size": len(samples.PDF)}
    files = f"{invited.portal}files/"
    grant = browser.post(f"{files}presign", body, content_type="application/json").json()
    file = File.fetch(f"case:{invited.case.case_id}", grant["fileId"])
    assert file is not None
    put(file, samples.PDF)
    answer = browser.post(grant["confirmUrl"], {}, content_type="application/json")
    assert answer.json()["state"] == "AVAILABLE"
    return file


def _settle(*, without: frozenset[str] = frozenset()) -> None:
    """Do everything that falls due from now on, and seal the trail."""
    kinds = (jobs.kinds(slow=False) | jobs.kinds(slow=True)) - without
    for hours in LATER:
        with time_machine.travel(now() + timedelta(hours=hours)):
            while jobs.run_due("bench", kinds=kinds):
                pass
            _chore("audit.seal")


def _chore(name: str) -> None:
    next(chore for chore in jobs.chores() if chore.name == name).function()


def _idle_month() -> Bill:
    """A worker that finds nothing: its rounds, and its chores as often as they are done."""
    month: Bill = defaultdict(float)
    with metered() as a_round:
        for slow in (False, True):
            Worker(kinds=jobs.kinds(slow=slow), does_chores=False).step()
    bills = [(a_round, IDLE_SECONDS)]
    for chore in jobs.chores():
        chore.function()  # plans what is done once a day
        with metered() as bill:
            chore.function()
        bills.append((bill, chore.seconds))
    for bill, seconds in bills:
        for unit, amount in bill.items():
            month[unit] += amount * MONTH / seconds
    return month


def _row_bytes() -> int:
    client: Any = connection(retries=0).client
    pages = [client.scan(TableName=model.Meta.table_name) for model in all_tables()]
    return sum(size_of(item) for page in pages for item in page["Items"])


def _buckets() -> list[Any]:
    return list(s3_client().list_buckets()["Buckets"])
