"""Upload windows: one e-mail a burst, to each person on the other side of a case.

A window belongs to one case and one recipient, and exists as a `Notice` row as long as uploads may
join it. Its closing (`cases.notice_closing`) begins by deleting that row, so that an upload either
is in the window that is being counted or opens the next one; nothing falls between the two.
"""

import logging
from datetime import datetime
from typing import Final

from django.conf import settings

from accounts.actors import Actor
from cases.tables import Case, Invitation, Notice, NoticeFile
from files.spaces import SpaceChanged
from files.tables import File
from filevault import jobs
from filevault.dynamo import STORE_ERRORS, Transaction, new_id, now

logger = logging.getLogger(__name__)

CLOSE_JOB: Final = "notice.close"


class WindowClosed(SpaceChanged):
    """A window was opened or closed by somebody else since it was read. Nothing was written; the
    caller builds its transaction anew."""

    code = "window_closed"


def join_upload(tx: Transaction, *, case: Case, file: File, actor: Actor) -> None:
    """Open or extend, in the upload's transaction, the window of everybody who is to hear of it.

    Adds up to three items a recipient. The commit raises `WindowClosed` when a window changed
    after it was read here."""
    recipients = get_recipients(case, actor.actor_id)
    keys = [notice_key(case.case_id, recipient) for recipient in recipients]
    windows = {window.notice_key: window for window in Notice.fetch_many(keys)}
    for key in keys:
        window = windows.get(key)
        if window is None:
            window = open_window(tx, key)
        else:
            _extend_in(tx, window)
        tx.create(note_file(window.notice_id, file.space_id, file.file_id))


def extend(*, case: Case, file: File) -> None:
    """Keep the windows of a file's uploader open for another quiet period: the burst goes on. One
    whose time is over stays due, since confirming may itself be a part of closing.

    Called when an upload is confirmed, outside its transaction: a window that closes meanwhile
    takes the file along to the next one, so that nothing depends on this."""
    keys = [notice_key(case.case_id, person) for person in get_recipients(case, file.uploaded_by)]
    try:
        for window in Notice.fetch_many(keys):
            closes_at = _closes_at(window.closes_latest_at)
            running = (Notice.notice_id == window.notice_id) & (Notice.closes_at > now())
            window.try_update(
                [Notice.closes_at.set(closes_at)], running & (Notice.closes_at < closes_at)
            )
    except STORE_ERRORS:
        logger.warning("window not extended", extra={"case": case.case_id})


def get_recipients(case: Case, uploader_id: str) -> list[str]:
    """Who hears of an upload, as actor ids: the practitioner of what clients upload, and of the
    practitioner's uploads every client with a live invitation."""
    owner = f"user:{case.user_id}"
    if uploader_id.startswith("client:"):
        return [owner]
    invitations = Invitation.query(case.case_id, consistent_read=True)
    return [f"client:{invitation.client_id}" for invitation in invitations if is_live(invitation)]


def is_live(invitation: Invitation) -> bool:
    """Whether the link of an invitation opens the case just now."""
    return bool(invitation.access == "active" and invitation.expires_at > now())


def notice_key(case_id: str, recipient: str) -> str:
    """The key of the one window of a case and a recipient (`user:<id>` or `client:<id>`)."""
    return f"{case_id}#{recipient}"


def open_window(tx: Transaction, key: str) -> Notice:
    """Add a new window and the job that closes it; the commit raises `WindowClosed` when there is
    one already."""
    opened_at = now()
    latest = opened_at + settings.NOTICE_LATEST
    window = Notice(
        key,
        notice_id=new_id(),
        opened_at=opened_at,
        closes_at=_closes_at(latest),
        closes_latest_at=latest,
    )
    tx.create(window, otherwise=WindowClosed())
    payload = {"noticeKey": key, "noticeId": window.notice_id}
    jobs.enqueue(tx, CLOSE_JOB, payload, due_at=window.closes_at)
    return window


def note_file(notice_id: str, space_id: str, file_id: str, *, tries: int = 0) -> NoticeFile:
    """The row by which a window holds a file."""
    return NoticeFile(notice_id, file_id, space_id=space_id, tries=tries, created_at=now())


def _extend_in(tx: Transaction, window: Notice) -> None:
    tx.update(
        window,
        [Notice.closes_at.set(_closes_at(window.closes_latest_at))],
        condition=Notice.notice_id == window.notice_id,
        otherwise=WindowClosed(),
    )


def _closes_at(latest: datetime) -> datetime:
    return min(now() + settings.NOTICE_QUIET, latest)
