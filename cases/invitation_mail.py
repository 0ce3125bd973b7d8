"""What the mails of an invitation say: the link, and the code beside it. They hold the names of the
practice, the practitioner and the recipient, and nothing else of the case (T2)."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.actors import Practitioner
from accounts.profiles import sender_name
from accounts.tables import User
from cases import invitations
from cases.codes import LIFETIME, is_code
from cases.notices import is_live
from cases.tables import Case, Client, Invitation
from filevault import mail
from filevault.dynamo import now
from filevault.mail import Message, composer


def note_mail_state(context: dict[str, Any], mail_id: str, state: str) -> None:
    """Show the practitioner what became of the invitation's newest mail, and of no older one."""
    invitation = Invitation(context["caseId"], context["clientId"])
    actions: list[Any] = [Invitation.mail_state.set(state)]
    if state == "sent":
        actions.append(Invitation.mail_sent_at.set(now()))
    invitation.try_update(actions, condition=Invitation.mail_id == mail_id)


@composer("invitation", listener=note_mail_state)
def compose_invitation(context: dict[str, Any]) -> Message | None:
    """Compose for `{caseId, clientId}`; None where the invitation was revoked meanwhile."""
    found = _find(context)
    if found is None:
        return None
    invitation, case, client, user = found
    return _invitation(
        case, client, user, url=invitations.link(invitation), valid_until=invitation.expires_at
    )


@composer("code")
def compose_code(context: dict[str, Any]) -> Message | None:
    """Compose for `{caseId, clientId, code}`; None where the code doesn't count any more."""
    found = _find(context)
    if found is None:
        return None
    invitation, _case, client, user = found
    counts = is_code(invitation, context["code"])
    if not counts or invitation.code_expires_at is None or invitation.code_expires_at <= now():
        return None
    variables = {
        "code": context["code"],
        "sender": sender_name(user),
        "minutes": int(LIFETIME.total_seconds() // 60),
    }
    return _message("code", client, user, variables)


def preview(actor: Practitioner, case_id: str, client_id: str) -> tuple[Message, mail.Rendered]:
    """The invitation as it will be read if it is sent now, but for the link, which is made when the
    mail goes and is the client's alone. Raises `NotFound`."""
    case, client = invitations.get_case_client(actor, case_id, client_id)
    user = User.fetch(actor.user_id) or User(actor.user_id, display_name=actor.display_name)
    url = f"{settings.SITE_URL}/invite/…"
    message = _invitation(case, client, user, url=url, valid_until=invitations.expiry_of_new())
    return message, mail.render(message)


def _find(context: dict[str, Any]) -> tuple[Invitation, Case, Client, User] | None:
    """The rows behind a mail, read when it goes; None where there is nobody left to tell."""
    invitation = Invitation.fetch(context["caseId"], context["clientId"])
    if invitation is None or not is_live(invitation):
        return None
    grant = invitations.get_live(invitation.case_id, invitation.client_id, invitation.jti)
    user = User.fetch(invitation.user_id)
    if grant is None or user is None:
        return None
    return invitation, grant.case, grant.client, user


def _invitation(case: Case, client: Client, user: User, *, url: str, valid_until: Any) -> Message:
    variables = {
        "name": client.name,
        "sender": sender_name(user),
        "practitioner": user.display_name,
        "code_needed": not case.link_only,
        "valid_until": valid_until,
        "button_url": url,
        "button_label": _("Open the invitation"),
    }
    return _message("invitation", client, user, variables)


def _message(template: str, client: Client, user: User, variables: dict[str, Any]) -> Message:
    return Message(
        to=client.email,
        template=template,
        variables=variables,
        language=client.language or user.language,
        from_name=sender_name(user),
        reply_to=user.email,
    )
