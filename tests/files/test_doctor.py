"""The doctor on the bucket's settings: as they should be they are ok, and what isn't is named (T1,
T5, W4)."""

import functools
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from django.conf import LazySettings, settings

from filevault.aws import s3_client
from filevault.dynamo import now
from filevault.local.bucket import provision_bucket
from tests.examining import failures, lines, the_failure

BUCKET = "filevault-test"
REGION = "eu-central-1"


@functools.cache
def session() -> boto3.Session:
    """One for all tests here: each would read the service's description anew."""
    return boto3.Session(region_name=REGION)


@pytest.fixture
def bucket() -> None:
    endpoint = f"https://s3.{REGION}.amazonaws.com"
    provision_bucket(session(), endpoint=endpoint, site=settings.SITE_URL, name=BUCKET)
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", '
        '"Action": "s3:*", "Resource": "arn:aws:s3:::filevault-test/*", '
        '"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}'
    )
    s3_client().put_bucket_policy(Bucket=BUCKET, Policy=policy)


@pytest.fixture
def tls(settings: LazySettings) -> None:
    settings.STORAGE_ORIGIN = "https://filevault-test.s3.eu-central-1.amazonaws.com"


@pytest.mark.usefixtures("bucket", "tls")
def test_a_bucket_as_it_should_be_is_ok() -> None:
    found = lines("bucket")
    assert len(found) == 7
    assert [line for line in found if not line.startswith("ok   ")] == []


def lifecycle(*rules: dict[str, Any]) -> None:
    active: Any = [{"Status": "Enabled", **rule} for rule in rules]
    s3_client().put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": active}
    )


ABORT: dict[str, Any] = {
    "ID": "abort",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


@pytest.mark.usefixtures("bucket", "tls")
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda: s3_client().put_bucket_versioning(
                Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}
            ),
            "enable versioning",
        ),
        (
            lambda: s3_client().put_public_access_block(
                Bucket=BUCKET, PublicAccessBlockConfiguration={"BlockPublicAcls": True}
            ),
            "switch on IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets",
        ),
        (
            lambda: s3_client().delete_public_access_block(Bucket=BUCKET),
            "switch on BlockPublicAcls",
        ),
        (lambda: s3_client().delete_bucket_encryption(Bucket=BUCKET), "SSE-S3"),
        (lambda: s3_client().delete_bucket_lifecycle(Bucket=BUCKET), "add one rule"),
        (
            lambda: lifecycle(
                {**ABORT, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
            ),
            "later than UPLOAD_RESUME_SECONDS",
        ),
        (
            lambda: lifecycle(
                ABORT,
                {
                    "ID": "tidy",
                    "Filter": {"Prefix": "cases/"},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                },
            ),
            "remove the expiry from the rule 'tidy'",
        ),
        (
            lambda: lifecycle(ABORT, {"ID": "all", "Filter": {}, "Expiration": {"Days": 365}}),
            "remove the expiry from the rule 'all'",
        ),
        (lambda: s3_client().delete_bucket_cors(Bucket=BUCKET), "its CORS rules name none"),
        (lambda: s3_client().delete_bucket_policy(Bucket=BUCKET), "aws:SecureTransport"),
    ],
)
def test_a_bucket_that_is_not_as_it_should_be(spoil: Callable[[], object], said: str) -> None:
    spoil()
    assert said in the_failure("bucket")


@pytest.mark.usefixtures("bucket")
def test_a_rule_for_logs_may_expire_them() -> None:
    lifecycle(ABORT, {"ID": "logs", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}})
    assert failures("bucket") == []


def lock(rule: dict[str, Any]) -> None:
    s3_client().put_object_lock_configuration(
        Bucket=BUCKET,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **rule},  # type: ignore[typeddict-item]
    )


@pytest.mark.usefixtures("bucket")
def test_a_bucket_without_the_lock_that_the_trail_asks_for(settings: LazySettings) -> None:
    settings.AUDIT_LOCK_DAYS = 30
    assert "enable Object Lock on the bucket" in the_failure("bucket")
    lock({})
    assert failures("bucket") == []
    lock({"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})
    assert "remove Object Lock's default retention" in the_failure("bucket")


@pytest.mark.usefixtures("bucket")
def test_another_origin_in_cors() -> None:
    rule: Any = {"AllowedOrigins": [settings.SITE_URL, "*"], "AllowedMethods": ["GET"]}
    s3_client().put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    assert "let them name http://testserver and no other" in the_failure("bucket")


@pytest.mark.parametrize(("seconds", "mark"), [(-3, "ok  "), (40, "FAIL"), (-180, "FAIL")])
def test_clocks_that_are_apart(seconds: int, mark: str) -> None:
    theirs = format_datetime(now() + timedelta(seconds=seconds), usegmt=True)
    answer: Any = {"ResponseMetadata": {"HTTPHeaders": {"date": theirs}}}
    with Stubber(s3_client()) as storage:
        storage.add_response("head_bucket", answer)
        (line,) = lines("clock")
    assert line.startswith(mark)


def test_a_bucket_that_is_not_there(settings: LazySettings) -> None:
    settings.FILEVAULT_BUCKET = "another"
    assert "make it, or correct FILEVAULT_BUCKET" in failures("bucket")[0]
