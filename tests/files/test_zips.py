"""Archives: who gets one, what it holds, and what becomes of one that can't be finished."""

import gc
import hashlib
import io
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import translation

from accounts.actors import Actor
from accounts.tables import AuditEvent
from files import deletion, reading, uploads, zip_lists, zip_stream, zips
from files.states import FileState
from files.storage import CaseStorage
from files.tables import File
from files.zip_lists import Member
from filevault.dynamo import STORE_ERRORS, new_id, now
from filevault.errors import (
    Busy,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Unavailable,
)
from tests.files import samples
from tests.files.space import C1, C2, OTHER_ON_CASE, A, B, FakeSpace, make_space, put

MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def places() -> Iterator[None]:
    """As many places as each test's settings say, all of them free."""
    zips._places.cache_clear()
    yield
    zips._places.cache_clear()


def sent(
    space: FakeSpace, name: str = "letter.pdf", content: bytes = samples.PDF, actor: Actor = C1
) -> File:
    file, _ = uploads.begin(actor, space, file_name=name, size=len(content))
    put(file, content)
    return uploads.confirm(actor, space, file.file_id)


def row(size: int, name: str = "scan.tif", **changes: Any) -> File:
    """A file that is listed as available; its bytes are whatever a test lets storage say."""
    known = {
        "owner_id": A.user_id,
        "file_name": name,
        "s3_key": f"cases/one/{new_id()}",
        "version_id": "v1",
        "size": size,
        "mime_type": "application/pdf",
        "state": "AVAILABLE",
        "uploaded_by": C1.actor_id,
        "created_at": now(),
        "upload_expires_at": now(),
    }
    file = File("test:one", new_id(), **{**known, **changes})
    file.save()
    return file


def opened(space: FakeSpace, *file_ids: str, actor: Actor = A) -> zipfile.ZipFile:
    """The archive that an actor gets."""
    made = zips.open_zip(actor, space, file_ids)
    content = b"".join(made)
    made.close()
    return zipfile.ZipFile(io.BytesIO(content))


Stream = Callable[..., Iterator[bytes]]


@pytest.fixture
def storage_says(monkeypatch: pytest.MonkeyPatch) -> Callable[[Stream], None]:
    """Lets a test answer reads: a function of key, version and start."""

    def replace(stream: Stream) -> None:
        monkeypatch.setattr(CaseStorage, "stream", lambda _, *a, **k: stream(*a, **k))
        monkeypatch.setattr(reading, "PAUSE_SECONDS", 0)

    return replace


def events(space: FakeSpace) -> list[AuditEvent]:
    found = AuditEvent.query(space.space_id, consistent_read=True)
    return [event for event in found if event.action == "file:zip_downloaded"]


# --- What it holds ---


def test_all_files_in_folders_by_who_sent_them(space: FakeSpace) -> None:
    sent(space, "Brief für Łódź.pdf")
    sent(space, "notes.txt", samples.TXT, actor=A)
    sent(space, "scan.pdf", actor=OTHER_ON_CASE)
    archive = opened(space)
    assert archive.testzip() is None
    assert archive.namelist() == [
        "Clara One/Brief für Łódź.pdf",
        "Dr Anna Novak/notes.txt",
        "Cora Three/scan.pdf",
        "files.csv",
        "SHA256SUMS.txt",
    ]
    assert archive.read("Dr Anna Novak/notes.txt") == samples.TXT
    utf8 = [entry.flag_bits & 0x800 for entry in archive.infolist()]
    assert [bool(flag) for flag in utf8] == [True, False, False, False, False]


def test_names_of_one_sender_need_no_folder_and_differ(space: FakeSpace) -> None:
    for name in ("scan.pdf", "Scan.PDF", "scan.pdf", "SHA256SUMS.txt", "files.csv"):
        sent(space, name, samples.TXT if name.endswith("txt") else _fitting(name))
    assert opened(space).namelist()[:5] == [
        *("scan.pdf", "Scan (2).PDF", "scan (3).pdf"),
        *("SHA256SUMS (2).txt", "files (2).csv"),
    ]


def _fitting(name: str) -> bytes:
    return samples.CSV if name.endswith("csv") else samples.PDF


def test_a_selection_holds_just_that(space: FakeSpace) -> None:
    first, _, third = (sent(space, f"{number}.pdf") for number in range(3))
    archive = opened(space, third.file_id, first.file_id, first.file_id, actor=C1)
    assert archive.namelist()[:-2] == ["0.pdf", "2.pdf"]


