"""Who calls the JSON API: the practitioner of the session's cookie, or of a Bearer token.

A request that brings a token is judged by it alone: its cookies count for nothing, and it leaves
no session behind (`accounts.middleware`)."""

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer

from accounts import bearer, profiles
from accounts.actors import Practitioner
from accounts.http import client_address, limit_anonymous, speak
from accounts.middleware import brings_token
from filevault.errors import Forbidden, NotSignedIn


class BearerToken(HttpBearer):
    """`Authorization: Bearer` with the provider's access token. Needs no CSRF token, since no
    browser adds it by itself."""

    openapi_bearerFormat = "JWT"

    def authenticate(self, request: HttpRequest, token: str) -> Practitioner:
        address = client_address(request)
        try:
            profile = bearer.recognise(token, address=address)
        except (NotSignedIn, Forbidden):
            limit_anonymous(request)
            raise
        speak(request, profile.language)
        return profiles.practitioner_of(profile, address=address)


class SessionCookie(APIKeyCookie):
    """The session of the pages; what changes something needs their CSRF token in `X-CSRFToken`."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Practitioner | None:
        actor = getattr(request, "actor", None)
        if brings_token(request) or not isinstance(actor, Practitioner):
            return None
        self._get_key(request)
        return actor

    def authenticate(self, request: HttpRequest, key: str | None) -> Practitioner | None:
        return self(request)
