"""Spaces: where files live. `files` asks a space what an actor may do; it never knows cases."""

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Protocol

from accounts.actors import Actor
from files.tables import File
from filevault.dynamo import Transaction
from filevault.errors import Conflict, Forbidden, NotFound


class Ability(StrEnum):
    """What an actor may do in a space: computed once, it enforces the rule and draws the
    buttons. `MANAGE` is to change the space itself and who is in it."""

    READ = "read"
    UPLOAD = "upload"
    DELETE_OWN = "delete_own"
    DELETE_ANY = "delete_any"
    SHARE = "share"
    MANAGE = "manage"


class SpaceChanged(Conflict):
    """What a space read for `join_upload` was overtaken before the commit. Nothing was written:
    build the transaction anew, from `join_upload` on, and it will mostly pass."""

    code = "space_changed"


class Space(Protocol):
    """What a kind of space answers. Loaded for one request from rows read consistently."""

    @property
    def space_id(self) -> str:
        """`case:<id>` or `user:<id>`."""

    @property
    def owner_id(self) -> str:
        """The user whose quota the files count against."""

    @property
    def is_personal(self) -> bool:
        """Whether it is one person's own, where nobody else sees what isn't shared; else everybody
        of the space sees every file."""

    @property
    def home_path(self) -> str:
        """The page on which its people see its files."""

    @property
    def storage_prefix(self) -> str:
        """The prefix of its storage keys, ending in a slash; holds ids only (U2)."""

    @property
    def is_held(self) -> bool:
        """Whether a legal hold keeps all that is here: nothing of it is deleted (T5)."""

    @property
    def totals(self) -> tuple[int, int] | None:
        """How many files may be read here and their bytes, where the space keeps count."""

    def fetch(self, file_id: str) -> File | None:
        """The row of one of its files as this request finds it, read consistently. Who has to know
        what became of it since asks `File.fetch`."""

    def abilities(self, actor: Actor) -> frozenset[Ability]:
        """What this actor may do here; empty for a stranger, who must not learn that it exists."""

    def join_upload(self, tx: Transaction, file: File, actor: Actor) -> None:
        """Add to the transaction that begins an upload (conditions, notices). Its commit may raise
        `SpaceChanged`: then load the space and build the transaction anew, three times at most."""

    def join_available(self, tx: Transaction, file: File) -> None:
        """Add to the transaction that makes a file available (counters)."""

    def join_deletion(self, tx: Transaction) -> None:
        """Add to the transaction by which somebody deletes a file that no hold has come meanwhile.
        Its commit may raise `OnHold`."""

    def join_removed(self, tx: Transaction, file: File) -> None:
        """Add to the transaction that takes an available file away."""

    def names_of(self, actor_ids: Collection[str]) -> dict[str, str]:
        """Display names of the people behind `uploaded_by`, by actor id."""


Loader = Callable[[str, str | None], Space | None]
_loaders: dict[str, Loader] = {}


def register(kind: str, loader: Loader) -> None:
    """Say how spaces of a kind are loaded by the id after the colon (None: there is none), and by
    that of the one file that it is loaded for, where it is known: to read both rows at once."""
    _loaders[kind] = loader


def load_space(space_id: str, file_id: str | None = None) -> Space | None:
    """The space, whoever asks: for the worker alone."""
    kind, _, key = space_id.partition(":")
    loader = _loaders.get(kind)
    return loader(key, file_id) if loader is not None and key else None


def get_space(actor: Actor, space_id: str, file_id: str | None = None) -> Space:
    """Load and authorise in one step: a stranger gets `NotFound`, as for a random id (Z2). With
    `file_id` it is loaded for a request about that one file."""
    space = load_space(space_id, file_id)
    if space is None or not space.abilities(actor):
        raise NotFound
    return space


def check_ability(space: Space, actor: Actor, ability: Ability) -> None:
    """Raises `Forbidden` for a known actor in too weak a role."""
    if ability not in space.abilities(actor):
        raise Forbidden
