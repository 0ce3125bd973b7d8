"""Every AWS client of the product is made here, once a process.

Region, endpoint and credentials come from the SDK's own environment (`AWS_DEFAULT_REGION`,
`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, credential chain). Clients are safe to share by threads;
making one costs 50 ms and more, so never one a call.
"""

import functools
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

AddressingStyle = Literal["virtual", "path", "auto"]

#: What the SDK raises; adapters translate these and let none through.
AWS_ERRORS = (BotoCoreError, ClientError)

#: The services' own codes for a right that the role lacks.
_REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}

#: boto3's default session, unlike its clients, isn't safe for threads.
_making = threading.Lock()


def s3_config() -> Config:
    """SigV4, regional endpoints, virtual addressing unless an emulator needs paths.

    Checksums are sent only where asked for: the SDK's default adds a CRC to presigned requests
    that a browser does not compute."""
    return Config(
        signature_version="s3v4",
        s3={
            "addressing_style": cast(AddressingStyle, settings.S3_ADDRESSING_STYLE),
            "us_east_1_regional_endpoint": "regional",
        },
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=1,
        read_timeout=10,
        retries={"total_max_attempts": 3, "mode": "standard"},
        max_pool_connections=32,
    )


@functools.cache
def s3_client() -> "S3Client":
    """The client for the server's own requests to storage."""
    with _making:
        return boto3.client("s3", config=s3_config())


@functools.cache
def s3_signer() -> "S3Client":
    """The client that signs what a browser will send: its endpoint is the one a browser reaches."""
    with _making:
        return boto3.client(
            "s3", config=s3_config(), endpoint_url=settings.S3_PUBLIC_ENDPOINT_URL or None
        )


def sse_parameters() -> dict[str, str]:
    """The encryption that every object is written with, as parameters of the SDK."""
    if settings.FILEVAULT_KMS_KEY_ID:
        return {
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": settings.FILEVAULT_KMS_KEY_ID,
        }
    return {"ServerSideEncryption": "AES256"}


@functools.cache
def sqs_client() -> "SQSClient":
    """The client for queues. It waits for longer than a long poll does (`filevault.queues`)."""
    with _making:
        return boto3.client(
            "sqs",
            config=Config(
                connect_timeout=1,
                read_timeout=10,
                retries={"total_max_attempts": 2, "mode": "standard"},
            ),
        )


@functools.cache
def sns_client() -> "SNSClient":
    """The client that publishes to `SNS_TOPIC_ARN`, in that topic's own region."""
    with _making:
        return boto3.client(
            "sns",
            region_name=settings.SNS_TOPIC_ARN.split(":")[3],
            config=Config(
                connect_timeout=1,
                read_timeout=5,
                retries={"total_max_attempts": 2, "mode": "standard"},
            ),
        )


@functools.cache
def sesv2_client() -> "SESV2Client":
    """The client that asks about mail. What sends it is the mail library's own."""
    with _making:
        return boto3.client(
            "sesv2",
            config=Config(
                connect_timeout=1,
                read_timeout=5,
                retries={"total_max_attempts": 2, "mode": "standard"},
            ),
        )


def read_parameters(prefix: str) -> Mapping[str, str]:
    """The parameters right below a path of Systems Manager Parameter Store, decrypted, by the last
    part of their names. Raises what is in `AWS_ERRORS`.

    It is asked once, while the settings are read, so that nothing here may look at them."""
    with _making:
        client = boto3.client(
            "ssm",
            config=Config(
                connect_timeout=1,
                read_timeout=5,
                retries={"total_max_attempts": 3, "mode": "standard"},
            ),
        )
    pages = client.get_paginator("get_parameters_by_path").paginate(
        Path=prefix, Recursive=False, WithDecryption=True
    )
    return {
        parameter["Name"].rpartition("/")[2]: parameter["Value"]
        for page in pages
        for parameter in page["Parameters"]
    }


def error_code(error: BaseException) -> str:
    """The service's own code of an error (`NoSuchKey`, `404`, `SlowDown`), or ''."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def lacking_right(error: BaseException) -> str:
    """The right that a refused call lacked, as a policy names it; '' where it was no such refusal.
    Where the service doesn't say, the call's own name stands for it."""
    if error_code(error) not in _REFUSALS or not isinstance(error, ClientError):
        return ""
    named = re.search(r"perform: ([a-z0-9-]+:[A-Za-z]+)", str(error))
    return named[1] if named else error.operation_name
