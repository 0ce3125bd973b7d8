"""Invited clients for tests: the rows of a case, the link in the mail, browsers that open it."""

import re
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from django.core import mail as outbox
from django.core.mail import EmailMultiAlternatives
from django.test import Client as Browser

from accounts.actors import Practitioner
from accounts.sessions import SessionStore
from cases import invitations
from cases.tables import Case, Client, Invitation
from filevault import jobs
from filevault.dynamo import new_id, now
from filevault.mail import address_hash


@dataclass(frozen=True)
class Invited:
    """A client of a case, and whose case it is."""

    practitioner: Practitioner
    case: Case
    client: Client

    @property
    def invitation(self) -> Invitation:
        row = Invitation.fetch(self.case.case_id, self.client.client_id)
        assert row is not None
        return row

    @property
    def portal(self) -> str:
        return f"/portal/{self.case.case_id}/"

    def send(self) -> str:
        """Invite; returns the path of the link in the mail."""
        deliver()
        invitations.send(self.practitioner, self.case.case_id, self.client.client_id)
        return link_in(deliver()[-1])

    def revoke(self) -> None:
        invitations.revoke(self.practitioner, self.case.case_id, self.client.client_id)


def make_invited(
    practitioner: Practitioner,
    *,
    name: str = "Maria Keller",
    email: str = "maria.keller@example.test",
    link_only: bool = False,
    title: str = "Keller v. Brandt",
) -> Invited:
    """A new client on a new case of the practitioner's, not invited yet."""
    moment = now()
    client = Client(
        practitioner.user_id,
        new_id(),
        name=name,
        email=email,
        name_key=name.lower(),
        email_hash=address_hash(email),
        open_cases=1,
        created_at=moment,
        updated_at=moment,
    )
    client.save()
    case = Case(
        new_id(),
        user_id=practitioner.user_id,
        owner_status=f"{practitioner.user_id}#open",
        status="open",
        title=title,
        client_ids=[client.client_id],
        link_only=link_only,
        created_at=moment,
        updated_at=moment,
    )
    case.save()
    return Invited(practitioner, case, client)


def deliver() -> list[EmailMultiAlternatives]:
    """Send what is queued; returns all mails sent so far."""
    jobs.run_due("test", kinds={"mail.send"})
    return list(cast(list[EmailMultiAlternatives], outbox.outbox))


def link_in(message: EmailMultiAlternatives) -> str:
    """The path of the invitation's link in a mail."""
    found = re.search(r"https?://\S+/invite/\S+", str(message.body))
    assert found is not None
    return urlsplit(found[0]).path


def open_link(browser: Browser, path: str) -> Any:
    """Follow a link as a browser does; returns the page that it ends on."""
    return browser.get(path, follow=True)


def code_in(message: EmailMultiAlternatives) -> str:
    """The code that leads the subject of a mail."""
    found = re.match(r"\d{6}\b", str(message.subject))
    assert found is not None
    return found[0]


def ask_for_code(browser: Browser, path: str) -> str:
    """Open a link and have the code sent; returns it from the mail."""
    open_link(browser, path)
    assert browser.post("/invite/send-code/").status_code == 302
    return code_in(deliver()[-1])


def enter(invited: Invited, browser: Browser | None = None, *, remember: bool = False) -> Browser:
    """A browser that came in by link and code."""
    browser = browser or Browser()
    code = ask_for_code(browser, invited.send())
    data = {"code": code} | ({"remember": "on"} if remember else {})
    answer = browser.post("/invite/code/", data)
    assert (answer.status_code, answer.headers["Location"]) == (302, invited.portal)
    return browser


def sign_in(practitioner: Practitioner) -> Browser:
    """A browser with a practitioner's session."""
    session = SessionStore()
    session["profile"] = practitioner.user_id
    session.save()
    browser = Browser()
    browser.cookies["session"] = session.session_key or ""
    return browser


def snapshot(invited: Invited) -> dict[str, Any]:
    """Everything that the invitation's row holds."""
    return invited.invitation.to_simple_dict()
