"""The start page: what needs attention. And search."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.http import PractitionerRequest, practitioner_required
from cases.overview import get_overview


@require_safe
@practitioner_required
def home(request: PractitionerRequest) -> HttpResponse:
    return render(request, "cases/home.html", {"overview": get_overview(request.actor)})
