"""The warning that closed cases will be deleted: how many, when, and the way to them. Never a
case's title or a client's name (T2)."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.tables import User
from cases import retention
from filevault.mail import Message, composer

TEMPLATE: Final = "retention"
#: Beyond it a mail says "more than".
COUNTED: Final = 100


@composer(TEMPLATE)
def compose_warning(context: dict[str, Any]) -> Message | None:
    """Compose for `{userId, until}`; None where nothing ends by then any more."""
    until = datetime.fromisoformat(context["until"])
    user = User.fetch(context["userId"])
    if user is None or user.deactivated_at is not None or not user.email:
        return None
    count = len(retention.ending_before(user.user_id, until, limit=COUNTED))
    if not count:
        return None
    return Message(
        to=user.email,
        template=TEMPLATE,
        language=user.language,
        variables={
            "count": count,
            "until": until,
            "name": user.display_name,
            "button_url": f"{settings.SITE_URL}{reverse('home')}",
            "button_label": _("See what will be deleted"),
        },
    )
