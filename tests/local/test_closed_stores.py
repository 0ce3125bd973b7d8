"""T1: how the bucket and the tables are kept, asked of them as an administrator. Of the rule that
refuses everything but TLS the emulator knows nothing: infra/ has it, and its tests."""

from typing import TYPE_CHECKING

import pytest

from filevault.dynamo import all_tables
from filevault.local.seed import admin_session, table_names
from tests.stack import TestStack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.stack


@pytest.fixture
def s3(stack: TestStack) -> "S3Client":
    return admin_session(stack.ministack).client("s3", endpoint_url=stack.ministack.endpoint)


def test_the_bucket_is_private_versioned_and_encrypted_T1(s3: "S3Client", stack: TestStack) -> None:
    bucket = stack.stack["bucket"]
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert len(block) == 4
    assert all(block.values())
    owners = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owners == [{"ObjectOwnership": "BucketOwnerEnforced"}], "no access list counts"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}


def test_the_buckets_lifecycle_ends_parts_and_no_file_T1_T5(
    s3: "S3Client", stack: TestStack
) -> None:
    """What holds a case must hold against the bucket's own rules, too: none of them expires a
    version of a file."""
    rules = s3.get_bucket_lifecycle_configuration(Bucket=stack.stack["bucket"])["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    for rule in rules:
        assert not {"Expiration", "NoncurrentVersionExpiration"} & set(rule), rule


def test_every_table_can_be_recovered_and_not_dropped_T1(stack: TestStack) -> None:
    dynamodb = admin_session(stack.ministack).client(
        "dynamodb", endpoint_url=stack.ministack.endpoint
    )
    names = table_names(stack.ministack)
    assert len(names) >= len(all_tables())
    for name in names:
        assert dynamodb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"], name
        backups = dynamodb.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED", name
