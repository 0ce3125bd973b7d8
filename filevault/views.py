"""What belongs to no app: health, the keys of signed documents, and the handlers of errors outside
of views."""

import sys

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from filevault.error_responses import error_page, log_failure, respond
from filevault.errors import Forbidden, NotFound
from filevault.health import check_dependencies
from filevault.metrics import CONTENT_TYPE, render_metrics
from filevault.signing import as_jwks, published_keys


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process runs; says nothing about what it depends on."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 while a dependency is away, so that a load balancer sends nobody here."""
    states = check_dependencies()
    return JsonResponse(states, status=503 if "down" in states.values() else 200)


@require_safe
@cache_control(public=True, max_age=300)
def signing_keys(request: HttpRequest) -> HttpResponse:
    """The public keys of signed documents, for anybody and without end."""
    return JsonResponse(as_jwks(published_keys()))


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What waits, for a monitoring system that shows `METRICS_TOKEN`."""
    shown = request.headers.get("Authorization", "")
    if not constant_time_compare(shown, f"Bearer {settings.METRICS_TOKEN}"):
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse("", status=401, content_type="text/plain", headers=headers)
    return HttpResponse(render_metrics(), content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, exception) or error_page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, Forbidden()) or error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, NotFound()) or error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Whatever middleware raised, too: a session store that is away is 503 and not a mistake."""
    error = sys.exc_info()[1]
    answer = respond(request, error) if error is not None else None
    if answer is not None:
        return answer
    if error is not None:
        log_failure(request, error, 500)
    return error_page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from a page that was open for too long, or from another site (W1)."""
    return error_page(request, 403, template="403_csrf.html")
