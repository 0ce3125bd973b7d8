"""The audit trail: an event goes into the transaction of the change it tells of (A1).

`accounts.sealing` chains events afterwards, so that a busy case never waits for its chain.
"""

import random
from enum import StrEnum
from typing import Any

from accounts.actors import Actor
from accounts.tables import AuditEvent
from filevault.dynamo import Transaction, new_id, now

UNSEALED_SHARDS = 4
DAILY_SHARDS = 4


class Action(StrEnum):
    """What can be done, as `subject:verb`."""

    USER_LOGIN = "user:login"
    USER_LOGIN_FAILED = "user:login_failed"
    USER_LOGOUT = "user:logout"
    USER_PROFILE = "user:profile_changed"
    USER_DEACTIVATE = "user:deactivated"
    USER_REACTIVATE = "user:reactivated"
    USER_BREAK_GLASS = "user:break_glass_login"
    CLIENT_CREATE = "client:created"
    CLIENT_EDIT = "client:edited"
    CLIENT_DELETE = "client:deleted"
    CASE_CREATE = "case:created"
    CASE_EDIT = "case:edited"
    CASE_CLOSE = "case:closed"
    CASE_REOPEN = "case:reopened"
    CASE_DELETE = "case:deleted"
    CASE_MEMBERS = "case:members_changed"
    CASE_EXPORT = "case:activity_exported"
    CASE_RETENTION = "case:retention_set"
    CASE_WARN = "case:deletion_warned"
    CASE_END = "case:deleted_by_retention"
    CASE_PURGE = "case:purged"
    CASE_HOLD = "case:hold_set"
    CASE_HOLD_LIFT = "case:hold_lifted"
    INVITATION_SEND = "invitation:sent"
    INVITATION_OPEN = "invitation:opened"
    INVITATION_REVOKE = "invitation:revoked"
    INVITATION_WISH = "invitation:fresh_link_wanted"
    INVITATION_REFUSED = "invitation:refused"
    CODE_SEND = "code:sent"
    CODE_ACCEPT = "code:accepted"
    CODE_REFUSE = "code:refused"
    PORTAL_LEAVE = "portal:left"
    ACCESS_DENY = "access:denied"
    UPLOAD_BEGIN = "upload:begun"
    UPLOAD_CHECK = "upload:checking"
    UPLOAD_AVAILABLE = "upload:available"
    UPLOAD_REJECT = "upload:rejected"
    UPLOAD_ABORT = "upload:aborted"
    UPLOAD_EXPIRE = "upload:expired"
    FILE_DOWNLOAD = "file:downloaded"
    FILE_VIEW = "file:viewed"
    FILE_THUMBNAILS = "file:thumbnails_shown"
    FILE_ZIP = "file:zip_downloaded"
    FILE_ADMIN_OPEN = "file:opened_by_admin"
    FILE_INSPECT = "file:inspected"
    FILE_PREVIEW = "file:preview_made"
    FILE_SHARE = "file:shared"
    FILE_UNSHARE = "file:unshared"
    FILE_RECEIPT = "file:receipt_issued"
    FILE_REPIN = "file:pinned_anew"
    FILE_DELETE = "file:deleted"
    FILE_PURGE = "file:purged"
    NOTICE_QUEUE = "notice:queued"
    ADMIN_VIEW = "admin:viewed"
    ADMIN_REVIVE = "admin:job_put_back"


def case_stream(case_id: str) -> str:
    return f"case:{case_id}"


def user_stream(user_id: str) -> str:
    return f"user:{user_id}"


def daily_stream() -> str:
    """Where denials and anonymous events go: by day, and sharded, since a flood of them must not
    hold up anybody."""
    return f"day:{now().date().isoformat()}#{random.randrange(DAILY_SHARDS)}"  # noqa: S311


def record(
    tx: Transaction,
    stream_id: str,
    action: Action,
    actor: Actor,
    *,
    target: str = "",
    details: dict[str, Any] | None = None,
) -> str:
    """Add an event to the change's transaction and return its id, which the changed row keeps.
    `details` holds ids, sizes and codes: never names or texts (T2)."""
    event = _event(stream_id, action, actor, target, details)
    tx.create(event)
    tx.witness(event)
    return event.event_id


def record_alone(
    stream_id: str,
    action: Action,
    actor: Actor,
    *,
    target: str = "",
    details: dict[str, Any] | None = None,
) -> str:
    """Record what changes nothing else (a download, a denial). Raises when it can't be written:
    no audit, no content (A4)."""
    event = _event(stream_id, action, actor, target, details)
    event.save()
    return event.event_id


def _event(
    stream_id: str, action: Action, actor: Actor, target: str, details: dict[str, Any] | None
) -> AuditEvent:
    return AuditEvent(
        stream_id,
        new_id(),
        action=action.value,
        actor=actor.actor_id,
        target=target,
        address=actor.address,
        at=now(),
        details=details or {},
        unsealed_shard=str(random.randrange(UNSEALED_SHARDS)),  # noqa: S311
    )
