"""The vault: a practitioner's own files, outside any case. Others see of it what is shared with
them (`files.sharing`), and nothing else."""

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse

from accounts.actors import Actor, Practitioner
from files import spaces
from files.spaces import Ability
from files.tables import File
from filevault.dynamo import Transaction, is_id

_OWNER = frozenset({Ability.READ, Ability.UPLOAD, Ability.DELETE_ANY, Ability.SHARE})


@dataclass(frozen=True, slots=True)
class VaultSpace:
    """The files of one user. Nobody is told of uploads into it."""

    user_id: str

    @property
    def space_id(self) -> str:
        return f"user:{self.user_id}"

    @property
    def owner_id(self) -> str:
        return self.user_id

    @property
    def is_personal(self) -> bool:
        return True

    @property
    def home_path(self) -> str:
        return reverse("vault:mine")

    @property
    def storage_prefix(self) -> str:
        return f"users/{self.user_id}/"

    @property
    def is_held(self) -> bool:
        return False

    @property
    def totals(self) -> None:
        return None

    def fetch(self, file_id: str) -> File | None:
        return File.fetch(self.space_id, file_id)

    def abilities(self, actor: Actor) -> frozenset[Ability]:
        own = isinstance(actor, Practitioner) and actor.user_id == self.user_id
        return _OWNER if own else frozenset()

    def join_upload(self, tx: Transaction, file: File, actor: Actor) -> None:
        pass

    def join_available(self, tx: Transaction, file: File) -> None:
        pass

    def join_deletion(self, tx: Transaction) -> None:
        pass

    def join_removed(self, tx: Transaction, file: File) -> None:
        pass

    def names_of(self, actor_ids: Collection[str]) -> dict[str, str]:
        return {}


def vault_of(actor: Practitioner) -> VaultSpace:
    """The actor's own vault."""
    return VaultSpace(actor.user_id)


def _load(user_id: str, _file_id: str | None) -> VaultSpace | None:
    return VaultSpace(user_id) if is_id(user_id) else None


spaces.register("user", _load)
