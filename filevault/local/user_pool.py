"""The Cognito user pool of the local stack: hosted login, one app client, the demo users."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

POOL = "filevault-local"
ADMIN_GROUP = "filevault-admins"
#: Of every demo user. Not a secret: the pool is reachable from this machine alone.
DEMO_PASSWORD = "Demo-Vault-2468"  # noqa: S105


@dataclass(frozen=True)
class DemoUser:
    """Someone to log in as."""

    email: str
    name: str
    role: str


DEMO_USERS = (
    DemoUser("anna.novak@example.test", "Anna Novak", "practitioner"),
    DemoUser("ben.okafor@example.test", "Ben Okafor", "practitioner"),
    DemoUser("admin@example.test", "Ada Admin", "admin"),
)


@dataclass(frozen=True)
class LoginClient:
    """How the product reaches the pool by OpenID Connect.

    `issuer` is the AWS address that the tokens carry; it is not reachable here, hence
    `discovery_url`, which is.
    """

    pool_id: str
    issuer: str
    discovery_url: str
    client_id: str
    client_secret: str


def provision_user_pool(session: boto3.Session, *, endpoint: str, site: str) -> LoginClient:
    """Create or update the pool, its client for `site`, the group and the users. Safe to repeat."""
    cognito = session.client("cognito-idp", endpoint_url=endpoint)
    pool_id = _find_pool(cognito) or _create_pool(cognito)
    client_id, client_secret = _provision_client(cognito, pool_id, site)
    if not _group_exists(cognito, pool_id):
        cognito.create_group(UserPoolId=pool_id, GroupName=ADMIN_GROUP)
    for user in DEMO_USERS:
        provision_user(cognito, pool_id, user)
    return LoginClient(
        pool_id=pool_id,
        issuer=f"https://cognito-idp.{session.region_name}.amazonaws.com/{pool_id}",
        discovery_url=f"{endpoint}/{pool_id}/.well-known/openid-configuration",
        client_id=client_id,
        client_secret=client_secret,
    )


def _find_pool(cognito: "CognitoIdentityProviderClient") -> str | None:
    pools = cognito.list_user_pools(MaxResults=60)["UserPools"]
    return next((pool["Id"] for pool in pools if pool.get("Name") == POOL), None)


def _create_pool(cognito: "CognitoIdentityProviderClient") -> str:
    pool_id = cognito.create_user_pool(
        PoolName=POOL,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
    )["UserPool"]["Id"]
    cognito.create_user_pool_domain(Domain=POOL, UserPoolId=pool_id)
    return pool_id


def _provision_client(
    cognito: "CognitoIdentityProviderClient", pool_id: str, site: str
) -> tuple[str, str]:
    """The id and secret of the one app client, its addresses set to those of `site`."""
    listed = cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=60)["UserPoolClients"]
    client_id = next((each["ClientId"] for each in listed), None)
    if client_id is None:
        made = cognito.create_user_pool_client(
            UserPoolId=pool_id, ClientName="filevault", GenerateSecret=True
        )
        client_id = made["UserPoolClient"]["ClientId"]
    client = cognito.update_user_pool_client(
        UserPoolId=pool_id,
        ClientId=client_id,
        ClientName="filevault",
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email", "profile"],
        # Programs get their tokens by password at the pool itself (docs/api.md).
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        SupportedIdentityProviders=["COGNITO"],
        CallbackURLs=[f"{site}/auth/callback/"],
        LogoutURLs=[f"{site}/auth/signed-out/"],
    )["UserPoolClient"]
    if "ClientSecret" not in client:
        described = cognito.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id)
        client = described["UserPoolClient"]
    return client_id, client["ClientSecret"]


def _group_exists(cognito: "CognitoIdentityProviderClient", pool_id: str) -> bool:
    groups = cognito.list_groups(UserPoolId=pool_id)["Groups"]
    return any(group.get("GroupName") == ADMIN_GROUP for group in groups)


def provision_user(cognito: "CognitoIdentityProviderClient", pool_id: str, user: DemoUser) -> None:
    """Create one of the demo users in a pool that has the admins' group. Safe to repeat."""
    try:
        cognito.admin_create_user(
            UserPoolId=pool_id,
            Username=user.email,
            MessageAction="SUPPRESS",
            TemporaryPassword=DEMO_PASSWORD,  # one that is made up may be too short for the pool
            UserAttributes=[
                {"Name": "email", "Value": user.email},
                {"Name": "email_verified", "Value": "true"},
                {"Name": "name", "Value": user.name},
            ],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "UsernameExistsException":
            raise
        return
    cognito.admin_set_user_password(
        UserPoolId=pool_id, Username=user.email, Password=DEMO_PASSWORD, Permanent=True
    )
    if user.role == "admin":
        cognito.admin_add_user_to_group(
            UserPoolId=pool_id, Username=user.email, GroupName=ADMIN_GROUP
        )
