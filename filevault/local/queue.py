"""The queue of the local stack's uploads: the bucket's events, for the worker."""

import json
from typing import TYPE_CHECKING, Final

import boto3

from filevault.local.ministack import ACCOUNT, REGION

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import EventType

QUEUE = "filevault-uploads"
DEAD_QUEUE = "filevault-uploads-dead"
#: A message that was received so often without being handled goes to the dead-letter queue.
MOST_RECEIVES = 5
#: What the bucket tells of.
EVENTS: Final[list["EventType"]] = ["s3:ObjectCreated:*"]


def queue_arn(name: str) -> str:
    """The ARN of a queue of the local stack."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def queue_url(endpoint: str) -> str:
    """The address of the uploads' queue, as `SQS_UPLOADS_URL`."""
    return f"{endpoint}/{ACCOUNT}/{QUEUE}"


def provision_queue(session: boto3.Session, *, endpoint: str, bucket: str) -> None:
    """Create or update queue and dead-letter queue, and let the bucket tell of new objects. Safe
    to repeat; each time S3 sends a test event, which the worker takes away."""
    sqs = session.client("sqs", endpoint_url=endpoint)
    sqs.create_queue(QueueName=DEAD_QUEUE)
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    redrive = {"deadLetterTargetArn": queue_arn(DEAD_QUEUE), "maxReceiveCount": MOST_RECEIVES}
    sqs.set_queue_attributes(
        QueueUrl=url,
        Attributes={
            "RedrivePolicy": json.dumps(redrive),
            "Policy": json.dumps(_policy(bucket)),
        },
    )
    session.client("s3", endpoint_url=endpoint).put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "Id": "uploads",
                    "QueueArn": queue_arn(QUEUE),
                    "Events": EVENTS,
                }
            ]
        },
    )


def _policy(bucket: str) -> dict[str, object]:
    """Only this bucket may send (AWS, "Granting permissions to publish event notification
    messages to a destination")."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn(QUEUE),
                "Condition": {
                    "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                },
            }
        ],
    }
