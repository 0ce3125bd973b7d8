"""A file by its id alone: in which space an actor may know of it, and what they may do with it."""

from accounts.actors import Actor
from files import shared
from files.deletion import can_delete
from files.spaces import Ability, Space, get_space
from files.states import FileState
from files.tables import File, FileRef
from filevault.dynamo import is_id
from filevault.errors import NotFound


def space_of(actor: Actor, file_id: str) -> Space:
    """The space of a file that the actor may know of: where it lies, or that of this one file
    where it is shared with them. Raises `NotFound` for any other, as for a random id (Z2)."""
    ref = FileRef.fetch(file_id) if is_id(file_id) else None
    if ref is None:
        raise NotFound
    try:
        return get_space(actor, ref.space_id, file_id)
    except NotFound:
        return shared.get_shared(actor, file_id)


def actions_on(space: Space, actor: Actor, file: File) -> list[str]:
    """What the actor may do with a file just now, by the same answers that enforce it."""
    abilities = space.abilities(actor)
    available = file.state == FileState.AVAILABLE
    possible = {
        "download": available and Ability.READ in abilities,
        "share": available and Ability.SHARE in abilities,
        "delete": can_delete(space, actor, file),
    }
    return [name for name, allowed in possible.items() if allowed]
