"""Search: by the beginning of any word, whatever the case and accents, at the cost of the
matches."""

import pytest

from accounts.actors import Practitioner
from cases import cases, clients
from cases.search import fold, search, search_clients, words_of
from cases.tables import Client, SearchTerm
from cases.templatetags.marking import mark_words
from filevault.dynamo import new_id, now
from tests.cases.casework import edit, make_case, make_client
from tests.cast import Cast
from tests.faults.wire import open_wire


def names(actor: Practitioner, query: str) -> list[str]:
    found = search(actor, query)
    return [client.name for client in found.clients] + [case.title for case in found.cases]


@pytest.mark.parametrize(
    "query",
    [
        *["Müller", "muller", "MULL", "m", "jürg", "Jurgen", "strasser", "straß", "STRASS"],
        *["mu\u0308ller", "müller jürgen", "jurg mull stras", "juergen.mueller@kanzlei.test"],
    ],
)
def test_any_word_is_found_by_its_beginning(cast: Cast, query: str) -> None:
    make_client(cast.a, "Jürgen Müller-Straßer", "juergen.mueller@kanzlei.test")
    make_client(cast.a, "Łukasz Ørsted", "lukasz@example.test")
    assert "Jürgen Müller-Straßer" in names(cast.a, query)


@pytest.mark.parametrize(
    "query", ["üller", "ller", "mullerx", "muller anna", "x", "", " ", "#", "*"]
)
def test_nothing_else_is_found(cast: Cast, query: str) -> None:
    make_client(cast.a, "Jürgen Müller", "jm@kanzlei.test")
    assert names(cast.a, query) == []


def test_letters_that_unicode_keeps_whole_are_found_plain(cast: Cast) -> None:
    make_client(cast.a, "Łukasz Ørsted", "l@example.test")
    for query in ("lukasz", "ŁUKASZ", "orsted", "ørst"):
        assert names(cast.a, query) == ["Łukasz Ørsted"]
    assert fold("Œuvre Straße") == "oeuvre strasse"


def test_cases_are_found_by_title_and_reference_open_or_closed(cast: Cast) -> None:
    client = make_client(cast.a, "Maria", "m@example.test")
    case = make_case(cast.a, client, title="Keller gegen Brandt")
    edit(cast.a, case, reference="2026-0417")
    for query in ("brandt", "0417", "2026-0417", "geg kell"):
        assert names(cast.a, query) == ["Keller gegen Brandt"]
    cases.close_case(cast.a, case.case_id)
    assert names(cast.a, "keller") == ["Keller gegen Brandt"]
    cases.delete_case(cast.a, case.case_id)
    assert names(cast.a, "keller") == []


def test_nobody_finds_what_is_anothers_Z8(cast: Cast) -> None:
    client = make_client(cast.a, "Maria Keller")
    make_case(cast.a, client)
    assert names(cast.b, "keller") == []
    assert search_clients(cast.b, "maria") == []


def test_a_row_that_is_left_over_finds_nothing(cast: Cast) -> None:
    client = make_client(cast.a, "Maria", "m@example.test")
    for word in ("ghost", "maria"):
        SearchTerm(cast.a.user_id, f"{word}#client#{new_id()}").save()
    SearchTerm(cast.a.user_id, f"ghost#client#{client.client_id}").save()
    foreign = make_case(cast.b, make_client(cast.b), title="Ghost")
    SearchTerm(cast.a.user_id, f"ghost#case#{foreign.case_id}").save()
    assert names(cast.a, "ghost") == []
    assert names(cast.a, "maria") == ["Maria"]


def test_there_is_more_is_said(cast: Cast) -> None:
    for number in range(4):
        make_client(cast.a, f"Same {number}")
    found = search(cast.a, "same", limit=3)
    assert (len(found.clients), found.more) == (3, True)
    assert not search(cast.a, "same", limit=4).more


def test_a_record_has_forty_distinct_words_at_most() -> None:
    assert len(words_of(" ".join(f"w{n}" for n in range(100)))) == 40
    assert words_of("a A á b") == ["a", "b"]
    assert max(len(word.encode()) for word in words_of("\U00010400" * 500)) <= 256


@pytest.mark.parametrize("query", ["\ud800", "\x00", "x" * 10_000, "a " * 5_000, "ﷺ" * 500])
def test_odd_queries_find_nothing_and_break_nothing(cast: Cast, query: str) -> None:
    make_client(cast.a, "Maria", "m@foo.test")
    assert names(cast.a, query) == []


def fill(actor: Practitioner, count: int) -> None:
    """An address book, written past the rules for speed."""
    moment = now()
    with Client.batch_write() as people, SearchTerm.batch_write() as terms:
        for number in range(count):
            client_id, name = new_id(), f"Person Common{number}"
            people.save(
                Client(
                    actor.user_id,
                    client_id,
                    name=name,
                    email=f"p{number}@example.test",
                    name_key=name.lower(),
                    email_hash="0" * 64,
                    created_at=moment,
                    updated_at=moment,
                )
            )
            for word in ("person", f"common{number}"):
                terms.save(SearchTerm(actor.user_id, f"{word}#client#{client_id}"))


@pytest.mark.parametrize("count", [10, 2_000])
def test_the_cost_grows_with_the_matches_not_with_the_address_book(cast: Cast, count: int) -> None:
    fill(cast.a, count)
    make_client(cast.a, "Quentin Person", "q@example.test")
    with open_wire() as wire:
        assert names(cast.a, "quent") == ["Quentin Person"]
    assert [name for name, _sent in wire.calls] == ["Query", "BatchGetItem"]
    with open_wire() as wire:
        assert names(cast.a, "p quentin") == ["Quentin Person"]
    assert [name for name, _sent in wire.calls] == ["Query", "BatchGetItem"], (
        "the longest word is asked for"
    )
    with open_wire() as wire:
        found = search(cast.a, "person", limit=5)
        assert len(found.clients) == 5
    assert [name for name, _sent in wire.calls] == ["Query", "BatchGetItem"], (
        "a page, and no more than was asked for"
    )


def test_a_change_is_found_at_once(cast: Cast) -> None:
    client = make_client(cast.a, "Maria Keller", "m@example.test")
    details = {"name": "Maria Weber", "email": client.email, "version": client.event_id}
    clients.edit_client(cast.a, client.client_id, **details)
    assert names(cast.a, "keller") == []
    assert names(cast.a, "weber") == ["Maria Weber"]


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("Jürgen Müller", "mull", "Jürgen <mark>Müll</mark>er"),
        ("Straßer", "strass", "<mark>Straß</mark>er"),
        ("Mu\u0308ller", "mu", "<mark>Mu</mark>\u0308ller"),
        ("<b>Mull</b>", "mull", "&lt;b&gt;<mark>Mull</mark>&lt;/b&gt;"),
        ("Maria Keller", "x", "Maria Keller"),
        ("a{b} {} %s", "a", "<mark>a</mark>{b} {} %s"),
    ],
)
def test_what_matched_is_marked(text: str, query: str, marked: str) -> None:
    assert mark_words(text, words_of(query)) == marked
