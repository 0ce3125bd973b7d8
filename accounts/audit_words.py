"""What the trail says, in plain words: one sentence for each action, without its subject.

The trail itself holds ids; whoever shows it fills in the names as they are then: `%(file)s`,
`%(person)s` (whom it was done to), `%(count)s` and `%(reason)s`. A new action needs its line here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.audit import Action


class Kind(StrEnum):
    """Which sort of thing an action is, to choose by."""

    ARRIVAL = "arrivals"
    READING = "reading"
    CHANGE = "changes"
    ACCESS = "access"
    CASE = "case"
    OFFICE = "office"
    ROUTINE = "routine"


KIND_LABELS: Final[dict[Kind, Promise]] = {
    Kind.ARRIVAL: _("Files that came in"),
    Kind.READING: _("Files opened or downloaded"),
    Kind.CHANGE: _("Files shared or deleted"),
    Kind.ACCESS: _("Invitations and access"),
    Kind.CASE: _("The case itself"),
    Kind.OFFICE: _("Accounts and administration"),
    Kind.ROUTINE: _("Routine steps"),
}

WORDS: Final[dict[Action, tuple[Kind, Promise]]] = {
    Action.USER_LOGIN: (Kind.OFFICE, _("Signed in")),
    Action.USER_LOGIN_FAILED: (Kind.OFFICE, _("Tried to sign in, and was refused")),
    Action.USER_LOGOUT: (Kind.OFFICE, _("Signed out")),
    Action.USER_PROFILE: (Kind.OFFICE, _("Changed their own profile")),
    Action.USER_DEACTIVATE: (Kind.OFFICE, _("Locked an account")),
    Action.USER_REACTIVATE: (Kind.OFFICE, _("Opened a locked account again")),
    Action.USER_BREAK_GLASS: (Kind.OFFICE, _("Signed in with the emergency password")),
    Action.CLIENT_CREATE: (Kind.OFFICE, _("Added a client to the address book")),
    Action.CLIENT_EDIT: (Kind.OFFICE, _("Changed a client in the address book")),
    Action.CLIENT_DELETE: (Kind.OFFICE, _("Deleted a client from the address book")),
    Action.CASE_CREATE: (Kind.CASE, _("Opened the case")),
    Action.CASE_EDIT: (Kind.CASE, _("Changed the case")),
    Action.CASE_CLOSE: (Kind.CASE, _("Closed the case")),
    Action.CASE_RETENTION: (Kind.CASE, _("Changed how long the case is kept")),
    Action.CASE_WARN: (Kind.CASE, _("Told its owner that the case will be deleted")),
    Action.CASE_END: (Kind.CASE, _("Deleted the case, since its time was over")),
    Action.CASE_PURGE: (Kind.CASE, _("Took away the last of the case's files")),
    Action.CASE_HOLD: (Kind.CASE, _("Placed a legal hold")),
    Action.CASE_HOLD_LIFT: (Kind.CASE, _("Lifted the legal hold")),
    Action.CASE_REOPEN: (Kind.CASE, _("Opened the case again")),
    Action.CASE_DELETE: (Kind.CASE, _("Deleted the case")),
    Action.CASE_MEMBERS: (Kind.ACCESS, _("Changed which colleagues work on the case")),
    Action.CASE_EXPORT: (Kind.CASE, _("Exported the activity of the case")),
    Action.INVITATION_SEND: (Kind.ACCESS, _("Invited %(person)s")),
    Action.INVITATION_OPEN: (Kind.ACCESS, _("Came in by the link in the e-mail")),
    Action.INVITATION_REVOKE: (Kind.ACCESS, _("Ended the access of %(person)s")),
    Action.INVITATION_WISH: (Kind.ACCESS, _("Asked for a fresh link")),
    Action.INVITATION_REFUSED: (Kind.ACCESS, _("Tried a link that opens nothing")),
    Action.CODE_SEND: (Kind.ACCESS, _("Had a code sent by e-mail")),
    Action.CODE_ACCEPT: (Kind.ACCESS, _("Entered the right code")),
    Action.CODE_REFUSE: (Kind.ACCESS, _("Entered a wrong code")),
    Action.PORTAL_LEAVE: (Kind.ACCESS, _("Left the case on their device")),
    Action.ACCESS_DENY: (Kind.OFFICE, _("Tried something that was refused")),
    Action.UPLOAD_BEGIN: (Kind.ROUTINE, _("Began to send %(file)s")),
    Action.UPLOAD_CHECK: (Kind.ROUTINE, _("Sent %(file)s, which is being checked")),
    Action.UPLOAD_AVAILABLE: (Kind.ARRIVAL, _("Sent %(file)s, which was received")),
    Action.UPLOAD_REJECT: (Kind.ARRIVAL, _("Sent %(file)s, which was not taken. %(reason)s")),
    Action.UPLOAD_ABORT: (Kind.ARRIVAL, _("Cancelled sending %(file)s")),
    Action.UPLOAD_EXPIRE: (Kind.ROUTINE, _("Began to send %(file)s, which never arrived")),
    Action.FILE_DOWNLOAD: (Kind.READING, _("Downloaded %(file)s")),
    Action.FILE_VIEW: (Kind.READING, _("Opened %(file)s")),
    Action.FILE_THUMBNAILS: (Kind.ROUTINE, _("Saw small pictures in the list of files")),
    Action.FILE_ZIP: (Kind.READING, _("Downloaded files as one ZIP (%(count)s in number)")),
    Action.FILE_RECEIPT: (Kind.READING, _("Downloaded the receipt for %(file)s")),
    Action.FILE_ADMIN_OPEN: (Kind.READING, _("Opened %(file)s as an administrator. %(reason)s")),
    Action.FILE_INSPECT: (Kind.ROUTINE, _("Computed the checksum of %(file)s")),
    Action.FILE_PREVIEW: (Kind.ROUTINE, _("Made a preview of %(file)s")),
    Action.FILE_SHARE: (Kind.CHANGE, _("Shared %(file)s")),
    Action.FILE_UNSHARE: (Kind.CHANGE, _("Stopped sharing %(file)s")),
    Action.FILE_REPIN: (
        Kind.ROUTINE,
        _("Found %(file)s unchanged after storage had been restored from a backup"),
    ),
    Action.FILE_DELETE: (Kind.CHANGE, _("Deleted %(file)s")),
    Action.FILE_PURGE: (Kind.ROUTINE, _("Removed every copy of a deleted file from storage")),
    Action.NOTICE_QUEUE: (Kind.ROUTINE, _("Wrote to %(person)s about new files")),
    Action.ADMIN_VIEW: (Kind.OFFICE, _("Looked at records as an administrator")),
    Action.ADMIN_REVIVE: (Kind.OFFICE, _("Put work that had failed back in the queue")),
}


def sentence(action: str, names: Mapping[str, object]) -> str:
    """The sentence of a recorded action, with its names filled in; the bare action where this
    release doesn't know it."""
    if action not in set(Action):
        return action
    return (str(WORDS[Action(action)][1]) % names).strip()


def actions_of(kinds: set[Kind]) -> list[str]:
    """Every action of these kinds."""
    return [action.value for action, (kind, _words) in WORDS.items() if kind in kinds]
