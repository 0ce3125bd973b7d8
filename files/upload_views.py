"""Routes by which a browser sends files: asked by the uploader in JSON, or by a plain form."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import add_errors, json_body
from files import parts, records, uploads
from files.forms import PlainUploadForm
from files.guards import SpaceRequest, home_of, in_space, space_page
from files.multipart import part_count
from files.presigned import PresignedPost
from files.sections import file_json, files_url
from files.spaces import Ability, Space, check_ability
from files.states import FileState
from files.tables import File
from files.types import extension_of
from filevault.errors import Invalid

PRESIGN_FIELDS = {"fileName", "mimeType", "size", "sha256"}


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
        **_way(request, space, file, post),
    }
    for name in ("confirm", "abort"):
        answer[f"{name}Url"] = files_url(request.route, name, space, file.file_id)
    return JsonResponse(answer, status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@in_space
def upload_parts(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    """What has arrived of an upload (GET), and URLs for more of it (POST)."""
    if request.method != "POST":
        file, arrived = parts.get_parts(request.actor, space, file_id)
        listed = [
            {"partNumber": part.number, "size": part.size, "checksum": part.sha256}
            for part in arrived
        ]
        upload = {"fileId": file_id, "fileName": file.file_name, "size": int(file.size)}
        return _no_store({**upload, **_parts_plan(file), "parts": listed})
    body = json_body(request, {"partNumbers", "checksums"})
    signed = parts.sign_parts(
        request.actor,
        space,
        file_id,
        part_numbers=body.get("partNumbers"),
        checksums=body.get("checksums"),
    )
    urls = {str(number): asdict(grant) for number, grant in signed.items()}
    expires_in = int(settings.PART_URL_LIFETIME.total_seconds())
    return _no_store({"urls": urls, "expiresIn": expires_in})


@require_POST
@in_space
def confirm(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    body = json_body(request, {"sha256"})
    file = uploads.confirm(request.actor, space, file_id, sha256=body.get("sha256"))
    return JsonResponse(file_json(file))


@require_POST
@in_space
def abort(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    json_body(request, set())
    return JsonResponse(file_json(uploads.abort(request.actor, space, file_id)))


@require_POST
@in_space
def same(request: SpaceRequest, space: Space) -> HttpResponse:
    """Files of the space with the same content, so that what was sent twice can be told."""
    check_ability(space, request.actor, Ability.READ)
    body = json_body(request, {"sha256"})
    sha256 = uploads.check_sha256(body.get("sha256")) or ""
    found = records.find_same(space, sha256) if sha256 else []
    return JsonResponse({"files": [file_json(file) for file in found]})


@require_http_methods(["GET", "HEAD", "POST"])
@in_space
def plain(request: SpaceRequest, space: Space) -> HttpResponse:
    check_ability(space, request.actor, Ability.UPLOAD)
    form = PlainUploadForm(request.POST or None, is_personal=space.is_personal)
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
    return space_page(request, space, "files/plain.html", context)


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
    return redirect(home_of(request, space))


def _way(
    request: SpaceRequest, space: Space, file: File, post: PresignedPost | None
) -> dict[str, Any]:
    """How the bytes are to be sent: by one POST, or in parts."""
    if post is not None:
        signed = {"url": post.url, "fields": post.fields, "expiresIn": post.expires_in}
        return {"method": "POST", **signed}
    return {
        "method": "MULTIPART",
        **_parts_plan(file),
        "partsUrl": files_url(request.route, "parts", space, file.file_id),
        "expiresIn": int(settings.PART_URL_LIFETIME.total_seconds()),
    }


def _parts_plan(file: File) -> dict[str, Any]:
    size, part_size = int(file.size), int(file.part_size)
    return {
        "uploadId": file.upload_id,
        "partSize": part_size,
        "partCount": part_count(size, part_size),
    }


def _no_store(answer: dict[str, Any]) -> JsonResponse:
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})
