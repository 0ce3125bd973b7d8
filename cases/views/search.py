"""Search over clients and cases."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.http import PractitionerRequest, practitioner_required
from cases.overview import case_rows
from cases.search import search as search_records

#: As long as the field on the page takes.
QUERY_LENGTH = 200


@require_safe
@practitioner_required
def search(request: PractitionerRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:QUERY_LENGTH]
    found = search_records(request.actor, query)
    context = {"query": query, "found": found, "rows": case_rows(request.actor, found.cases)}
    return render(request, "cases/search.html", context)
