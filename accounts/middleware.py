"""Whose request it is: one of two sessions by the path, and the practitioner behind it."""

import logging
from collections.abc import Callable
from typing import Final, Literal

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from accounts import denials, discovery
from accounts.actors import Actor, Anonymous, Practitioner
from accounts.http import client_address, is_trusted_proxy, limit_anonymous, speak
from accounts.profiles import practitioner_of
from accounts.sessions import PROFILE_KEY, ClientSessionStore, SessionStore
from accounts.tables import User
from filevault.error_responses import respond
from filevault.errors import DomainError, Forbidden, NotFound, NotSignedIn, RateLimited

logger = logging.getLogger(__name__)

#: Where the client's session is read, and no other.
CLIENT_PATHS: Final = ("/portal/", "/invite/")
#: Where programs may bring a token instead of a cookie.
TOKEN_PATHS: Final = ("/api/",)
_SAMESITE: Final[Literal["Lax"]] = "Lax"
_DENIALS: Final = (Forbidden, NotFound, NotSignedIn)


def is_client_path(request: HttpRequest) -> bool:
    return request.path.startswith(CLIENT_PATHS)


def brings_token(request: HttpRequest) -> bool:
    """Whether a program asks with a Bearer token (RFC 6750), which then counts alone."""
    scheme = request.headers.get("Authorization", "").split(" ", 1)[0].lower()
    return scheme == "bearer" and request.path.startswith(TOKEN_PATHS)


class ProxyMiddleware:
    """Drops what a request says of its own transport, unless a configured proxy says it: Django
    believes `SECURE_PROXY_SSL_HEADER` from whomever (W5)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_trusted_proxy(str(request.META.get("REMOTE_ADDR", ""))):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)


class RealmSessionMiddleware(SessionMiddleware):
    """Two cookies: under `CLIENT_PATHS` the client's is read, everywhere else the practitioner's,
    so that neither can act as the other. A request with a token uses no session and leaves none."""

    def process_request(self, request: HttpRequest) -> None:
        key = None if brings_token(request) else request.COOKIES.get(_cookie_name(request))
        store = ClientSessionStore if is_client_path(request) else SessionStore
        request.session = store(key)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        session = getattr(request, "session", None)
        if not isinstance(session, SessionStore) or brings_token(request):
            return response
        if session.accessed:
            patch_vary_headers(response, ("Cookie",))
        name = _cookie_name(request)
        if session.is_empty():
            if name in request.COOKIES:
                response.delete_cookie(name, samesite=_SAMESITE)
        elif response.status_code < 500:
            self._keep(request, session, response)
        return response

    def _keep(self, request: HttpRequest, session: SessionStore, response: HttpResponse) -> None:
        """Save what changed and set the cookie of a new key."""
        if not session.modified:
            session.touch()
            return
        try:
            session.save()
        except UpdateError:
            # Signed out by a parallel request. What this one did was decided before, and stands.
            logger.info("session ended during a request")
            return
        name, key = _cookie_name(request), session.session_key
        if key and key != request.COOKIES.get(name):
            response.set_cookie(
                name,
                key,
                max_age=settings.SESSION_COOKIE_AGE,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=settings.SESSION_COOKIE_HTTPONLY,
                samesite=_SAMESITE,
            )


def _cookie_name(request: HttpRequest) -> str:
    client = is_client_path(request)
    return str(settings.CLIENT_SESSION_COOKIE_NAME if client else settings.SESSION_COOKIE_NAME)


class ActorMiddleware:
    """Sets `request.actor` for practitioners: two reads, the session and the profile, so that a
    deactivation bites on the next request (L7)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.actor = None  # type: ignore[attr-defined]
        profile = None if is_client_path(request) else _profile_of(request)
        if profile is None and not _is_known_later(request):
            try:
                limit_anonymous(request)
            except RateLimited as refusal:
                return respond(request, refusal)  # type: ignore[return-value]  # it is one of ours
        if is_client_path(request):
            return self.get_response(request)
        if profile is not None:
            request.actor = _actor(request, profile)  # type: ignore[attr-defined]
            speak(request, profile.language)
        response = self.get_response(request)
        # A redirect after a POST is held against form-action: to the login when the session is
        # over, and to the provider's logout (W2). A view's own policy stays as it is.
        if not hasattr(response, "_csp_config"):
            update = {"form-action": list(discovery.origins())}
            response._csp_update = update  # type: ignore[attr-defined]
        return response


class DenialMiddleware:
    """Records what somebody known was refused, and tokens that were not taken (A2)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        refusal: DomainError | None = getattr(request, "refusal", None)
        actor = _refused(request)
        # Without a match it was no rule that refused, but an address that leads nowhere.
        if isinstance(refusal, _DENIALS) and actor is not None and request.resolver_match:
            denials.record_request(request, refusal, actor)
        return response


def _refused(request: HttpRequest) -> Actor | None:
    """Who was refused: of the session, of the token, or whoever brought a token of nobody's."""
    actor = getattr(request, "actor", None) or getattr(request, "auth", None)
    if actor is None and brings_token(request):
        return Anonymous(client_address(request))
    return actor


def _is_known_later(request: HttpRequest) -> bool:
    """Whether somebody may turn out to ask who is not known here: the client of a portal's session,
    or whom a token names. Where nobody does, they are counted there."""
    portal = request.path.startswith("/portal/") and _cookie_name(request) in request.COOKIES
    return portal or brings_token(request)


def _profile_of(request: HttpRequest) -> User | None:
    user_id = request.session.get(PROFILE_KEY)
    if user_id is None:
        return None
    profile = User.fetch(user_id)
    if profile is None or profile.deactivated_at is not None:
        request.session.flush()
        return None
    return profile


def _actor(request: HttpRequest, profile: User) -> Practitioner:
    return practitioner_of(profile, address=client_address(request))
