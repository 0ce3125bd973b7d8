"""Queues as tests make, fill and read them. On moto, which delivers nothing itself: tests write
the messages by hand, as their senders do."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import time_machine

from filevault import queues

#: How often a message comes before it goes to the dead letters.
MOST_RECEIVES = 3


def make_queue(name: str) -> str:
    """An empty queue with a dead-letter queue; returns its address."""
    sqs = boto3.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    redrive = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": MOST_RECEIVES}
    attributes: Any = {"RedrivePolicy": json.dumps(redrive)}
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def send_raw(queue: str, body: str) -> None:
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=body)


def read(times: int = 1, *, later: timedelta = timedelta(0)) -> list[bool]:
    """Poll the one queue that is configured so many times, each so much later than before."""
    (listener,) = queues.listeners()
    outcomes = []
    for number in range(times):
        with time_machine.travel(datetime.now(UTC) + number * later, tick=True):
            outcomes.append(listener.poll(threading.Event()))
    return outcomes


def waiting(queue: str) -> int:
    """Messages that are there, hidden ones included."""
    sqs = boto3.client("sqs")
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found: Any = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def dead_letters() -> int:
    sqs = boto3.client("sqs")
    return waiting(sqs.get_queue_url(QueueName="dead")["QueueUrl"])
