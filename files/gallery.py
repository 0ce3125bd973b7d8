"""The images of a space, newest first, by an index of their own."""

from typing import Final

from accounts.actors import Actor
from files.spaces import Ability, Space, check_ability
from files.states import FileState
from files.tables import File
from filevault.paging import Page, open_cursor, read_page

PAGE_SIZE: Final = 48
_KEYS: Final = ["imageSpace", "spaceId", "fileId"]


def list_images(
    actor: Actor, space: Space, *, cursor: str = "", limit: int = PAGE_SIZE
) -> Page[File]:
    """A page of the available images. The index only lists, and may lag; the files' own rows
    decide, so a page may hold fewer than `limit` and still have a next one. Raises `Forbidden`,
    and `Invalid` for a bad cursor."""
    check_ability(space, actor, Ability.READ)
    scope = f"images:{space.space_id}"
    rows = File.images.query(
        space.space_id,
        scan_index_forward=False,
        limit=limit,
        last_evaluated_key=open_cursor(cursor, scope=scope),
        attributes_to_get=_KEYS,
    )
    listed = read_page(rows, scope=scope)
    keys = [(space.space_id, file.file_id) for file in listed.items]
    found = {file.file_id: file for file in File.fetch_many(keys)}
    images = [found[file_id] for _space_id, file_id in keys if file_id in found]
    return Page([file for file in images if _is_shown(file, space)], listed.cursor)


def _is_shown(file: File, space: Space) -> bool:
    return file.state == FileState.AVAILABLE and file.image_space == space.space_id