def test_the_pinned_version_is_what_is_read_U4(space: FakeSpace) -> None:
    file = sent(space)
    put(file, samples.EXE)
    assert opened(space).read("letter.pdf") == samples.PDF


def test_the_sums_are_what_sha256sum_checks(space: FakeSpace, tmp_path: Path) -> None:
    sent(space, "Brief für Łódź.pdf")
    sent(space, "notes.txt", samples.TXT, actor=A)
    opened(space).extractall(tmp_path)
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS.txt"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(": OK") == 3


@pytest.mark.parametrize(("language", "separator"), [("en", ","), ("de", ";")])
def test_the_index_is_for_people(space: FakeSpace, language: str, separator: str) -> None:
    sent(space)
    with translation.override(language):
        text = opened(space).read("files.csv")
    assert text.startswith(b"\xef\xbb\xbf")
    line = text.decode("utf-8-sig").splitlines()[1].split(separator)
    digest = hashlib.sha256(samples.PDF).hexdigest()
    assert line[:4] == ["letter.pdf", "letter.pdf", str(len(samples.PDF)), "Clara One"]
    assert line[5] == digest


def test_no_cell_of_the_index_is_a_formula() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    member = Member("1", "=cmd|x.pdf", 1, "", "", "", "", "", at, "+1 @SUM", "-x\t.pdf")
    (_, line) = zip_lists.make_index(["a"], [(member, "00")]).decode("utf-8-sig").splitlines()
    assert line.startswith("'-x\t.pdf,'=cmd|x.pdf,1,'+1 @SUM,")


def test_times_are_those_of_the_files(space: FakeSpace) -> None:
    row(0, created_at=datetime(2026, 3, 1, 12, 30, 8, tzinfo=UTC))
    row(0, created_at=datetime(1975, 1, 1, tzinfo=UTC))
    entries = opened(space).infolist()
    assert entries[0].date_time == (2026, 3, 1, 12, 30, 8)
    assert entries[1].date_time == (1980, 1, 1, 0, 0, 0)


# --- Formats of readers ---


def test_every_entry_can_be_read_from_front_to_back(space: FakeSpace) -> None:
    """Deflated, since the end of a stored file can't be seen before its size is known; and without
    ZIP64, which old readers refuse, as long as nothing needs it."""
    sent(space)
    made = zips.open_zip(A, space)
    content = b"".join(made)
    made.close()
    assert b"PK\x06\x06" not in content
    for entry in zipfile.ZipFile(io.BytesIO(content)).infolist():
        assert entry.compress_type == zipfile.ZIP_DEFLATED
        assert (entry.flag_bits & 0x08, entry.extract_version, entry.extra) == (0x08, 20, b"")


def test_what_is_compressed_already_is_passed_on_as_it_is(
    space: FakeSpace, storage_says: Callable[[Stream], None]
) -> None:
    storage_says(Reads(bytes(MEGABYTE), breaks=0, piece=MEGABYTE))
    row(MEGABYTE)
    row(MEGABYTE, mime_type="text/csv")
    as_is, shrunk = opened(space).infolist()[:2]
    assert MEGABYTE < as_is.compress_size < MEGABYTE * 1.001
    assert shrunk.compress_size < MEGABYTE / 100


