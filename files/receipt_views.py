"""The receipt of a file, for both sides of a case."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from files import receipts
from files.guards import SpaceRequest, in_space, space_page
from files.sending import json_file
from files.spaces import Space


@require_safe
@in_space
def receipt(request: SpaceRequest, space: Space, file_id: str) -> HttpResponse:
    """The receipt as a file; a page that says so while it isn't ready."""
    try:
        made = receipts.get_receipt(request.actor, space, file_id)
    except receipts.NotReady as error:
        page = space_page(request, space, "files/receipt_wait.html", {"message": error.message})
        page.status_code = 202
        return page
    return json_file(made.document, made.file_name)
