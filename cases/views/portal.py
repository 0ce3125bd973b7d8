"""What a client sees: the cases opened on this device, and one of them."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import CaseClient
from accounts.http import ActorRequest, client_address
from accounts.tables import User
from accounts.views import seconds_left
from cases import client_session, invitations
from cases.colleagues import count_colleagues
from cases.tables import Case
from files.sections import files_section
from files.spaces import get_space
from filevault.errors import NotFound, NotSignedIn


@require_safe
def list_cases(request: HttpRequest) -> HttpResponse:
    """The live cases that were opened on this device."""
    grants = client_session.live_grants(request.session)
    if not grants:
        raise NotSignedIn
    senders = {user.user_id: user for user in User.fetch_many(g.case.user_id for g in grants)}
    cases = [{"case": g.case, "sender": senders.get(g.case.user_id)} for g in grants]
    return render(request, "portal/list.html", {"cases": cases})


@require_safe
def show_case(request: ActorRequest, case_id: str) -> HttpResponseBase:
    """The one case that the actor's invitation names; read-only once it is closed."""
    actor = cast(CaseClient, request.actor)
    case = Case.fetch(case_id)
    if case is None:
        raise NotFound
    space = get_space(actor, f"case:{case_id}")
    files = files_section(actor, space, route="portal-files", cursor=request.GET.get("cursor", ""))
    sender = User.fetch(case.user_id)
    context = {
        "case": case,
        "sender": sender,
        "practice": sender.practice if sender else "",
        "colleagues": count_colleagues(case),
        "kept_until": case.retain_until if case.held_at is None else None,
        "several": len(client_session.open_case_ids(request.session)) > 1,
    }
    return render(request, "portal/case.html", context | files)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End the client's session on this device."""
    for grant in client_session.live_grants(request.session):
        invitations.record_leave(grant.actor(client_address(request)))
    request.session.flush()
    return redirect("portal:left")


@require_safe
def left(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/left.html")


@require_POST
def keepalive(request: HttpRequest) -> HttpResponse:
    """Use the session, so that it doesn't end while somebody types or uploads (L7)."""
    if not client_session.live_grants(request.session):
        raise NotSignedIn
    return seconds_left(request)
