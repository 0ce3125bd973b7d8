"""After a bucket was restored: files are pinned to the very bytes that were checked, and to no
others (U4)."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.actors import CaseClient
from files import deletion, downloads, uploads
from files.checking import PREVIEW_JOB
from files.repinning import Outcome, repin_all
from files.storage import case_storage
from files.tables import File
from filevault import jobs
from filevault.errors import NotFound, Unavailable
from filevault.tables import Job
from tests.files import samples
from tests.files.space import A, FakeSpace, begin_post, put, row
from tests.files.test_uploads import actions

pytestmark = pytest.mark.settled


@pytest.fixture
def file(client: CaseClient, space: FakeSpace) -> File:
    """An available file whose SHA-256 the worker has proved."""
    made, _post = begin_post(client, space, file_name="letter.pdf", size=len(samples.PDF))
    put(made, samples.PDF)
    uploads.confirm(client, space, made.file_id)
    while jobs.run_due("test"):
        pass
    return row(made)


def lose(file: File) -> None:
    """Its bytes go, and the pictures with them, as with the whole bucket."""
    case_storage().delete_versions(file.s3_key)


def outcomes(*, apply: bool = False) -> list[Outcome]:
    return [looked.outcome for looked in repin_all(apply=apply)]


def test_a_file_that_is_there_is_left_alone(file: File) -> None:
    before = row(file).to_simple_dict()
    assert outcomes(apply=True) == [Outcome.KEPT]
    assert row(file).to_simple_dict() == before


def test_the_same_bytes_are_found_again_U4(file: File, space: FakeSpace) -> None:
    pinned = file.version_id
    lose(file)
    version = put(file, samples.PDF)
    assert outcomes() == [Outcome.PINNED]
    assert row(file).version_id == pinned
    assert outcomes(apply=True) == [Outcome.PINNED]
    assert (row(file).version_id, row(file).sha256) == (version, file.sha256)
    assert outcomes(apply=True) == [Outcome.KEPT]
    assert actions(space)[-1] == "file:pinned_anew"
    assert downloads.get_download(A, space, file.file_id).url


def test_other_bytes_of_the_same_length_are_not_U4(file: File) -> None:
    lose(file)
    put(file, samples.PDF[:-1] + b"!")
    assert outcomes(apply=True) == [Outcome.OTHER]
    assert row(file).version_id == file.version_id


def test_the_newest_version_alone_is_looked_at(file: File) -> None:
    lose(file)
    put(file, samples.PDF)
    put(file, samples.EXE)
    assert outcomes(apply=True) == [Outcome.OTHER]


def test_a_file_without_bytes_stays_what_it_is(file: File) -> None:
    lose(file)
    assert outcomes(apply=True) == [Outcome.MISSING]
    assert row(file).state == "AVAILABLE"


def test_bytes_that_were_never_proved_are_not_taken(file: File) -> None:
    file.update([File.sha256.remove()])
    lose(file)
    put(file, samples.PDF)
    assert outcomes(apply=True) == [Outcome.UNPROVED]
    assert row(file).version_id == file.version_id


def test_pictures_are_made_anew(file: File) -> None:
    file.update([File.thumb_version_id.set("t"), File.preview_version_id.set("p")])
    lose(file)
    put(file, samples.PDF)
    assert outcomes(apply=True) == [Outcome.PINNED]
    assert not row(file).thumb_version_id
    assert not row(file).preview_version_id
    waiting = [job.kind for shard in "0123" for job in Job.query(shard, consistent_read=True)]
    assert PREVIEW_JOB in waiting


def test_a_deleted_file_stays_deleted(file: File, client: Any, space: FakeSpace) -> None:
    deletion.delete(client, space, file.file_id)
    lose(file)
    put(file, samples.PDF)
    assert outcomes(apply=True) == []
    with pytest.raises(NotFound):
        downloads.get_download(A, space, file.file_id)


def test_storage_that_is_away_stops_it(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*arguments: object) -> None:
        raise Unavailable

    monkeypatch.setattr("files.storage.CaseStorage.head", away)
    with pytest.raises(Unavailable):
        outcomes(apply=True)


@pytest.mark.parametrize(
    ("arguments", "content", "code"),
    [
        ([], samples.PDF, 1),
        (["--apply"], samples.PDF, None),
        (["--apply"], samples.EXE, 1),
    ],
    ids=["looked", "pinned", "other bytes"],
)
def test_the_command_says_whether_all_can_be_served(
    file: File, arguments: list[str], content: bytes, code: int | None
) -> None:
    lose(file)
    put(file, content)
    assert ended(lambda out: call_command("repin_files", *arguments, stdout=out)) == code


def ended(command: Callable[[StringIO], object]) -> object:
    """The code that a command ends with; None where it says none."""
    try:
        command(StringIO())
    except SystemExit as ending:
        return ending.code
    return None
