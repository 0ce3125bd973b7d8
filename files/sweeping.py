"""Sweeping: rows and storage held against each other, and what should not be there put right (U10,
N4, N5).

Everything that ends has a job that cleans up after it. Sweeping finds what such a job has missed,
so that its count should be zero. Three looks, page by page, in memory that doesn't grow with the
bucket: at all rows, at all open uploads in parts, at all versions. Only what was left alone since
the `horizon` counts, by storage's own clock where it has one.

Nothing that is found can become wanted again by itself: a row is there before any URL for it (N4),
leaves `PENDING` and `AVAILABLE` for good, and pins only a version that has just come. All the same
the rows are read again, consistently, right before anything is deleted.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from accounts.actors import WORKER
from files import checking, inventory, keys, multipart, purge, records
from files.findings import UNWANTED, Finding
from files.inventory import OpenUpload, StoredVersion
from files.keys import preview_key, thumb_key
from files.lookup import Rows, find_rows
from files.spaces import load_space
from files.states import GONE, FileState, Reason
from files.storage import case_storage
from files.tables import File
from files.uploads import over_at
from filevault.dynamo import STORE_ERRORS, id_at, readable
from filevault.errors import Unavailable
from filevault.jobs import LostClaim

logger = logging.getLogger(__name__)

ROWS: Final = 200
#: HEAD requests under way at once, one a file that must be there.
LOOKS_AT_ONCE: Final = 8


@dataclass(slots=True)
class Sweep:
    """One sweep: where it is, what it has found, and what of it was put right. `repairs` says
    which findings are to be; `keep` is called between two repairs, to keep a claim alive."""

    horizon: datetime
    repairs: frozenset[Finding] = frozenset()
    stage: int = 0
    cursor: dict[str, Any] = field(default_factory=dict)
    found: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    keep: Callable[[], object] = lambda: None

    @property
    def left(self) -> int:
        """How many things are there that should not be."""
        return sum(self.found[each] - self.repaired[each] for each in UNWANTED)

    def step(self) -> bool:
        """Look at one page; False once all was looked at. Raises `Unavailable` where storage is
        away altogether."""
        self.cursor = _STAGES[self.stage](self)
        if not self.cursor:
            self.stage += 1
        return self.stage < len(_STAGES)

    def note(self, finding: Finding, count: int, repair: Callable[[], object]) -> None:
        """Count something, and put it right where that was asked for."""
        self.found[finding] += count
        if finding in self.repairs and self.attempt(repair):
            self.repaired[finding] += count

    def attempt(self, action: Callable[[], object]) -> bool:
        """Do something for one file or page: what is wrong with it stops nothing else (N6), unless
        storage is away altogether."""
        self.keep()
        try:
            action()
        except (*STORE_ERRORS, LostClaim):
            raise
        except Unavailable:
            inventory.check_answers()
        except records.StateChanged:  # somebody else did it
            return True
        except Exception:
            logger.exception("file can't be swept")
        else:
            return True
        self.found[Finding.UNCHECKED] += 1
        return False


# --- Rows ---


def _sweep_rows(sweep: Sweep) -> dict[str, Any]:
    page = File.scan(
        limit=ROWS,
        page_size=ROWS,
        last_evaluated_key=sweep.cursor or None,
        consistent_read=True,
    )
    files = list(readable(page))
    for file in files:
        if file.state == FileState.PENDING and over_at(file) < sweep.horizon:
            sweep.note(Finding.OVERDUE, 1, partial(_end, file))
        elif _is_unpurged(file, sweep.horizon):
            sweep.note(Finding.UNPURGED, 1, partial(_purge, file))
    _find_lost(sweep, [file for file in files if _must_be_there(file)])
    return dict(page.last_evaluated_key or {})


def _is_unpurged(file: File, horizon: datetime) -> bool:
    """Whether bytes should have been taken away: since the file ended, and its upload too."""
    if file.state not in GONE or file.purged_at is not None or over_at(file) >= horizon:
        return False
    if (file.event_id or "") >= id_at(horizon):  # when it came into this state
        return False
    return not purge.is_kept(file)


def _end(file: File) -> None:
    """Do what the lost job would have done: at first it may expire, then its bytes go."""
    for _ in range(2):
        if purge.end_upload(file.space_id, file.file_id) is None:
            return


def _purge(file: File) -> None:
    fresh = _fetch(file)
    if fresh is not None and fresh.state in GONE and not purge.is_kept(fresh):
        purge.purge(fresh)


def _must_be_there(file: File) -> bool:
    return file.state in {FileState.AVAILABLE, FileState.CHECKING}


def _find_lost(sweep: Sweep, files: Sequence[File]) -> None:
    """One HEAD a file. A file that went while we looked was no loss."""
    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        try:
            for file, look in zip(files, pool.map(_look, files), strict=True):
                sweep.keep()
                if isinstance(look, Unavailable):
                    sweep.attempt(partial(_raise, look))
                elif not look and _is_unchanged(file):
                    sweep.note(Finding.LOST, 1, partial(_give_up, file))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _look(file: File) -> bool | Unavailable:
    if not file.version_id:
        return False
    try:
        return case_storage().head(file.s3_key, file.version_id) is not None
    except Unavailable as error:
        return error


def _raise(error: Exception) -> None:
    raise error


def _is_unchanged(file: File) -> bool:
    fresh = _fetch(file)
    return fresh is not None and fresh.state == file.state and fresh.version_id == file.version_id


def _give_up(file: File) -> None:
    space = load_space(file.space_id)
    if space is not None:
        checking.reject(file, Reason.LOST, space, WORKER)


def _fetch(file: File) -> File | None:
    return File.fetch(file.space_id, file.file_id)


# --- Uploads in parts ---


def _sweep_parts(sweep: Sweep) -> dict[str, Any]:
    uploads, cursor = inventory.list_uploads(sweep.cursor)
    old = [each for each in uploads if each.begun_at < sweep.horizon]
    rows = find_rows(each.key for each in old)
    for upload in old:
        stored = keys.parse(upload.key)
        if stored is None:
            sweep.found[Finding.FOREIGN] += 1
        elif stored.file_id in rows.unreadable:
            sweep.found[Finding.UNCHECKED] += 1
        elif not _names(rows.files.get(stored.file_id), upload):
            sweep.note(Finding.PARTS, 1, partial(_abort, stored.file_id, upload))
    return cursor


def _names(file: File | None, upload: OpenUpload) -> bool:
    return (
        file is not None
        and file.state == FileState.PENDING
        and (file.s3_key, file.upload_id) == (upload.key, upload.upload_id)
    )


def _abort(file_id: str, upload: OpenUpload) -> None:
    rows = find_rows([upload.key])
    if not rows.unreadable and not _names(rows.files.get(file_id), upload):
        multipart.abort(upload.key, upload.upload_id)


# --- Versions ---


def _sweep_versions(sweep: Sweep, *, root: str) -> dict[str, Any]:
    versions, cursor = inventory.list_versions(root, sweep.cursor)
    old = [each for each in versions if each.modified_at < sweep.horizon]
    judged = _judge(old, sweep.horizon)
    for finding in (Finding.FOREIGN, Finding.UNCHECKED):
        sweep.found[finding] += len(judged[finding])
    for finding in (Finding.LEFTOVER, Finding.OWNERLESS):
        doomed = judged[finding]
        if doomed:
            sweep.note(finding, len(doomed), partial(_delete, finding, doomed, sweep.horizon))
    return cursor


def _judge(
    versions: Sequence[StoredVersion], horizon: datetime
) -> dict[Finding, list[StoredVersion]]:
    judged: dict[Finding, list[StoredVersion]] = {finding: [] for finding in Finding}
    rows = find_rows(each.key for each in versions)
    for version in versions:
        finding = _verdict(version, rows, horizon)
        if finding is not None:
            judged[finding].append(version)
    return judged


def _verdict(version: StoredVersion, rows: Rows, horizon: datetime) -> Finding | None:
    stored = keys.parse(version.key)
    if stored is None:
        return Finding.FOREIGN
    if stored.file_id in rows.unreadable:
        return Finding.UNCHECKED
    file = rows.files.get(stored.file_id)
    if file is None or file.s3_key != stored.original:
        return Finding.OWNERLESS
    if file.state in GONE:  # what was never purged is told by its row
        return Finding.LEFTOVER if file.purged_at is not None else None
    if over_at(file) >= horizon:  # its upload may still bring versions, and ends with a look
        return None
    if file.state == FileState.PENDING or version.version_id == _pinned(file, version.key):
        return None
    return Finding.LEFTOVER


def _pinned(file: File, key: str) -> str | None:
    """The one version under a key of a file that must stay."""
    if key == file.s3_key:
        return file.version_id
    pictures = {
        thumb_key(file.s3_key): file.thumb_version_id,
        preview_key(file.s3_key): file.preview_version_id,
    }
    return pictures.get(key)


def _delete(finding: Finding, doomed: Sequence[StoredVersion], horizon: datetime) -> None:
    still = _judge(doomed, horizon)[finding]
    if still:
        inventory.delete_versions(still)


_STAGES: Final[tuple[Callable[[Sweep], dict[str, Any]], ...]] = (
    _sweep_rows,
    _sweep_parts,
    *(partial(_sweep_versions, root=root) for root in keys.ROOTS),
)
