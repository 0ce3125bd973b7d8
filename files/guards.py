"""What every view of a space's files begins and ends with: who may pass, and in which frame."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urljoin

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.actors import Actor
from accounts.http import ActorRequest
from files.downloads import Download
from files.sections import files_url
from files.spaces import Space, get_space
from filevault.error_responses import wants_json
from filevault.errors import NotSignedIn

P = ParamSpec("P")


class SpaceRequest(ActorRequest):
    """A request of somebody known in a space; `route` is the namespace it came in by."""

    actor: Actor
    route: str


def in_space(
    view: Callable[Concatenate[SpaceRequest, Space, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Load the space of the path and let nobody pass who is a stranger to it (Z2)."""

    @wraps(view)
    def guarded(
        request: HttpRequest, /, space_id: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        known = cast(SpaceRequest, request)
        if known.actor is None:
            raise NotSignedIn
        match = request.resolver_match
        known.route = match.namespace if match is not None else ""
        return view(known, get_space(known.actor, space_id), *args, **kwargs)

    return guarded


def space_page(
    request: SpaceRequest, space: Space, template: str, context: dict[str, Any]
) -> HttpResponse:
    """A page of the space, in the frame of the side that it was asked from."""
    portal = request.route.startswith("portal")
    frame = "portal_base.html" if portal else "base.html"
    home = home_of(request, space)
    known = {"frame": frame, "home_url": home, "is_personal": space.is_personal}
    return render(request, template, known | context)


def home_of(request: SpaceRequest, space: Space) -> str:
    """The space's own page: the one below which these routes are mounted."""
    return urljoin(files_url(request.route, "list", space), "..")


def is_poll(request: HttpRequest) -> bool:
    """Whether a page asks by itself if its list of files has changed: no person does."""
    match = request.resolver_match
    is_list = match is not None and match.url_name == "list" and match.namespace.endswith("-files")
    return is_list and request.headers.get("X-Filevault-Poll") == "1"


def send_download(request: HttpRequest, download: Download) -> HttpResponse:
    """To the file; or, for a script that reads it piece by piece, where it is and what it is."""
    if not wants_json(request):
        return redirect_to_storage(download.url)
    answer = {
        "url": download.url,
        "expiresIn": download.expires_in,
        "size": download.size,
        "sha256": download.sha256,
    }
    return JsonResponse(answer, headers={"Cache-Control": "no-store", "Vary": "Accept"})


def redirect_to_storage(url: str) -> HttpResponse:
    """To a signed address: kept by no cache, and told to nobody as a referrer."""
    response = HttpResponseRedirect(url)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
