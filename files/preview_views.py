"""Pages that show a file instead of sending it."""

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from files import viewing
from files.guards import SpaceRequest, in_space, space_page
from files.sections import files_url
from files.spaces import Space


@require_safe
@in_space
def view(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    """One file in a page, with the way to those before and after it."""
    shown = viewing.get_view(request.actor, space, file_id)
    around = viewing.get_neighbours(space, file_id)
    context = {
        "shown": shown,
        "around": around,
        "previous_url": _view_url(request, space, around.previous_id),
        "next_url": _view_url(request, space, around.next_id),
        "open_url": files_url(request.route, "open", space, file_id),
        "download_url": files_url(request.route, "download", space, file_id),
    }
    response = space_page(request, space, "files/preview.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
@in_space
def open_original(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    """The file itself in the browser's own viewer; signed at the click, since what a page holds
    runs out in two minutes."""
    response = HttpResponseRedirect(viewing.get_original(request.actor, space, file_id))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _view_url(request: SpaceRequest, space: Space, file_id: str) -> str:
    return files_url(request.route, "view", space, file_id) if file_id else ""
