"""The mails that went out through the local SES, read back from MiniStack."""

import base64
import email
import email.policy
import json
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any


@dataclass(frozen=True)
class SentMail:
    """A mail as SES took it: `message` is its parsed MIME, `to` the envelope's recipients."""

    id: str
    sent_at: datetime
    to: list[str]
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The decoded subject line."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text body, or an empty string."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML body, or an empty string."""
        return self._body("html")

    def _body(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return str(part.get_content()) if part else ""


def sent_mails(endpoint: str, *, to: str | None = None) -> list[SentMail]:
    """Every mail sent so far, newest first; `to` keeps those to one address, in any case."""
    url = f"{endpoint}/_ministack/ses/messages"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
        accounts = json.load(answer)["messages"]
    records = [record for records in accounts.values() for record in records]
    # Reversed after sorting: of two mails in one clock tick the later one is the newer.
    records.sort(key=lambda record: float(record["Timestamp"]))
    records.reverse()
    mails = [_parse(record) for record in records]
    if to:
        mails = [mail for mail in mails if to.lower() in (each.lower() for each in mail.to)]
    return mails


def _parse(record: dict[str, Any]) -> SentMail:
    if record.get("Raw"):
        source = base64.b64decode(record["Raw"])
        message = email.message_from_bytes(source, policy=email.policy.default)
    else:
        # Cognito's own mails come in parts.
        message = EmailMessage()
        message["From"], message["Subject"] = record["Source"], record["Subject"]
        message.set_content(record["BodyText"] or "")
        if record["BodyHtml"]:
            message.add_alternative(record["BodyHtml"], subtype="html")
    return SentMail(
        id=record["MessageId"],
        sent_at=datetime.fromtimestamp(record["Timestamp"], UTC),
        to=[*record["To"], *record["CC"], *record["BCC"]],
        message=message,
    )
