"""The address book: every change is one transaction with its audit event and search terms."""

from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actors import Practitioner
from accounts.audit import Action
from cases.search import fold, index_in, words_in
from cases.space import NOT_HELD
from cases.tables import Case, Client
from filevault.dynamo import Transaction, is_id, new_id, now
from filevault.errors import Conflict, NotFound, OnHold
from filevault.mail import address_hash
from filevault.paging import Page, open_cursor, read_page
from filevault.text import Texts

PAGE_SIZE: Final = 50
NAME_LENGTH: Final = 200
PHONE_LENGTH: Final = 40


class AlreadySaved(Conflict):
    """A form was sent again with other content: one record was made of it already."""

    code = "already_saved"
    default_message = _(
        "This form was saved before, and that record was left as it is. "
        "Press the button again to save this as one more."
    )


class HasOpenCases(Conflict):
    """A client can't go while cases with them are open."""

    code = "has_open_cases"
    default_message = _(
        "This client is on an open case. Close or delete the case first, or take the client off it."
    )


class OnHeldCase(OnHold):
    """A client can't go while a legal hold keeps a case that they are on (T5): nothing else says
    who sent its files."""

    default_message = _(
        "This client is on a case under a legal hold, and has to be kept with it. "
        "Nothing was changed."
    )


class ChangedMeanwhile(Conflict):
    """Somebody (perhaps in another tab) saved the record after the form was opened."""

    code = "changed_meanwhile"
    default_message = _(
        "This was changed after you opened it. What you typed is still here: compare it with what "
        "is saved now, and save again to replace that."
    )


@dataclass(frozen=True, slots=True)
class Details:
    """What a client's form holds, cleaned."""

    name: str
    email: str
    phone: str
    notes: str
    language: str


def get_client(actor: Practitioner, client_id: str) -> Client:
    """One of the actor's clients. Raises `NotFound`, for a stranger's as for a random id (Z2)."""
    client = Client.fetch(actor.user_id, client_id) if is_id(client_id) else None
    if client is None:
        raise NotFound
    return client


def list_clients(actor: Practitioner, *, cursor: str = "", limit: int = PAGE_SIZE) -> Page[Client]:
    """A page of the address book, A to Z. The index lists; the rows are read again."""
    scope = f"clients:{actor.user_id}"
    listed = read_page(
        Client.by_name.query(
            actor.user_id, limit=limit, last_evaluated_key=open_cursor(cursor, scope=scope)
        ),
        scope=scope,
    )
    ids = [row.client_id for row in listed.items]
    return Page(fetch_clients(actor.user_id, ids), listed.cursor)


def fetch_clients(user_id: str, client_ids: list[str]) -> list[Client]:
    """Those of a practitioner's clients that are there, in the order asked for."""
    found = {c.client_id: c for c in Client.fetch_many((user_id, key) for key in client_ids)}
    return [found[key] for key in client_ids if key in found]


def newest_clients(actor: Practitioner, *, limit: int) -> list[Client]:
    """The clients that were added last, read from the base table: also one added just now."""
    return list(
        Client.query(actor.user_id, scan_index_forward=False, consistent_read=True, limit=limit)
    )


def same_email(actor: Practitioner, client: Client) -> list[Client]:
    """Others of the actor's clients with this client's address: a warning, no refusal."""
    listed = Client.by_email_hash.query(
        client.email_hash, filter_condition=Client.user_id == actor.user_id
    )
    ids = [row.client_id for row in listed if row.client_id != client.client_id]
    found = fetch_clients(actor.user_id, ids)
    return [other for other in found if other.email_hash == client.email_hash]


def create_client(
    actor: Practitioner,
    *,
    name: str,
    email: str,
    phone: str = "",
    notes: str = "",
    language: str = "",
    client_id: str = "",
) -> Client:
    """Add a client. `client_id` is the form's own id: the same content under it again answers with
    the record that is there, other content raises `AlreadySaved`. Raises `Invalid` by field."""
    details = check_details(name=name, email=email, phone=phone, notes=notes, language=language)
    moment = now()
    client = Client(actor.user_id, client_id or new_id(), created_at=moment, updated_at=moment)
    _apply(client, details)
    tx = Transaction()
    stream = audit.user_stream(actor.user_id)
    client.event_id = audit.record(tx, stream, Action.CLIENT_CREATE, actor, target=client.client_id)
    tx.create(client, otherwise=AlreadySaved())
    index_in(tx, client, after=words_in(client))
    try:
        tx.commit()
    except AlreadySaved:
        saved = get_client(actor, client.client_id)
        if _details_of(saved) != details:
            raise
        return saved
    return client


