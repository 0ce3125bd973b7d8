"""Receipts: a signed statement that a file was received, which holds without us.

It names the file by its SHA-256, and the event of the audit trail in which that stands, with its
place in the chain. It holds no name: neither the file's nor anybody's (T2). It is obtainable for as
long as the case is, also once the file was deleted: what was received was received.
"""

import hashlib
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actors import Actor
from accounts.tables import AuditEvent
from files.spaces import Ability, Space, check_ability
from files.states import GONE
from files.tables import File
from filevault import signing
from filevault.errors import Conflict, NotFound

KIND: Final = "filevault-receipt"


class NotReady(Conflict):
    """The file is still being checked, or its event isn't sealed yet."""

    code = "receipt_not_ready"
    default_message = _(
        "The receipt for this file is ready within a minute. Nothing is missing: Filevault is "
        "still writing the arrival into its record."
    )


class Unproved(Exception):
    """A receipt that isn't about this file, or that the trail doesn't hold."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it is downloaded."""

    document: dict[str, Any]
    file_name: str


def has_receipt(space: Space, file: File) -> bool:
    """Whether there is one or will be: files of a case that were, or are to be, available."""
    if space.is_personal:
        return False
    return bool(file.proof_event_id) or not (file.state in GONE or file.sha256)


def get_receipt(actor: Actor, space: Space, file_id: str) -> Receipt:
    """The receipt for a file of a case, recorded before it is given. Raises `NotFound`,
    `Forbidden` and `NotReady`."""
    check_ability(space, actor, Ability.READ)
    file = File.fetch(space.space_id, file_id)
    if file is None or not has_receipt(space, file):
        raise NotFound
    event = AuditEvent.fetch(space.space_id, file.proof_event_id) if file.proof_event_id else None
    if event is None or event.sequence is None:
        raise NotReady
    audit.record_alone(space.space_id, audit.Action.FILE_RECEIPT, actor, target=file.file_id)
    document = signing.sign(KIND, _content(file, event))
    return Receipt(document, f"{file.file_name or file.file_id}.receipt.json")


def _content(file: File, event: AuditEvent) -> dict[str, Any]:
    return {
        "issuer": settings.SITE_URL,
        "fileId": file.file_id,
        "caseId": str(file.space_id).partition(":")[2],
        "sha256": event.details["sha256"],
        "size": int(event.details["size"]),
        "receivedAt": file.available_at.isoformat(),
        "trail": {
            "streamId": event.stream_id,
            "sequence": int(event.sequence),
            "eventId": event.event_id,
            "hash": event.hash,
        },
    }


def check_receipt(document: object, keys: signing.Keys) -> dict[str, Any]:
    """What a receipt says, if one of the keys signed it. Raises a `signing.SignatureFault`."""
    return signing.verify(document, keys, kind=KIND)


def check_content(said: dict[str, Any], content: BufferedIOBase) -> None:
    """Hold a file against its receipt. Raises `Unproved`."""
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != said["sha256"]:
        raise Unproved(f"the file is another one, or was altered: its SHA-256 is {digest}")


def check_trail(said: dict[str, Any]) -> None:
    """Hold a receipt against the audit trail. Raises `Unproved`."""
    place = said["trail"]
    event = AuditEvent.fetch(place["streamId"], place["eventId"])
    if event is None or (event.sequence, event.hash) != (place["sequence"], place["hash"]):
        raise Unproved("the audit trail doesn't hold the event that it names")
