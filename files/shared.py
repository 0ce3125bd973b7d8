"""Files that others share with somebody: listed by their shares, decided by the files' own rows."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from accounts.actors import Actor, Practitioner
from accounts.tables import User
from files.spaces import Ability
from files.states import FileState
from files.tables import File, FileShare
from filevault.dynamo import Transaction
from filevault.errors import NotFound
from filevault.paging import Page, open_cursor, read_page

PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class SharedFile:
    """The space of one shared file, for whom it is shared with: they read it, and do nothing else
    (Z6). It is loaded for this one file, and knows no other."""

    file: File

    @property
    def space_id(self) -> str:
        return str(self.file.space_id)

    @property
    def owner_id(self) -> str:
        return str(self.file.owner_id)

    @property
    def is_personal(self) -> bool:
        return True

    @property
    def home_path(self) -> str:
        return reverse("vault:shared")

    @property
    def storage_prefix(self) -> str:
        return f"users/{self.owner_id}/"

    @property
    def is_held(self) -> bool:
        return False

    @property
    def totals(self) -> None:
        return None

    def fetch(self, file_id: str) -> File | None:
        return self.file if self.file.file_id == file_id else None

    def abilities(self, actor: Actor) -> frozenset[Ability]:
        shared = isinstance(actor, Practitioner) and actor.user_id in self.file.shared_with
        return frozenset({Ability.READ} if shared else ())

    def join_upload(self, tx: Transaction, file: File, actor: Actor) -> None:
        raise NotFound

    def join_available(self, tx: Transaction, file: File) -> None:
        raise NotFound

    def join_deletion(self, tx: Transaction) -> None:
        raise NotFound

    def join_removed(self, tx: Transaction, file: File) -> None:
        raise NotFound

    def names_of(self, actor_ids: Collection[str]) -> dict[str, str]:
        ids = [actor_id.partition(":")[2] for actor_id in actor_ids]
        return {f"user:{user.user_id}": str(user.display_name) for user in User.fetch_many(ids)}


def list_shared(actor: Practitioner, *, cursor: str = "", limit: int = PAGE_SIZE) -> Page[File]:
    """A page of the files that others share with the actor, newest first: the share lists, and the
    file's own row decides."""
    scope = f"shared:{actor.user_id}"
    listed = read_page(
        FileShare.query(
            actor.user_id,
            scan_index_forward=False,
            consistent_read=True,
            limit=limit,
            last_evaluated_key=open_cursor(cursor, scope=scope),
        ),
        scope=scope,
    )
    keys = [(row.space_id, row.file_id) for row in listed.items]
    found = {file.file_id: file for file in File.fetch_many(keys)}
    files = [found[file_id] for _space_id, file_id in keys if file_id in found]
    return Page([file for file in files if _is_shared(file, actor)], listed.cursor)


def get_shared(actor: Actor, file_id: str) -> SharedFile:
    """The space of a file that is shared with the actor. Raises `NotFound` for any other."""
    if not isinstance(actor, Practitioner):
        raise NotFound
    row = FileShare.fetch(actor.user_id, file_id)
    file = File.fetch(row.space_id, file_id) if row is not None else None
    if file is None or not _is_shared(file, actor):
        raise NotFound
    return SharedFile(file)


def _is_shared(file: File, actor: Practitioner) -> bool:
    return file.state == FileState.AVAILABLE and actor.user_id in file.shared_with
