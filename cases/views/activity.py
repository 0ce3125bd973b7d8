"""The activity of a case, for each side of it."""

from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.actors import CaseClient
from accounts.audit_words import KIND_LABELS
from accounts.http import ActorRequest, PractitionerRequest, practitioner_required
from accounts.tables import User
from cases import cases
from cases.activity import KINDS, Choice, list_activity, people_of
from cases.activity_export import export_csv, export_json, record_export
from cases.space import get_case_space
from files.sending import give_up_on_the_stalled, streamed_file
from files.spaces import Ability

_FORMS: dict[str, Any] = {
    "csv": (export_csv, "text/csv; charset=utf-8"),
    "json": (export_json, "application/json"),
}


@require_safe
@practitioner_required
def show(request: PractitionerRequest, case_id: str) -> HttpResponse:
    space = get_case_space(request.actor, case_id)
    case = space.case
    choice = Choice(request.GET.get("kind", ""), request.GET.get("person", ""))
    page = list_activity(request.actor, case, choice, cursor=request.GET.get("cursor", ""))
    query = {"kind": choice.kind, "person": choice.person, "cursor": page.cursor}
    context = {
        "case": case,
        "entries": page.items,
        "choice": choice,
        "kinds": [(kind.value, KIND_LABELS[kind]) for kind in KINDS],
        "people": people_of(request.actor, case),
        "may_export": Ability.MANAGE in space.abilities(request.actor),
        "next_url": f"{request.path}?{urlencode(query)}" if page.cursor else "",
    }
    return render(request, "cases/activity.html", context)


@require_safe
@practitioner_required
def export(request: PractitionerRequest, case_id: str, form: str) -> StreamingHttpResponse:
    """Everything, as a file, for whose case it is: it holds addresses. HEAD gets the same verdict
    without a line and without a record."""
    case = cases.get_case(request.actor, case_id)
    write, content_type = _FORMS[form]
    pieces = []
    if request.method == "GET":
        give_up_on_the_stalled(request)
        record_export(request.actor, case, form)
        pieces = write(request.actor, case)
    name = f"activity-{timezone.localdate().isoformat()}.{form}"
    return streamed_file(pieces, name, content_type=content_type)


@require_safe
def show_client(request: ActorRequest, case_id: str) -> HttpResponse:
    """What became of the files, for a client of the case."""
    actor = cast(CaseClient, request.actor)
    case = get_case_space(actor, case_id).case
    page = list_activity(actor, case, cursor=request.GET.get("cursor", ""))
    owner = User.fetch(case.user_id)
    query = urlencode({"cursor": page.cursor})
    context = {
        "case": case,
        "practice": owner.practice if owner else "",
        "entries": page.items,
        "next_url": f"{reverse('portal:activity', args=[case_id])}?{query}" if page.cursor else "",
    }
    return render(request, "portal/activity.html", context)
