"""Pages of what keeps a case and what is left of one: legal holds, and deletion certificates."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PractitionerRequest, posted, practitioner_required
from cases import cases, certificates, holds
from cases.forms import HoldForm
from files.sending import json_file


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def hold(request: PractitionerRequest, case_id: str) -> HttpResponse:
    case = cases.get_case(request.actor, case_id)
    form = HoldForm(posted(request))
    held = form.submit(lambda data: holds.place(request.actor, case_id, reason=data["reason"]))
    if held is None:
        context = {"case": case, "form": form}
        return render(request, "cases/hold.html", context, status=form.status)
    messages.success(request, _("The hold is in place. Nothing of this case can be deleted now."))
    return redirect("cases:detail", case_id=case_id)


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def lift(request: PractitionerRequest, case_id: str) -> HttpResponse:
    case = cases.get_case(request.actor, case_id)
    if request.method == "POST":
        holds.lift(request.actor, case_id)
        messages.success(request, _("The hold is lifted."))
        return redirect("cases:detail", case_id=case_id)
    holds.check_liftable(request.actor, case)
    return render(request, "cases/lift.html", {"case": case})


@require_safe
@practitioner_required
def list_deleted(request: PractitionerRequest) -> HttpResponse:
    page = certificates.list_certificates(request.actor, cursor=request.GET.get("cursor", ""))
    next_url = f"{reverse('cases:deleted')}?{urlencode({'cursor': page.cursor})}"
    context = {"rows": page.items, "next_url": next_url if page.cursor else ""}
    return render(request, "cases/deleted.html", context)


@require_safe
@practitioner_required
def certificate(request: PractitionerRequest, certificate_id: str) -> HttpResponse:
    document = certificates.get_document(request.actor, certificate_id)
    return json_file(document, f"deletion-certificate-{certificate_id}.json")
