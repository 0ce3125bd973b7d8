"""A file as the API tells it to one actor."""

from collections.abc import Sequence
from typing import Any

from accounts.actors import Practitioner
from files.access import actions_on
from files.recipients import recipients_of
from files.shared import SharedFile
from files.spaces import Space
from files.tables import File


def file_out(actor: Practitioner, space: Space, file: File) -> dict[str, Any]:
    return files_out(actor, space, [file])[0]


def files_out(
    actor: Practitioner, space: Space | None, files: Sequence[File]
) -> list[dict[str, Any]]:
    """Files of one space, or (None) such as others share with the actor: who else has access is
    told to the owner alone."""
    own = [file for file in files if file.owner_id == actor.user_id]
    recipients = recipients_of(own)
    return [
        _file_out(actor, space or SharedFile(file), file, recipients.get(file.file_id, []))
        for file in files
    ]


def _file_out(
    actor: Practitioner, space: Space, file: File, recipients: list[str]
) -> dict[str, Any]:
    kind, _, key = str(file.space_id).partition(":")
    answer = {
        "file_id": file.file_id,
        "user_id": file.owner_id,
        "uploaded_by": file.uploaded_by,
        "file_name": file.file_name,
        "size": int(file.size),
        "mime_type": file.mime_type,
        "sha256": file.sha256,
        "created_at": file.created_at,
        "shared_with": recipients,
        "is_read_only": bool(file.is_read_only),
        "state": file.state,
        "case_id": key if kind == "case" else None,
        "actions": actions_on(space, actor, file),
    }
    return answer | ({"s3_key": file.s3_key} if file.owner_id == actor.user_id else {})
