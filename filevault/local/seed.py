"""Provisions a running MiniStack: the app's IAM user, bucket and its queue, user pool, sender.

All of it is safe to repeat.

Tables are the product's own definitions: `manage.py create_tables`, run with the admin keys
(environment.py), makes them, and `protect_tables` sets what production's have besides.
"""

import boto3
from botocore.exceptions import ClientError

from filevault.local.app_user import provision_app_user
from filevault.local.bucket import provision_bucket
from filevault.local.environment import SENDER_DOMAIN, TABLE_PREFIX, Stack
from filevault.local.ministack import REGION, MiniStack
from filevault.local.queue import provision_queue
from filevault.local.secret_store import Secrets
from filevault.local.topic import provision_topic, topic_arn
from filevault.local.user_pool import DEMO_PASSWORD, DEMO_USERS, provision_user_pool


def provision(ministack: MiniStack, *, site: str, secrets: Secrets) -> Stack:
    """Everything but the tables, for a product that answers at `site`.

    Leaves the IAM user's keys in `secrets`, which the caller stores.
    """
    session = admin_session(ministack)
    endpoint = ministack.endpoint
    bucket = provision_bucket(session, endpoint=endpoint, site=site)
    provision_queue(session, endpoint=endpoint, bucket=bucket)
    topic = topic_arn()
    if topic:
        provision_topic(session, endpoint=endpoint, arn=topic)
    provision_app_user(
        session,
        endpoint=endpoint,
        bucket=bucket,
        table_prefix=TABLE_PREFIX,
        secrets=secrets,
        topic=topic,
    )
    login = provision_user_pool(session, endpoint=endpoint, site=site)
    _provision_sender(session, endpoint)
    return {
        "site": site,
        "mailbox": f"{site}/mailbox/",
        "aws": {
            "endpoint": endpoint,
            "region": REGION,
            "accessKeyId": secrets.app_access_key_id,
            "secretAccessKey": secrets.app_secret_access_key,
        },
        "oidc": {
            "issuer": login.issuer,
            "discoveryUrl": login.discovery_url,
            "clientId": login.client_id,
            "clientSecret": login.client_secret,
            "userPoolId": login.pool_id,
        },
        "bucket": bucket,
        "users": [
            {"email": user.email, "password": DEMO_PASSWORD, "role": user.role}
            for user in DEMO_USERS
        ],
    }


def admin_session(ministack: MiniStack) -> boto3.Session:
    """A session with the bootstrap keys, for provisioning alone."""
    return boto3.Session(
        aws_access_key_id=ministack.keys.access_key_id,
        aws_secret_access_key=ministack.keys.secret_access_key,
        region_name=REGION,
    )


def table_names(ministack: MiniStack) -> list[str]:
    """The product's tables that exist, by name."""
    dynamodb = admin_session(ministack).client("dynamodb", endpoint_url=ministack.endpoint)
    pages = dynamodb.get_paginator("list_tables").paginate()
    names = [name for page in pages for name in page["TableNames"]]
    return sorted(name for name in names if name.startswith(TABLE_PREFIX))


def protect_tables(ministack: MiniStack) -> None:
    """Point-in-time recovery and deletion protection for every table that lacks them (T1)."""
    dynamodb = admin_session(ministack).client("dynamodb", endpoint_url=ministack.endpoint)
    for name in table_names(ministack):
        table = dynamodb.describe_table(TableName=name)["Table"]
        if table.get("DeletionProtectionEnabled"):
            continue
        dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        # Last, because its presence says that the table is done.
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=True)


def _provision_sender(session: boto3.Session, endpoint: str) -> None:
    ses = session.client("sesv2", endpoint_url=endpoint)
    try:
        ses.create_email_identity(EmailIdentity=SENDER_DOMAIN)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
