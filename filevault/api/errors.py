"""Refusals of the JSON API: what django-ninja raises is told as ours, and `error_responses` says
what each of them looks like."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from accounts.http import json_object
from filevault.error_responses import error_page, respond
from filevault.errors import DomainError, Invalid, NotSignedIn

_MESSAGES: Final[dict[str, Promise]] = {
    "missing": _("This field is missing."),
    "extra_forbidden": _("Unknown field."),
    "string_too_long": _("This is too long."),
    "too_long": _("These are too many."),
}
_WRONG: Final = _("This value can't be taken.")


class JsonParser(Parser):
    """Bodies by the rules of the pages' own JSON (W1, Z7)."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        return json_object(request)


def add_handlers(api: NinjaAPI) -> None:
    """Let one function answer all that goes wrong in an operation."""
    for kind in (Exception, HttpError, ValidationError):
        api.add_exception_handler(kind, _answer)


def _answer(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    if isinstance(error, type):  # as django-ninja's types allow, though nothing does it
        error = error()
    known = _translate(error)
    if isinstance(known, HttpError):
        return error_page(request, known.status_code)
    response = respond(request, known)
    if response is None:
        raise error
    if response.status_code == 401:  # RFC 9110 §15.5.2
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _translate(error: Exception) -> Exception:
    if isinstance(error, AuthenticationError):
        return NotSignedIn()
    if isinstance(error, ValidationError):
        return Invalid(fields={_field(each["loc"]): _message(each) for each in error.errors})
    # django-ninja hides why a body could not be read behind an error of its own.
    if isinstance(error, HttpError) and isinstance(error.__cause__, DomainError):
        return error.__cause__
    return error


def _field(location: tuple[Any, ...]) -> str:
    """The field's name: before it stand its source and, for a body, the argument."""
    inner = location[2:] if location[0] == "body" else location[1:]
    return str(inner[0]) if inner else str(location[0])


def _message(error: dict[str, Any]) -> Promise:
    return _MESSAGES.get(error["type"], _WRONG)
