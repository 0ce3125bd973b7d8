"""Rights that the running product's user gets or loses for a while."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from filevault.local.app_user import USER
from filevault.local.environment import TABLE_PREFIX
from filevault.local.seed import admin_session
from tests.stack import TestStack


@contextmanager
def policy(stack: TestStack, name: str, statement: dict[str, Any]) -> Iterator[None]:
    """A further policy of the product's user until the end of the block."""
    iam = admin_session(stack.ministack).client("iam", endpoint_url=stack.ministack.endpoint)
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=USER, PolicyName=name, PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_user_policy(UserName=USER, PolicyName=name)


@contextmanager
def tables_away(stack: TestStack, *tables: str, action: str = "dynamodb:*") -> Iterator[None]:
    """Deny the product an action on tables (by class name, or `*`) until the end of the block."""
    resources = [f"arn:aws:dynamodb:*:*:table/{TABLE_PREFIX}{table}" for table in tables]
    resources += [f"{resource}/index/*" for resource in resources]
    deny = {"Effect": "Deny", "Action": action, "Resource": resources}
    with policy(stack, "away", deny):
        yield
