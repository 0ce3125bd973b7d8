"""A space of the kind `test`, so that the rules of files are tested without cases."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from accounts.actors import Actor, CaseClient, Practitioner
from files import spaces, uploads
from files.presigned import PresignedPost
from files.spaces import Ability, SpaceChanged
from files.tables import File, FileRef
from filevault.aws import s3_client
from filevault.dynamo import Transaction
from filevault.tables import Once

OWNER = "00000000-0000-5000-8000-000000000001"
A = Practitioner(OWNER, "Dr Anna Novak", "Practice 1", "anna.novak@example.test")
B = Practitioner(
    "00000000-0000-5000-8000-000000000002", "Ben Okafor", "Practice 2", "ben.okafor@example.test"
)
C1 = CaseClient("client-1", "one", OWNER, "Clara One")
C2 = CaseClient("client-2", "two", OWNER, "Carl Two")
OTHER_ON_CASE = CaseClient("client-3", "one", OWNER, "Cora Three")

_READ_DELETE = frozenset({Ability.READ, Ability.DELETE_OWN})


@dataclass
class FakeSpace:
    """Owner A, and the clients of the case that the id names."""

    key: str
    owner_id: str = OWNER
    is_open: bool = True
    is_held: bool = False
    totals: tuple[int, int] | None = None
    changes_before_commit: int = 0
    available: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def space_id(self) -> str:
        return f"test:{self.key}"

    @property
    def is_personal(self) -> bool:
        return False

    @property
    def home_path(self) -> str:
        return "/"

    @property
    def storage_prefix(self) -> str:
        return f"cases/{self.key}/"

    def fetch(self, file_id: str) -> File | None:
        return File.fetch(self.space_id, file_id)

    def abilities(self, actor: Actor) -> frozenset[Ability]:
        upload = frozenset({Ability.UPLOAD} if self.is_open else ())
        if isinstance(actor, Practitioner) and actor.user_id == self.owner_id:
            return upload | {Ability.READ, Ability.DELETE_ANY}
        if isinstance(actor, CaseClient) and actor.case_id == self.key:
            return upload | _READ_DELETE
        return frozenset()

    def join_upload(self, tx: Transaction, file: File, actor: Actor) -> None:
        if self.changes_before_commit:
            self.changes_before_commit -= 1
            row = Once(f"never-there-{file.file_id}")
            tx.check(row, Once.key.exists(), otherwise=SpaceChanged())

    def join_available(self, tx: Transaction, file: File) -> None:
        tx.on_commit(lambda: self.available.append(file.file_id))

    def join_deletion(self, tx: Transaction) -> None:
        pass

    def join_removed(self, tx: Transaction, file: File) -> None:
        tx.on_commit(lambda: self.removed.append(file.file_id))

    def names_of(self, actor_ids: Collection[str]) -> dict[str, str]:
        people = {person.actor_id: person.display_name for person in (A, C1, OTHER_ON_CASE)}
        return {actor_id: people[actor_id] for actor_id in actor_ids if actor_id in people}


def make_space(key: str = "one") -> FakeSpace:
    """A space that `get_space` finds from now on."""
    space = _spaces[key] = FakeSpace(key)
    spaces.register("test", lambda key, _file_id: _spaces.get(key))
    return space


_spaces: dict[str, FakeSpace] = {}


def make_bucket(name: str) -> None:
    """The versioned bucket, for tests on moto."""
    client = s3_client()
    client.create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def put(file: File, content: bytes) -> str:
    """Let bytes arrive under a file's key; the version's id."""
    answer = s3_client().put_object(
        Bucket=settings.FILEVAULT_BUCKET,
        Key=file.s3_key,
        Body=content,
        ContentType=file.mime_type,
    )
    return answer["VersionId"]


def begin_post(
    actor: Actor, space: FakeSpace, *, file_name: str, size: int, **declared: Any
) -> tuple[File, PresignedPost]:
    """Begin an upload that is small enough for one request."""
    file, post = uploads.begin(actor, space, file_name=file_name, size=size, **declared)
    assert post is not None
    return file, post


def row(file: File) -> File:
    """The row as it is now."""
    found = File.fetch(file.space_id, file.file_id)
    assert found is not None
    return found


def row_by_id(file_id: str) -> File:
    """The row of a file in whatever space."""
    ref = FileRef.fetch(file_id)
    assert ref is not None
    found = File.fetch(ref.space_id, file_id)
    assert found is not None
    return found