def test_large_archives_are_zip64_to_every_reader(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The limit is lowered, so that a file and an offset beyond it are at hand."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 5000)
    sent(space, "small.pdf")
    sent(space, "large.txt", b"word " * 2000)
    sent(space, "after.pdf", samples.PDF + b"x" * 4000)
    made = zips.open_zip(A, space)
    target = tmp_path / "made.zip"
    target.write_bytes(b"".join(made))
    made.close()
    monkeypatch.undo()
    small, large, *_ = zipfile.ZipFile(target).infolist()
    assert (small.extract_version, large.extract_version) == (20, 45)
    assert zipfile.ZipFile(target).testzip() is None
    tested = subprocess.run(["unzip", "-t", target], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout


# --- Who may ---


def test_strangers_and_random_ids_get_nothing_Z2(space: FakeSpace) -> None:
    file = sent(space)
    for actor in (B, C2):
        with pytest.raises(Forbidden):
            zips.choose(actor, space)
    elsewhere = sent(make_space("two"), actor=C2)
    for bad in (
        new_id(),
        elsewhere.file_id,
        file.file_id[:-1],
        file.file_id.upper(),
        "",
        "x" * 3000,
    ):
        with pytest.raises(NotFound):
            zips.choose(A, space, [file.file_id, bad])


@pytest.mark.parametrize("state", [state for state in FileState if state != FileState.AVAILABLE])
def test_only_available_files_go_in_D3(space: FakeSpace, state: FileState) -> None:
    there, other = sent(space, "there.pdf"), sent(space, "other.pdf")
    other.update([File.state.set(state.value)])
    assert opened(space).namelist()[0] == "there.pdf"
    assert len(opened(space).namelist()) == 3
    shown = state in (FileState.PENDING, FileState.CHECKING, FileState.REJECTED)
    with pytest.raises(Conflict if shown else NotFound):
        zips.choose(A, space, [there.file_id, other.file_id])


def test_nothing_to_take_is_said_and_not_zipped(space: FakeSpace) -> None:
    with pytest.raises(Conflict, match="no_files"):
        zips.open_zip(A, space)
    assert not events(space)


def test_there_is_a_most(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid):
        zips.choose(A, space, [new_id() for _ in range(zips.MAX_CHOSEN + 1)])
    monkeypatch.setattr(zips, "MAX_FILES", 4)
    monkeypatch.setattr(zips, "_PAGE", 2)
    for _ in range(4):
        row(0)
    assert len(zips.choose(A, space)) == 4
    row(0)
    with pytest.raises(Conflict, match="too_many"):
        zips.choose(A, space)


def test_it_can_be_turned_off(space: FakeSpace, settings: LazySettings) -> None:
    sent(space)
    settings.ZIP_DOWNLOADS = False
    with pytest.raises(NotFound):
        zips.choose(A, space)


def test_one_event_an_archive_before_its_first_byte_A2_A4(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [sent(space, "Diagnosis.pdf"), sent(space, "b.pdf")]
    made = zips.open_zip(C1, space)
    (event,) = events(space)
    assert event.actor == C1.actor_id
    assert event.details == {
        "count": 2,
        "bytes": 2 * len(samples.PDF),
        "files": [file.file_id for file in files],
    }
    made.close()

    def away(*_: Any, **__: Any) -> None:
        raise STORE_ERRORS[0]("away")

    monkeypatch.setattr(AuditEvent, "save", away)
    refusals = []  # kept, so that nothing but the rule itself gives places back
    for _ in range(5):
        with pytest.raises(STORE_ERRORS) as refused:
            zips.open_zip(A, space)
        refusals.append(refused)
    monkeypatch.undo()
    assert opened(space).testzip() is None


def test_all_ids_of_the_largest_archive_fit_into_its_event(space: FakeSpace) -> None:
    details = {"count": 1, "bytes": 1, "files": [new_id() for _ in range(zips.MAX_FILES)]}
    event = AuditEvent("s", new_id(), action="x", actor="y", at=now(), details=details)
    event.save()
    size = len(str(event.serialize()))
    assert size < 300_000


# --- Places ---


def test_places_are_few_and_are_given_back(space: FakeSpace, settings: LazySettings) -> None:
    settings.ZIP_CONCURRENCY = 2
    sent(space)
    first, second = zips.open_zip(A, space), zips.open_zip(C1, space)
    with pytest.raises(Busy) as refused:
        zips.open_zip(A, space)
    assert refused.value.retry_after == 60
    assert len(events(space)) == 2
    next(first)  # under way, and then left
    first.close()
    first.close()
    third = zips.open_zip(A, space)
    with pytest.raises(Busy):
        zips.open_zip(A, space)
    del second  # never begun, and never closed
    gc.collect()
    zips.open_zip(C1, space).close()
    third.close()


def test_the_last_place_is_for_somebody_else(space: FakeSpace, settings: LazySettings) -> None:
    settings.ZIP_CONCURRENCY = 3
    sent(space)
    mine = [zips.open_zip(A, space), zips.open_zip(A, space)]
    with pytest.raises(Busy) as refused:
        zips.open_zip(A, space)
    assert "for you is under way" in str(refused.value.message)
    theirs = zips.open_zip(C1, space)
    for made in mine:
        made.close()
    mine = [zips.open_zip(A, space)]
    del mine, theirs
    gc.collect()
    for _ in range(3):
        zips.open_zip(A, space).close()


def test_a_person_gets_so_many(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "LIMIT", 2)
    sent(space)
    for _ in range(2):
        opened(space)
    with pytest.raises(RateLimited):
        zips.open_zip(A, space)
    opened(space, actor=C1)


# --- What goes wrong ---


class Reads:
    """A storage that breaks off after some pieces, and counts."""

    def __init__(
        self, content: bytes, *, breaks: int, piece: int = 1000, quietly: bool = False
    ) -> None:
        self.content, self.breaks, self.piece = content, breaks, piece
        self.quietly = quietly
        self.starts: list[int] = []
        self.closed = 0

    def __call__(self, key: str, version_id: str, *, start: int = 0) -> Iterator[bytes]:
        self.starts.append(start)
        try:
            yield self.content[start : start + self.piece]
            if len(self.starts) <= self.breaks:
                if self.quietly:
                    return
                raise Unavailable
            for at in range(start + self.piece, len(self.content), self.piece):
                yield self.content[at : at + self.piece]
        finally:
            self.closed += 1


@pytest.mark.parametrize("quietly", [False, True])
def test_a_broken_read_is_gone_on_with(
    space: FakeSpace, storage_says: Callable[[Stream], None], quietly: bool
) -> None:
    content = hashlib.sha256(b"seed").digest() * 500
    reads = Reads(content, breaks=9, quietly=quietly)
    storage_says(reads)
    row(len(content), sha256=hashlib.sha256(content).hexdigest())
    assert opened(space).read("scan.tif") == content
    assert reads.starts == [1000 * number for number in range(10)]


def half(space: FakeSpace) -> tuple[bytes, BaseException]:
    """What arrives of an archive that breaks off, and why."""
    made = zips.open_zip(A, space)
    arrived = bytearray()
    with pytest.raises((DomainError, zip_stream.Damaged)) as ended:
        arrived.extend(byte for piece in made for byte in piece)
    made.close()
    return bytes(arrived), ended.value


def assert_unreadable(arrived: bytes) -> None:
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(arrived))


def test_an_archive_without_a_file_is_none(
    space: FakeSpace, storage_says: Callable[[Stream], None], caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any, **__: Any) -> Iterator[bytes]:
        yield from ()
        raise Unavailable

    storage_says(away)
    row(5, "Diagnosis.pdf")
    arrived, reason = half(space)
    assert isinstance(reason, Unavailable)
    assert_unreadable(arrived)
    (record,) = [r for r in caplog.records if r.message == "zip broken off"]
    assert record.levelname == "ERROR"
    assert "Diagnosis" not in str(vars(record))


@pytest.mark.parametrize(
    ("content", "proved"), [(b"altered", b"as sent"), (b"too long by far", None)]
)
def test_altered_bytes_end_the_archive(
    space: FakeSpace,
    storage_says: Callable[[Stream], None],
    content: bytes,
    proved: bytes | None,
) -> None:
    storage_says(Reads(content, breaks=0))
    row(7, sha256=hashlib.sha256(proved).hexdigest() if proved else "")
    arrived, reason = half(space)
    assert isinstance(reason, zip_stream.Damaged)
    assert_unreadable(arrived)


def test_a_file_that_goes_meanwhile_ends_the_archive_Z5(space: FakeSpace) -> None:
    sent(space)
    last = sent(space, "b.pdf")
    made = zips.open_zip(A, space)
    next(made)
    deletion.delete(A, space, last.file_id)
    with pytest.raises(NotFound):
        list(made)
    made.close()


def test_who_goes_away_leaves_no_read_open(
    space: FakeSpace, storage_says: Callable[[Stream], None]
) -> None:
    reads = Reads(bytes(50_000), breaks=0)
    storage_says(reads)
    row(50_000)
    made = zips.open_zip(A, space)
    next(made)
    assert reads.closed == 0
    made.close()
    assert reads.closed == 1


def test_memory_does_not_grow_with_size(
    space: FakeSpace, storage_says: Callable[[Stream], None]
) -> None:
    """Half a gigabyte in four files."""
    piece = hashlib.sha256(b"seed").digest() * (256 * 1024 // 32)
    count = 512

    def stream(*_: Any, start: int) -> Iterator[bytes]:
        yield from (piece for _ in range(count))

    storage_says(stream)
    for _ in range(4):
        row(len(piece) * count)
    made = zips.open_zip(A, space)
    next(made)
    tracemalloc.start()
    length = sum(map(len, made))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    made.close()
    assert length > 500 * MEGABYTE
    assert peak < 4 * MEGABYTE
