"""Closing an upload window: count what arrived, move what may still come, queue one mail.

Each step is a transaction that holds the job's fence, so that a worker which was stopped beyond
its lease writes nothing, and one that takes over goes on where the other ended. The mail's id is
the window's, so that a window can't have two.
"""

import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from accounts import audit
from accounts.actors import WORKER
from cases.notices import CLOSE_JOB, WindowClosed, hears, note_file, open_until, open_window
from cases.tables import Case, Notice, NoticeFile
from files import uploads
from files.states import FileState
from files.tables import File
from filevault import jobs, mail
from filevault.dynamo import STORE_ERRORS, Transaction, now
from filevault.errors import NotFound, Unavailable

logger = logging.getLogger(__name__)

#: Three items a file at most, and a few beside them: far below the 100 of a transaction.
PAGE: Final = 25
#: Windows in which a file's check may fail by a fault of its own before it is given up.
MAX_TRIES: Final = 6
#: New windows that may be opened by somebody else while a page is being written.
MOVE_TRIES: Final = 5
KEPT_FOR: Final = timedelta(days=90)


class Verdict(Enum):
    """What becomes of a file of a window at its close."""

    COUNT = auto()
    MOVE = auto()
    MOVE_FAILED = auto()
    DROP = auto()


@dataclass(slots=True)
class Closing:
    """One run of the closing job. `storage_away` spares the rest of a window the wait for a
    storage that has just not answered."""

    claim: jobs.Claim
    key: str
    notice_id: str
    storage_away: bool = False


@jobs.handler(CLOSE_JOB)
def close_window(claim: jobs.Claim) -> datetime | None:
    """Close a window once its time has come, and queue its mail unless nothing is to be told."""
    closing = Closing(claim, claim.payload["noticeKey"], claim.payload["noticeId"])
    window = Notice.fetch(closing.key)
    if window is not None and window.notice_id == closing.notice_id:
        until = _open_until(window)
        if until > now():
            return until
        if not _seal(closing, window):
            return now()
    for entries in _pages(_unsettled(closing.notice_id)):
        _settle(closing, entries)
    _finish(closing)
    return None


def _open_until(window: Notice) -> datetime:
    if window.closes_at > now():
        return window.closes_at
    entries = _unsettled(window.notice_id)
    files = File.fetch_many((entry.space_id, entry.file_id) for entry in entries)
    return open_until(window, files)


def _seal(closing: Closing, window: Notice) -> bool:
    """Let nobody join any more; False when an upload extended the window just now."""
    unchanged = (Notice.notice_id == closing.notice_id) & (Notice.closes_at == window.closes_at)
    tx = Transaction()
    tx.delete(window, condition=unchanged, otherwise=WindowClosed())
    closing.claim.hold_in(tx)
    try:
        tx.commit()
    except WindowClosed:
        return False
    return True


def _unsettled(notice_id: str) -> Iterator[NoticeFile]:
    return NoticeFile.query(
        notice_id, filter_condition=NoticeFile.mail_id.does_not_exist(), consistent_read=True
    )


def _pages(entries: Iterable[NoticeFile]) -> Iterator[list[NoticeFile]]:
    remaining = iter(entries)
    while page := list(itertools.islice(remaining, PAGE)):
        yield page


def _settle(closing: Closing, entries: Sequence[NoticeFile]) -> None:
    verdicts = []
    for entry in entries:
        closing.claim.keep()
        verdicts.append((entry, _judge(closing, entry)))
    for _ in range(MOVE_TRIES):
        try:
            _write(closing, verdicts)
        except WindowClosed:
            continue
        return
    raise Unavailable(code="window_busy")


def _judge(closing: Closing, entry: NoticeFile) -> Verdict:
    """Look at one file; whatever is wrong with it must not hold up the others (N6)."""
    try:
        file = File.fetch(entry.space_id, entry.file_id)
        if file is not None and file.state == FileState.PENDING and not closing.storage_away:
            file = uploads.reconcile(entry.space_id, entry.file_id)
    except STORE_ERRORS:
        raise
    except NotFound:
        return Verdict.DROP
    except Unavailable:
        closing.storage_away = True
        return Verdict.MOVE
    except Exception:
        logger.exception("file can't be checked", extra={"file": entry.file_id})
        return _after_failure(entry)
    return _verdict(file)


def _verdict(file: File | None) -> Verdict:
    if file is None:
        return Verdict.DROP
    if file.state == FileState.AVAILABLE:
        return Verdict.COUNT
    waiting = file.state in (FileState.PENDING, FileState.CHECKING)
    return Verdict.MOVE if waiting else Verdict.DROP


def _after_failure(entry: NoticeFile) -> Verdict:
    if entry.tries + 1 < MAX_TRIES:
        return Verdict.MOVE_FAILED
    logger.error("file never announced", extra={"file": entry.file_id, "space": entry.space_id})
    return Verdict.DROP


def _write(closing: Closing, verdicts: Sequence[tuple[NoticeFile, Verdict]]) -> None:
    tx = Transaction()
    closing.claim.hold_in(tx)
    moved = [pair for pair in verdicts if pair[1] in {Verdict.MOVE, Verdict.MOVE_FAILED}]
    next_id = _join_next_window(tx, closing.key) if moved else ""
    for entry, verdict in moved:
        tries = int(entry.tries) + (verdict is Verdict.MOVE_FAILED)
        tx.put(note_file(next_id, entry.space_id, entry.file_id, tries=tries))
    for entry, verdict in verdicts:
        if verdict is Verdict.COUNT:
            counted = [NoticeFile.mail_id.set(closing.notice_id)]
            tx.update(entry, [*counted, NoticeFile.ttl.set(now() + KEPT_FOR)])
        else:
            tx.delete(entry)
    tx.commit()


def _join_next_window(tx: Transaction, key: str) -> str:
    """The id of the window that takes what can't be counted yet. An open one is not extended: a
    file that is late must not hold up those that are there."""
    window = Notice.fetch(key)
    if window is None:
        window = open_window(tx, key)
    else:
        tx.check(window, Notice.notice_id == window.notice_id, otherwise=WindowClosed())
    return str(window.notice_id)


def _finish(closing: Closing) -> None:
    """End the job, with the mail in the same transaction where there is something to tell."""
    count = NoticeFile.count(
        closing.notice_id, filter_condition=NoticeFile.mail_id.exists(), consistent_read=True
    )
    case_id, _, recipient = closing.key.partition("#")
    case = Case.fetch(case_id)
    tx = Transaction()
    closing.claim.complete_in(tx)
    if count and case is not None and hears(case, recipient, closing.notice_id):
        context: dict[str, Any] = {"caseId": case_id, "recipient": recipient, "count": count}
        mail.queue(tx, "notice", context, mail_id=closing.notice_id)
        details = {"noticeId": closing.notice_id, "files": count}
        stream = _stream_for(case, recipient)
        audit.record(
            tx, stream, audit.Action.NOTICE_QUEUE, WORKER, target=recipient, details=details
        )
    tx.commit()


def _stream_for(case: Case, recipient: str) -> str:
    """The case's stream; of what goes to a colleague their own, since the owner, who reads the
    case's, isn't told who has an account."""
    kind, _colon, person_id = recipient.partition(":")
    is_colleague = kind == "user" and person_id != case.user_id
    return audit.user_stream(person_id) if is_colleague else audit.case_stream(str(case.case_id))
