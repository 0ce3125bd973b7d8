"""Access tokens of the stack's user pool, as a script gets them."""

import base64
import hashlib
import hmac

import httpx

from filevault.local.user_pool import DEMO_PASSWORD
from tests.stack import TestStack

ANNA = "anna.novak@example.test"


def access_token(stack: TestStack, email: str) -> str:
    """Sign in at the pool by password (Amazon Cognito, InitiateAuth)."""
    oidc = stack.stack["oidc"]
    secret, client_id = oidc["clientSecret"].encode(), oidc["clientId"]
    digest = hmac.digest(secret, f"{email}{client_id}".encode(), hashlib.sha256)
    answer = httpx.post(
        stack.stack["aws"]["endpoint"],
        timeout=30,
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
        },
        json={
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": client_id,
            "AuthParameters": {
                "USERNAME": email,
                "PASSWORD": DEMO_PASSWORD,
                "SECRET_HASH": base64.b64encode(digest).decode(),
            },
        },
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["AuthenticationResult"]["AccessToken"]
    return token
