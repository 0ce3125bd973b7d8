"""The space of a case: who may do what with its files, and what a case keeps of them."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.actors import Actor, CaseClient, Practitioner
from accounts.tables import User
from cases import notices
from cases.tables import Case, Client
from files import spaces
from files.spaces import Ability, SpaceChanged, check_ability, get_space
from files.tables import File
from filevault.dynamo import Transaction, fetch_together, is_id, now
from filevault.errors import OnHold


class Access(StrEnum):
    """What a colleague may do on a case."""

    READ = "read"
    WRITE = "write"


#: What every deletion asks of the case's row (T5).
NOT_HELD: Final = Case.held_at.does_not_exist()

_OWNER = frozenset({Ability.READ, Ability.DELETE_ANY, Ability.MANAGE})
_READER = frozenset({Ability.READ})
#: What clients and writing colleagues may do beside reading, while a case is open.
_WRITER = frozenset({Ability.UPLOAD, Ability.DELETE_OWN})


@dataclass(frozen=True, slots=True)
class CaseSpace:
    """The files of one case. What is closed can be read by its clients, but not changed. `file` is
    the one that a request is about, read together with the case."""

    case: Case
    file: File | None = None

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
    def is_held(self) -> bool:
        return self.case.held_at is not None

    @property
    def home_path(self) -> str:
        return reverse("cases:detail", kwargs={"case_id": self.case.case_id})

    @property
    def storage_prefix(self) -> str:
        return f"cases/{self.case.case_id}/"

    @property
    def totals(self) -> tuple[int, int]:
        return int(self.case.file_count), int(self.case.bytes_used)

    def fetch(self, file_id: str) -> File | None:
        if self.file is not None and self.file.file_id == file_id:
            return self.file
        return File.fetch(self.space_id, file_id)

    def abilities(self, actor: Actor) -> frozenset[Ability]:
        """The owner's, a colleague's or a client's of this very case, or none. Of a deleted case
        nobody has any."""
        if self.case.status == "deleted":
            return frozenset()
        is_open = self.case.status == "open"
        if isinstance(actor, Practitioner) and actor.user_id == self.case.user_id:
            return _OWNER | ({Ability.UPLOAD} if is_open else set())
        if isinstance(actor, Practitioner) and actor.user_id in self.case.members:
            writes = is_open and self.case.members[actor.user_id] == Access.WRITE
            return _READER | (_WRITER if writes else set())
        if isinstance(actor, CaseClient) and self._names(actor):
            return _READER | (_WRITER if is_open else set())
        return frozenset()

    def _names(self, actor: CaseClient) -> bool:
        return actor.case_id == self.case.case_id and actor.client_id in self.case.client_ids

    def join_upload(self, tx: Transaction, file: File, actor: Actor) -> None:
        """Hold the case open and its people as they were read, and tell the other side."""
        unchanged = (Case.status == "open") & (Case.client_ids == list(self.case.client_ids))
        tx.check(self.case, unchanged & members_unchanged(self.case), otherwise=SpaceChanged())
        notices.join_upload(tx, case=self.case, file=file, actor=actor)

    def join_available(self, tx: Transaction, file: File) -> None:
        self._count(tx, files=1, size=int(file.size))

    def join_deletion(self, tx: Transaction) -> None:
        tx.check(self.case, NOT_HELD, otherwise=OnHold())

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


def get_case_space(actor: Actor, case_id: str, ability: Ability = Ability.READ) -> CaseSpace:
    """The space of a case in which the actor has this ability. Raises `NotFound`, for a stranger's
    or a deleted case as for a random id (Z2), and `Forbidden` for who may only do less."""
    space = get_space(actor, f"case:{case_id}")
    check_ability(space, actor, ability)
    return cast(CaseSpace, space)


def reads_only(case: Case, user_id: str) -> bool:
    """Whether a case is shared with a user to be read, and nothing else."""
    return user_id in case.members and case.members[user_id] == Access.READ


def load_case_space(case_id: str, file_id: str | None = None) -> CaseSpace | None:
    """The space of a case, whoever asks, with the row of one file where that is named; None where
    there is no such case."""
    if not is_id(case_id):
        return None
    if file_id is None:
        case, file = Case.fetch(case_id), None
    else:
        case, file = fetch_together((Case, (case_id,)), (File, (f"case:{case_id}", file_id)))
    return CaseSpace(case, file) if case is not None else None


def members_unchanged(case: Case) -> Any:
    """The condition that a case's colleagues may what they might when it was read."""
    return _same(Case.members, case.members.as_dict())


def pending_unchanged(case: Case) -> Any:
    """The condition that nobody has come in, or is waited for, since a case was read."""
    return _same(Case.pending_members, case.pending_members.as_dict())


def _same(attribute: Any, accesses: dict[str, str]) -> Any:
    condition = attribute == accesses
    return condition if accesses else condition | attribute.does_not_exist()


spaces.register("case", load_case_space)
