"""What each error looks like over HTTP: one mapping, for views, middleware and handlers alike.

Pages are rendered without the request: they hold no name, token or nonce (so that all 404s are the
same bytes, Z2), and they need neither a session nor a table, which may be what is broken.
"""

import logging
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from filevault import errors
from filevault.aws import AWS_ERRORS
from filevault.dynamo import STORE_ERRORS
from filevault.logs import outage

logger = logging.getLogger("filevault.errors")

RETRY_AFTER_SECONDS: Final = 15
STATUS: Final[dict[type[errors.DomainError], int]] = {
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.NotSignedIn: 401,
    errors.TooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.Invalid: 422,
    errors.Conflict: 409,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}
_AWAY: Final = (*STORE_ERRORS, *AWS_ERRORS, OperationalError, InterfaceError)
_MALFORMED: Final = (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)
_TITLES: Final = {
    401: _("Please open your link again"),
    403: _("This isn't open to you"),
    409: _("Something has changed"),
    413: _("That is too large"),
    415: _("That kind of content isn't taken here"),
    422: _("Something needs another look"),
    429: _("That was a little too often"),
    503: _("Filevault is out for a moment"),
}
#: Errors that are more than their status says.
_OWN_TITLES: Final[dict[type[errors.DomainError], Any]] = {
    errors.Busy: _("One moment, please"),
    errors.OnHold: _("This has to be kept"),
}
_NEXT_STEPS: Final = {
    401: _("Use the link in the e-mail that invited you. It works as often as you like."),
    403: _("If you think you should be, ask the person who gave you access."),
    409: _("Go back, reload the page and look at it again."),
    413: _("Go back and send less at once."),
    415: _("Go back to the page and try again from there."),
    422: _("Go back, look at what you entered, and try again."),
    429: _("Wait a few minutes, then try again."),
    503: _("Wait a minute, then reload this page."),
}
_OWN_NEXT_STEPS: Final[dict[type[errors.DomainError], Any]] = {
    errors.OnHold: _("If you think that it may go, ask the practice that keeps the case."),
}
#: Statuses whose own template says all there is to say.
_WITH_PAGE: Final = {400, 403, 404, 405, 429, 500, 503}
#: Of a path, in characters: `case:` and an id have 41.
_LONGEST_PART: Final = 64
_JSON_PATHS: Final = ("/api/", "/files/presign", "/files/confirm", "/files/abort")


def domain_error(error: BaseException) -> errors.DomainError | None:
    """The domain error that an exception amounts to; None for a mistake of ours."""
    if isinstance(error, errors.DomainError):
        return error
    if isinstance(error, Http404):
        return errors.NotFound()
    if isinstance(error, PermissionDenied):
        return errors.Forbidden()
    if isinstance(error, RequestDataTooBig):
        return errors.TooLarge(_("That was too much at once. Nothing was changed."))
    if isinstance(error, _AWAY):
        return errors.Unavailable()
    return None


def respond(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    """The answer to an exception; None where it is a mistake of ours, to be answered with 500."""
    known = domain_error(error)
    if known is None:
        return error_page(request, 400) if isinstance(error, _MALFORMED) else None
    request.refusal = known  # type: ignore[attr-defined]  # told to the audit trail (A2)
    status = _status(request, known)
    if status == 503:
        log_failure(request, error, status)
    if isinstance(known, errors.NotSignedIn) and not wants_json(request):
        return _ask_to_sign_in(request, known)
    response = _json(known, status) if wants_json(request) else _page(request, known, status)
    if isinstance(known, errors.RateLimited):
        response.headers["Retry-After"] = str(known.retry_after)
    elif status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _status(request: HttpRequest, error: errors.DomainError) -> int:
    if isinstance(error, errors.BadCursor) and wants_json(request):
        return 400  # a program made no mistake in a field: it has to begin anew
    return next(code for kind, code in STATUS.items() if isinstance(error, kind))


def error_page(request: HttpRequest, status: int, *, template: str = "") -> HttpResponse:
    """A status without a domain error: its own page, or code and message for a program."""
    if wants_json(request):
        code = HTTPStatus(status).phrase.lower().replace(" ", "_")
        return JsonResponse({"code": code, "message": _GENERIC[status]}, status=status)
    return _render(request, template or f"{status}.html", status)


_GENERIC: Final = {
    400: _("This request couldn't be read. Nothing was changed."),
    403: _("This page was open for too long. Please reload it and try again."),
    405: _("This address doesn't take that kind of request. Nothing was changed."),
    500: _("Something went wrong. The mistake is ours, and it has been noted."),
}


def log_failure(request: HttpRequest, error: BaseException, status: int) -> None:
    """One record, which nobody but the log sees; with the trace where the mistake is ours."""
    extra = {
        "method": request.method,
        "path": safe_path(request),
        "status": status,
        "requestId": getattr(request, "request_id", ""),
    }
    if status == 503:
        logger.error("request failed", extra=extra | outage(error))
    else:
        logger.error("request failed", exc_info=error, extra=extra)


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks: by content type, by what it accepts, or at a JSON route."""
    return (
        request.content_type == "application/json"
        or "application/json" in request.headers.get("Accept", "")
        or any(part in request.path for part in _JSON_PATHS)
    )


def safe_path(request: HttpRequest) -> str:
    """The path as logs may hold it: an invitation's token is a key and stays out, also where a link
    arrives mangled (I2). No path of ours has a part as long as a token."""
    if request.path.startswith("/invite/"):
        return "/invite/…"
    parts = request.path.split("/")
    return "/".join("…" if len(part) > _LONGEST_PART else part for part in parts)


def _ask_to_sign_in(request: HttpRequest, error: errors.DomainError) -> HttpResponse:
    if request.path.startswith(("/portal/", "/invite/")):  # clients have no login, only a link
        return _page(request, error, 401)
    page = request.get_full_path()
    if request.method not in {"GET", "HEAD"}:  # lead back to the page that held the form
        referer = urlsplit(request.headers.get("Referer", ""))
        page = referer.path if referer.netloc == request.get_host() else ""
    query = f"?{urlencode({'next': page})}" if page else ""
    address = f"{resolve_url(settings.LOGIN_URL)}{query}"
    if request.headers.get("HX-Request") == "true":  # a redirect would be followed by script
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _json(error: errors.DomainError, status: int) -> HttpResponse:
    body: dict[str, object] = {"code": error.reason, "message": error.message}
    if isinstance(error, errors.Invalid) and error.fields:
        body["fields"] = error.fields
    if status == 404:  # one answer, whatever the reason (Z2)
        body = {"code": errors.NotFound.code, "message": errors.NotFound.default_message}
    return JsonResponse(body, status=status)


def _page(request: HttpRequest, error: errors.DomainError, status: int) -> HttpResponse:
    own_words = isinstance(error, errors.Busy) or error.message != type(error).default_message
    if status == 404 or (status in _WITH_PAGE and not own_words):
        return _render(request, f"{status}.html", status)
    context: dict[str, object] = {
        "title": _OWN_TITLES.get(type(error), _TITLES[status]),
        "message": error.message,
        "next_step": _OWN_NEXT_STEPS.get(type(error), _NEXT_STEPS[status]),
        "details": list(error.fields.values()) if isinstance(error, errors.Invalid) else [],
    }
    return _render(request, "errors/error.html", status, context)


def _render(
    request: HttpRequest, template: str, status: int, context: dict[str, object] | None = None
) -> HttpResponse:
    area = request.path.split("/")[1]
    page = render_to_string(template, {"area": area, **(context or {})})
    return HttpResponse(page, status=status)
