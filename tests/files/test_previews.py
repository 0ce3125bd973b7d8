"""The worker's previews: what is stored beside a file, when, and when not."""

import fcntl
import logging
import os
import subprocess
import sys
import time
from ast import literal_eval
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
import time_machine
from botocore.exceptions import ClientError

from accounts.tables import AuditEvent
from files import checking, deletion, previews, uploads
from files.keys import preview_key, thumb_key
from files.storage import CaseStorage, case_storage
from files.tables import File
from filevault import jobs
from filevault.aws import s3_client
from filevault.dynamo import Transaction
from filevault.errors import Unavailable
from tests.due import waiting
from tests.files import samples
from tests.files.pictures import camera_exif, claiming_png, colours, decoded, encoded, half_and_half
from tests.files.space import C1, A, FakeSpace, put, row
from tests.files.test_uploads import actions
from tests.waiting import wait_until

PHOTO = encoded(half_and_half(), "JPEG", exif=camera_exif(6))


def arrive(space: FakeSpace, name: str = "photo.jpg", content: bytes = PHOTO) -> File:
    """A file that has become available and whose preview nobody has drawn."""
    file, _ = uploads.begin(C1, space, file_name=name, size=len(content))
    put(file, content)
    return uploads.confirm(C1, space, file.file_id)


def work(kind: str = checking.PREVIEW_JOB, *, later: timedelta = timedelta(seconds=1)) -> int:
    """Do the jobs of a kind that are due."""
    with time_machine.travel(datetime.now(UTC) + later, tick=True):
        return jobs.run_due("test", kinds=[kind])


def versions(file: File) -> dict[str, list[str]]:
    storage = case_storage()
    return {
        "thumb": storage.list_versions(thumb_key(file.s3_key)),
        "preview": storage.list_versions(preview_key(file.s3_key)),
    }


def stored(key: str, version_id: str) -> Any:
    return s3_client().get_object(Bucket="filevault-test", Key=key, VersionId=version_id)


def test_a_photo_gets_both_pictures_pinned_and_recorded(space: FakeSpace) -> None:
    file = arrive(space)
    assert work() == 1
    after = row(file)
    assert after.state == "AVAILABLE"
    for key, version_id in (
        (thumb_key(file.s3_key), after.thumb_version_id),
        (preview_key(file.s3_key), after.preview_version_id),
    ):
        found = stored(key, str(version_id))
        assert (found["ContentType"], found["ServerSideEncryption"]) == ("image/jpeg", "AES256")
        assert colours(decoded(found["Body"].read()))[2:] == ("red", "blue")
    event = next(e for e in AuditEvent.query(space.space_id) if e.action == "file:preview_made")
    assert (event.actor, event.target) == ("system:worker", file.file_id)
    assert after.event_id == event.event_id
    assert waiting(checking.PREVIEW_JOB) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.pdf", encoded(half_and_half(), "PDF")),
        ("phone.heic", encoded(half_and_half(), "HEIF")),
        ("fax.tiff", encoded(half_and_half(), "TIFF")),
        ("scan.png", encoded(half_and_half(), "PNG")),
        ("web.webp", encoded(half_and_half(), "WEBP")),
    ],
)
def test_every_type_with_a_preview_gets_one(space: FakeSpace, name: str, content: bytes) -> None:
    file = arrive(space, name, content)
    work()
    assert row(file).thumb_version_id
    assert row(file).preview_version_id


