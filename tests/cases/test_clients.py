"""The address book: every change whole or not at all, and nobody else's."""

from typing import Any

import pytest

from accounts.tables import AuditEvent
from cases import cases, clients
from cases.tables import Client, SearchTerm
from filevault.dynamo import new_id
from filevault.errors import Invalid, NotFound
from filevault.paging import make_cursor
from tests.cases.casework import actions_in, again, edit, make_case, make_client, terms_of
from tests.cast import Cast
from tests.faults.wire import Wire, lose_reply, meanwhile

SURROGATE = "\ud800"


def change(client: Client, **changes: Any) -> dict[str, Any]:
    details: dict[str, Any] = {
        "version": client.event_id,
        "name": client.name,
        "email": client.email,
        "phone": client.phone,
        "notes": client.notes,
    }
    return details | changes


def test_a_client_is_kept_with_its_event_and_words(cast: Cast) -> None:
    made = clients.create_client(
        cast.a, name="  Zoë   Müßig ", email=" Zoe@Example.test ", phone="+49 30 1", notes="a\r\nb"
    )
    client = clients.get_client(cast.a, made.client_id)
    assert (client.name, client.email) == ("Zoë Müßig", "Zoe@Example.test")
    assert client.notes == "a\nb"
    assert client.open_cases == 0
    assert terms_of(client.client_id) == {"zoe", "mussig", "example", "test", "49", "30", "1"}
    event = AuditEvent.fetch(f"user:{cast.a.user_id}", client.event_id)
    assert event is not None
    assert (event.action, event.target) == ("client:created", client.client_id)
    assert "Zo" not in str(event.to_simple_dict()), "no names in the trail (T2)"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " \t "),
        ("name", "x" * 201),
        ("name", "x" * 10_000),
        ("name", "in\u202efdp.exe"),
        ("name", "a\x00b"),
        ("name", f"a{SURROGATE}"),
        ("email", ""),
        ("email", "maria"),
        ("email", "maria@"),
        ("email", "a b@example.test"),
        ("email", f"{'x' * 243}@example.test"),
        ("email", "maria@example.test\r\nBcc: x@example.test"),
        ("email", f"{SURROGATE}@example.test"),
        ("email", "a\x00@example.test"),
        ("phone", "1" * 41),
        ("phone", f"1{SURROGATE}"),
        ("notes", "x" * 5_001),
        ("notes", "\x00"),
        ("notes", SURROGATE),
        ("language", "xx"),
    ],
)
def test_bad_input_is_named_by_field_and_nothing_is_kept(
    cast: Cast, field: str, value: str
) -> None:
    good = {"name": "Maria Keller", "email": "maria@example.test"}
    with pytest.raises(Invalid) as refused:
        clients.create_client(cast.a, **(good | {field: value}))
    assert list(refused.value.fields) == [field]
    assert not list(Client.scan())
    assert not list(SearchTerm.scan())
    assert not actions_in(f"user:{cast.a.user_id}")


