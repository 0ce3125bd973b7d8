"""What somebody was refused, in the audit trail (A2).

Recorded whether or not the thing exists, so that not even the time of an answer tells (Z2). A flood
can't fill the table: past a limit by actor, or by address where nobody is known, the access log
alone tells of it.
"""

import json
import logging
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest

from accounts import audit
from accounts.actors import Actor, Anonymous
from accounts.audit import Action
from filevault import limits
from filevault.dynamo import is_id
from filevault.errors import DomainError, RateLimited

logger = logging.getLogger(__name__)

RECORDED: Final = 60
WINDOW: Final = timedelta(minutes=10)
#: Where a request says what it is about, the most exact first.
_TARGETS: Final = ("file_id", "fileId", "client_id", "case_id", "caseId", "user_id", "space_id")


def record(
    action: Action, actor: Actor, *, target: str = "", details: dict[str, Any] | None = None
) -> None:
    """Add a denial to the day's stream, as long as the actor has not had too many of them."""
    unknown = isinstance(actor, Anonymous)
    key = limits.address_key("denial", actor.address) if unknown else f"denial#{actor.actor_id}"
    try:
        limits.spend_roughly(key, limit=RECORDED, window=WINDOW)
    except RateLimited:
        logger.warning("denial not recorded: too many", extra={"actor": actor.actor_id})
        return
    audit.record_alone(audit.daily_stream(), action, actor, target=target, details=details)


def record_request(request: HttpRequest, refusal: DomainError, actor: Actor) -> None:
    """Add what a request was refused: by which route, how, and what it was about."""
    match = request.resolver_match
    details = {
        "route": match.view_name if match else "",
        "method": request.method or "",
        "code": refusal.reason,
    }
    record(Action.ACCESS_DENY, actor, target=_target(request), details=details)


def _target(request: HttpRequest) -> str:
    """The id that a request names in its address, its query or its JSON; never a text (T2)."""
    match = request.resolver_match
    named = {**_json_object(request), **request.GET.dict(), **(match.kwargs if match else {})}
    found = (str(named.get(name, "")).rpartition(":")[2] for name in _TARGETS)
    return next((text for text in found if is_id(text)), "")


def _json_object(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        return {}
    try:
        body = json.loads(request.body)
    except (OSError, ValueError, RecursionError):  # OSError: it broke off on its way
        return {}
    return body if isinstance(body, dict) else {}
