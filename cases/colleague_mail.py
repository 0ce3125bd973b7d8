"""The mail that tells a colleague of a case: as the one about a shared file."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cases.tables import Case, CaseMember, PendingMember
from files.share_mail import share_message
from filevault.mail import Message, composer


@composer("case_share")
def compose_case_share(context: dict[str, Any]) -> Message | None:
    """Compose for `{caseId, userId, emailHash}`; None where it was taken back meanwhile, or the
    case was deleted."""
    case_id, user_id = context["caseId"], context["userId"]
    case = Case.fetch(case_id)
    if case is None or case.status == "deleted":
        return None
    row: CaseMember | PendingMember | None = None
    if user_id:
        row = CaseMember.fetch(user_id, case_id)
    if row is None:
        row = PendingMember.fetch(context["emailHash"], case_id)
    path = reverse("cases:detail", kwargs={"case_id": case_id})
    return share_message("case_share", row, user_id, path=path, label=_("Open the case"))