def test_all_that_is_wrong_is_said_at_once(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        clients.create_client(cast.a, name="", email="x", phone="9" * 99)
    assert set(refused.value.fields) == {"name", "email", "phone"}


@pytest.mark.settled
def test_names_of_marks_and_signs_have_a_place_in_the_list(cast: Cast) -> None:
    for name in ("\u0301", "§§", "李小龍", "\ufdfa" * 200, "n" * 200):
        client = clients.create_client(cast.a, name=name, email="a@example.test")
        assert clients.get_client(cast.a, client.client_id).name == client.name
    assert len(clients.list_clients(cast.a).items) == 5


def test_the_same_form_twice_makes_one_client(cast: Cast) -> None:
    once = new_id()
    first, second = (
        clients.create_client(cast.a, name="Maria", email="m@example.test", client_id=once)
        for _ in range(2)
    )
    assert first.client_id == second.client_id == once
    assert actions_in(f"user:{cast.a.user_id}") == ["client:created"]
    with pytest.raises(clients.AlreadySaved):
        clients.create_client(cast.a, name="Mario", email="m@example.test", client_id=once)
    assert again(first).name == "Maria"


def test_a_lost_reply_makes_one_client(cast: Cast, wire: Wire) -> None:
    wire.add("TransactWriteItems", lose_reply())
    make_client(cast.a)
    assert len(list(Client.scan())) == 1
    assert actions_in(f"user:{cast.a.user_id}") == ["client:created"]


def test_an_edit_changes_the_words_that_differ(cast: Cast, wire: Wire) -> None:
    client = make_client(cast.a, "Maria Keller")
    wire.calls.clear()
    clients.edit_client(cast.a, client.client_id, **change(client, name="Maria Brandt"))
    assert terms_of(client.client_id) == {"maria", "brandt", "keller", "example", "test"}, (
        "the address still says Keller"
    )
    (sent,) = wire.sent("TransactWriteItems")
    assert len(sent["TransactItems"]) == 3, "row, event, and the one word that came"
    assert again(client).name == "Maria Brandt"
    assert actions_in(f"user:{cast.a.user_id}") == ["client:created", "client:edited"]


def test_an_edit_that_changes_nothing_writes_nothing(cast: Cast, wire: Wire) -> None:
    client = make_client(cast.a)
    wire.calls.clear()
    clients.edit_client(cast.a, client.client_id, **change(client))
    assert not wire.sent("TransactWriteItems")


def test_a_stale_edit_changes_nothing(cast: Cast) -> None:
    client = make_client(cast.a)
    stale = change(client, name="From the other tab")
    clients.edit_client(cast.a, client.client_id, **change(client, phone="1"))
    with pytest.raises(clients.ChangedMeanwhile):
        clients.edit_client(cast.a, client.client_id, **stale)
    assert again(client).name == client.name


def test_an_edit_at_the_same_moment_changes_nothing(cast: Cast, wire: Wire) -> None:
    client = make_client(cast.a)
    first = change(client, phone="1")
    stale = change(client, name="Late")
    wire.add(
        "TransactWriteItems",
        meanwhile(lambda: clients.edit_client(cast.a, client.client_id, **first)),
    )
    with pytest.raises(clients.ChangedMeanwhile):
        clients.edit_client(cast.a, client.client_id, **stale)
    assert (again(client).name, again(client).phone) == (client.name, "1")
    assert "late" not in terms_of(client.client_id)


def test_the_longest_words_fit_into_one_transaction(cast: Cast, wire: Wire) -> None:
    client = make_client(cast.a, " ".join(f"a{n}" for n in range(60))[:200].strip())
    name = " ".join(f"b{n}" for n in range(60))[:200].strip()
    clients.edit_client(cast.a, client.client_id, **change(client, name=name, email="c@d.ef"))
    assert len(terms_of(client.client_id)) == 40
    assert max(len(sent["TransactItems"]) for sent in wire.sent("TransactWriteItems")) <= 82


def test_strangers_find_nothing_Z2(cast: Cast) -> None:
    client = make_client(cast.a)
    for client_id in (client.client_id, new_id(), client.client_id[:8], "", "x"):
        with pytest.raises(NotFound):
            clients.get_client(cast.b, client_id)
        with pytest.raises(NotFound):
            clients.edit_client(cast.b, client_id, **change(client, name="Mine"))
        with pytest.raises(NotFound):
            clients.delete_client(cast.b, client_id)
    assert again(client).name == client.name
    assert clients.list_clients(cast.b).items == []


def test_deletion_takes_the_exact_client_and_its_words_Z9(cast: Cast) -> None:
    client, other = make_client(cast.a), make_client(cast.a, "Maria Kellermann")
    for prefix in (client.client_id[:-1], client.client_id[:13], f"{client.client_id}0"):
        with pytest.raises(NotFound):
            clients.delete_client(cast.a, prefix)
    clients.delete_client(cast.a, client.client_id)
    assert again(client) is None
    assert again(other) is not None
    assert not terms_of(client.client_id)
    assert "kellermann" in terms_of(other.client_id)
    assert actions_in(f"user:{cast.a.user_id}")[-1] == "client:deleted"
    with pytest.raises(NotFound):
        clients.delete_client(cast.a, client.client_id)


def test_deletion_is_refused_while_cases_are_open(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    with pytest.raises(clients.HasOpenCases):
        clients.delete_client(cast.a, client.client_id)
    assert again(client) is not None
    assert terms_of(client.client_id)
    cases.close_case(cast.a, case.case_id)
    clients.delete_client(cast.a, client.client_id)
    assert again(client) is None


def test_a_case_that_opens_at_the_same_moment_wins(cast: Cast, wire: Wire) -> None:
    client = make_client(cast.a)
    wire.add("TransactWriteItems", meanwhile(lambda: make_case(cast.a, client)))
    with pytest.raises(clients.HasOpenCases):
        clients.delete_client(cast.a, client.client_id)
    assert again(client).open_cases == 1


def test_who_was_deleted_at_the_same_moment_gets_no_case(cast: Cast, wire: Wire) -> None:
    client = make_client(cast.a)
    wire.add(
        "TransactWriteItems", meanwhile(lambda: clients.delete_client(cast.a, client.client_id))
    )
    with pytest.raises(Invalid):
        make_case(cast.a, client)
    assert again(client) is None, "no empty row in its place"


@pytest.mark.settled
def test_the_list_goes_from_a_to_z_in_pages(cast: Cast) -> None:
    for name in ("Zoe", "Émile", "anna", "Bernd", "Öztürk"):
        make_client(cast.a, name)
    make_client(cast.b, "Somebody else's")
    first = clients.list_clients(cast.a, limit=3)
    rest = clients.list_clients(cast.a, limit=3, cursor=first.cursor)
    names = [client.name for client in first.items + rest.items]
    assert names == ["anna", "Bernd", "Émile", "Öztürk", "Zoe"]
    assert not rest.cursor


def test_cursors_of_others_are_refused_Z8(cast: Cast) -> None:
    make_client(cast.a)
    stolen = make_cursor({"userId": {"S": cast.a.user_id}}, scope=f"clients:{cast.a.user_id}")
    for cursor in (stolen, "x", SURROGATE, "ü"):
        with pytest.raises(Invalid):
            clients.list_clients(cast.b, cursor=cursor)


@pytest.mark.settled
def test_the_same_address_is_told_of_and_allowed(cast: Cast) -> None:
    first = make_client(cast.a, "Maria", "keller@example.test")
    make_client(cast.b, "Not yours", "keller@example.test")
    assert clients.same_email(cast.a, first) == []
    second = make_client(cast.a, "Jonas", "Keller@example.test")
    assert [client.name for client in clients.same_email(cast.a, second)] == ["Maria"]


def test_counting_cases_does_not_make_an_edit_stale(cast: Cast) -> None:
    client = make_client(cast.a)
    case = make_case(cast.a, client)
    edit(cast.a, case, title="Another title")
    clients.edit_client(cast.a, client.client_id, **change(client, phone="1"))
    assert (again(client).phone, again(client).open_cases) == ("1", 1)