def edit_client(
    actor: Practitioner,
    client_id: str,
    *,
    version: str,
    name: str,
    email: str,
    phone: str = "",
    notes: str = "",
    language: str = "",
) -> Client:
    """Change a client that is still at `version` (its `event_id`). Raises `Invalid` by field, and
    `ChangedMeanwhile`."""
    client = get_client(actor, client_id)
    details = check_details(name=name, email=email, phone=phone, notes=notes, language=language)
    if client.event_id != version:
        raise ChangedMeanwhile
    if details == _details_of(client):
        return client
    before = words_in(client)
    _apply(client, details)
    client.updated_at = now()
    tx = Transaction()
    stream = audit.user_stream(actor.user_id)
    client.event_id = audit.record(tx, stream, Action.CLIENT_EDIT, actor, target=client_id)
    tx.update(
        client,
        _changes(client),
        condition=Client.event_id == version,
        otherwise=ChangedMeanwhile(),
    )
    index_in(tx, client, before=before, after=words_in(client))
    tx.commit()
    return client


def delete_client(actor: Practitioner, client_id: str) -> None:
    """Delete a client, and with the row every link of theirs. Raises `HasOpenCases` and
    `OnHeldCase`, decided in the transaction itself."""
    client = get_client(actor, client_id)
    tx = Transaction()
    stream = audit.user_stream(actor.user_id)
    audit.record(tx, stream, Action.CLIENT_DELETE, actor, target=client_id)
    same = Client.event_id == client.event_id  # so that no search term of an edit is left behind
    tx.delete(
        Client(actor.user_id, client_id),
        condition=(Client.open_cases == 0) & same,
        otherwise=HasOpenCases(),
    )
    index_in(tx, client, before=words_in(client))
    _check_not_held_in(tx, client)
    try:
        tx.commit()
    except HasOpenCases:
        if get_client(actor, client_id).open_cases == 0:
            raise ChangedMeanwhile from None
        raise


def _check_not_held_in(tx: Transaction, client: Client) -> None:
    """Raises `OnHeldCase`, at once or at the commit. A transaction has room for the newest 50 cases
    at least; a hold that comes upon an older one meanwhile comes a moment too late."""
    cases = Case.fetch_many(sorted(client.case_ids or (), reverse=True))
    if any(case.held_at is not None for case in cases):
        raise OnHeldCase
    newest = sorted(cases, key=lambda case: case.case_id, reverse=True)
    for case in newest[: Transaction.LIMIT - len(tx)]:
        tx.check(case, NOT_HELD, otherwise=OnHeldCase())


def check_details(
    *, name: str, email: str, phone: str = "", notes: str = "", language: str = ""
) -> Details:
    """What a client's form holds, cleaned. Raises `Invalid` by field."""
    texts = Texts()
    details = Details(
        name=texts.line("name", name, limit=NAME_LENGTH, missing=_("Please enter a name.")),
        email=texts.email("email", email),
        phone=texts.line("phone", phone, limit=PHONE_LENGTH),
        notes=texts.lines("notes", notes),
        language=texts.language("language", language),
    )
    texts.check()
    return details


def _details_of(client: Client) -> Details:
    return Details(client.name, client.email, client.phone, client.notes, client.language)


def _apply(client: Client, details: Details) -> None:
    client.name, client.email = details.name, details.email
    client.phone, client.notes, client.language = details.phone, details.notes, details.language
    # An index key must not be empty, and stays below DynamoDB's 1,024 bytes.
    client.name_key = fold(details.name)[:NAME_LENGTH] or details.name
    client.email_hash = address_hash(details.email)


def _changes(client: Client) -> list[Any]:
    return [
        Client.name.set(client.name),
        Client.email.set(client.email),
        Client.phone.set(client.phone),
        Client.notes.set(client.notes),
        Client.language.set(client.language),
        Client.name_key.set(client.name_key),
        Client.email_hash.set(client.email_hash),
        Client.updated_at.set(client.updated_at),
        Client.event_id.set(client.event_id),
    ]
