"""The admin's page of a case's legal hold: placed for a reason, and lifted by a click on a page
that says what it means."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.admin_pages import (
    Ask,
    Button,
    Cell,
    Page,
    admin_of,
    change,
    error_of,
    record_url,
    show,
)
from cases import holds
from cases.tables import Case
from filevault.errors import Invalid


@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, case_id: str) -> HttpResponse:
    """Whether and why a case is held; a reason that is sent places a hold, also over the owner's
    own, which the owner could lift."""
    actor, reason, error = admin_of(request), request.POST.get("reason", ""), ""
    case = holds.get_holdable(actor, case_id)
    if request.method == "POST":
        try:
            case = holds.place(actor, case_id, reason=reason)
        except Invalid as refusal:
            error = error_of(refusal, "reason")
    page = Page(
        _("Legal hold"),
        parents=[(_("Case"), record_url("case", case_id))],
        note=_("While a hold stands, nothing of the case is deleted, by anybody or anything."),
        **(_standing(case) if case.held_at is not None else {}),
        **(_asking(case_id, reason, error) if holds.can_place(actor, case) else {}),
    )
    target, status = audit.case_stream(case_id), 422 if error else 200
    return show(request, page, target=target, status=status)


def _standing(case: Case) -> dict[str, Any]:
    return {
        "facts": [
            (_("Placed"), Cell(case.held_at)),
            (_("By"), Cell(case.held_by)),
            (_("Why"), Cell(case.hold_reason)),
        ],
        "buttons": [
            Button(_("Lift the hold"), record_url("case_lift", case.case_id), is_dangerous=True)
        ],
    }


def _asking(case_id: str, reason: str, error: str) -> dict[str, Any]:
    ask = Ask(
        title=_("Place a legal hold"),
        field="reason",
        label=_("Why it has to be kept"),
        note=_("The practitioner reads it, and can't lift what you have placed."),
        button=_("Place the hold"),
        url=record_url("case_hold", case_id),
        least=1,
        most=holds.REASON_LENGTH,
        value=reason,
        error=error,
    )
    return {"ask": ask}


def _hold_url(case_id: str) -> str:
    return record_url("case_hold", case_id)


@change(_hold_url, gettext_lazy("The hold is lifted."))
def lift(request: HttpRequest, case_id: str) -> None:
    holds.lift(admin_of(request), case_id)
