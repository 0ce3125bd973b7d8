"""The topic of the local stack's files, where `SNS_TOPIC_ARN` asks for one."""

import os

import boto3


def topic_arn() -> str:
    """The topic that the caller's environment names; '' where it names none."""
    return os.environ.get("SNS_TOPIC_ARN", "").strip()


def provision_topic(session: boto3.Session, *, endpoint: str, arn: str) -> None:
    """Create the topic of that ARN. Safe to repeat."""
    session.client("sns", endpoint_url=endpoint).create_topic(Name=arn.rpartition(":")[2])
