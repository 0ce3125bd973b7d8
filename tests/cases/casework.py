"""Clients and cases for tests, made by the rules themselves; forms as a browser sends them."""

import re
from typing import Any

from django.test import Client as Browser

from accounts.actors import Actor, CaseClient, Practitioner
from accounts.tables import AuditEvent
from cases import cases, clients
from cases.tables import Case, Client, SearchTerm
from files import uploads
from files.spaces import Space, load_space
from files.tables import File
from tests.files.samples import PDF
from tests.files.space import put


def make_client(actor: Practitioner, name: str = "Maria Keller", email: str = "") -> Client:
    word = re.sub(r"\W+", ".", name.lower(), flags=re.ASCII).strip(".") or "nobody"
    return clients.create_client(actor, name=name, email=email or f"{word}@example.test")


def make_case(actor: Practitioner, *people: Client, title: str = "Keller v. Brandt") -> Case:
    ids = [person.client_id for person in people]
    return cases.create_case(actor, title=title, client_ids=ids, link_only=False)


def edit(actor: Practitioner, case: Case, **changes: Any) -> Case:
    """Change a case as it is now."""
    now = cases.get_case(actor, case.case_id)
    details: dict[str, Any] = {
        "title": now.title,
        "reference": now.reference,
        "notes": now.notes,
        "client_ids": list(now.client_ids),
        "link_only": bool(now.link_only),
        "retention_rule": now.retention,
        "version": now.event_id,
    }
    return cases.edit_case(actor, case.case_id, **(details | changes))


def again(row: Any) -> Any:
    """A client's or case's row as it is now."""
    if isinstance(row, Client):
        return Client.fetch(row.user_id, row.client_id)
    return Case.fetch(row.case_id)


def space_of(case: Case) -> Space:
    space = load_space(f"case:{case.case_id}")
    assert space is not None
    return space


def actor_of(case: Case, client: Client) -> CaseClient:
    return CaseClient(client.client_id, case.case_id, case.user_id, client.name)


def arrived(case: Case, actor: Actor, content: bytes = PDF, *, name: str = "letter.pdf") -> File:
    """A file that somebody has put into an open case."""
    space = space_of(case)
    file, _post = uploads.begin(actor, space, file_name=name, size=len(content))
    put(file, content)
    return uploads.confirm(actor, space, file.file_id)


def actions_in(stream_id: str) -> list[str]:
    return [event.action for event in AuditEvent.query(stream_id, consistent_read=True)]


def terms_of(record_id: str) -> set[str]:
    rows = [term.term_key.split("#") for term in SearchTerm.scan()]
    return {word for word, _kind, key in rows if key == record_id}


def hidden(browser: Browser, path: str) -> dict[str, str]:
    """The hidden fields of a page's form, as a browser sends them back."""
    page = browser.get(path).content.decode()
    found = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page)
    return dict(found)
