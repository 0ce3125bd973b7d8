"""The IAM user that the local product runs as: the least that it can do its work with.

Root keys would do, but MiniStack checks header signatures of IAM users' keys alone, and a policy
that is too wide would hide a permission that production's role lacks.
"""

import json

import boto3
from botocore.exceptions import ClientError

from filevault.local.queue import QUEUE, queue_arn
from filevault.local.secret_store import Secrets

USER = "filevault-app"

TABLE_ACTIONS = [
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
]
OBJECT_ACTIONS = [
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
]
BUCKET_ACTIONS = ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"]
#: Those that `verify_audit`, `sweep_uploads` and `enforce_retention` read as a whole; nothing else
#: may scan.
SCANNED_TABLES = ["AuditEvent", "StreamHead", "File", "RetentionEnd"]
QUEUE_ACTIONS = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
]
MAIL_ACTIONS = ["ses:SendEmail", "ses:SendRawEmail"]
#: What `manage.py doctor` looks at, and nothing else.
TABLE_SETTINGS = ["dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive"]
BUCKET_SETTINGS = [
    "s3:GetBucketCORS",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
]
MAIL_SETTINGS = ["ses:GetAccount", "ses:GetEmailIdentity"]


def policy(*, bucket: str, table_prefix: str, topic: str = "") -> dict[str, object]:
    """The user's policy document, each statement bound to this stack's own resources. `topic` is
    the ARN of the one to publish to, where there is one."""
    tables = f"arn:aws:dynamodb:*:*:table/{table_prefix}*"

    def allow(actions: list[str], *resources: str) -> dict[str, object]:
        return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}

    return {
        "Version": "2012-10-17",
        "Statement": [
            allow([*TABLE_ACTIONS, *TABLE_SETTINGS], tables),
            allow(["dynamodb:Query"], f"{tables}/index/*"),
            allow(["dynamodb:Scan"], *(f"{tables[:-1]}{name}" for name in SCANNED_TABLES)),
            allow(OBJECT_ACTIONS, f"arn:aws:s3:::{bucket}/*"),
            allow([*BUCKET_ACTIONS, *BUCKET_SETTINGS], f"arn:aws:s3:::{bucket}"),
            allow(QUEUE_ACTIONS, queue_arn(QUEUE)),
            # MiniStack weighs a mail whose sender stands in the MIME alone against "*", where AWS
            # takes the sender's identity.
            allow([*MAIL_ACTIONS, *MAIL_SETTINGS], "*"),
            *([allow(["sns:GetTopicAttributes", "sns:Publish"], topic)] if topic else []),
        ],
    }


def provision_app_user(
    session: boto3.Session,
    *,
    endpoint: str,
    bucket: str,
    table_prefix: str,
    secrets: Secrets,
    topic: str = "",
) -> None:
    """Create or update the user; leaves its keys in `secrets`. Safe to repeat."""
    iam = session.client("iam", endpoint_url=endpoint)
    try:
        iam.create_user(UserName=USER)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
    document = json.dumps(policy(bucket=bucket, table_prefix=table_prefix, topic=topic))
    iam.put_user_policy(UserName=USER, PolicyName="filevault", PolicyDocument=document)

    known = [key["AccessKeyId"] for key in iam.list_access_keys(UserName=USER)["AccessKeyMetadata"]]
    if secrets.app_access_key_id in known:
        return
    # A secret is told once: keys of which it was lost are of no use.
    for access_key_id in known:
        iam.delete_access_key(UserName=USER, AccessKeyId=access_key_id)
    made = iam.create_access_key(UserName=USER)["AccessKey"]
    secrets.app_access_key_id = made["AccessKeyId"]
    secrets.app_secret_access_key = made["SecretAccessKey"]
