"""The route by which several files are taken along as one archive."""

import socket
from collections.abc import Iterable
from typing import Final

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from files import zips
from files.guards import SpaceRequest, in_space
from files.names import content_disposition
from files.spaces import Space

#: A reader who takes no piece (256 KiB) for so long has gone, or keeps a place from others.
STALLED_SECONDS: Final = 60


@require_safe
@in_space
def archive(request: SpaceRequest, space: Space) -> StreamingHttpResponse:
    chosen = request.GET.getlist("file")
    if request.method == "HEAD":  # the same verdict, without a place and without a byte (Z8)
        zips.choose(request.actor, space, chosen)
        return _answer([])
    made = zips.open_zip(request.actor, space, chosen)
    _give_up_on_the_stalled(request)
    return _answer(made)


def _answer(pieces: Iterable[bytes]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    name = f"files-{timezone.localdate().isoformat()}.zip"
    response.headers["Content-Disposition"] = content_disposition(name)
    response.headers["Accept-Ranges"] = "none"
    # nginx would otherwise write to its disk what a slow reader hasn't taken yet.
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _give_up_on_the_stalled(request: SpaceRequest) -> None:
    """Sending has no end of its own: gunicorn's time-out is for workers, not for answers. Its
    socket is told, and told otherwise by gunicorn before the connection's next request."""
    connection = request.META.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.settimeout(STALLED_SECONDS)
