"""What views of every app share: whose request it is, where it came from, and what it holds."""

import ipaddress
import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, cast
from urllib.parse import urlencode

from django.conf import settings
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, Practitioner
from filevault import limits
from filevault.error_responses import wants_json
from filevault.errors import Forbidden, Invalid, NotSignedIn, UnsupportedMediaType

P = ParamSpec("P")

MAX_JSON_DEPTH = 32
_MAX_NEXT_LENGTH = 2000
#: Requests of nobody known, by address.
ANONYMOUS: Final = 3_000
ANONYMOUS_WINDOW: Final = timedelta(minutes=10)


class ActorRequest(HttpRequest):
    """A request after `ActorMiddleware` (or, under /portal/, `PortalActorMiddleware`)."""

    actor: Actor | None


class PractitionerRequest(ActorRequest):
    """A request behind `practitioner_required`."""

    actor: Practitioner


def practitioner_required(
    view: Callable[Concatenate[PractitionerRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Nobody signed in: `NotSignedIn`. No display name yet: the first-login page, since everybody
    whom the practitioner writes to reads that name."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        actor = getattr(request, "actor", None)
        if not isinstance(actor, Practitioner):
            raise NotSignedIn
        known = cast(PractitionerRequest, request)
        if not actor.display_name:
            return _to_welcome(known)
        return view(known, *args, **kwargs)

    return guarded


def check_named(actor: Practitioner) -> None:
    """Raises `Forbidden` for who has no name yet that others could read."""
    if not actor.display_name:
        raise Forbidden(_("Please enter your name on the welcome page first."), code="no_name")


def _to_welcome(request: PractitionerRequest) -> HttpResponse:
    if wants_json(request):
        check_named(request.actor)
    target = request.get_full_path() if request.method == "GET" else ""
    query = f"?{urlencode({'next': target})}" if target else ""
    return redirect(f"{reverse('accounts:welcome')}{query}")


def local_path(value: str | None, default: str = "/") -> str:
    """`value` where it is a path of this very site, else `default` (W3)."""
    text = value or ""
    if not text.startswith("/") or len(text) > _MAX_NEXT_LENGTH:
        return default
    return text if url_has_allowed_host_and_scheme(text, allowed_hosts=None) else default


def speak(request: HttpRequest, language: str) -> None:
    """Answer in a person's own language; '' leaves what the browser asked for."""
    if language:
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE


def client_address(request: HttpRequest) -> str:
    """The address that asked. X-Forwarded-For counts only as far as configured proxies wrote it:
    read from the right, the first address that is none of them (W5)."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    while forwarded and is_trusted_proxy(address):
        candidate = forwarded.pop().strip()
        if not _is_address(candidate):
            break
        address = candidate
    return address


def limit_anonymous(request: HttpRequest) -> None:
    """Count a request of nobody known against its address (W5). Raises `RateLimited`."""
    key = limits.address_key("anonymous", client_address(request))
    limits.spend_roughly(key, limit=ANONYMOUS, window=ANONYMOUS_WINDOW)


def is_trusted_proxy(address: str) -> bool:
    """Whether an address is believed in what it says of the browser that it speaks for."""
    return _is_address(address) and any(
        ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
        for network in settings.TRUSTED_PROXIES
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with; None where it is only being shown."""
    return request.POST if request.method == "POST" else None


def json_body(request: HttpRequest, allowed: set[str]) -> dict[str, Any]:
    """The JSON object of a request, as `json_object`. Raises `Invalid` for fields that are not in
    `allowed` too (Z7)."""
    body = json_object(request)
    unknown = sorted(set(body) - allowed)
    if unknown:
        raise Invalid(code="unknown_fields", fields=dict.fromkeys(unknown, _("Unknown field.")))
    return body


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a request, whatever its fields. Raises `UnsupportedMediaType` for another
    content type, and `Invalid` for broken or too deep JSON."""
    if request.content_type != "application/json":
        raise UnsupportedMediaType
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Invalid(_("The body is not valid JSON."), code="broken_json") from None
    if not isinstance(body, dict) or _depth_exceeds(body, MAX_JSON_DEPTH):
        raise Invalid(_("The body must be one JSON object."), code="broken_json")
    return body


def _depth_exceeds(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_depth_exceeds(item, levels - 1) for item in inner)


def add_errors(form: BaseForm, error: Invalid) -> None:
    """Put a rule's refusal beside the fields that it names; the rest goes above the form."""
    for name, message in error.fields.items():
        form.add_error(name if name in form.fields else None, str(message))
    if not error.fields:
        form.add_error(None, str(error.message))