def test_other_types_and_large_files_are_not_even_tried(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    for name in ("letter.docx", "notes.txt", "all.zip", "mri.dcm"):
        arrive(space, name, samples.GOOD[name])
    settings.PREVIEW_MAX_SIZE = len(PHOTO) - 1
    arrive(space)
    assert waiting(checking.PREVIEW_JOB) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.png", samples.PNG),
        ("bomb.png", claiming_png(50_000, 50_000)),
        ("broken.pdf", samples.PDF),
        ("broken.heic", samples.HEIC),
    ],
)
def test_what_cant_be_drawn_has_no_preview_and_is_let_be(
    space: FakeSpace, name: str, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file = arrive(space, name, content)
    assert work() == 1
    after = row(file)
    assert after.state == "AVAILABLE"
    assert not after.thumb_version_id
    assert not after.preview_version_id
    assert waiting(checking.PREVIEW_JOB) == []
    assert versions(file) == {"thumb": [], "preview": []}
    told = [record for record in caplog.records if record.name == "files.previews"]
    assert [(record.levelname, record.message) for record in told] == [("INFO", "no preview")]


def test_endless_rendering_is_ended(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    popen = subprocess.Popen

    def remember(*arguments: Any, **options: Any) -> Any:
        process = popen(*arguments, **options)
        begun.append(process.pid)
        return process

    monkeypatch.setattr(previews, "COMMAND", (sys.executable, "-c", "while True: pass"))
    monkeypatch.setattr(previews, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(subprocess, "Popen", remember)
    file = arrive(space)
    started = time.monotonic()
    work()
    assert time.monotonic() - started < 10
    assert row(file).thumb_version_id is None
    assert waiting(checking.PREVIEW_JOB) == []
    with pytest.raises(ProcessLookupError):
        os.kill(begun[0], 0)


def test_what_the_renderer_began_ends_with_it(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It forks and goes; what it leaves behind holds a lock for as long as it lives."""
    held = tmp_path / "held"
    script = (
        "import fcntl, os, time\n"
        f"file = open({str(held)!r}, 'w')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "if not os.fork(): time.sleep(60)"
    )
    monkeypatch.setattr(previews, "COMMAND", (sys.executable, "-c", script))
    arrive(space)
    work()
    with held.open() as file:
        wait_until(lambda: _locks(file), "the end of what was forked", seconds=20)


def _locks(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_the_renderer_gets_no_secrets(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """It writes what it was given where this test finds it."""
    told = tmp_path / "told"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-key")
    monkeypatch.setenv("SECRET_KEY", "canary-secret")
    monkeypatch.setenv("DATABASE_URL", "canary-database")
    script = (
        "import os, sys\n"
        f"open({str(told)!r}, 'w').write(repr((dict(os.environ), os.getcwd(), "
        "sorted(os.listdir('/proc/self/fd')), sys.argv)))"
    )
    monkeypatch.setattr(previews, "COMMAND", (sys.executable, "-c", script))
    file = arrive(space, "Novak knee.jpg")
    work()
    environment, directory, descriptors, arguments = literal_eval(told.read_text())
    assert set(environment) <= {
        *("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LC_ALL"),
    }
    assert "canary" not in str(environment)
    assert "Novak" not in str(arguments) + str(environment)
    assert file.file_id not in str(arguments)
    assert directory == "/", "one of its own would outlive a worker that is killed"
    assert (
        len(descriptors) <= 7
    )  # the standard three, two pictures, what is written here, and the listing


def test_storage_away_is_waited_for(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    file = arrive(space)

    def away(*_: Any, **__: Any) -> Any:
        raise Unavailable(code="storage_unavailable")

    for call in ("stream", "put"):
        with monkeypatch.context() as patch:
            patch.setattr(CaseStorage, call, away)
            work(later=timedelta(hours=1 if call == "put" else 0, seconds=1))
        [job] = waiting(checking.PREVIEW_JOB)
        assert job.last_error == "Unavailable"
        assert row(file).thumb_version_id is None
    work(later=timedelta(hours=3))
    assert row(file).thumb_version_id
    assert waiting(checking.PREVIEW_JOB) == []


def test_a_full_disk_is_waited_for(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    file = arrive(space)

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(previews, "TemporaryFile", full)
    work()
    assert [job.last_error for job in waiting(checking.PREVIEW_JOB)] == ["Unavailable"]
    monkeypatch.undo()
    assert row(file).state == "AVAILABLE"


def again(file: File) -> None:
    """The same job once more."""
    tx = Transaction()
    jobs.enqueue(tx, checking.PREVIEW_JOB, {"spaceId": file.space_id, "fileId": file.file_id})
    tx.commit()


def test_done_twice_is_done_once(space: FakeSpace) -> None:
    file = arrive(space)
    work()
    before = row(file)
    again(file)
    assert work(later=timedelta(seconds=2)) == 1
    assert versions(file) == {
        "thumb": [before.thumb_version_id],
        "preview": [before.preview_version_id],
    }
    assert actions(space).count("file:preview_made") == 1


def during_rendering(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """Let something happen once the pictures are drawn and before they are stored."""
    drawn = previews._draw
    once: list[Any] = [happens]

    def draw(file: File, claim: jobs.Claim) -> tuple[bytes, bytes]:
        pictures = drawn(file, claim)
        if once:
            once.pop()()
        return pictures

    monkeypatch.setattr(previews, "_draw", draw)


def test_a_file_deleted_meanwhile_leaves_no_picture_T4(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = arrive(space)

    def delete() -> None:
        deletion.delete(A, space, file.file_id)
        assert work(checking.PURGE_JOB) == 1

    during_rendering(monkeypatch, delete)
    work()
    assert row(file).state == "DELETED"
    assert versions(file) == {"thumb": [], "preview": []}
    assert waiting(checking.PREVIEW_JOB) == []
    assert "file:preview_made" not in actions(space)


def test_pictures_left_by_a_worker_that_died_go_with_a_deleted_file_T4(space: FakeSpace) -> None:
    """Put after the purge, by a worker that died before it could pin them: the job comes again."""
    file = arrive(space)
    deletion.delete(A, space, file.file_id)
    work(checking.PURGE_JOB)
    case_storage().put(thumb_key(file.s3_key), b"left", "image/jpeg")
    assert work() == 1
    assert versions(file) == {"thumb": [], "preview": []}


def test_a_hold_keeps_the_pictures_too_T5(space: FakeSpace) -> None:
    """Of a file that was deleted right before it; the job of its preview comes after."""
    file = arrive(space)
    case_storage().put(thumb_key(file.s3_key), b"kept", "image/jpeg")
    deletion.delete(A, space, file.file_id)
    space.is_held = True
    assert (work(checking.PURGE_JOB), work()) == (1, 1)
    assert len(versions(file)["thumb"]) == len(case_storage().list_versions(file.s3_key)) == 1
    space.is_held = False
    work(checking.PURGE_JOB, later=timedelta(hours=2))
    assert versions(file)["thumb"] == case_storage().list_versions(file.s3_key) == []


def test_a_preview_goes_with_its_file_T4(space: FakeSpace) -> None:
    file = arrive(space)
    work()
    case_storage().put(thumb_key(file.s3_key), b"another version", "image/jpeg")
    deletion.delete(A, space, file.file_id)
    work(checking.PURGE_JOB)
    assert versions(file) == {"thumb": [], "preview": []}
    assert case_storage().list_versions(file.s3_key) == []


def test_of_two_workers_one_pins(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is stopped beyond its lease; the second takes over and is done first."""
    file = arrive(space)

    def other_worker() -> None:
        assert work(later=timedelta(minutes=5)) == 1
        assert row(file).thumb_version_id

    during_rendering(monkeypatch, other_worker)
    work()
    after = row(file)
    assert actions(space).count("file:preview_made") == 1
    assert after.thumb_version_id in versions(file)["thumb"]
    assert stored(thumb_key(file.s3_key), str(after.thumb_version_id))["ContentLength"] > 100
    assert waiting(checking.PREVIEW_JOB) == []


def test_a_long_rendering_keeps_its_lease(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bool] = []
    monkeypatch.setattr(jobs.Claim, "keep", lambda self: kept.append(True))
    monkeypatch.setattr(previews, "COMMAND", (sys.executable, "-c", "import time; time.sleep(2.5)"))
    arrive(space)
    work()
    assert len(kept) >= 3


def test_only_the_pinned_version_is_drawn(space: FakeSpace) -> None:
    file = arrive(space)
    put(file, samples.EXE)
    work()
    assert row(file).thumb_version_id


def test_a_missing_version_is_an_outage_not_a_verdict(space: FakeSpace) -> None:
    file = arrive(space)
    case_storage().delete_versions(file.s3_key)
    work()
    assert [job.last_error for job in waiting(checking.PREVIEW_JOB)] == ["Unavailable"]
    with pytest.raises(ClientError):
        stored(file.s3_key, str(file.version_id))
