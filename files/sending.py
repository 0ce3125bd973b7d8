"""Answers that a browser saves as a file."""

import json
import socket
from collections.abc import Iterable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from files.names import content_disposition

#: A reader who takes no piece for so long has gone, or keeps a place from others.
STALLED_SECONDS: Final = 60


def json_file(document: dict[str, Any], name: str) -> HttpResponse:
    """A JSON document that people can read, too."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    response = HttpResponse(f"{text}\n", content_type="application/json")
    response.headers["Content-Disposition"] = content_disposition(name)
    return response


def streamed_file(
    pieces: Iterable[bytes] | Iterable[str], name: str, *, content_type: str
) -> StreamingHttpResponse:
    """A file that is written as it is sent."""
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response.headers["Content-Disposition"] = content_disposition(name)
    response.headers["Accept-Ranges"] = "none"
    # nginx would otherwise write to its disk what a slow reader hasn't taken yet.
    response.headers["X-Accel-Buffering"] = "no"
    return response


def give_up_on_the_stalled(request: HttpRequest) -> None:
    """For an answer that is written as it is sent. Sending has no end of its own: gunicorn's
    time-out is for workers, not for answers. Its socket is told, and told otherwise by gunicorn
    before the connection's next request."""
    connection = request.META.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.settimeout(STALLED_SECONDS)
