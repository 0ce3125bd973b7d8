"""File rows: reading, listing, changing their state, and what they hold of the quota."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actors import Actor
from files.spaces import Space
from files.states import GONE, LISTED, FileState
from files.tables import File, FileDigest, FileShare, PendingShare, Usage
from filevault.dynamo import Transaction, now
from filevault.errors import Conflict, NotFound
from filevault.paging import Page, open_cursor, read_page

PAGE_SIZE: Final = 50
SAME_AT_MOST: Final = 10


class StateChanged(Conflict):
    """The file has left the state it was read in; nothing was written."""

    code = "state_changed"


class QuotaFull(Conflict):
    """The owner's quota has no room for the file."""

    code = "quota_full"
    default_message = _("There is no room left for this file in the practice's storage.")


def get_file(space: Space, file_id: str) -> File:
    """The row of a file of this very space; `NotFound` also for what has gone."""
    file = space.fetch(file_id)
    if file is None or not is_there(file):
        raise NotFound
    return file


def read_again(file: File) -> File:
    """The row as it is now. Raises `NotFound`."""
    found = File.fetch(file.space_id, file.file_id)
    if found is None:
        raise NotFound
    return found


def is_there(file: File) -> bool:
    """Whether people may know of the file: it hasn't gone, or was refused for a reason."""
    return file.state not in GONE or file.state == FileState.REJECTED


def list_files(space: Space, *, cursor: str = "", limit: int = PAGE_SIZE) -> Page[File]:
    """A page of what is to be seen in a space, newest first, read consistently."""
    scope = f"files:{space.space_id}"
    rows = File.query(
        space.space_id,
        filter_condition=File.state.is_in(*LISTED),
        scan_index_forward=False,
        consistent_read=True,
        limit=limit,
        last_evaluated_key=open_cursor(cursor, scope=scope),
    )
    return read_page(rows, scope=scope)


def move(
    tx: Transaction,
    file: File,
    state: FileState,
    action: audit.Action,
    actor: Actor,
    *,
    changes: Mapping[str, Any] = MappingProxyType({}),
    details: dict[str, Any] | None = None,
) -> None:
    """Add a change of state with its audit event; `changes` are further attributes (None removes
    one), and a `sha256` among the details is the proof that the row remembers the event for. Once
    committed, `file` holds them too. The commit raises `StateChanged` where the file is
    no longer in the state it was read in."""
    event_id = audit.record(tx, file.space_id, action, actor, target=file.file_id, details=details)
    values = {**changes, "state": state.value, "event_id": event_id}
    if details and "sha256" in details:
        values["proof_event_id"] = event_id
    tx.update(
        file,
        [_change(name, value) for name, value in values.items()],
        condition=File.state == file.state,
        otherwise=StateChanged(),
    )
    tx.on_commit(partial(_take_over, file, values))


def _change(name: str, value: Any) -> Any:
    attribute = getattr(File, name)
    return attribute.remove() if value is None else attribute.set(value)


def _take_over(file: File, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(file, name, value)


def hold(tx: Transaction, owner_id: str, size: int, *, files: int = 1) -> None:
    """Count bytes against the owner's quota, by a condition, so that uploads at once can't pass it
    together (U9). Raises `QuotaFull`, at once or at the commit."""
    room = settings.STORAGE_QUOTA_BYTES - size
    if room < 0:
        raise QuotaFull
    tx.update(
        Usage(owner_id),
        [Usage.bytes_used.add(size), Usage.file_count.add(files)],
        condition=Usage.bytes_used.does_not_exist() | (Usage.bytes_used <= room),
        otherwise=QuotaFull(),
    )


def give_back(tx: Transaction, file: File) -> None:
    """Return what a file holds of the quota, once: the row's own condition guards it."""
    if file.held_bytes is None:
        return
    tx.update(
        Usage(file.owner_id),
        [Usage.bytes_used.add(-int(file.held_bytes)), Usage.file_count.add(-1)],
    )
    tx.update(
        file,
        [File.held_bytes.remove()],
        condition=File.held_bytes == file.held_bytes,
        otherwise=StateChanged(),
    )
    tx.on_commit(partial(_take_over, file, {"held_bytes": None}))


def get_usage(owner_id: str) -> Usage:
    """What all files of an owner hold of the quota, in cases and vault together."""
    return Usage.fetch(owner_id) or Usage(owner_id)


def note_digest(tx: Transaction, file: File) -> None:
    """List an available file by its content; it must have its proved `sha256`."""
    tx.put(FileDigest(file.space_id, _digest_key(file)))


def unlist(tx: Transaction, file: File) -> None:
    """Take a file that goes off every list: by content, and of those it is shared with (T4). The
    commit raises `StateChanged` where its SHA-256 was proved or it was shared since it was read:
    there is an entry now that is not known here."""
    if file.sha256:
        tx.delete(FileDigest(file.space_id, _digest_key(file)))
    else:
        tx.update(file, [], condition=File.sha256.does_not_exist(), otherwise=StateChanged())
    for user_id in file.shared_with:
        tx.delete(FileShare(user_id, file.file_id))
    for email_hash in file.pending_with:
        tx.delete(PendingShare(email_hash, file.file_id))
    tx.update(file, [], condition=shares_unchanged(file), otherwise=StateChanged())


def shares_unchanged(file: File) -> Any:
    """The condition that nobody was given access, or lost it, since the row was read."""
    pending = File.pending_with == list(file.pending_with)
    if not file.pending_with:  # rows of before there were any
        pending |= File.pending_with.does_not_exist()
    return (File.shared_with == list(file.shared_with)) & pending


def find_same(space: Space, sha256: str) -> list[File]:
    """Available files of a space with this content (SHA-256 in hex), the oldest first."""
    found = FileDigest.query(
        space.space_id,
        FileDigest.digest_key.startswith(f"{sha256}#"),
        consistent_read=True,
        limit=SAME_AT_MOST,
    )
    keys = [(space.space_id, row.digest_key.partition("#")[2]) for row in found]
    files = File.fetch_many(keys)
    return sorted(
        (file for file in files if file.state == FileState.AVAILABLE and file.sha256 == sha256),
        key=lambda file: str(file.file_id),
    )


def _digest_key(file: File) -> str:
    return f"{file.sha256}#{file.file_id}"


def tombstone() -> dict[str, Any]:
    """What deletion changes in a row, so that ids, size and times stay. The key stays with them:
    an upload that was begun may still arrive under it."""
    return {
        "file_name": "",
        "deleted_at": now(),
        "sha256": None,
        "declared_sha256": None,
        "reason": None,
        "image_space": None,
        "shared_with": [],
        "pending_with": [],
        "admin_reads": None,
    }
