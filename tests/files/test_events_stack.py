"""The bucket's events on the real stack: whole uploads whose browser never says that they ended."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from django.conf import LazySettings

from files import multipart
from files.states import FileState
from filevault.local.ministack import ACCOUNT, REGION
from filevault.local.processes import Child
from filevault.local.processes import worker as worker_child
from filevault.local.queue import DEAD_QUEUE, QUEUE
from filevault.local.seed import admin_session, provision
from tests.files.samples import PDF
from tests.files.space import row_by_id
from tests.security.people import A_EMAIL, Person, Town, build_town
from tests.stack import TestStack, mails, provisioned_stack, running_app, wait_for_mail
from tests.waiting import wait_until

pytestmark = pytest.mark.stack

MIB = 1024 * 1024
#: Seconds: an event settles a file long before its window closes.
BY_EVENT, QUIET, DEADLINE = 10, 15, 60
SETTINGS = {
    "NOTICE_QUIET_SECONDS": str(QUIET),
    "NOTICE_LATEST_SECONDS": "40",
    "MULTIPART_THRESHOLD": str(5 * MIB),
    "PART_SIZE": str(5 * MIB),
}
NO_QUEUE = {"SQS_UPLOADS_URL": ""}


@pytest.fixture(scope="module")
def stack() -> Iterator[TestStack]:
    """A stack of this module's own, whose worker is no one else's."""
    with provisioned_stack() as made:
        yield made


@pytest.fixture(autouse=True)
def stacks_bucket(stack: TestStack, settings: LazySettings) -> None:
    """What these tests ask of storage themselves, they ask of the stack's."""
    settings.FILEVAULT_BUCKET = stack.stack["bucket"]
    settings.S3_ADDRESSING_STYLE = "path"
    settings.STORAGES = {**settings.STORAGES}  # makes the storage anew


@contextmanager
def worker(stack: TestStack, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[Child]:
    """A worker at work, for as long as this holds."""
    environment = stack.environment | SETTINGS | {"LOG_LEVEL": "INFO"} | dict(settings)
    child = worker_child(environment, stack.state / "log")
    child.start()
    try:
        wait_until(lambda: "worker started" in child.log.read_text(), "a worker that runs")
        yield child
    finally:
        child.stop()


@pytest.fixture(scope="module")
def town(stack: TestStack) -> Iterator[Town]:
    """People and a web server; each test brings the worker that it is about."""
    with running_app(stack, settings=SETTINGS, worker=False) as site:
        with worker(stack, NO_QUEUE):
            made = build_town(site, stack)
        yield made


def is_available(town: Town, file_id: str) -> Callable[[], bool]:
    return lambda: row_by_id(file_id).state == FileState.AVAILABLE


def send_parts(person: Person, home: str, signed: Any, content: bytes) -> None:
    """Send every part, as the browser does, and say nothing afterwards."""
    size = signed["partSize"]
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    sums = [base64.b64encode(hashlib.sha256(piece).digest()).decode() for piece in pieces]
    numbers = range(1, len(pieces) + 1)
    body = {
        "partNumbers": list(numbers),
        "checksums": {str(number): sums[number - 1] for number in numbers},
    }
    answer = person.call(signed["partsUrl"], body, page=home)
    assert answer.status_code == 200, answer.text
    for number, grant in answer.json()["urls"].items():
        sent = httpx.put(grant["url"], content=pieces[int(number) - 1], headers=grant["headers"])
        assert sent.status_code == 200, sent.text


def big_pdf(size: int) -> bytes:
    return PDF + bytes(size - len(PDF))


def queue_depth(stack: TestStack, name: str) -> int:
    """Messages that are there, hidden ones included."""
    endpoint = stack.ministack.endpoint
    sqs: Any = admin_session(stack.ministack).client("sqs", endpoint_url=endpoint)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[each]) for each in names)


def test_a_tab_closed_right_after_the_last_byte_yields_an_announced_file_N1(
    town: Town, stack: TestStack
) -> None:
    before = {mail.id for mail in mails(stack, A_EMAIL)}
    with worker(stack):
        signed = town.c1.presign(town.portal_one)
        assert town.c1.send(signed).status_code == 201
        wait_until(is_available(town, signed["fileId"]), "an AVAILABLE file", BY_EVENT)
        wait_until(lambda: queue_depth(stack, QUEUE) == 0, "an empty queue")
        wait_for_mail(stack, A_EMAIL, lambda mail: mail.id not in before, seconds=DEADLINE)
    assert queue_depth(stack, DEAD_QUEUE) == 0


