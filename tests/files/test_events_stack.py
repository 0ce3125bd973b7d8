"""The bucket's events on the real stack: whole uploads whose browser never says that they ended."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from files.states import FileState
from files.tables import File
from filevault.local.queue import DEAD_QUEUE, QUEUE
from filevault.local.seed import admin_session
from tests.files.samples import PDF
from tests.security.people import A_EMAIL, Person, Town, build_town
from tests.stack import TestStack, mails, provisioned_stack, running_app, wait_for_mail

pytestmark = pytest.mark.stack

MIB = 1024 * 1024
DEADLINE = 40
#: Windows long enough that nothing but an event can settle a file in time.
EVENTS_ALONE = {
    "NOTICE_QUIET_SECONDS": "30",
    "NOTICE_LATEST_SECONDS": "60",
    "MULTIPART_THRESHOLD": str(5 * MIB),
    "PART_SIZE": str(5 * MIB),
}
WINDOWS_ALONE = EVENTS_ALONE | {"NOTICE_QUIET_SECONDS": "3", "NOTICE_LATEST_SECONDS": "10"}


@pytest.fixture(scope="module")
def stack() -> Iterator[TestStack]:
    """A stack of this module's own, whose worker is no one else's."""
    with provisioned_stack() as made:
        yield made


@pytest.fixture(scope="module")
def with_events(stack: TestStack) -> Iterator[Town]:
    with running_app(stack, settings=EVENTS_ALONE) as site:
        yield build_town(site, stack)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.1)


def state(town: Town, file_id: str) -> str:
    file = File.fetch(f"case:{town.case_one}", file_id)
    assert file is not None
    return str(file.state)


def is_available(town: Town, file_id: str) -> Callable[[], bool]:
    return lambda: state(town, file_id) == FileState.AVAILABLE


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
    sqs = admin_session(stack.ministack).client("sqs", endpoint_url=stack.ministack.endpoint)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]  # type: ignore[arg-type]
    return sum(int(found[each]) for each in names)


def test_a_tab_closed_right_after_the_last_byte_yields_an_announced_file_N1(
    with_events: Town, stack: TestStack
) -> None:
    town = with_events
    before = {mail.id for mail in mails(stack, A_EMAIL)}
    signed = town.c1.presign(town.portal_one)
    assert town.c1.send(signed).status_code == 201
    wait_until(is_available(town, signed["fileId"]), "an AVAILABLE file", seconds=15)
    wait_until(lambda: queue_depth(stack, QUEUE) == 0, "an empty queue")
    assert queue_depth(stack, DEAD_QUEUE) == 0
    wait_for_mail(stack, A_EMAIL, lambda mail: mail.id not in before, seconds=60)


def test_a_confirm_beside_the_event_answers_the_file(with_events: Town) -> None:
    town = with_events
    signed = town.c1.presign(town.portal_one)
    assert town.c1.send(signed).status_code == 201
    wait_until(is_available(town, signed["fileId"]), "an AVAILABLE file")
    for _ in range(2):
        answer = town.c1.call(signed["confirmUrl"], page=town.portal_one)
        assert (answer.status_code, answer.json()["state"]) == (200, "AVAILABLE")
