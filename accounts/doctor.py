"""Login: whether the provider is who it should be, and takes this product as its client."""

from collections.abc import Iterator
from typing import Final

import requests
from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from accounts import discovery, logins, oidc
from filevault.doctor import TIMEOUT, Fault, Step, part
from filevault.errors import Unavailable

#: What a provider says to a client that it knows and a code that it doesn't (RFC 6749 §5.2).
_KNOWN_CLIENT: Final = "token_invalid_grant"


@part("login")
def login() -> Iterator[Step]:
    yield Step(f"login: discovery of {settings.OIDC_ISSUER}", _check_discovery)
    yield Step("login: the provider publishes its keys", _check_keys)
    yield Step(f"login: the provider takes {logins.callback_uri()}", _check_callback)
    yield Step("login: the provider takes this client and its secret", _check_secret)


def _check_discovery() -> None:
    answer = requests.get(settings.OIDC_DISCOVERY_URL, timeout=TIMEOUT)
    if answer.status_code != 200:
        raise Fault(
            f"{settings.OIDC_DISCOVERY_URL} says {answer.status_code}: check OIDC_ISSUER and "
            "OIDC_DISCOVERY_URL"
        )
    discovery.forget()
    try:
        metadata = discovery.discover()
    except Unavailable:
        raise Fault(
            "it names another issuer: set OIDC_ISSUER to that one, if it is yours"
        ) from None
    lacking = {"authorization_endpoint", "token_endpoint", "jwks_uri"} - metadata.keys()
    if lacking:
        raise Fault(f"it lacks {', '.join(sorted(lacking))}: this is no OpenID provider")


def _check_keys() -> None:
    keys = requests.get(discovery.discover()["jwks_uri"], timeout=TIMEOUT)
    keys.raise_for_status()
    try:
        found = KeySet.import_key_set(keys.json()).keys
    except (JoseError, ValueError, KeyError, TypeError):
        found = []
    if not any(key.key_type in {"RSA", "EC"} for key in found):
        raise Fault(f"none of {', '.join(oidc.ALGORITHMS)}: choose one of them at the provider")


def _check_callback() -> None:
    """The provider's own answer to the first step of a login."""
    address, _login = oidc.begin(redirect_uri=logins.callback_uri())
    answer = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
    if answer.status_code >= 400 or "error=" in answer.headers.get("Location", ""):
        raise Fault(
            "it refuses the login: register this address as the callback of OIDC_CLIENT_ID, with "
            f"the code flow and the scopes {oidc.SCOPE}"
        )


def _check_secret() -> None:
    """A code that can't be: who refuses the code has taken the client."""
    callback = logins.callback_uri()
    _address, begun = oidc.begin(redirect_uri=callback)
    try:
        oidc.complete(begun, code="doctor", redirect_uri=callback)
    except oidc.LoginRefused as refused:
        if refused.reason != _KNOWN_CLIENT:
            raise Fault(
                f"it says {refused.reason.removeprefix('token_')}: check OIDC_CLIENT_ID and "
                "OIDC_CLIENT_SECRET"
            ) from None
