"""Sharing a case with colleagues: by its own page, or by one of their own where that went wrong."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import PractitionerRequest, posted, practitioner_required
from cases import cases, colleagues
from cases.forms import ColleagueForm


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def share(request: PractitionerRequest, case_id: str) -> HttpResponse:
    case = cases.get_case(request.actor, case_id)
    form = ColleagueForm(posted(request))
    email = form.submit(lambda data: colleagues.share(request.actor, case_id, **data))
    if email is None:
        shown = {"colleagues": colleagues.get_colleagues(case), "share_form": form}
        context = {"case": case, **shown}
        return render(request, "cases/colleagues.html", context, status=form.status)
    text = _("%(email)s can open the case after signing in with this address.")
    messages.success(request, text % {"email": email})
    return redirect("cases:detail", case_id=case_id)


@require_POST
@practitioner_required
def change_access(request: PractitionerRequest, case_id: str) -> HttpResponse:
    email, access = request.POST.get("email"), request.POST.get("access")
    colleagues.change_access(request.actor, case_id, email=email, access=access)
    messages.success(request, _("Your changes are saved."))
    return redirect("cases:detail", case_id=case_id)


@require_POST
@practitioner_required
def remove(request: PractitionerRequest, case_id: str) -> HttpResponse:
    colleagues.remove(request.actor, case_id, email=request.POST.get("email"))
    messages.success(request, _("The access was taken back. It ends at the next click."))
    return redirect("cases:detail", case_id=case_id)
