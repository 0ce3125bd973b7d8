"""The doctor on what stands beside storage: events, topic, scanner, CloudFront."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import responses
from django.conf import LazySettings, settings

from files import clamd
from files.doctor.transfers import Sample
from filevault.aws import s3_client, sqs_client
from filevault.doctor import Fault
from tests.examining import lines, the_failure
from tests.files.scanners import EICAR, fake_scanner
from tests.files.space import make_bucket
from tests.files.test_cloudfront import DOMAIN, KEY, use

TOPIC = "arn:aws:sns:eu-central-1:123456789012:filevault-files"


def notify(url: str, *events: str) -> None:
    arn = sqs_client().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    queue: Any = {"QueueArn": arn["Attributes"]["QueueArn"], "Events": list(events)}
    s3_client().put_bucket_notification_configuration(
        Bucket=settings.FILEVAULT_BUCKET,
        NotificationConfiguration={"QueueConfigurations": [queue]},
    )


def test_events_that_go_to_the_queue_that_is_read(settings: LazySettings) -> None:
    make_bucket(settings.FILEVAULT_BUCKET)
    settings.SQS_UPLOADS_URL = sqs_client().create_queue(QueueName="uploads")["QueueUrl"]
    other = sqs_client().create_queue(QueueName="other")["QueueUrl"]
    told = "let the bucket notify the queue uploads of s3:ObjectCreated:*"
    assert told in the_failure("services")
    notify(other, "s3:ObjectCreated:*")
    assert told in the_failure("services")
    notify(settings.SQS_UPLOADS_URL, "s3:ObjectRemoved:*")
    assert told in the_failure("services")
    notify(settings.SQS_UPLOADS_URL, "s3:ObjectCreated:*")
    assert lines("services") == ["ok   events: the bucket tells its queue of uploads"]


def test_a_topic_that_is_there(settings: LazySettings) -> None:
    settings.SNS_TOPIC_ARN = TOPIC
    assert "AWS says NotFound" in the_failure("services")
    boto3.client("sns").create_topic(Name="filevault-files")
    assert lines("services") == ["ok   topic: SNS_TOPIC_ARN is there"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier failure put off is tried again."""
    monkeypatch.setattr(clamd, "_paused_until", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_scanner_that_finds_viruses(settings: LazySettings) -> None:
    with fake_scanner(reply=b"stream: Eicar FOUND\0") as scanner:
        settings.SCANNER_URL = scanner.url
        assert lines("services") == ["ok   scanner: finds the EICAR test file"]
    assert scanner.streams == [EICAR]


@pytest.mark.usefixtures("impatient")
def test_a_scanner_that_finds_none(settings: LazySettings) -> None:
    with fake_scanner() as scanner:
        settings.SCANNER_URL = scanner.url
        assert "load its signature database" in the_failure("services")


@pytest.mark.usefixtures("impatient")
def test_a_scanner_that_is_away(settings: LazySettings) -> None:
    with fake_scanner() as scanner:
        settings.SCANNER_URL = scanner.url
    assert "start clamd, and let the workers reach it" in the_failure("services")


HEADERS = {
    "Content-Disposition": 'attachment; filename="doctor.txt"',
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}


@pytest.fixture
def cloudfront(settings: LazySettings) -> Iterator[responses.RequestsMock]:
    use(settings, ("K1", KEY))
    with responses.RequestsMock() as mock:
        yield mock


def serve(
    cloudfront: responses.RequestsMock, *, body: bytes = b"", status: int = 200, **left_out: str
) -> None:
    headers = {name: value for name, value in HEADERS.items() if name not in left_out.values()}
    address = re.compile(rf"https://{re.escape(DOMAIN)}/users/doctor/.*versionId=v1.*")
    cloudfront.get(address, body=body, status=status, headers=headers)


def test_a_distribution_as_it_should_be(cloudfront: responses.RequestsMock) -> None:
    sample = Sample(version="v1")
    serve(cloudfront, body=sample.contents[0])
    sample.download()
    sample.check_headers()


@pytest.mark.parametrize(
    ("step", "answer", "said"),
    [
        (Sample.download, {"body": b"another version"}, "into the cache key"),
        (Sample.download, {"status": 403, "body": b"<Code>AccessDenied</Code>"}, "AccessDenied"),
        (Sample.read_unsigned, {"status": 200}, "restrict viewer access at CloudFront"),
        (Sample.check_headers, {"header": "X-Content-Type-Options"}, "response-headers policy"),
        (Sample.check_headers, {"header": "Content-Security-Policy"}, "response-headers policy"),
    ],
)
def test_a_distribution_that_is_not(
    cloudfront: responses.RequestsMock,
    step: Callable[[Sample], None],
    answer: dict[str, Any],
    said: str,
) -> None:
    serve(cloudfront, **answer)
    with pytest.raises(Fault, match=said):
        step(Sample(version="v1"))


def test_a_file_that_would_be_shown_instead_of_saved(cloudfront: responses.RequestsMock) -> None:
    sample = Sample(version="v1")
    serve(cloudfront, body=sample.contents[0], header="Content-Disposition")
    with pytest.raises(Fault, match="it would be shown, not saved"):
        sample.download()


def test_without_a_signature_nothing_is_served(cloudfront: responses.RequestsMock) -> None:
    serve(cloudfront, status=403)
    Sample(version="v1").read_unsigned()
    (asked,) = cloudfront.calls
    assert "Signature" not in str(asked.request.url)
