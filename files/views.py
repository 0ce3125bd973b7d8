"""Pages and JSON routes of the files of a space. Each guards, loads, calls one rule, answers."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urljoin

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actors import Actor
from accounts.http import ActorRequest, add_errors, json_body
from files import deletion, downloads, uploads
from files.forms import PlainUploadForm
from files.sections import file_json, files_section, files_url
from files.spaces import Ability, Space, check_ability, get_space
from files.states import FileState
from files.types import extension_of
from filevault.errors import Invalid, NotSignedIn

P = ParamSpec("P")

PRESIGN_FIELDS = {"fileName", "mimeType", "size", "sha256"}


class SpaceRequest(ActorRequest):
    """A request of somebody known in a space; `route` is the namespace it came in by."""

    actor: Actor
    route: str


def in_space(
    view: Callable[Concatenate[SpaceRequest, Space, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Load the space of the path and let nobody pass who is a stranger to it (Z2)."""

    @wraps(view)
    def guarded(
        request: HttpRequest, /, space_id: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        known = cast(SpaceRequest, request)
        if known.actor is None:
            raise NotSignedIn
        match = request.resolver_match
        known.route = match.namespace if match is not None else ""
        return view(known, get_space(known.actor, space_id), *args, **kwargs)

    return guarded


@require_safe
@in_space
def list_files(request: SpaceRequest, space: Space) -> HttpResponse:
    cursor = request.GET.get("cursor", "")
    context = files_section(request.actor, space, route=request.route, cursor=cursor)
    response = _page(request, space, _list_template(request), context)
    patch_vary_headers(response, ("HX-Request",))
    return response


@require_POST
@in_space
def presign(request: SpaceRequest, space: Space) -> HttpResponse:
    body = json_body(request, PRESIGN_FIELDS)
    file, post = uploads.begin(
        request.actor,
        space,
        file_name=body.get("fileName"),
        size=body.get("size"),
        mime_type=body.get("mimeType", ""),
        sha256=body.get("sha256"),
    )
    answer = {
        "fileId": file.file_id,
        "fileName": file.file_name,
        "method": "POST",
        "url": post.url,
        "fields": post.fields,
        "expiresIn": post.expires_in,
        "confirmUrl": files_url(request.route, "confirm", space, file.file_id),
        "abortUrl": files_url(request.route, "abort", space, file.file_id),
    }
    return JsonResponse(answer, status=201)


@require_POST
@in_space
def confirm(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    json_body(request, set())
    return JsonResponse(file_json(uploads.confirm(request.actor, space, file_id)))


@require_POST
@in_space
def abort(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    json_body(request, set())
    return JsonResponse(file_json(uploads.abort(request.actor, space, file_id)))


@require_safe
@in_space
def download(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    signed = downloads.get_download(request.actor, space, file_id)
    response = HttpResponseRedirect(signed.url)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@in_space
def delete(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    if request.method == "POST":
        deletion.delete(request.actor, space, file_id)
        messages.success(request, _("The file was deleted."))
        return redirect(_home_of(request, space))
    file = deletion.get_deletable(request.actor, space, file_id)
    return _page(request, space, "files/delete.html", {"file_name": file.file_name})


@require_http_methods(["GET", "HEAD", "POST"])
@in_space
def plain(request: SpaceRequest, space: Space) -> HttpResponse:
    check_ability(space, request.actor, Ability.UPLOAD)
    form = PlainUploadForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "max_size": settings.MAX_UPLOAD_SIZE}
    if form.is_valid():
        try:
            name = form.cleaned_data["fileName"]
            file = uploads.begin_plain(request.actor, space, file_name=name)
        except Invalid as error:
            add_errors(form, error)
        else:
            back = files_url(request.route, "uploaded", space, file.file_id)
            post = uploads.presign_plain(file, redirect_to=f"{settings.SITE_URL}{back}")
            context |= {"post": post, "file_name": file.file_name}
            context["extension"] = extension_of(file.file_name)
    return _page(request, space, "files/plain.html", context)


@require_safe
@in_space
def uploaded(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    """Where storage sends the browser after a plain upload."""
    file = file_json(uploads.confirm(request.actor, space, file_id))
    if file["state"] == FileState.REJECTED:
        text = _("“%(fileName)s” was not accepted. %(reason)s") % file
        messages.error(request, text)
    else:
        messages.success(request, _("“%(fileName)s” was sent.") % file)
    return redirect(_home_of(request, space))


def _list_template(request: SpaceRequest) -> str:
    """The rows alone for a script that puts them into a page; going back asks for the page."""
    restoring = request.headers.get("HX-History-Restore-Request") == "true"
    part = request.headers.get("HX-Request") == "true" and not restoring
    return "includes/file_table.html" if part else "files/list.html"


def _page(
    request: SpaceRequest, space: Space, template: str, context: dict[str, Any]
) -> HttpResponse:
    portal = request.route.startswith("portal")
    frame = "portal_base.html" if portal else "base.html"
    home = _home_of(request, space)
    return render(request, template, {"frame": frame, "home_url": home, **context})


def _home_of(request: SpaceRequest, space: Space) -> str:
    """The space's own page: the one below which these routes are mounted."""
    return urljoin(files_url(request.route, "list", space), "..")
