"""The space of a case: who may do what with its files, and what a case keeps of them."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.actors import Actor, CaseClient, Practitioner
from accounts.tables import User
from cases import notices
from cases.tables import Case, Client
from files import spaces
from files.spaces import Ability, SpaceChanged
from files.tables import File
from filevault.dynamo import Transaction, is_id, now

_OWNER = frozenset({Ability.READ, Ability.DELETE_ANY})
_CLIENT = frozenset({Ability.READ})


@dataclass(frozen=True, slots=True)
class CaseSpace:
    """The files of one case. What is closed can be read by its clients, but not changed."""

    case: Case

    @property
    def space_id(self) -> str:
        return f"case:{self.case.case_id}"

    @property
    def owner_id(self) -> str:
        return str(self.case.user_id)

    @property
    def is_personal(self) -> bool:
        return False

    @property
    def storage_prefix(self) -> str:
        return f"cases/{self.case.case_id}/"

    def abilities(self, actor: Actor) -> frozenset[Ability]:
        """The owner's, a client's of this very case, or none. Of a deleted case nobody has any."""
        if self.case.status == "deleted":
            return frozenset()
        is_open = self.case.status == "open"
        if isinstance(actor, Practitioner) and actor.user_id == self.case.user_id:
            return _OWNER | ({Ability.UPLOAD} if is_open else set())
        if isinstance(actor, CaseClient) and self._names(actor):
            return _CLIENT | ({Ability.UPLOAD, Ability.DELETE_OWN} if is_open else set())
        return frozenset()

    def _names(self, actor: CaseClient) -> bool:
        return actor.case_id == self.case.case_id and actor.client_id in self.case.client_ids

    def join_upload(self, tx: Transaction, file: File, actor: Actor) -> None:
        """Hold the case open and its people as they were read, and tell the other side."""
        unchanged = (Case.status == "open") & (Case.client_ids == list(self.case.client_ids))
        tx.check(self.case, unchanged, otherwise=SpaceChanged())
        notices.join_upload(tx, case=self.case, file=file, actor=actor)

    def join_available(self, tx: Transaction, file: File) -> None:
        self._count(tx, files=1, size=int(file.size))

    def join_removed(self, tx: Transaction, file: File) -> None:
        self._count(tx, files=-1, size=-int(file.size))

    def _count(self, tx: Transaction, *, files: int, size: int) -> None:
        changes = [Case.file_count.add(files), Case.bytes_used.add(size)]
        tx.update(
            Case(self.case.case_id),
            [*changes, Case.updated_at.set(now())],
            condition=Case.case_id.exists(),
        )

    def names_of(self, actor_ids: Collection[str]) -> dict[str, str]:
        """Who sent what. People who were deleted since are told by what they were."""
        names = {
            actor_id: _("Former client") if actor_id.startswith("client:") else ""
            for actor_id in actor_ids
        }
        ids = [actor_id.partition(":")[2] for actor_id in names if actor_id.startswith("client:")]
        for client in Client.fetch_many((self.owner_id, client_id) for client_id in ids):
            names[f"client:{client.client_id}"] = client.name
        users = [actor_id.partition(":")[2] for actor_id in names if actor_id.startswith("user:")]
        for user in User.fetch_many(users):
            names[f"user:{user.user_id}"] = user.display_name
        return names


def load_case_space(case_id: str) -> CaseSpace | None:
    """The space of a case, whoever asks; None where there is no such case."""
    case = Case.fetch(case_id) if is_id(case_id) else None
    return CaseSpace(case) if case is not None else None


spaces.register("case", load_case_space)
