"""Mail through an outbox: queued in the transaction that causes it, composed and sent by a job.

The outbox holds ids, never text: what a mail says is composed when it goes, from rows read then.
At most one mail without a crash; at most one duplicate after a crash, and that one carries the
same `X-Filevault-Mail-Id` (N3). What SES tells later, `filevault.mail_events` reads.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from typing import Any, Final

import css_inline
from anymail.exceptions import AnymailAPIError, AnymailError
from anymail.message import AnymailMessage
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from filevault import jobs
from filevault.dynamo import Transaction, new_id, now, retrying
from filevault.errors import Conflict
from filevault.tables import Mail, Suppression

logger = logging.getLogger(__name__)

SEND_JOB: Final = "mail.send"
KEPT_FOR: Final = timedelta(days=90)
#: Most mails of a day that are counted for metrics.
COUNTED: Final = 5000
#: How long a mail is tried again; a provider that is away for hours loses none.
TRIED_FOR: Final = timedelta(hours=24)

#: The states of a mail that may still be sent.
_UNDER_WAY: Final = ("queued", "sending")

#: SES answers that trying again will not change.
_PERMANENT = {
    "MessageRejected",
    "BadRequestException",
    "InvalidParameterValue",
    "NotFoundException",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What a composer makes of a mail's ids: whom it goes to and what its templates are given.
    Templates stand in `emails/<template>/{subject.txt,body.txt,body.html}`."""

    to: str
    template: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""
    from_name: str = "Filevault"
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's three texts, as its recipient will read them."""

    subject: str
    text: str
    html: str


#: Composes a mail from its ids; None when there is nobody left to tell (revoked, deleted).
Composer = Callable[[dict[str, Any]], Message | None]
#: Told of each change of a mail's state: (context, mail id, state).
Listener = Callable[[dict[str, Any], str, str], None]

_composers: dict[str, Composer] = {}
_listeners: dict[str, Listener] = {}


class _Overtaken(Conflict):
    """SES told what became of a mail before we had written down that it was sent."""


def composer(template: str, *, listener: Listener | None = None) -> Callable[[Composer], Composer]:
    """Register how mails of a template are composed, and who hears what became of them. Where
    somebody does, mails keep their context, so that a bounce can be told, too: no secret may be in
    there."""

    def register(function: Composer) -> Composer:
        _composers[template] = function
        if listener is not None:
            _listeners[template] = listener
        return function

    return register


def address_hash(address: str) -> str:
    """SHA-256 of a normalised address: what rows and limits know it by."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()


def queue(
    tx: Transaction, template: str, context: dict[str, Any], *, mail_id: str | None = None
) -> str:
    """Put a mail into the outbox in the caller's transaction; returns its id."""
    moment = now()
    mail = Mail(
        mail_id or new_id(),
        template=template,
        address_hash="",
        context=context,
        state="queued",
        day=moment.date().isoformat(),
        created_at=moment,
        ttl=moment + KEPT_FOR,
    )
    tx.create(mail)
    jobs.enqueue(tx, SEND_JOB, {"mailId": mail.mail_id})
    return mail.mail_id


def count_states(day: date) -> Counter[str]:
    """How many mails of a day there are in each state: of its newest `COUNTED`."""
    rows = Mail.by_day.query(
        day.isoformat(),
        scan_index_forward=False,
        limit=COUNTED,
        attributes_to_get=["state"],
    )
    return Counter(row.state for row in rows)


def render(message: Message) -> Rendered:
    """A mail as it will be read: also what a practitioner is shown before it goes."""
    with translation.override(message.language or settings.LANGUAGE_CODE):
        texts = {
            name: render_to_string(f"emails/{message.template}/{name}", dict(message.variables))
            for name in ("subject.txt", "body.txt", "body.html")
        }
    return Rendered(
        subject=" ".join(texts["subject.txt"].split()),
        text=texts["body.txt"].strip() + "\n",
        html=css_inline.inline(texts["body.html"]),
    )


@jobs.handler(SEND_JOB)
def send_queued(claim: jobs.Claim) -> datetime | None:
    """Send one mail of the outbox. Marked before the job ends, so that a crash in between repeats
    at most the marking."""
    mail = Mail.fetch(claim.payload["mailId"])
    if mail is None:
        return None
    if mail.state in _UNDER_WAY:
        retry_at = _compose_and_deliver(mail, claim)
        if retry_at is not None:
            return retry_at
    retrying(lambda: _tell_and_end(mail, claim), on=_Overtaken, code="store_busy")
    return None


