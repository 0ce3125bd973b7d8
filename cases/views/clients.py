"""Pages of the address book."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import PractitionerRequest, posted, practitioner_required
from cases import cases, clients
from cases.forms import EditClientForm, NewClientForm, client_initial
from cases.overview import case_rows
from cases.tables import Client
from filevault.errors import Conflict


@require_safe
@practitioner_required
def list_clients(request: PractitionerRequest) -> HttpResponse:
    page = clients.list_clients(request.actor, cursor=request.GET.get("cursor", ""))
    next_url = f"{reverse('clients:list')}?{urlencode({'cursor': page.cursor})}"
    context = {"clients": page.items, "next_url": next_url if page.cursor else ""}
    return render(request, "clients/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def create(request: PractitionerRequest) -> HttpResponse:
    form = NewClientForm(posted(request))
    client = form.submit(
        lambda data: clients.create_client(request.actor, client_id=data.pop("once"), **data)
    )
    if client is None:
        return render(request, "clients/new.html", {"form": form}, status=form.status)
    messages.success(request, _("%(name)s is in your address book.") % {"name": client.name})
    _warn_of_same_email(request, client)
    return redirect("clients:detail", client_id=client.client_id)


@require_safe
@practitioner_required
def show(request: PractitionerRequest, client_id: str) -> HttpResponse:
    client = clients.get_client(request.actor, client_id)
    rows = case_rows(request.actor, cases.cases_of(request.actor, client))
    return render(request, "clients/detail.html", {"client": client, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def edit(request: PractitionerRequest, client_id: str) -> HttpResponse:
    client = clients.get_client(request.actor, client_id)
    form = EditClientForm(posted(request), initial=client_initial(client))
    saved = form.submit(lambda data: clients.edit_client(request.actor, client_id, **data))
    if saved is None:
        context = {"form": form, "client": client}
        return render(request, "clients/edit.html", context, status=form.status)
    messages.success(request, _("Your changes are saved."))
    _warn_of_same_email(request, saved)
    return redirect("clients:detail", client_id=client_id)


@require_http_methods(["GET", "HEAD", "POST"])
@practitioner_required
def delete(request: PractitionerRequest, client_id: str) -> HttpResponse:
    client = clients.get_client(request.actor, client_id)
    refusal: Conflict | None = clients.HasOpenCases() if client.open_cases else None
    if request.method == "POST":
        try:
            clients.delete_client(request.actor, client_id)
        except (clients.HasOpenCases, clients.OnHeldCase) as error:
            refusal = error
        else:
            messages.success(request, _("%(name)s was deleted.") % {"name": client.name})
            return redirect("clients:list")
    status = 409 if request.method == "POST" else 200
    context = {"client": client, "refusal": refusal.message if refusal else ""}
    return render(request, "clients/delete.html", context, status=status)


def _warn_of_same_email(request: PractitionerRequest, client: Client) -> None:
    others = clients.same_email(request.actor, client)
    if others:
        names = ", ".join(other.name for other in others[:3])
        text = _("The same e-mail address belongs to %(names)s, too. Is that right?")
        messages.warning(request, text % {"names": names})
