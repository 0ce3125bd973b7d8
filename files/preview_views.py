"""Pages that show a file instead of sending it."""

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from files import viewing
from files.downloads import save_as
from files.guards import SpaceRequest, home_of, in_space, redirect_to_storage, space_page
from files.sections import files_url
from files.spaces import Space


@require_safe
@in_space
def view(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    """One file in a page, with the way to those before and after it."""
    shown = viewing.get_view(request.actor, space, file_id)
    from_gallery = request.GET.get("from") == "gallery" and space.is_personal
    around = viewing.get_neighbours(space, file_id, only_images=from_gallery)
    context = {
        "shown": shown,
        "around": around,
        "home_url": _gallery_url(file_id) if from_gallery else home_of(request, space),
        "previous_url": _view_url(request, space, around.previous_id, from_gallery=from_gallery),
        "next_url": _view_url(request, space, around.next_id, from_gallery=from_gallery),
        "open_url": files_url(request.route, "open", space, file_id),
        "download_url": files_url(request.route, "download", space, file_id),
        "save_as": save_as(shown.file),
    }
    response = space_page(request, space, "files/preview.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
@in_space
def open_original(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    """The file itself in the browser's own viewer; signed at the click, since what a page holds
    runs out in two minutes."""
    return redirect_to_storage(viewing.get_original(request.actor, space, file_id))


def _gallery_url(file_id: str) -> str:
    """Where the picture stands in the gallery (templates/files/gallery.html)."""
    return f"{reverse('vault:gallery')}#picture-{file_id}"


def _view_url(request: SpaceRequest, space: Space, file_id: str, *, from_gallery: bool) -> str:
    """Where a neighbour is shown; closing it leads back to where the first one was opened."""
    if not file_id:
        return ""
    url = files_url(request.route, "view", space, file_id)
    return f"{url}?from=gallery" if from_gallery else url
