"""What the provider tells of a person beyond an access token (OpenID Connect Core 1.0 §5.3)."""

import logging
from dataclasses import replace
from typing import Any

import requests

from accounts import discovery, oidc
from accounts.profiles import Identity
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)


def complete(token: oidc.AccessToken) -> Identity:
    """The token's identity with name and address, where the provider tells them for it: it has to
    offer UserInfo, and the token the scope `openid`. Otherwise as the token alone tells it: the
    first login brings the rest."""
    if "openid" not in token.scopes:
        return token.identity
    try:
        claims = _ask(token.text)
    except (Unavailable, requests.RequestException, ValueError) as error:
        logger.warning("login provider told no more", extra={"error": type(error).__name__})
        return token.identity
    # §5.3.2: an answer about somebody else must not be used.
    if claims.get("sub") != token.identity.subject:
        return token.identity
    told = oidc.identity_of(claims)
    return replace(
        token.identity, email=told.email, email_verified=told.email_verified, name=told.name
    )


def _ask(token: str) -> dict[str, Any]:
    """Raises `ValueError` for what is no object, such as a signed answer that nobody asked for."""
    endpoint = discovery.discover().get("userinfo_endpoint")
    if not isinstance(endpoint, str):
        return {}
    bearer = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    answer = requests.get(
        endpoint, headers=bearer, timeout=discovery.TIMEOUT, allow_redirects=False
    )
    answer.raise_for_status()
    claims = answer.json()
    return claims if isinstance(claims, dict) else {}
