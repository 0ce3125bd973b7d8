"""The one way in which an admin gets at a file's content: by saying why (Z10).

The reason goes into the trail of the space, stands beside the file for its people to read, and its
owner gets a mail. It is the one text in the trail that somebody types.
"""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actors import Practitioner
from accounts.tables import User
from files.names import content_disposition
from files.records import StateChanged
from files.spaces import load_space
from files.states import FileState
from files.storage import case_storage
from files.tables import File, FileRef
from filevault import mail
from filevault.dynamo import Transaction, is_id, now
from filevault.errors import Conflict, Forbidden, NotFound
from filevault.mail import Message, composer
from filevault.text import Texts

REASON_LEAST: Final = 10
REASON_MOST: Final = 500
#: What a row keeps of the times that it was opened.
KEPT: Final = 5
TEMPLATE: Final = "admin_read"


def open_for_admin(actor: Practitioner, file_id: str, *, reason: str) -> str:
    """Where an admin can fetch an available file, once the reason is recorded (A4).

    Raises `Forbidden` for anybody else, `Invalid` without a reason of 10 to 500 characters,
    `NotFound`, and `Conflict` for a file that isn't served (D3)."""
    if not actor.is_admin:
        raise Forbidden
    text = _check_reason(reason)
    file = find(file_id)
    if file.state != FileState.AVAILABLE or not file.version_id:
        raise Conflict(_("This file can't be opened: it is not available."), code="not_available")
    _record(actor, file, text)
    return case_storage().presign_download(
        file.s3_key,
        file.version_id,
        disposition=content_disposition(file.file_name),
        mime_type=file.mime_type,
    )


def find(file_id: str) -> File:
    """The row of a file by its id alone, in whatever state: for admins. Raises `NotFound`."""
    ref = FileRef.fetch(file_id) if is_id(file_id) else None
    file = File.fetch(ref.space_id, file_id) if ref else None
    if file is None:
        raise NotFound
    return file


def reads_of(file: File) -> list[tuple[datetime, str]]:
    """When an admin opened the file, and why; the last time first."""
    reads = [(datetime.fromisoformat(read["at"]), str(read["reason"])) for read in _kept(file)]
    return reads[::-1]


@composer(TEMPLATE)
def compose_admin_read(context: dict[str, Any]) -> Message | None:
    """Compose for `{spaceId, userId}`. Says neither which file nor why (T2): the page does."""
    space, owner = load_space(context["spaceId"]), User.fetch(context["userId"])
    if space is None or owner is None or not owner.email:
        return None
    return Message(
        to=owner.email,
        template=TEMPLATE,
        language=owner.language,
        variables={
            "name": owner.display_name,
            "button_url": f"{settings.SITE_URL}{space.home_path}",
            "button_label": _("See the file and the reason"),
        },
    )


def _check_reason(raw: str) -> str:
    missing = _("Please say why you have to open this file. The practitioner reads it.")
    texts = Texts()
    reason = texts.line("reason", raw, limit=REASON_MOST, missing=missing)
    if reason and len(reason) < REASON_LEAST:
        texts.errors["reason"] = _("Please give the reason in a few words.")
    texts.check()
    return reason


def _record(actor: Practitioner, file: File, reason: str) -> None:
    tx = Transaction()
    event_id = audit.record(
        tx,
        file.space_id,
        audit.Action.FILE_ADMIN_OPEN,
        actor,
        target=file.file_id,
        details={"versionId": file.version_id, "reason": reason},
    )
    reads = [*_kept(file), {"at": now().isoformat(), "reason": reason}][-KEPT:]
    unchanged = File.event_id == file.event_id if file.event_id else File.event_id.does_not_exist()
    tx.update(
        file,
        [File.admin_reads.set(reads), File.event_id.set(event_id)],
        condition=unchanged & (File.state == FileState.AVAILABLE.value),
        otherwise=StateChanged(),
    )
    mail.queue(tx, TEMPLATE, {"spaceId": file.space_id, "userId": file.owner_id})
    tx.commit()


def _kept(file: File) -> list[dict[str, str]]:
    return list(file.admin_reads or [])
