"""Logins in a browser's session: several may be under way at once, each under its own key."""

import time
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest
from django.urls import reverse

from accounts import discovery, models, oidc, profiles
from accounts.actors import Practitioner
from accounts.http import client_address
from accounts.oidc import Login, LoginRefused
from accounts.sessions import PROFILE_KEY
from filevault import limits

#: How long a login may take at the provider, in seconds, and how many may be under way.
LOGIN_SECONDS: Final = 600
LOGINS_AT_ONCE: Final = 10
#: Names of values in the session.
ID_TOKEN_KEY: Final = "id_token"  # noqa: S105
SUGGESTED_NAME_KEY: Final = "suggested_name"
_PREFIX: Final = "login:"


def begin(request: HttpRequest, *, next_path: str) -> str:
    """Begin a login of this browser, which is to end at `next_path`: the provider's address to
    send it to. Raises `RateLimited` and `Unavailable`."""
    key = limits.address_key("login", client_address(request))
    limits.spend(key, limit=300, window=timedelta(minutes=10))
    address, begun = oidc.begin(redirect_uri=callback_uri())
    remember(request, begun, next_path=next_path)
    return address


def end(request: HttpRequest) -> str:
    """End the session at once: the provider's address where its own ends too (L6)."""
    actor = getattr(request, "actor", None)
    id_token = str(request.session.get(ID_TOKEN_KEY, ""))
    if isinstance(actor, Practitioner):
        profiles.record_logout(actor)
    auth.logout(request)
    return_to = settings.SITE_URL + reverse("accounts:signed_out")
    return discovery.logout_url(return_to=return_to, id_token=id_token)


def callback_uri() -> str:
    """Where the provider sends browsers back."""
    return settings.SITE_URL + reverse("accounts:callback")


def remember(request: HttpRequest, login: Login, *, next_path: str) -> None:
    """Bind a login to this browser (L1); drops the ones that took too long."""
    session = request.session
    begun = {key: value["at"] for key, value in session.items() if key.startswith(_PREFIX)}
    newest = sorted(begun, key=lambda key: float(begun[key]), reverse=True)
    for key in newest:
        if _is_late(begun[key]) or key in newest[LOGINS_AT_ONCE - 1 :]:
            del session[key]
    session[f"{_PREFIX}{login.state}"] = {
        "nonce": login.nonce,
        "verifier": login.verifier,
        "next": next_path,
        "at": time.time(),
    }


def recall(request: HttpRequest, state: str) -> tuple[Login, str]:
    """The login that this browser began under `state`, once, and where it wanted to go. Raises
    `LoginRefused`."""
    kept = request.session.pop(f"{_PREFIX}{state}", None)
    if kept is None:
        raise LoginRefused(code="unknown_state")
    if _is_late(kept["at"]):
        raise LoginRefused(code="late")
    return Login(state, kept["nonce"], kept["verifier"]), str(kept["next"])


def establish(request: HttpRequest, user: models.User, **values: object) -> None:
    """Sign in: a new session under a new key, the old one dead (L4). Logins that other tabs have
    begun go on."""
    session = request.session
    pending = {key: value for key, value in session.items() if key.startswith(_PREFIX)}
    session.flush()
    session.update(pending)
    auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    session[PROFILE_KEY] = str(user.pk)
    session.update({key: value for key, value in values.items() if value})


def _is_late(begun_at: float) -> bool:
    return time.time() - begun_at > LOGIN_SECONDS
