"""What the mail about a share says: who shared, and the way to it. It is the same whether or not
the address belongs to somebody, and never names what is shared (T2)."""

from typing import Any, Protocol

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.profiles import sender_name
from accounts.tables import User
from files.tables import FileShare, PendingShare
from filevault.errors import Text
from filevault.mail import Message, composer


class ShareRow(Protocol):
    """The row of a share, bound or waiting: who shared, and with which address, where it was
    shared by one."""

    shared_by: Any
    email: Any


@composer("share")
def compose_share(context: dict[str, Any]) -> Message | None:
    """Compose for `{fileId, userId, emailHash}`; None where the share was taken back meanwhile."""
    row: FileShare | PendingShare | None = None
    if context["userId"]:
        row = FileShare.fetch(context["userId"], context["fileId"])
    if row is None and context["emailHash"]:
        row = PendingShare.fetch(context["emailHash"], context["fileId"])
    path, label = reverse("vault:shared"), _("See the files")
    return share_message("share", row, context["userId"], path=path, label=label)


def share_message(
    template: str, row: ShareRow | None, user_id: str, *, path: str, label: Text
) -> Message | None:
    """The mail about a share with an address, or with the user named by id. In the sender's
    language, since the recipient's would tell that there is an account. None where there is
    nothing to tell, or nobody."""
    sender = User.fetch(row.shared_by) if row is not None else None
    if row is None or sender is None:
        return None
    recipient = User.fetch(user_id) if user_id and not row.email else None
    address = row.email or (recipient.email if recipient is not None else "")
    if not address:
        return None
    name = sender_name(sender)
    return Message(
        to=str(address),
        template=template,
        language=sender.language,
        from_name=name,
        reply_to=sender.email,
        variables={
            "sender": name,
            "practitioner": sender.display_name,
            "button_url": f"{settings.SITE_URL}{path}",
            "button_label": label,
        },
    )
