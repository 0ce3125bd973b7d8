"""Middleware of every request: the access log, headers, and errors as answers."""

import logging
import time
import uuid
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from filevault import views
from filevault.error_responses import error_page, respond, safe_path

GetResponse = Callable[[HttpRequest], HttpResponseBase]

access_log = logging.getLogger("filevault.access")


class RequestLogMiddleware:
    """One record a request, without query strings and tokens. The answer's `X-Request-Id` finds
    it again, and every record of a failure holds the same id."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        request_id = uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request_id
        access_log.info(
            "request",
            extra={
                "method": request.method,
                "path": safe_path(request),
                "status": response.status_code,
                "milliseconds": round((time.perf_counter() - start) * 1000, 1),
                "requestId": request_id,
            },
        )
        return response


class SecurityHeadersMiddleware:
    """Headers that Django and django-csp leave to us (W2). Nothing that the product says is kept by
    a cache unless its view says so: a shared computer's Back button shows nobody's case (D3)."""

    HEADERS: Final = {
        "Permissions-Policy": (
            "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), "
            "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in self.HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class PageCompressionMiddleware(GZipMiddleware):
    """Pages compressed, to a fifth on a phone's line. Their length tells nobody a secret (BREACH):
    Django masks the CSRF token anew and adds random bytes each time, and session cookies are
    `SameSite`, so that no other site can ask for such a page again and again. Nothing else: an
    archive streams as it is, and JSON is short."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if response.streaming or not is_page:
            return response
        return super().process_response(request, response)


class HealthMiddleware:
    """Answers health checks and metrics before the Host header is looked at: load balancers and
    containers ask by address, not by the site's name. No session, no actor."""

    VIEWS: Final = {
        "/healthz": views.healthz,
        "/readyz": views.readyz,
        "/metrics": views.metrics,
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/metrics" and not settings.METRICS_TOKEN:
            return self.get_response(request)  # a page that there is not
        return self.VIEWS.get(request.path, self.get_response)(request)


class ErrorMiddleware:
    """Turns what views raise into answers, and bare refusals of Django into pages of ours. What
    other middleware raises reaches the handlers in `filevault.views`, and so the same mapping."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Django decodes fields and queries by whatever codec a request names, and some of them
        # give lone surrogates or raise.
        charset = (request.content_params or {}).get("charset", "utf-8").strip("\"' ")
        if charset.lower() not in {"utf-8", "utf8"}:
            return error_page(request, 400)
        # Django's own cap is on fields alone: it would write a form's files to disk, however large
        # and whoever sends them, while it looks for the token (W6).
        if _body_size(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return respond(request, RequestDataTooBig()) or error_page(request, 400)
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            page = error_page(request, 405)
            page.headers["Allow"] = response.headers.get("Allow", "")
            return page
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return respond(request, error)


def _body_size(request: HttpRequest) -> int:
    """The declared size in bytes; a body without one isn't read at all."""
    declared = request.headers.get("Content-Length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0
