"""Search over clients and cases."""

from typing import Final

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.http import PractitionerRequest, practitioner_required
from cases.overview import case_rows
from cases.search import search as search_records

#: As long as the field on the page takes.
QUERY_LENGTH: Final = 200
#: The session's name for what was searched for last.
QUERY_KEY: Final = "search"


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def search(request: PractitionerRequest) -> HttpResponse:
    """What one searches for is mostly somebody's name: it stands in no address, since proxies and
    browsers write those down (T2). The session keeps it, so that going back finds the same page."""
    if request.method == "POST":
        request.session[QUERY_KEY] = request.POST.get("q", "").strip()[:QUERY_LENGTH]
        return redirect("search")
    query = str(request.session.get(QUERY_KEY, ""))
    found = search_records(request.actor, query)
    context = {"query": query, "found": found, "rows": case_rows(request.actor, found.cases)}
    return render(request, "cases/search.html", context)
