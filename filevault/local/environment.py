"""What `.local/stack.json` holds, and the environment that the product's processes get from it.

One direction only: stack.json and secrets.json become variables, which `filevault/settings.py`
reads as it would in production.
"""

import json
import os
from pathlib import Path
from typing import TypedDict, cast

from filevault.local.ministack import AdminKeys, StackError
from filevault.local.queue import queue_url
from filevault.local.secret_store import Secrets
from filevault.local.user_pool import ADMIN_GROUP

TABLE_PREFIX = "filevault-"
SENDER_DOMAIN = "filevault.test"
#: MiniStack holds an object in memory: 1 GB took it 2 to 4 GB and stalled it for 15 s.
MAX_UPLOAD_SIZE = 200 * 1024 * 1024


class AwsAccess(TypedDict):
    """How the product reaches AWS: an IAM user's keys, never the root keys."""

    endpoint: str
    region: str
    accessKeyId: str
    secretAccessKey: str


class OidcAccess(TypedDict):
    """How the product reaches the login provider."""

    issuer: str
    discoveryUrl: str
    clientId: str
    clientSecret: str
    userPoolId: str


class DemoLogin(TypedDict):
    """Someone to log in as; `role` is "practitioner" or "admin"."""

    email: str
    password: str
    role: str


class Stack(TypedDict):
    """The content of stack.json: what a script needs to use the running stack."""

    site: str
    mailbox: str
    aws: AwsAccess
    oidc: OidcAccess
    bucket: str
    users: list[DemoLogin]


def load_stack(path: Path) -> Stack:
    """Read stack.json. Raises StackError where there is none yet."""
    try:
        return cast(Stack, json.loads(path.read_text()))
    except FileNotFoundError:
        raise StackError(f"There is no {path} yet. `make run` makes it.") from None


def app_environment(stack: Stack, secrets: Secrets, state: Path) -> dict[str, str]:
    """The whole environment of a process of the product: ours, over the caller's own."""
    aws, oidc = stack["aws"], stack["oidc"]
    return outside_environment() | {
        "DJANGO_SETTINGS_MODULE": "filevault.settings",
        "FILEVAULT_LOCAL": "1",
        "AWS_ENDPOINT_URL": aws["endpoint"],
        "AWS_DEFAULT_REGION": aws["region"],
        "AWS_ACCESS_KEY_ID": aws["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": aws["secretAccessKey"],
        "S3_ADDRESSING_STYLE": "path",
        "FILEVAULT_BUCKET": stack["bucket"],
        "TABLE_PREFIX": TABLE_PREFIX,
        "MAX_UPLOAD_SIZE": str(MAX_UPLOAD_SIZE),
        "SQS_UPLOADS_URL": queue_url(aws["endpoint"]),
        "OIDC_ISSUER": oidc["issuer"],
        "OIDC_DISCOVERY_URL": oidc["discoveryUrl"],
        "OIDC_CLIENT_ID": oidc["clientId"],
        "OIDC_CLIENT_SECRET": oidc["clientSecret"],
        "OIDC_ADMIN_GROUP": ADMIN_GROUP,
        "SITE_URL": stack["site"],
        "SECRET_KEY": secrets.secret_key,
        "INVITATION_SIGNING_KEYS": f"local:{secrets.invitation_key}",
        "SIGNING_KEYS": f"local:{secrets.signing_seed}",
        "DEFAULT_FROM_EMAIL": f"Filevault <no-reply@{SENDER_DOMAIN}>",
        "DATABASE_URL": f"sqlite:///{state / 'django.sqlite3'}",
        "STATIC_ROOT": str(state / "static"),
    }


def admin_environment(environment: dict[str, str], keys: AdminKeys) -> dict[str, str]:
    """The same with the bootstrap keys: the app's own user may not create tables."""
    return environment | {
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
    }


def outside_environment() -> dict[str, str]:
    """The caller's environment without what would lead the AWS SDK to a real account."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    unproxied = [kept.get("NO_PROXY") or kept.get("no_proxy") or "", "127.0.0.1", "localhost"]
    no_proxy = ",".join(filter(None, unproxied))
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "PYTHONUNBUFFERED": "1",
    }
