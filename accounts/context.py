"""What every page shows of who is here (docs/frontend.md)."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.sessions import ClientSessionStore


def who(request: HttpRequest) -> dict[str, Any]:
    """`actor`; and where somebody is signed in, when the session ends and how to keep it."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return {"actor": None}
    client = isinstance(request.session, ClientSessionStore)
    return {
        "actor": actor,
        "session_ends_at": getattr(request.session, "ends_at", None),
        "keepalive_url": reverse("portal:keepalive" if client else "accounts:keepalive"),
    }
