"""Which client asks: for each case in the path, the invitation behind the session's entry."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.http import client_address, limit_anonymous, speak
from cases import client_session, invitations
from files.guards import is_poll
from filevault.error_responses import respond
from filevault.errors import NotFound, NotSignedIn, RateLimited


class PortalActorMiddleware:
    """Sets `request.actor` under /portal/<caseId>/, reading the invitation on each request (I4).

    The session alone says which cases are open here (Z3). A case that isn't among them is refused
    before any view runs: as not found where the session opens others, so that it looks like a
    random id (Z2), and with the way back in where it opens none.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        case_id = _case_of(kwargs)
        if not request.path.startswith("/portal/") or not case_id:
            return None
        known = client_session.known_client(request.session, case_id, client_address(request))
        grant = client_session.live_grant(request.session, case_id)
        if grant is None:
            request.actor = known  # type: ignore[attr-defined]  # who is refused; no view is run
            return self._refuse(request)
        if not is_poll(request):
            invitations.mark_used(grant)
        request.actor = grant.actor(client_address(request))  # type: ignore[attr-defined]
        speak(request, grant.client.language)
        return None

    def _refuse(self, request: HttpRequest) -> HttpResponse | None:
        try:
            limit_anonymous(request)
        except RateLimited as error:
            return respond(request, error)
        others = client_session.open_case_ids(request.session)
        return respond(request, NotFound() if others else NotSignedIn())


def _case_of(kwargs: dict[str, Any]) -> str:
    """The case id of a route, from `case_id` or from `space_id` ("case:<id>")."""
    return str(kwargs.get("case_id") or str(kwargs.get("space_id", "")).partition(":")[2])
