"""What the login provider publishes of itself: addresses, keys, and where it logs out.

Follows OpenID Connect Discovery 1.0 and RP-Initiated Logout 1.0. The issuer and the address of
discovery are two settings, since an emulator's issuer is not where it answers.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests
from django.conf import settings
from joserfc.jwk import KeySet

from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

#: Connect and read, in seconds.
TIMEOUT: Final = (2, 5)
_COGNITO: Final = re.compile(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")


class _Document:
    """A JSON document of the provider: kept for an hour, and an old one rather than none. After a
    failure nobody asks again for a while, so that a provider that is away slows no page."""

    KEPT_SECONDS = 3600
    PAUSE_SECONDS = 20

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._content: dict[str, Any] | None = None
        self._ask_again_at = self._renew_at = 0.0

    def get(self, *, newer: bool = False) -> dict[str, Any]:
        """The document; raises `Unavailable` while there is none. `newer`: not from memory, but
        once in a while only, since anybody can send a token that names an unknown key."""
        with self._lock:
            moment = time.monotonic()
            renewing = newer and moment >= self._renew_at
            if renewing:
                self._renew_at = moment + self.PAUSE_SECONDS
            if renewing or moment >= self._ask_again_at:
                self._ask()
        if self._content is None:
            raise Unavailable(code="login_provider_away")
        return self._content

    def _ask(self) -> None:
        try:
            answer = requests.get(self._address(), timeout=TIMEOUT)
            answer.raise_for_status()
            content = answer.json()
            if not isinstance(content, dict):
                raise TypeError("not an object")
        except (requests.RequestException, ValueError, TypeError) as error:
            self._ask_again_at = time.monotonic() + self.PAUSE_SECONDS
            logger.error("login provider does not answer", extra={"error": type(error).__name__})
            return
        self._content = content
        self._ask_again_at = time.monotonic() + self.KEPT_SECONDS


_metadata = _Document(lambda: settings.OIDC_DISCOVERY_URL)
_keys = _Document(lambda: str(discover()["jwks_uri"]))


def forget() -> None:
    """Ask the provider anew for its metadata and keys."""
    _metadata.forget()
    _keys.forget()


def discover() -> dict[str, Any]:
    """The provider's metadata (OpenID Connect Discovery 1.0 §3). Raises `Unavailable` where it is
    away, or speaks for another issuer than the configured one."""
    metadata = _metadata.get()
    if str(metadata.get("issuer", "")).rstrip("/") != settings.OIDC_ISSUER:
        logger.error("discovery names another issuer", extra={"issuer": metadata.get("issuer")})
        raise Unavailable(code="login_provider_away")
    return metadata


def key_set(*, newer: bool) -> KeySet:
    """The keys that the provider signs with; `newer`: as it publishes them now, but asked once in a
    while only. Raises `Unavailable`."""
    return KeySet.import_key_set({"keys": list(_keys.get(newer=newer).get("keys", []))})


def origins() -> tuple[str, ...]:
    """Where login and logout lead, for the page's form-action; none while discovery is away."""
    try:
        metadata = discover()
    except Unavailable:
        return ()
    addresses = (metadata["authorization_endpoint"], _logout_endpoint(metadata))
    return tuple(sorted({_origin(address) for address in addresses if address}))


def logout_url(*, return_to: str, id_token: str = "") -> str:
    """Where the provider ends its own session, in the form that it understands (L6): Cognito's
    `logout_uri`, or RP-Initiated Logout 1.0. `return_to` itself where it offers neither."""
    try:
        endpoint = _logout_endpoint(discover())
    except Unavailable:
        endpoint = settings.OIDC_LOGOUT_URL
    if not endpoint:
        return return_to
    if speaks_cognito_logout():
        query = {"client_id": settings.OIDC_CLIENT_ID, "logout_uri": return_to}
    else:
        query = {"client_id": settings.OIDC_CLIENT_ID, "post_logout_redirect_uri": return_to}
        if id_token:
            query["id_token_hint"] = id_token
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def speaks_cognito_logout() -> bool:
    """Whether logout takes Cognito's form, which needs no ID token to be kept."""
    return bool(settings.OIDC_LOGOUT_URL or _COGNITO.match(f"{settings.OIDC_ISSUER}/"))


def _logout_endpoint(metadata: dict[str, Any]) -> str:
    """As configured or discovered. Cognito's stands beside its other endpoints in any case."""
    known = settings.OIDC_LOGOUT_URL or metadata.get("end_session_endpoint", "")
    if not known and speaks_cognito_logout():
        known = f"{_origin(metadata['authorization_endpoint'])}/logout"
    return str(known)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
