"""Inviting the clients of a case: the mail is seen before it goes."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import PractitionerRequest, practitioner_required
from cases import invitation_mail, invitations


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def invite(request: PractitionerRequest, case_id: str, client_id: str) -> HttpResponse:
    """The mail as it will be read, and the button that sends it."""
    if request.method == "POST":
        return _send(request, case_id, client_id)
    case, client = invitations.get_case_client(request.actor, case_id, client_id)
    message, rendered = invitation_mail.preview(request.actor, case_id, client_id)
    context = {"case": case, "client": client, "message": message, "rendered": rendered}
    return render(request, "cases/invite.html", context)


@require_POST
@practitioner_required
def resend(request: PractitionerRequest, case_id: str, client_id: str) -> HttpResponse:
    """Mail the link again."""
    return _send(request, case_id, client_id)


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def revoke(request: PractitionerRequest, case_id: str, client_id: str) -> HttpResponse:
    """Ask, then end the client's access."""
    _case, client = invitations.get_case_client(request.actor, case_id, client_id)
    back = reverse("cases:detail", kwargs={"case_id": case_id})
    if request.method == "POST":
        invitations.revoke(request.actor, case_id, client_id)
        message = _("%(name)s can't open this case any more.") % {"name": client.name}
        messages.success(request, message)
        return redirect(back)
    return render(request, "cases/revoke.html", {"client": client, "cancel_url": back})


def _send(request: PractitionerRequest, case_id: str, client_id: str) -> HttpResponse:
    _case, client = invitations.get_case_client(request.actor, case_id, client_id)
    invitations.send(request.actor, case_id, client_id)
    message = _("The invitation is on its way to %(name)s.") % {"name": client.name}
    messages.success(request, message)
    return redirect("cases:detail", case_id=case_id)
