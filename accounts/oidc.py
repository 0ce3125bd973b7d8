"""Login by OpenID Connect: code flow with PKCE, ID tokens, access tokens.

Follows OpenID Connect Core 1.0 §3.1, RFC 9700 (OAuth security) and RFC 8725 (JWT).
"""

import logging
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from accounts import discovery
from accounts.profiles import NAME_LENGTH, Identity
from filevault.errors import DomainError, NotSignedIn, Unavailable
from filevault.text import is_email

logger = logging.getLogger(__name__)

#: A fixed list (RFC 8725 §3.1): `none` and a MAC keyed with the public key are not in it.
ALGORITHMS: Final = ["RS256", "ES256"]
SCOPE: Final = "openid email profile"
#: How far the provider's clock and ours may be apart.
CLOCK_SKEW_SECONDS: Final = 300
#: The same for access tokens, which are made to be short-lived.
TOKEN_SKEW_SECONDS: Final = 30
#: OpenID Connect Core 1.0 §2: at most 255 characters.
MAX_SUBJECT_LENGTH: Final = 255


class LoginRefused(DomainError):
    """A login that can't be completed: begun elsewhere, altered, denied, or a bad token. `reason`
    is a code for the log and the trail; people read one page for all of them."""

    code = "login_refused"
    default_message = _("This sign-in couldn't be completed.")


class TokenRefused(NotSignedIn):
    """An access token that counts for nothing here, for whatever reason."""

    code = "bad_token"
    default_message = _("This access token can't be used. Please get a new one.")


@dataclass(frozen=True, slots=True)
class Login:
    """What the browser that begins a login must keep until it comes back (L1)."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A login that the provider vouches for. `amr` says how it was proved (RFC 8176)."""

    identity: Identity
    amr: tuple[str, ...]
    id_token: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that counts. It says who it is, but neither address nor name."""

    text: str = field(repr=False)
    identity: Identity
    scopes: tuple[str, ...]


def begin(*, redirect_uri: str) -> tuple[str, Login]:
    """Where to send the browser, and what it must keep. Raises `Unavailable`."""
    login = Login(generate_token(32), generate_token(32), generate_token(64))
    metadata = discovery.discover()
    address, _state = _client(metadata, redirect_uri).create_authorization_url(
        metadata["authorization_endpoint"],
        state=login.state,
        nonce=login.nonce,
        code_verifier=login.verifier,
    )
    return str(address), login


def complete(login: Login, *, code: str, redirect_uri: str) -> Verified:
    """Trade the code for tokens and check the ID token. Raises `LoginRefused` or `Unavailable`."""
    metadata = discovery.discover()
    try:
        tokens = _client(metadata, redirect_uri).fetch_token(
            metadata["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=login.verifier,
        )
    except AuthlibBaseError as error:
        raise LoginRefused(code=f"token_{error.error}"[:60]) from error
    except (requests.RequestException, ValueError) as error:
        logger.error("login provider does not answer", extra={"error": type(error).__name__})
        raise Unavailable(code="login_provider_away") from error
    id_token = tokens.get("id_token")
    if not isinstance(id_token, str):
        raise LoginRefused(code="no_id_token")
    claims = _check_id_token(id_token, login.nonce)
    return Verified(identity_of(claims), _texts(claims.get("amr")), id_token)


def check_access_token(text: str) -> AccessToken:
    """Check an access token of this product's own client by the provider's keys (Amazon Cognito,
    "Verifying JSON web tokens"). Raises `TokenRefused` and `Unavailable`."""
    registry = jwt.JWTClaimsRegistry(
        leeway=TOKEN_SKEW_SECONDS,
        iss={"essential": True, "value": settings.OIDC_ISSUER},
        sub={"essential": True},
        exp={"essential": True},
        token_use={"essential": True, "value": "access"},
        client_id={"essential": True, "value": settings.OIDC_CLIENT_ID},
    )
    try:
        claims = _decode(text).claims
        registry.validate(claims)
        return AccessToken(text, identity_of(claims), tuple(str(claims.get("scope", "")).split()))
    except (LoginRefused, JoseError, ValueError) as error:
        reason = getattr(error, "reason", getattr(error, "error", "malformed"))
        logger.warning("access token refused", extra={"reason": str(reason)})
        raise TokenRefused from error


def _client(metadata: dict[str, Any], redirect_uri: str) -> OAuth2Session:
    offered = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    by_header = "client_secret_basic" in offered or "client_secret_post" not in offered
    method = "client_secret_basic" if by_header else "client_secret_post"
    return OAuth2Session(
        settings.OIDC_CLIENT_ID,
        settings.OIDC_CLIENT_SECRET or None,
        token_endpoint_auth_method=method if settings.OIDC_CLIENT_SECRET else "none",
        scope=SCOPE,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        default_timeout=discovery.TIMEOUT,
    )


def _check_id_token(text: str, nonce: str) -> dict[str, Any]:
    """The claims of an ID token for this login (OpenID Connect Core 1.0 §3.1.3.7; L2)."""
    registry = jwt.JWTClaimsRegistry(
        leeway=CLOCK_SKEW_SECONDS,
        iss={"essential": True, "value": settings.OIDC_ISSUER},
        aud={"essential": True, "value": settings.OIDC_CLIENT_ID},
        azp={"value": settings.OIDC_CLIENT_ID},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
        token_use={"value": "id"},
    )
    try:
        claims = _decode(text).claims
        registry.validate(claims)
    except (JoseError, ValueError) as error:
        raise LoginRefused(code=f"id_token_{getattr(error, 'error', 'malformed')}") from error
    return claims


def _decode(text: str) -> jwt.Token:
    """Check the signature; an unknown key id means that the provider may have changed keys."""
    if jws.extract_compact(text.encode()).headers().get("alg") not in ALGORITHMS:
        raise LoginRefused(code="id_token_algorithm")
    try:
        return jwt.decode(text, discovery.key_set(newer=False), algorithms=ALGORITHMS)
    except InvalidKeyIdError:
        return jwt.decode(text, discovery.key_set(newer=True), algorithms=ALGORITHMS)


def identity_of(claims: dict[str, Any]) -> Identity:
    """Whom checked claims tell of. Raises `LoginRefused` for a subject that can't be one."""
    subject = str(claims["sub"])
    if len(subject) > MAX_SUBJECT_LENGTH:
        raise LoginRefused(code="id_token_subject")
    email = _address(claims.get("email"))
    groups = _texts(claims.get(settings.OIDC_GROUPS_CLAIM))
    return Identity(
        issuer=settings.OIDC_ISSUER,
        subject=subject,
        email=email,
        # Some providers write their booleans as text.
        email_verified=bool(email) and claims.get("email_verified") in (True, "true"),
        name=str(claims.get("name") or "")[:NAME_LENGTH],
        is_admin=bool(settings.OIDC_ADMIN_GROUP) and settings.OIDC_ADMIN_GROUP in groups,
    )


def _address(claim: object) -> str:
    """An e-mail address as mails can go to it; empty where the claim is none."""
    return claim if isinstance(claim, str) and is_email(claim) else ""


def _texts(claim: object) -> tuple[str, ...]:
    """A claim that is one text or a list of them."""
    if isinstance(claim, str):
        return (claim,)
    return tuple(str(item) for item in claim) if isinstance(claim, list) else ()
