"""From an upload to a subscriber's queue, on a stack whose product may publish to its topic."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from filevault.local.app_user import policy
from filevault.local.environment import TABLE_PREFIX
from filevault.local.ministack import ACCOUNT, REGION
from filevault.local.seed import admin_session
from tests.security.people import Town, build_town
from tests.stack import TestStack, provisioned_stack, running_app
from tests.waiting import wait_until

pytestmark = pytest.mark.stack

NAME = "filevault-files"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:{NAME}"


@pytest.fixture(scope="module")
def stack() -> Iterator[TestStack]:
    """A stack of this module's own, with a topic."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNS_TOPIC_ARN", TOPIC)
        with provisioned_stack() as made:
            yield made


@pytest.fixture(scope="module")
def town(stack: TestStack) -> Iterator[Town]:
    with running_app(stack) as site:
        yield build_town(site, stack)


def client(stack: TestStack, service: Any) -> Any:
    session: Any = admin_session(stack.ministack)
    return session.client(service, endpoint_url=stack.ministack.endpoint)


def subscribe(stack: TestStack, name: str, filter_policy: dict[str, Any] | None = None) -> str:
    """The address of a new queue that hears what the policy lets through."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    let_in = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [let_in]})
    url = client(stack, "sqs").create_queue(QueueName=name, Attributes={"Policy": document})[
        "QueueUrl"
    ]
    client(stack, "sns").subscribe(
        TopicArn=TOPIC,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {},
    )
    return str(url)


def receive(stack: TestStack, url: str, *, wait: int) -> list[dict[str, Any]]:
    answer = client(stack, "sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait
    )
    envelopes = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    return [json.loads(envelope["Message"]) for envelope in envelopes]


def first(stack: TestStack, url: str, seconds: float = 30) -> list[dict[str, Any]]:
    return wait_until(lambda: receive(stack, url, wait=1), "something published", seconds)


def test_an_upload_is_heard_of_once_by_who_subscribed(stack: TestStack, town: Town) -> None:
    everything = subscribe(stack, "everything")
    pictures = subscribe(stack, "pictures", {"mimeType": ["image/png"]})
    signed = town.c1.presign(town.portal_one)
    assert town.c1.send(signed).status_code == 201
    for _ in range(2):
        assert town.c1.call(signed["confirmUrl"], page=town.portal_one).status_code == 200
    heard = first(stack, everything)
    assert [message["fileId"] for message in heard] == [signed["fileId"]]
    assert heard[0]["caseId"] == town.case_one
    assert (heard[0]["event"], heard[0]["mimeType"]) == ("file.available", "application/pdf")
    # A second message or one that the filter lets through would have come with the first.
    assert receive(stack, everything, wait=3) == []
    assert receive(stack, pictures, wait=0) == []


def test_the_products_user_may_publish_there_and_no_more(stack: TestStack) -> None:
    aws = stack.stack["aws"]
    session = boto3.Session(aws["accessKeyId"], aws["secretAccessKey"], region_name=REGION)
    sns: Any = session.client("sns", endpoint_url=aws["endpoint"])
    for call, arguments in (
        ("subscribe", {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "eve@example.test"}),
        ("delete_topic", {"TopicArn": TOPIC}),
        ("publish", {"TopicArn": f"{TOPIC}-other", "Message": "{}"}),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(sns, call)(**arguments)
        code = refused.value.response["Error"]["Code"]
        assert code.startswith(("AccessDenied", "Authorization")), call


def test_without_a_topic_the_user_may_publish_nowhere() -> None:
    document = json.dumps(policy(bucket="b", table_prefix=TABLE_PREFIX))
    assert "sns:" not in document
