"""SES's own word of what became of a mail that it had taken: its events by way of SNS and SQS.

A mailbox that isn't there is often known only minutes after the mail was sent. Events come at least
once and in any order, so that they move a mail's state one way alone. Read are SES's published
events and the notifications of an identity, as SNS wraps them or as raw messages. Who may put any
into the queue, its policy says.
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

import json
import logging
import re
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from filevault import queues
from filevault.dynamo import Transaction, is_id, now, retrying
from filevault.errors import Conflict
from filevault.mail import tell
from filevault.tables import Mail, Suppression

logger = logging.getLogger(__name__)

#: What SES sends once, as plain text, when a topic is set up.
_SET_UP: Final = "Successfully validated SNS topic"
#: What a mail must be in order to become what an event says: whichever comes first, one that came
#: back stays bounced.
_BEFORE: Final = {
    "bounced": ("sending", "sent", "complained"),
    "complained": ("sending", "sent"),
    "dead": ("sending", "sent"),
}
#: After these nothing more is sent to the address.
_SUPPRESSING: Final = {"bounced", "complained"}
#: The form of SES's names for a reason, which are put into the outbox.
_NAME: Final = re.compile(r"[A-Za-z-]{1,40}")
_LONGEST_ID: Final = 200


@dataclass(frozen=True, slots=True)
class Event:
    """What a mail becomes. `mail_id` is our own, empty where SES didn't name it."""

    mail_id: str
    ses_message_id: str
    state: str
    reason: str


@queues.handler("mail", setting="SQS_MAIL_URL")
def handle_message(body: str) -> None:
    """Write down what an event says of one of our mails, and tell it; again changes nothing.
    Raises `queues.BadMessage` and, where a part is away, what `jobs.OUTAGES` lists."""
    event = read_event(body)
    if event is None:
        return
    mail = _find(event)
    if mail is None:  # of another sender in the same account, or older than the outbox keeps any
        logger.info("event of an unknown mail", extra={"state": event.state})
        return
    retrying(lambda: _settle(mail.mail_id, event), on=Conflict, code="store_busy")


def read_event(body: str) -> Event | None:
    """The event in a message; None where it changes nothing. Raises `queues.BadMessage`."""
    try:
        return _read(body)
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise queues.BadMessage from error


def _read(text: str, *, unwrapped: bool = False) -> Event | None:
    if text.startswith(_SET_UP):
        return None
    message = json.loads(text)
    if message.get("Type") == "Notification" and not unwrapped:
        return _read(message["Message"], unwrapped=True)
    outcome = _outcome(message.get("eventType") or message["notificationType"], message)
    if outcome is None:
        return None
    state, reason = outcome
    tags = message["mail"].get("tags", {}).get(settings.ANYMAIL["AMAZON_SES_MESSAGE_TAG_NAME"])
    return Event(
        mail_id=tags[0] if tags and is_id(tags[0]) else "",
        ses_message_id=_message_id(message["mail"]["messageId"]),
        state=state,
        reason=reason if _NAME.fullmatch(reason) else state,
    )


def _outcome(kind: str, message: dict[str, Any]) -> tuple[str, str] | None:
    """State and reason. What SES calls a transient bounce may be an answer "out of office", so it
    changes nothing; nor does anything that isn't listed here."""
    match kind:
        case "Bounce" if message["bounce"]["bounceType"] == "Permanent":
            return "bounced", message["bounce"].get("bounceSubType") or ""
        case "Complaint":
            reason = message["complaint"].get("complaintFeedbackType") or ""
            return None if reason == "not-spam" else ("complained", reason)
        case "Reject":  # a virus in it: SES took the mail and did not send it
            return "dead", "rejected"
    return None


def _message_id(value: str) -> str:
    if not 0 < len(value.strip()) <= _LONGEST_ID:
        raise ValueError("no id of a message")
    return value


def _find(event: Event) -> Mail | None:
    """By our id, which is known before SES has answered; else by the one that SES gave."""
    mail = Mail.fetch(event.mail_id) if event.mail_id else None
    if mail is not None:
        return mail
    for listed in Mail.by_ses_message_id.query(event.ses_message_id, limit=1):
        return Mail.fetch(listed.mail_id)
    return None


def _settle(mail_id: str, event: Event) -> None:
    """The address is the one that the mail went to, and not what an event names: each of our mails
    has one recipient. It is suppressed together with the first word of it, so that one that was
    taken off the list since then does not come back by a repeated event."""
    mail = Mail.fetch(mail_id)
    if mail is None:
        return
    if mail.state in _BEFORE[event.state]:
        _record(mail, event)
    if mail.state == event.state and mail.context:  # none is kept where nobody wants to hear
        tell(mail)


def _record(mail: Mail, event: Event) -> None:
    tx = Transaction()
    tx.update(
        mail,
        [Mail.state.set(event.state), Mail.reason.set(event.reason)],
        condition=Mail.state.is_in(*_BEFORE[event.state]),
    )
    if event.state in _SUPPRESSING:
        tx.put(Suppression(mail.address_hash, reason=event.state, created_at=now()))
    tx.commit()
    mail.state = event.state
    logger.warning(
        "mail event noted",
        extra={"mail": mail.mail_id, "state": event.state, "code": event.reason},
    )
