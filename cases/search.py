"""Search over clients and cases by the beginning of any word, whatever its case and accents.

Each record has a row for each of its words, written in the transaction of the change. A query reads
the rows that begin with its longest word, so that its cost grows with what matches; the other words
are held against the records themselves, which are read again before they count.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Final

from accounts.actors import Practitioner
from cases.tables import Case, Client, SearchTerm
from filevault.dynamo import Transaction
from filevault.limits import Allowance

MAX_WORDS: Final = 40
#: Keeps a row's key far below DynamoDB's 1,024 bytes.
WORD_LENGTH: Final = 64
MAX_QUERY_WORDS: Final = 8
CHUNK: Final = 100
SEARCHES: Final = Allowance("search", actor=600, address=3_000, window=timedelta(minutes=10))

_WORD: Final = re.compile(r"[^\W_]+")
#: Letters that Unicode doesn't take apart, as people without that keyboard type them.
_PLAIN: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ħ": "h",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
    }
)

Record = Client | Case


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `more` says that there is more than was asked for; `words` are the
    normalised words of the query."""

    words: list[str] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    more: bool = False


def fold(text: str) -> str:
    """Text without case and accents: "Müßig" and "MUSSIG" fold alike."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in apart if not unicodedata.combining(character))
    return bare.casefold().translate(_PLAIN)


def words_of(*texts: str, limit: int = MAX_WORDS) -> list[str]:
    """The first distinct words of some texts, normalised, in their order."""
    found = (word[:WORD_LENGTH] for text in texts for word in _WORD.findall(fold(text)))
    return list(islice(dict.fromkeys(found), limit))


def words_in(record: Record) -> list[str]:
    """The words by which a record is found."""
    if isinstance(record, Client):
        return words_of(record.name, record.email, record.phone)
    return words_of(record.title, record.reference)


def index_in(
    tx: Transaction, record: Record, *, before: Iterable[str] = (), after: Iterable[str] = ()
) -> None:
    """Add to a record's change what becomes of its rows: only the words that come or go."""
    old, new = set(before), set(after)
    for word in sorted(old - new):
        tx.delete(_term(record, word))
    for word in sorted(new - old):
        tx.put(_term(record, word))


def search(actor: Practitioner, query: str, *, limit: int = 50) -> Found:
    """The actor's clients and open or closed cases that have, for every word of the query, a word
    that begins with it. Raises `RateLimited`."""
    words = words_of(query, limit=MAX_QUERY_WORDS)
    if not words:
        return Found()
    SEARCHES.spend(actor)
    matches = list(islice(_matches(actor, words), limit + 1))
    shown = matches[:limit]
    cases = [record for record in shown if isinstance(record, Case)]
    return Found(
        words=words,
        clients=_by_name(shown),
        cases=sorted(cases, key=lambda case: case.updated_at, reverse=True),
        more=len(matches) > limit,
    )


def search_clients(actor: Practitioner, query: str, *, limit: int = 50) -> list[Client]:
    """The clients alone, for choosing among them. Raises `RateLimited`."""
    words = words_of(query, limit=MAX_QUERY_WORDS)
    if not words:
        return []
    SEARCHES.spend(actor)
    found = (record for record in _matches(actor, words) if isinstance(record, Client))
    return _by_name(islice(found, limit))


def _by_name(records: Iterable[Record]) -> list[Client]:
    clients = [record for record in records if isinstance(record, Client)]
    return sorted(clients, key=lambda client: client.name_key)


def _matches(actor: Practitioner, words: list[str]) -> Iterator[Record]:
    keys = _keys_with(actor.user_id, max(words, key=len))
    while chunk := list(islice(keys, CHUNK)):
        for record in _read(actor.user_id, chunk):
            own = words_in(record)
            if all(any(word.startswith(asked) for word in own) for asked in words):
                yield record


def _keys_with(user_id: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Kind and id of each record with a word that begins so, once each."""
    seen: set[tuple[str, str]] = set()
    terms = SearchTerm.query(
        user_id, SearchTerm.term_key.startswith(prefix), consistent_read=True, page_size=CHUNK
    )
    for term in terms:
        _word, kind, record_id = term.term_key.split("#")
        if (kind, record_id) not in seen:
            seen.add((kind, record_id))
            yield kind, record_id


def _read(user_id: str, keys: list[tuple[str, str]]) -> Iterator[Record]:
    yield from Client.fetch_many((user_id, key) for kind, key in keys if kind == "client")
    for case in Case.fetch_many(key for kind, key in keys if kind == "case"):
        if case.user_id == user_id and case.status != "deleted":
            yield case


def _term(record: Record, word: str) -> SearchTerm:
    kind, key = (
        ("client", record.client_id) if isinstance(record, Client) else ("case", record.case_id)
    )
    return SearchTerm(record.user_id, f"{word}#{kind}#{key}")
