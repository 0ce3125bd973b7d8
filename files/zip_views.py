"""The route by which several files are taken along as one archive."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from files import zips
from files.guards import SpaceRequest, in_space
from files.sending import give_up_on_the_stalled, streamed_file
from files.spaces import Space


@require_safe
@in_space
def archive(request: SpaceRequest, space: Space) -> StreamingHttpResponse:
    chosen = request.GET.getlist("file")
    if request.method == "HEAD":  # the same verdict, without a place and without a byte (Z8)
        zips.choose(request.actor, space, chosen)
        return _answer([])
    made = zips.open_zip(request.actor, space, chosen)
    give_up_on_the_stalled(request)
    return _answer(made)


def _answer(pieces: Iterable[bytes]) -> StreamingHttpResponse:
    name = f"files-{timezone.localdate().isoformat()}.zip"
    return streamed_file(pieces, name, content_type="application/zip")