def test_a_confirm_beside_the_event_answers_the_file(town: Town, stack: TestStack) -> None:
    with worker(stack):
        signed = town.c1.presign(town.portal_one)
        assert town.c1.send(signed).status_code == 201
        answers = [town.c1.call(signed["confirmUrl"], page=town.portal_one)]
        wait_until(is_available(town, signed["fileId"]), "an AVAILABLE file", BY_EVENT)
        answers.append(town.c1.call(signed["confirmUrl"], page=town.portal_one))
    assert [(a.status_code, a.json()["state"]) for a in answers] == [(200, "AVAILABLE")] * 2


def test_parts_joined_by_a_browser_that_dies_then_are_told_by_event(
    town: Town, stack: TestStack
) -> None:
    """The confirm joined them, and its transaction never came: the event is all there is."""
    home, content = town.portal_one, big_pdf(6 * MIB)
    signed = town.c1.presign(home, name="large.pdf", size=len(content))
    send_parts(town.c1, home, signed, content)
    file = row_by_id(signed["fileId"])
    parts = multipart.list_parts(file.s3_key, signed["uploadId"])
    assert parts is not None
    assert multipart.complete(file.s3_key, signed["uploadId"], parts)
    with worker(stack):
        wait_until(is_available(town, signed["fileId"]), "an AVAILABLE file", BY_EVENT)


def test_events_that_came_while_no_worker_ran_are_not_lost(town: Town, stack: TestStack) -> None:
    ids = []
    for _ in range(12):  # more than one batch
        signed = town.c1.presign(town.portal_one)
        town.c1.send(signed)
        ids.append(signed["fileId"])
    with worker(stack):
        for file_id in ids:
            wait_until(is_available(town, file_id), "AVAILABLE files", BY_EVENT)
    assert queue_depth(stack, QUEUE) == 0


def test_all_parts_sent_and_the_tab_closed_yields_one_mail_at_the_windows_close_N1_N3(
    town: Town, stack: TestStack
) -> None:
    """Nobody joins the parts, so no event comes either: the closing window looks."""
    before = {mail.id for mail in mails(stack, A_EMAIL)}
    home, content = town.portal_one, big_pdf(12 * MIB)
    signed = town.c1.presign(home, name="large.pdf", size=len(content))
    assert (signed["method"], signed["partCount"]) == ("MULTIPART", 3)
    send_parts(town.c1, home, signed, content)
    assert row_by_id(signed["fileId"]).state == FileState.PENDING
    with worker(stack, NO_QUEUE):
        wait_until(is_available(town, signed["fileId"]), "an AVAILABLE file")
        wait_for_mail(stack, A_EMAIL, lambda mail: mail.id not in before, seconds=DEADLINE)
        assert row_by_id(signed["fileId"]).size == len(content)
        time.sleep(QUIET)  # a second window, if it had opened one, would have closed by now
    assert len([mail for mail in mails(stack, A_EMAIL) if mail.id not in before]) == 1


def test_a_worker_in_a_long_poll_ends_within_ten_seconds(town: Town, stack: TestStack) -> None:
    with worker(stack) as child:
        signed = town.c1.presign(town.portal_one)
        town.c1.send(signed)
        wait_until(is_available(town, signed["fileId"]), "a worker that reads", BY_EVENT)
        started = time.monotonic()
        child.stop()
        assert time.monotonic() - started < 10
        assert child.process is not None
        assert child.process.returncode == 0


def test_provisioning_again_changes_nothing_that_works(town: Town, stack: TestStack) -> None:
    provision(stack.ministack, site=stack.stack["site"], secrets=stack.secrets)
    with worker(stack):
        signed = town.c1.presign(town.portal_one)
        town.c1.send(signed)
        wait_until(is_available(town, signed["fileId"]), "an AVAILABLE file", BY_EVENT)
        wait_until(lambda: queue_depth(stack, QUEUE) == 0, "the test event taken away")
    assert queue_depth(stack, DEAD_QUEUE) == 0


@pytest.mark.parametrize(
    ("queue", "call"),
    [(DEAD_QUEUE, "receive_message"), (QUEUE, "send_message"), (QUEUE, "purge_queue")],
)
def test_the_products_user_may_read_its_queue_and_no_more(
    town: Town, stack: TestStack, queue: str, call: str
) -> None:
    aws = stack.stack["aws"]
    session = boto3.Session(aws["accessKeyId"], aws["secretAccessKey"], region_name=REGION)
    sqs: Any = session.client("sqs", endpoint_url=aws["endpoint"])
    url = f"{aws['endpoint']}/{ACCOUNT}/{queue}"
    body = {"MessageBody": "forged"} if call == "send_message" else {}
    with pytest.raises(ClientError) as refused:
        getattr(sqs, call)(QueueUrl=url, **body)
    assert refused.value.response["Error"]["Code"].startswith("AccessDenied")
