"""The table of docs/security.md: what must hold, and which tests prove it.

    python tools/security_table.py           writes the table into docs/security.md
    python tools/security_table.py --check   exit code 1 where it isn't what the tests say

A test carries the numbers of what it proves in its name (`test_a_code_counts_once_I5`); the name
without them is the sentence that the table shows. `tests/filevault/test_security_table.py` keeps
the table fresh and every number proved.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "security.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
_NUMBER = re.compile(r"_([LIZUDWTAN]\d{1,2})(?=_|$)")

RULES = {
    "Login and session": {
        "L1": "A login ends in the browser that began it, or nowhere",
        "L2": "Tokens are taken from the right issuer, for us, in time, by a fixed algorithm",
        "L3": "A user is issuer and subject; an address is none",
        "L4": "Signing in changes the session's key, and the old one is dead",
        "L5": "Cookies are `__Host-`, Secure, HttpOnly, SameSite; no token is in any answer",
        "L6": "Logging out is a POST that ends the session here and at the provider",
        "L7": "Sessions end after 30 idle minutes and 12 hours; closing an account bites at once",
        "L8": "The administration asks for the second factor where it is configured",
    },
    "Invitations": {
        "I1": "Looking at a link spends nothing",
        "I2": "The token leaves the address bar, and reaches no referrer and no log",
        "I3": "A token that was altered anywhere opens nothing",
        "I4": "Revoking ends live sessions at the next call",
        "I5": "Codes are random, short-lived, hashed, five tries, the newest counts",
        "I6": "Links that open nothing are all alike",
        "I7": "Asking for links and codes is limited, and answered alike",
        "I8": "Links are built from the site's own address",
        "I9": "A client's session opens its case and nothing else",
        "I10": "Every live link is listed with its use, and can be ended",
    },
    "Authorization": {
        "Z1": "One declared matrix of actor, object and operation; no route beside it",
        "Z2": "What one may not know of looks like what isn't there",
        "Z3": "A client's case comes from the session",
        "Z4": "Only who began an upload ends it; sent keys and owners are refused",
        "Z5": "Access is checked at each use",
        "Z6": "Who is shared with reads, and does nothing else",
        "Z7": "Unknown fields are refused, and change nothing",
        "Z8": "Side doors give the same verdict",
        "Z9": "What is deleted is deleted by its whole id",
        "Z10": "An administrator reads content for a stated, audited reason alone",
        "Z11": "What is broken or away lets nobody in",
    },
    "Uploads": {
        "U1": "Storage takes the signed key, size, type and encryption, and nothing else",
        "U2": "Keys are random, the server's own, and hold no names",
        "U3": "Nothing replaces what was confirmed",
        "U4": "The version that was checked is the one that is served",
        "U5": "Content that isn't what it says, or a virus, is rejected; no scanner, no passing",
        "U6": "SVG, HTML and XML are never shown inline",
        "U7": "Names are cleaned or refused, never an error",
        "U8": "Signatures are short-lived",
        "U9": "The quota holds, also against many at once",
        "U10": "What is abandoned is removed",
    },
    "Downloads and web": {
        "D1": "One header with one name, for every name",
        "D2": "Inline only what is on the list, with its type forced",
        "D3": "Only available files get an address, which no cache keeps",
        "W1": "Every change asks for the page's token; JSON routes take JSON alone",
        "W2": "A strict policy on every page, HTTPS for a year",
        "W3": "The way back after a login stays on this site",
        "W4": "No other origin is let in, by site or bucket",
        "W5": "Limits by user and by trusted address",
        "W6": "Errors tell nothing, bodies are capped",
    },
    "Data and audit": {
        "T1": "Bucket and tables are closed, versioned, encrypted and recoverable",
        "T2": "No personal data in keys, addresses, logs or others' mails",
        "T3": "Secrets come from Parameter Store, and keys rotate without ending anything",
        "T4": "Deleting takes every version and trace, but for tombstone and trail",
        "T5": "A legal hold beats deletion, retention and lifecycle",
        "A1": "Every change has its sealed event; tampering is named",
        "A2": "What people do is in the trail",
        "A3": "A logged value forges no record",
        "A4": "No audit, no content",
    },
    "Faults": {
        "N1": "What reached storage is announced, or visibly failed",
        "N2": "A mail counts what was there when it was claimed",
        "N3": "One mail a burst, one duplicate a crash at most",
        "N4": "A row before any address; no object without a row",
        "N5": "No available file without its object",
        "N6": "One bad case holds up no other",
    },
}
NUMBERS = {number: rule for rules in RULES.values() for number, rule in rules.items()}


@dataclass(frozen=True, order=True)
class Proof:
    """A test that carries a number. `is_outside`: it asks the running product or its storage."""

    path: str
    sentence: str
    is_outside: bool


def proofs() -> dict[str, list[Proof]]:
    """The tests of each number, in the order of their files."""
    found: dict[str, list[Proof]] = {}
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text())
        outside = any(_marks_outside(node) for node in tree.body if isinstance(node, ast.Assign))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                is_outside = outside or any(map(_marks_outside, node.decorator_list))
                sentence = _NUMBER.sub("", node.name).removeprefix("test_").replace("_", " ")
                proof = Proof(str(path.relative_to(REPOSITORY)), sentence, is_outside)
                for number in _NUMBER.findall(node.name):
                    found.setdefault(number, []).append(proof)
    return found


def _marks_outside(node: ast.AST) -> bool:
    return bool(re.search(r"\bmark\.(stack|browser)\b", ast.unparse(node)))


def table() -> str:
    """The table as it belongs into the page."""
    return "\n".join(_lines(proofs()))


def _lines(found: dict[str, list[Proof]]) -> Iterator[str]:
    for title, rules in RULES.items():
        yield f"### {title}\n"
        yield "| | What must hold | Proved on the running product | Proved on its parts |"
        yield "|---|---|---|---|"
        for number, rule in rules.items():
            cells = [_cell(found.get(number, []), outside=outside) for outside in (True, False)]
            yield f"| {number} | {rule} | {cells[0]} | {cells[1]} |"
        yield ""


def _cell(proved: list[Proof], *, outside: bool) -> str:
    links = [f"[{each.sentence}](../{each.path})" for each in proved if each.is_outside == outside]
    return "<br>".join(links)


def page() -> str:
    """docs/security.md with the table of now."""
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _old, end, after = rest.partition(END)
    return f"{before}{begin}{table()}{end}{after}"


def main() -> int:
    made = page()
    if "--check" in sys.argv:
        return int(made != PAGE.read_text())
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
