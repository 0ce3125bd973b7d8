"""Pages of cases."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import PractitionerRequest, posted, practitioner_required
from cases import cases
from cases.case_parts import check_not_held
from cases.forms import (
    CaseForm,
    ColleagueForm,
    EditCaseForm,
    NewCaseForm,
    case_initial,
    new_case_initial,
    typed_initial,
)
from cases.overview import case_context, case_rows
from cases.seen import mark_seen
from cases.space import get_case_space
from cases.tables import Case
from files.sections import files_section

#: As long as the field on the page takes.
FIND_LENGTH = 200


@require_safe
@practitioner_required
def list_cases(request: PractitionerRequest) -> HttpResponse:
    status = "closed" if request.GET.get("status") == "closed" else "open"
    page = cases.list_cases(request.actor, status, cursor=request.GET.get("cursor", ""))
    query = urlencode({"status": status, "cursor": page.cursor})
    context = {
        "status": status,
        "rows": case_rows(request.actor, page.items),
        "next_url": f"{reverse('cases:list')}?{query}" if page.cursor else "",
    }
    return render(request, "cases/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def create(request: PractitionerRequest) -> HttpResponse:
    initial = new_case_initial(request.GET.get("client", ""))
    form = NewCaseForm(request.actor, posted(request), initial=initial)
    case = form.submit(
        lambda data: cases.create_case(
            request.actor, case_id=data["once"], **form.details(request.actor)
        )
    )
    if case is None:
        return _form_page(request, form, status=form.status)
    messages.success(request, _("The case is open. Now invite your client."))
    _say_who_sees(request, case, joined=case.client_ids)
    return redirect("cases:invite", case_id=case.case_id, client_id=case.client_ids[0])


@require_POST
@practitioner_required
def pick(request: PractitionerRequest) -> HttpResponse:
    """The form of a new case as it was typed, with the clients that were searched for."""
    form = NewCaseForm(request.actor, initial=typed_initial(request.POST), find=_find(request))
    return _form_page(request, form)


@require_safe
@practitioner_required
def show(request: PractitionerRequest, case_id: str) -> HttpResponse:
    space = get_case_space(request.actor, case_id)
    cursor = request.GET.get("cursor", "")
    files = files_section(request.actor, space, route="cases-files", cursor=cursor)
    if request.method == "GET":
        mark_seen(request.actor, space.case)
    context = case_context(request.actor, space) | files | {"share_form": ColleagueForm()}
    return render(request, "cases/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def edit(request: PractitionerRequest, case_id: str) -> HttpResponse:
    case = cases.get_case(request.actor, case_id)
    form = EditCaseForm(request.actor, posted(request), initial=case_initial(case))
    saved = form.submit(
        lambda data: cases.edit_case(
            request.actor, case_id, version=data["version"], **form.details(request.actor)
        )
    )
    if saved is None:
        return _form_page(request, form, case, status=form.status)
    messages.success(request, _("Your changes are saved."))
    _say_who_sees(request, saved, joined=set(saved.client_ids) - set(case.client_ids))
    return redirect("cases:detail", case_id=case_id)


@require_POST
@practitioner_required
def pick_more(request: PractitionerRequest, case_id: str) -> HttpResponse:
    """The form of a case as it was typed, with the clients that were searched for."""
    case = cases.get_case(request.actor, case_id)
    form = EditCaseForm(request.actor, initial=typed_initial(request.POST), find=_find(request))
    return _form_page(request, form, case)


@require_POST
@practitioner_required
def close(request: PractitionerRequest, case_id: str) -> HttpResponse:
    case = cases.close_case(request.actor, case_id)
    messages.success(request, _("The case is closed. Its files can be read, and nothing is added."))
    if case.retain_until is not None and case.held_at is None:
        day = date_format(case.retain_until.astimezone(get_default_timezone()), "DATE_FORMAT")
        messages.info(request, _("It will be deleted on %(day)s.") % {"day": day})
    return redirect("cases:detail", case_id=case_id)


@require_POST
@practitioner_required
def reopen(request: PractitionerRequest, case_id: str) -> HttpResponse:
    cases.reopen_case(request.actor, case_id)
    messages.success(request, _("The case is open again."))
    return redirect("cases:detail", case_id=case_id)


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def delete(request: PractitionerRequest, case_id: str) -> HttpResponse:
    case = cases.get_case(request.actor, case_id)
    check_not_held(case)
    if request.method == "POST":
        cases.delete_case(request.actor, case_id)
        messages.success(request, _("The case and its files were deleted."))
        return redirect("cases:list")
    return render(request, "cases/delete.html", {"case": case})


def _form_page(
    request: PractitionerRequest, form: CaseForm, case: Case | None = None, *, status: int = 200
) -> HttpResponse:
    if case is None:
        own, pick_url = reverse("cases:new"), reverse("cases:pick")
    else:
        own = reverse("cases:edit", kwargs={"case_id": case.case_id})
        pick_url = reverse("cases:pick-more", kwargs={"case_id": case.case_id})
    context = {"form": form, "case": case, "form_url": own, "pick_url": pick_url}
    return render(request, "cases/form.html", context, status=status)


def _find(request: PractitionerRequest) -> str:
    return request.POST.get("find", "").strip()[:FIND_LENGTH]


def _say_who_sees(request: PractitionerRequest, case: Case, *, joined: object) -> None:
    if joined and len(case.client_ids) > 1:
        messages.info(request, _("All clients on this case see all of its files."))
