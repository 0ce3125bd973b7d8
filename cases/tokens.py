"""The token of an invitation's link: a JWT under a key, an algorithm and a type of its own, so that
no other token of the product can stand in for it (RFC 8725).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from filevault.dynamo import is_id, now

ALGORITHM: Final = "HS256"
TYPE: Final = "invitation+jwt"
AUDIENCE: Final = "filevault-portal"
#: Ours have about 500 characters. What is longer isn't looked at.
MAX_LENGTH: Final = 2000


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token whose signature holds says: which case, for whom, under which grant."""

    case_id: str
    client_id: str
    jti: str


class TokenError(Exception):
    """Base of the reasons why a token opens nothing. People read the same page for all of them
    (I6); `reason` is for the audit trail alone."""

    reason = "token"


class Broken(TokenError):
    """Not a token of ours, or altered: nothing that it says counts."""

    reason = "broken"


class Expired(TokenError):
    """A token of ours past its end. Its claims hold, so that a fresh link can be asked for."""

    reason = "expired"

    def __init__(self, claims: Claims) -> None:
        super().__init__(self.reason)
        self.claims = claims


def sign(claims: Claims, *, expires_at: datetime) -> str:
    """A token under the first key of `INVITATION_SIGNING_KEYS`."""
    key = _keys()[0]
    body = {
        "iss": settings.SITE_URL,
        "aud": AUDIENCE,
        "iat": _seconds(now()),
        "exp": _seconds(expires_at),
        "jti": claims.jti,
        "caseId": claims.case_id,
        "clientId": claims.client_id,
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": TYPE}, body, key, [ALGORITHM])


def read(token: str) -> Claims:
    """The claims of a valid token. Raises `Broken`, or `Expired` with the claims."""
    body = _verified(token)
    claims = Claims(body["caseId"], body["clientId"], body["jti"])
    # `iat` isn't held against the clock: the worker that signed may be minutes ahead.
    if body["exp"] <= _seconds(now()):
        raise Expired(claims)
    return claims


def _verified(token: str) -> jwt.Claims:
    """Signature, type, issuer, audience and the shape of the ids: everything but the time."""
    if len(token) > MAX_LENGTH:
        raise Broken
    try:
        decoded = jwt.decode(token, KeySet(list(_keys())), algorithms=[ALGORITHM])
    except (JoseError, ValueError, RecursionError) as error:
        raise Broken from error
    body = decoded.claims
    known = (
        decoded.header.get("typ") == TYPE
        and decoded.header.get("kid") in {key.kid for key in _keys()}
        and body.get("iss") == settings.SITE_URL
        and body.get("aud") == AUDIENCE
        and isinstance(body.get("exp"), int)
        and all(_is_id(body.get(name)) for name in ("caseId", "clientId", "jti"))
    )
    if not known:
        raise Broken
    return body


def _keys() -> list[OctKey]:
    """The signing key first; the ones after it are still accepted (T3)."""
    pairs = (pair.partition(":") for pair in settings.INVITATION_SIGNING_KEYS)
    return [OctKey.import_key(secret, {"kid": kid}) for kid, _colon, secret in pairs]


def _is_id(value: object) -> bool:
    return isinstance(value, str) and is_id(value)


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
