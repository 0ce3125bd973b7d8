"""Who subscribes to the topic hears of each available file, once, and by no name."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError, EndpointConnectionError
from django.conf import LazySettings

from files import deletion, uploads
from files.checking import PUBLISH_JOB
from filevault import aws, jobs
from tests.due import waiting
from tests.files import samples
from tests.files.space import C1, A, FakeSpace, put
from tests.files.test_downloads import available
from tests.filevault.test_configuration import check

TOPIC = "arn:aws:sns:eu-central-1:123456789012:filevault-files"


@pytest.fixture(autouse=True)
def topic(space: FakeSpace, settings: LazySettings) -> Iterator[None]:
    settings.SNS_TOPIC_ARN = TOPIC
    aws.sns_client.cache_clear()
    aws.sns_client().create_topic(Name="filevault-files")
    yield
    aws.sns_client.cache_clear()


@pytest.fixture
def queue() -> str:
    """A queue of somebody who subscribed to everything."""
    return subscribe()


def subscribe(policy: dict[str, Any] | None = None, name: str = "listener") -> str:
    url = boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    aws.sns_client().subscribe(
        TopicArn=TOPIC,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:eu-central-1:123456789012:{name}",
        Attributes={"FilterPolicy": json.dumps(policy)} if policy else {},
    )
    return str(url)


def received(url: str) -> list[dict[str, Any]]:
    """What SNS has put into the queue: its envelopes."""
    sqs = boto3.client("sqs")
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def run() -> None:
    jobs.run_due("test", kinds=[PUBLISH_JOB])


def test_an_available_file_is_told_once_by_ids_size_and_type(space: FakeSpace, queue: str) -> None:
    file = available(space, "Scheidung Müller.pdf")
    uploads.confirm(C1, space, file.file_id)
    assert len(waiting(PUBLISH_JOB)) == 1
    run()
    run()
    [envelope] = received(queue)
    message = json.loads(envelope["Message"])
    assert message.pop("eventId")
    assert message == {
        "event": "file.available",
        "fileId": file.file_id,
        "spaceId": space.space_id,
        "userId": A.user_id,
        "size": len(samples.PDF),
        "mimeType": "application/pdf",
        "at": file.available_at.isoformat(),
    }
    assert datetime.fromisoformat(message["at"]).utcoffset() == timedelta(0)
    assert "ller" not in json.dumps(envelope)
    values = {name: each["Value"] for name, each in envelope["MessageAttributes"].items()}
    assert values == {
        "event": "file.available",
        "spaceKind": "test",
        "mimeType": "application/pdf",
    }
    assert waiting(PUBLISH_JOB) == []


def test_attributes_can_be_filtered_on(space: FakeSpace) -> None:
    pictures = subscribe({"mimeType": [{"prefix": "image/"}]}, "pictures")
    tests = subscribe({"spaceKind": ["test"]}, "tests")
    available(space)
    run()
    assert (len(received(pictures)), len(received(tests))) == (0, 1)


def test_a_file_that_is_checked_is_told_only_when_it_passed(
    space: FakeSpace, queue: str, settings: LazySettings
) -> None:
    settings.SCANNER_URL = "clamd://127.0.0.1:1"
    file, _ = uploads.begin(C1, space, file_name="a.pdf", size=len(samples.PDF))
    put(file, samples.PDF)
    assert uploads.confirm(C1, space, file.file_id).state == "CHECKING"
    bad, _ = uploads.begin(C1, space, file_name="b.pdf", size=len(samples.EXE))
    put(bad, samples.EXE)
    assert uploads.confirm(C1, space, bad.file_id).state == "REJECTED"
    assert waiting(PUBLISH_JOB) == []


FAULTS = [
    EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ClientError({"Error": {"Code": "InternalError", "Message": ""}}, "Publish"),
    ClientError({"Error": {"Code": "AuthorizationError", "Message": ""}}, "Publish"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_while_sns_is_away_the_message_waits_and_keeps_its_id(
    space: FakeSpace, queue: str, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(**_: Any) -> None:
        raise fault

    available(space)
    [job] = waiting(PUBLISH_JOB)
    moment = datetime.now(UTC)
    with monkeypatch.context() as patch:
        patch.setattr(aws.sns_client(), "publish", fail)
        for _ in range(jobs.MAX_TRIES + 2):
            moment += timedelta(hours=2)
            with time_machine.travel(moment):
                run()
    [again] = waiting(PUBLISH_JOB)
    assert again.shard != jobs.DEAD_SHARD
    with time_machine.travel(moment + timedelta(hours=2)):
        run()
    [envelope] = received(queue)
    assert json.loads(envelope["Message"])["eventId"] == job.payload["eventId"]


def test_a_file_that_went_meanwhile_is_not_told(space: FakeSpace, queue: str) -> None:
    file = available(space)
    deletion.delete(A, space, file.file_id)
    run()
    assert received(queue) == []
    assert waiting(PUBLISH_JOB) == []


def test_without_a_topic_nothing_is_written(space: FakeSpace, settings: LazySettings) -> None:
    settings.SNS_TOPIC_ARN = ""
    available(space)
    assert waiting(PUBLISH_JOB) == []


@pytest.mark.parametrize(
    "value",
    [
        "filevault-files",
        "arn:aws:sqs:eu-central-1:123456789012:filevault-files",
        "arn:aws:sns:eu-central-1:123456789012:filevault.fifo",
        "arn:aws:sns:eu-central-1:12345:filevault",
    ],
)
def test_a_bad_topic_is_one_clear_line(value: str) -> None:
    done = check(SNS_TOPIC_ARN=value)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "SNS_TOPIC_ARN must look like arn:aws:sns:" in done.stderr
