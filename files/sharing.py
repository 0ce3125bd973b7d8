"""Sharing single files of a vault with colleagues, by e-mail address.

Whether an address belongs to somebody is told to nobody: the answer, the list of who has access
and the mail are the same. A share with an address that nobody has proved yet waits until its owner
logs in. What counts is the file's own row: a share is read together with it at every use (Z5).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from accounts import audit
from accounts.actors import Actor, Practitioner
from accounts.addressing import (
    Recipient,
    bind_at_login,
    check_recipient,
    count_share,
    find_recipient,
)
from accounts.profiles import practitioner_of
from accounts.tables import User
from files import records
from files.spaces import Ability, Space, check_ability
from files.states import FileState
from files.tables import File, FileShare, PendingShare
from filevault import mail
from filevault.dynamo import Transaction, now, retrying
from filevault.errors import Conflict, Invalid
from filevault.mail import address_hash

#: Deleting a file takes its shares with it in one transaction of at most 100 items.
MOST_SHARES: Final = 40


@dataclass(frozen=True, slots=True)
class Share:
    """Somebody who has access to a file, as its owner knows them: by the address that was typed,
    or by the name of who was named by id."""

    label: str
    since: datetime
    email: str = ""
    user_id: str = ""


def share(
    actor: Practitioner, space: Space, file_id: str, *, email: object = None, user_id: object = None
) -> None:
    """Let somebody read a file of the actor's, named by address or by user id; again changes
    nothing. Raises `NotFound`, `Forbidden`, `Invalid`, `RateLimited`."""
    check_ability(space, actor, Ability.SHARE)
    _get_shareable(space, file_id)
    own = _("This file is yours already.")
    named = check_recipient(email, user_id)
    recipient = find_recipient(actor, named, own=own, code="own_file")
    count_share(actor)
    _retrying(lambda: _add(actor, _get_shareable(space, file_id), recipient))


def unshare(
    actor: Practitioner, space: Space, file_id: str, *, email: object = None, user_id: object = None
) -> None:
    """Take a share back; it bites at the next click. One that isn't there counts as taken back.
    Raises `NotFound`, `Forbidden`, `Invalid`."""
    check_ability(space, actor, Ability.SHARE)
    recipient = check_recipient(email, user_id)
    _retrying(lambda: _remove(actor, _get_shareable(space, file_id), recipient))


def get_shares(actor: Actor, space: Space, file_id: str) -> list[Share]:
    """Who has access to a file besides its owner, since when; the newest last. Raises `NotFound`
    and `Forbidden`."""
    check_ability(space, actor, Ability.SHARE)
    file = _get_shareable(space, file_id)
    rows = _rows_of(file)
    by_id = {row.user_id: row for row in rows if isinstance(row, FileShare) and not row.email}
    names = {user.user_id: str(user.display_name) for user in User.fetch_many(by_id)}
    nameless = _("Somebody who has not given a name yet")
    shares = [Share(row.email, row.created_at, email=row.email) for row in rows if row.email]
    shares += [
        Share(names.get(user_id) or nameless, row.created_at, user_id=user_id)
        for user_id, row in by_id.items()
    ]
    return sorted(shares, key=lambda each: each.since)


def _get_shareable(space: Space, file_id: str) -> File:
    file = records.get_file(space, file_id)
    if file.state != FileState.AVAILABLE:
        raise Conflict(_("This file can't be shared: it is not available."), code="not_available")
    return file


def _rows_of(file: File) -> list[FileShare | PendingShare]:
    shares = FileShare.fetch_many((user_id, file.file_id) for user_id in file.shared_with)
    waiting = PendingShare.fetch_many((hashed, file.file_id) for hashed in file.pending_with)
    return [*shares, *waiting]


def _add(actor: Practitioner, file: File, recipient: Recipient) -> None:
    shared, pending = list(file.shared_with), list(file.pending_with)
    if recipient.user_id in shared or (not recipient.user_id and recipient.email_hash in pending):
        return
    if len(shared) + len(pending) >= MOST_SHARES:
        text = _("A file can be shared with %(most)d people at most.") % {"most": MOST_SHARES}
        raise Invalid(text, code="too_many_shares", fields={"email": text})
    tx = Transaction()
    moment = now()
    if recipient.user_id:
        shared.append(recipient.user_id)
        tx.put(_file_share(file, recipient.user_id, actor.user_id, recipient.email, moment))
    else:
        pending.append(recipient.email_hash)
        tx.put(
            PendingShare(
                recipient.email_hash,
                file.file_id,
                space_id=file.space_id,
                shared_by=actor.user_id,
                email=recipient.email,
                created_at=moment,
            )
        )
    _note(tx, file, audit.Action.FILE_SHARE, actor, shared, pending)
    context = {"fileId": file.file_id, "userId": recipient.user_id}
    context |= {"emailHash": recipient.email_hash if recipient.email else ""}
    mail.queue(tx, "share", context)
    tx.commit()


def _remove(actor: Practitioner, file: File, recipient: Recipient) -> None:
    gone = [row for row in _rows_of(file) if _is_of(row, recipient)]
    if not gone:
        return
    tx = Transaction()
    for row in gone:
        tx.delete(row)
    users = {row.user_id for row in gone if isinstance(row, FileShare)}
    hashes = {row.email_hash for row in gone if isinstance(row, PendingShare)}
    shared = [user_id for user_id in file.shared_with if user_id not in users]
    pending = [hashed for hashed in file.pending_with if hashed not in hashes]
    _note(tx, file, audit.Action.FILE_UNSHARE, actor, shared, pending)
    tx.commit()


def _is_of(row: FileShare | PendingShare, recipient: Recipient) -> bool:
    if recipient.user_id:
        return isinstance(row, FileShare) and row.user_id == recipient.user_id
    return bool(row.email) and address_hash(str(row.email)) == recipient.email_hash


def _bind(user: User, pending: PendingShare) -> None:
    file = File.fetch(pending.space_id, pending.file_id)
    tx = Transaction()
    tx.delete(pending)
    if file is not None and _waits_for(file, pending):
        shared = [*dict.fromkeys([*file.shared_with, user.user_id])]
        left = [hashed for hashed in file.pending_with if hashed != pending.email_hash]
        by = str(pending.shared_by)
        tx.put(_file_share(file, user.user_id, by, str(pending.email), pending.created_at))
        _note(tx, file, audit.Action.FILE_SHARE, practitioner_of(user), shared, left)
    elif file is not None and file.state == FileState.AVAILABLE:
        # It was taken back. What is shared anew just now must not go with it.
        tx.check(file, records.shares_unchanged(file), otherwise=records.StateChanged())
    tx.commit()


def _waits_for(file: File, pending: PendingShare) -> bool:
    return file.state == FileState.AVAILABLE and pending.email_hash in file.pending_with


def _file_share(
    file: File, user_id: str, shared_by: str, email: str, created_at: datetime
) -> FileShare:
    return FileShare(
        user_id,
        file.file_id,
        space_id=file.space_id,
        file_name=file.file_name,
        size=file.size,
        mime_type=file.mime_type,
        shared_by=shared_by,
        email=email or None,
        created_at=created_at,
    )


def _note(
    tx: Transaction,
    file: File,
    action: audit.Action,
    actor: Actor,
    shared: list[str],
    pending: list[str],
) -> None:
    """Write the new lists into the file's row, unless they changed since they were read."""
    details: dict[str, Any] = {"people": len(shared) + len(pending)}
    stream, target = str(file.space_id), str(file.file_id)
    event_id = audit.record(tx, stream, action, actor, target=target, details=details)
    tx.update(
        file,
        [
            File.shared_with.set(shared),
            File.pending_with.set(pending),
            File.event_id.set(event_id),
        ],
        condition=(File.state == FileState.AVAILABLE.value) & records.shares_unchanged(file),
        otherwise=records.StateChanged(),
    )


def _retrying(step: Callable[[], None]) -> None:
    retrying(step, on=records.StateChanged, code="file_busy")


bind_at_login(PendingShare, lambda user, row: _retrying(lambda: _bind(user, row)))
