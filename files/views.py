"""Pages of the files of a space. Each guards, loads, calls one rule, answers."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from files import deletion, downloads
from files.guards import SpaceRequest, home_of, in_space, is_poll, send_download, space_page
from files.sections import files_section, files_version
from files.spaces import Space


@require_safe
@in_space
def list_files(request: SpaceRequest, space: Space) -> HttpResponse:
    if is_poll(request):
        request.session.is_used = False  # type: ignore[attr-defined]  # no person asks (L7)
        if request.headers.get("If-None-Match") == f'"{files_version(request.actor, space)}"':
            return HttpResponseNotModified()
    cursor = request.GET.get("cursor", "")
    context = files_section(request.actor, space, route=request.route, cursor=cursor)
    response = space_page(request, space, _list_template(request), context)
    patch_vary_headers(response, ("HX-Request",))
    return response


@require_safe
@in_space
def download(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    return send_download(request, downloads.get_download(request.actor, space, file_id))


@require_http_methods(["GET", "HEAD", "POST"])
@in_space
def delete(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    if request.method == "POST":
        deletion.delete(request.actor, space, file_id)
        messages.success(request, _("The file was deleted."))
        return redirect(home_of(request, space))
    file = deletion.get_deletable(request.actor, space, file_id)
    return space_page(request, space, "files/delete.html", {"file_name": file.file_name})


def _list_template(request: SpaceRequest) -> str:
    """The rows alone for a script that puts them into a page; going back asks for the page."""
    restoring = request.headers.get("HX-History-Restore-Request") == "true"
    part = request.headers.get("HX-Request") == "true" and not restoring
    return "includes/file_table.html" if part else "files/list.html"
