"""Upload windows: one e-mail a burst, to each person on the other side of a case.

A window belongs to one case and one recipient, and exists as a `Notice` row as long as uploads may
join it. Its closing (`cases.notice_closing`) begins by deleting that row, so that an upload either
is in the window that is being counted or opens the next one; nothing falls between the two.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings

from accounts.actors import Actor
from cases.tables import Case, Invitation, Notice, NoticeFile
from files.spaces import SpaceChanged
from files.tables import File
from filevault import jobs
from filevault.dynamo import Transaction, id_at, new_id, now

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


def open_until(window: Notice, files: Sequence[File]) -> datetime:
    """Until when a window with these files is open: a quiet period after the last of their
    senders was heard of, and never beyond its latest end. Confirming writes nothing to windows, so
    that it stays one transaction however many people hear of the file."""
    heard = max((file.active_at for file in files if file.active_at), default=window.opened_at)
    quiet = heard + settings.NOTICE_QUIET
    return max(window.closes_at, min(quiet, window.closes_latest_at))


def get_recipients(case: Case, uploader_id: str) -> list[str]:
    """Who may hear of an upload, as actor ids: of what clients upload its practitioner and the
    colleagues on the case, of the practitioner's uploads every client, and of a colleague's the
    practitioner, too. Whether they do is decided when the window closes, by `hears`."""
    owner = f"user:{case.user_id}"
    if uploader_id.startswith("client:"):
        return [owner, *(f"user:{user_id}" for user_id in case.members)]
    clients = [f"client:{client_id}" for client_id in case.client_ids]
    return clients if uploader_id == owner else [owner, *clients]


def hears(case: Case, recipient: str, notice_id: str) -> bool:
    """Whether a person is told of a window: of practitioners those who are on the case, of clients
    those whose link is live, and was before the window opened. Who was invited since has a mail
    about the files as they are now."""
    kind, _colon, person_id = recipient.partition(":")
    if kind != "client":
        return is_on(case, person_id)
    invitation = Invitation.fetch(case.case_id, person_id)
    if invitation is None or not is_live(invitation):
        return False
    return id_at(invitation.created_at) <= notice_id


def is_on(case: Case, user_id: str) -> bool:
    """Whether a practitioner works on a case: as its owner, or as a colleague."""
    return user_id == case.user_id or user_id in case.members


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
