"""What a notice says: how many files, from whom, and the way to them. Never a file's name, a
case's title, or anybody else's name (T2)."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.profiles import sender_name
from accounts.tables import User
from cases import invitations
from cases.colleagues import count_colleagues
from cases.notices import is_live, is_on
from cases.tables import Case, Client, Invitation
from filevault.mail import Message, composer


@composer("notice")
def compose_notice(context: dict[str, Any]) -> Message | None:
    """Compose for `{caseId, recipient, count}`; None when there is nobody left to tell."""
    case = Case.fetch(context["caseId"])
    if case is None or case.status == "deleted":
        return None
    kind, _colon, recipient_id = context["recipient"].partition(":")
    compose = _to_client if kind == "client" else _to_practitioner
    return compose(case, recipient_id, int(context["count"]))


def _to_practitioner(case: Case, user_id: str, count: int) -> Message | None:
    user = User.fetch(user_id) if is_on(case, user_id) else None
    if user is None or user.deactivated_at is not None or not user.email:
        return None
    path = reverse("cases:detail", kwargs={"case_id": case.case_id})
    return Message(
        to=user.email,
        template="notice",
        language=user.language,
        variables={
            "count": count,
            "name": user.display_name,
            "shared": count_colleagues(case) > 0,
            "button_url": f"{settings.SITE_URL}{path}",
            "button_label": _("Open the case"),
        },
    )


def _to_client(case: Case, client_id: str, count: int) -> Message | None:
    invitation = Invitation.fetch(case.case_id, client_id)
    client = Client.fetch(case.user_id, client_id)
    user = User.fetch(case.user_id)
    if client is None or user is None or invitation is None or not is_live(invitation):
        return None
    sender = sender_name(user)
    return Message(
        to=client.email,
        template="notice",
        language=client.language or user.language,
        from_name=sender,
        reply_to=user.email,
        variables={
            "count": count,
            "name": client.name,
            "sender": sender,
            "button_url": invitations.link(invitation),
            "button_label": _("See the files"),
        },
    )