def tell(mail: Mail) -> None:
    """Say what became of a mail to who wants to hear of its template. Again changes nothing."""
    if mail.template in _listeners:
        _listeners[mail.template](dict(mail.context), mail.mail_id, mail.state)


def _tell_and_end(mail: Mail, claim: jobs.Claim) -> None:
    """Tell, and end the job if that is still so: the word that was right must be the last one."""
    tell(mail)
    kept = mail.context if mail.template in _listeners else {}
    tx = Transaction()
    claim.complete_in(tx)
    still = Mail.state == mail.state
    tx.update(mail, [Mail.context.set(kept)], condition=still, otherwise=_Overtaken())
    try:
        tx.commit()
    except _Overtaken:
        mail.refresh(consistent_read=True)
        raise


def _compose_and_deliver(mail: Mail, claim: jobs.Claim) -> datetime | None:
    try:
        return _deliver(mail, _composers[mail.template](dict(mail.context)), claim)
    except _Overtaken:
        mail.refresh(consistent_read=True)
        return None
    except (jobs.LostClaim, *jobs.OUTAGES):
        raise
    except Exception:
        if claim.job.tries + 1 < jobs.MAX_TRIES:
            raise
        logger.exception("mail can't be made", extra={"mail": mail.mail_id})
        _record(mail, claim, "dead", reason="not_composed")
        return None


def _deliver(mail: Mail, message: Message | None, claim: jobs.Claim) -> datetime | None:
    """Hand a mail to the provider and record what became of it; a moment means: try again then."""
    if message is None:
        _record(mail, claim, "cancelled")
        return None
    address = address_hash(message.to)
    if Suppression.fetch(address) is not None:
        _record(mail, claim, "dead", reason="suppressed", address=address)
        return None
    _record(mail, claim, "sending", address=address)
    try:
        ses_message_id = _send(mail.mail_id, message)
    except AnymailError as error:
        return _after_failure(mail, claim, error)
    _record(mail, claim, "sent", ses_message_id=ses_message_id)
    return None


def _after_failure(mail: Mail, claim: jobs.Claim, error: AnymailError) -> datetime | None:
    code = provider_code(error)
    # What Anymail refuses by itself (a malformed address) will be refused again.
    permanent = not isinstance(error, AnymailAPIError) or code in _PERMANENT
    if permanent or now() - mail.created_at > TRIED_FOR:
        logger.error("mail given up", extra={"mail": mail.mail_id, "code": code})
        _record(mail, claim, "dead", reason=code or "refused")
        return None
    logger.warning("mail put back", extra={"mail": mail.mail_id, "code": code})
    return now() + timedelta(seconds=min(900, 5 * 2 ** min(mail.tries, 8)))


def _record(
    mail: Mail,
    claim: jobs.Claim,
    state: str,
    *,
    reason: str | None = None,
    address: str | None = None,
    ses_message_id: str | None = None,
) -> None:
    actions: list[Any] = [Mail.state.set(state)]
    if state == "sending":
        actions.append(Mail.tries.add(1))
    if reason:
        actions.append(Mail.reason.set(reason))
    if address:
        actions.append(Mail.address_hash.set(address))
    if ses_message_id:
        actions += [Mail.ses_message_id.set(ses_message_id), Mail.sent_at.set(now())]
    tx = Transaction()
    claim.hold_in(tx)  # first, so that a lost claim is called that
    tx.update(mail, actions, condition=Mail.state.is_in(*_UNDER_WAY), otherwise=_Overtaken())
    tx.commit()
    mail.state, mail.tries = state, mail.tries + (state == "sending")


def _send(mail_id: str, message: Message) -> str:
    rendered = render(message)
    mail = AnymailMessage(
        subject=rendered.subject,
        body=rendered.text,
        from_email=_sender(message.from_name),
        to=[message.to],
        reply_to=[message.reply_to] if message.reply_to else [],
        headers={"X-Filevault-Mail-Id": mail_id},
        tags=[mail_id],
    )
    mail.attach_alternative(rendered.html, "text/html")
    mail.send()
    return str(getattr(mail.anymail_status, "message_id", "") or "")


def _sender(name: str) -> str:
    """Our address under a person's name, which the mail library encodes."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}>'


def provider_code(error: AnymailError) -> str:
    """The mail provider's own code of a failure, for logs and the outbox."""
    response = getattr(error, "response", None) if isinstance(error, AnymailAPIError) else None
    return str((response or {}).get("Error", {}).get("Code", "")) or type(error).__name__
