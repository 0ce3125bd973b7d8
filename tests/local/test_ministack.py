"""What the launcher adds to MiniStack, what provisioning allows, and what a restart keeps."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from filevault.local.ministack import REGION, MiniStack
from filevault.local.seed import admin_session, provision
from tests.stack import TestStack, running_ministack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.stack

TABLE = "filevault-LaunchTest"


def app_session(stack: TestStack) -> boto3.Session:
    """With the IAM user's keys, as the product has them."""
    aws = stack.stack["aws"]
    return boto3.Session(aws["accessKeyId"], aws["secretAccessKey"], region_name=REGION)


def create_table(ministack: MiniStack) -> "DynamoDBClient":
    """A table with an index, and the admin's client."""
    client = admin_session(ministack).client("dynamodb", endpoint_url=ministack.endpoint)
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "owner", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "byOwner",
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return client


@pytest.fixture
def table(stack: TestStack) -> Iterator[str]:
    """A table of this test's own."""
    admin = create_table(stack.ministack)
    yield TABLE
    admin.delete_table(TableName=TABLE)


@pytest.fixture
def s3(stack: TestStack) -> "S3Client":
    """Storage as the product reaches it."""
    return app_session(stack).client(
        "s3",
        endpoint_url=stack.ministack.endpoint,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def refused(call: Callable[[], Any]) -> bool:
    """Whether AWS denies the call."""
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


def test_an_index_lags_by_a_second_and_the_base_row_does_not(stack: TestStack, table: str) -> None:
    client = app_session(stack).client("dynamodb", endpoint_url=stack.ministack.endpoint)

    def listed() -> int:
        return client.query(
            TableName=table,
            IndexName="byOwner",
            KeyConditionExpression="#o = :o",
            ExpressionAttributeNames={"#o": "owner"},
            ExpressionAttributeValues={":o": {"S": "anna"}},
        )["Count"]

    began = time.monotonic()
    item = {"id": {"S": "1"}, "owner": {"S": "anna"}}
    client.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": item}}])
    assert client.get_item(TableName=table, Key={"id": {"S": "1"}}, ConsistentRead=True)["Item"]
    while not listed():
        assert time.monotonic() - began < 10
    assert time.monotonic() - began >= 1


def test_a_version_is_served_under_the_name_and_range_asked_for(
    stack: TestStack, s3: "S3Client"
) -> None:
    bucket = stack.stack["bucket"]
    version = s3.put_object(Bucket=bucket, Key="launcher/k", Body=b"0123456789")["VersionId"]
    s3.put_object(Bucket=bucket, Key="launcher/k", Body=b"replaced")
    url = s3.generate_presigned_url(
        "get_object",
        Params={
            "Bucket": bucket,
            "Key": "launcher/k",
            "VersionId": version,
            "ResponseContentDisposition": 'attachment; filename="a.txt"',
            "ResponseContentType": "text/plain",
        },
    )
    whole = httpx.get(url)
    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert whole.headers["content-disposition"] == 'attachment; filename="a.txt"'
    assert whole.headers["content-type"] == "text/plain"

    part = httpx.get(url, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    assert part.headers["content-range"] == "bytes 2-4/10"
    assert httpx.get(url, headers={"Range": "bytes=10-"}).status_code == 416
    assert httpx.get(url.replace("a.txt", "b.txt")).status_code == 403


def test_the_app_may_do_its_work_and_no_more(stack: TestStack, table: str, s3: "S3Client") -> None:
    bucket = stack.stack["bucket"]
    client = app_session(stack).client("dynamodb", endpoint_url=stack.ministack.endpoint)
    iam = app_session(stack).client("iam", endpoint_url=stack.ministack.endpoint)
    assert refused(lambda: client.delete_table(TableName=table))
    assert refused(lambda: client.scan(TableName=table))
    assert refused(lambda: client.get_item(TableName="another", Key={"id": {"S": "1"}}))
    assert refused(s3.list_buckets)
    assert refused(lambda: s3.delete_bucket_policy(Bucket=bucket))
    assert refused(lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={}))
    assert refused(iam.list_users)


def test_a_wrong_secret_opens_nothing(stack: TestStack) -> None:
    key = stack.stack["aws"]["accessKeyId"]
    wrong = boto3.Session(key, "not-the-secret", region_name=REGION)
    client = wrong.client("s3", endpoint_url=stack.ministack.endpoint)
    with pytest.raises(ClientError) as caught:
        client.list_objects_v2(Bucket=stack.stack["bucket"])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_no_page_can_wipe_the_local_data(stack: TestStack) -> None:
    answer = httpx.post(f"{stack.ministack.endpoint}/_ministack/reset")
    assert answer.status_code == 403


def test_a_restart_keeps_rows_files_and_logins() -> None:
    with running_ministack() as (ministack, secrets):
        before = provision(ministack, site="http://127.0.0.1:1", secrets=secrets)
        client = create_table(ministack)
        client.put_item(TableName=TABLE, Item={"id": {"S": "1"}})
        s3 = admin_session(ministack).client("s3", endpoint_url=ministack.endpoint)
        version = s3.put_object(Bucket=before["bucket"], Key="k", Body=b"kept")["VersionId"]
        keys = httpx.get(jwks(before["oidc"]["discoveryUrl"])).json()

        ministack.stop()
        ministack.start()

        after = provision(ministack, site="http://127.0.0.1:2", secrets=secrets)
        assert after["oidc"] == before["oidc"]
        assert after["aws"] == before["aws"]
        assert httpx.get(jwks(after["oidc"]["discoveryUrl"])).json() == keys
        assert "Item" in client.get_item(TableName=TABLE, Key={"id": {"S": "1"}})
        found = s3.get_object(Bucket=before["bucket"], Key="k", VersionId=version)
        assert found["Body"].read() == b"kept"


def jwks(discovery_url: str) -> str:
    """Where the pool's signing keys are."""
    return str(httpx.get(discovery_url).json()["jwks_uri"])
