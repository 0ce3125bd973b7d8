"""What the mail about a shared file says: who shared it, and the way to it. It is the same whether
or not the address belongs to somebody, and never names the file (T2)."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.profiles import sender_name
from accounts.tables import User
from files.tables import FileShare, PendingShare
from filevault.mail import Message, composer


@composer("share")
def compose_share(context: dict[str, Any]) -> Message | None:
    """Compose for `{fileId, userId, emailHash}`; None where the share was taken back meanwhile."""
    row: FileShare | PendingShare | None = None
    if context["userId"]:
        row = FileShare.fetch(context["userId"], context["fileId"])
    if row is None and context["emailHash"]:
        row = PendingShare.fetch(context["emailHash"], context["fileId"])
    sender = User.fetch(row.shared_by) if row is not None else None
    if row is None or sender is None:
        return None
    recipient = User.fetch(context["userId"]) if context["userId"] else None
    address = row.email or (recipient.email if recipient is not None else "")
    if not address:
        return None
    return _message(str(address), sender)


def _message(address: str, sender: User) -> Message:
    """In the sender's language, since the recipient's would tell that there is an account."""
    name = sender_name(sender)
    return Message(
        to=address,
        template="share",
        language=sender.language,
        from_name=name,
        reply_to=sender.email,
        variables={
            "sender": name,
            "practitioner": sender.display_name,
            "button_url": f"{settings.SITE_URL}{reverse('vault:shared')}",
            "button_label": _("See the files"),
        },
    )
