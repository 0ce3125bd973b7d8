"""Deleting a file: the tombstone first, its bytes by a job."""

from typing import Final

from accounts import audit
from accounts.actors import Actor
from files import records
from files.checking import PURGE_JOB
from files.spaces import Ability, Space, check_ability
from files.states import FileState
from files.tables import File
from filevault import jobs
from filevault.dynamo import Transaction
from filevault.errors import Forbidden, NotFound, OnHold, Unavailable

TRIES: Final = 3


def can_delete(space: Space, actor: Actor, file: File) -> bool:
    """Practitioners delete any file of their case, clients what they sent themselves, and nobody
    anything that a hold keeps (T5)."""
    return _may_delete(space, actor, file) and not space.is_held


def check_deletable(space: Space, actor: Actor, file: File) -> None:
    """Raises `Forbidden` and `OnHold`."""
    if not _may_delete(space, actor, file):
        raise Forbidden
    if space.is_held:
        raise OnHold


def _may_delete(space: Space, actor: Actor, file: File) -> bool:
    abilities = space.abilities(actor)
    own = file.uploaded_by == actor.actor_id
    return Ability.DELETE_ANY in abilities or (own and Ability.DELETE_OWN in abilities)


def get_deletable(actor: Actor, space: Space, file_id: str) -> File:
    """A file that this actor may delete. Raises `NotFound`, `Forbidden` or `OnHold`."""
    check_ability(space, actor, Ability.READ)
    file = records.get_file(space, file_id)
    check_deletable(space, actor, file)
    return file


def delete(actor: Actor, space: Space, file_id: str) -> None:
    """Take a file away for good; asking twice answers alike. Raises `NotFound`, `Forbidden` and
    `OnHold`."""
    for _attempt in range(TRIES):
        file = File.fetch(space.space_id, file_id)
        if file is None:
            raise NotFound
        if file.state == FileState.DELETED and _may_delete(space, actor, file):
            return
        check_deletable(space, actor, file)
        try:
            _bury(actor, space, file)
        except records.StateChanged:
            continue
        return
    raise Unavailable(code="file_busy")


def _bury(actor: Actor, space: Space, file: File) -> None:
    tx = Transaction()
    records.move(
        tx,
        file,
        FileState.DELETED,
        audit.Action.FILE_DELETE,
        actor,
        changes=records.tombstone(),
        details={"size": int(file.size)},
    )
    records.unlist(tx, file)
    space.join_deletion(tx)
    if file.state == FileState.AVAILABLE:
        space.join_removed(tx, file)
    jobs.enqueue(tx, PURGE_JOB, {"spaceId": file.space_id, "fileId": file.file_id})
    tx.commit()
