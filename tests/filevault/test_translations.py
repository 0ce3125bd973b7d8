"""The German texts: whole, in step with the sources and with what is compiled, and shown."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.test import Client as Browser
from django.utils import formats, translation
from django.utils.translation.template import templatize

from accounts.tables import User
from cases.tables import Client
from tests.cases.invited import Invited, deliver, make_invited, open_link
from tests.cast import Cast

ROOT = Path(__file__).resolve().parents[2]
CATALOG = ROOT / "locale" / "de" / "LC_MESSAGES"
CALLS = {"_": 0, "gettext": 0, "gettext_lazy": 0, "ngettext": 0, "ngettext_lazy": 0}
IN_CONTEXT = {"pgettext": 1, "pgettext_lazy": 1, "npgettext": 1}
#: Calls in what Django makes of a template; between them stands no Python.
TEMPLATE_CALL = re.compile(
    r"\b(n?p?gettext|_)\(((?:\s*u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"),?)+)"
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?strong>")


@dataclass(frozen=True)
class Entry:
    """One text of the .po: its key (context and text), its sources and its translations."""

    key: str
    sources: tuple[str, ...]
    translations: tuple[str, ...]
    is_fuzzy: bool


def entries() -> Iterator[Entry]:
    text = (CATALOG / "django.po").read_text()
    for block in text.split("\n\n")[1:]:
        fields: dict[str, str] = {}
        for name, strings in re.findall(r'^(msg\S+) ((?:".*"\s*)+)', block, re.MULTILINE):
            fields[name] = "".join(ast.literal_eval(line) for line in strings.splitlines())
        context = f"{fields['msgctxt']}\x04" if "msgctxt" in fields else ""
        yield Entry(
            key=context + fields["msgid"],
            sources=tuple(fields[name] for name in ("msgid", "msgid_plural") if name in fields),
            translations=tuple(fields[name] for name in sorted(fields) if "msgstr" in name),
            is_fuzzy=", fuzzy" in block,
        )


ENTRIES = list(entries())


def used_in_python() -> Iterator[str]:
    for app in ("accounts", "cases", "files", "filevault"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    if name in CALLS or name in IN_CONTEXT:
                        yield from _key(name, [arg for arg in node.args if _is_text(arg)])


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _key(name: str, arguments: list[ast.expr]) -> Iterator[str]:
    texts = [ast.literal_eval(argument) for argument in arguments]
    if texts:
        yield "\x04".join(texts[:2]) if name in IN_CONTEXT else texts[0]


def used_in_templates() -> Iterator[str]:
    for path in (ROOT / "templates").rglob("*.*"):
        for name, arguments in TEMPLATE_CALL.findall(templatize(path.read_text())):
            yield from _key(name, ast.parse(f"f({arguments})", mode="eval").body.args)  # type: ignore[attr-defined]


def test_every_text_of_the_interface_is_in_the_catalog() -> None:
    used = {*used_in_python(), *used_in_templates()}
    assert len(used) > 400
    known = {entry.key for entry in ENTRIES}
    assert used - known == set(), "run `make messages`, then translate what is new"
    assert known - used == set(), "run `make messages`: these are used no more"


def test_nothing_is_untranslated_or_fuzzy() -> None:
    wanting = [each.key for each in ENTRIES if each.is_fuzzy or not all(each.translations)]
    assert wanting == []


def test_plurals_have_both_forms() -> None:
    assert [e.key for e in ENTRIES if len(e.translations) != len(e.sources)] == []


def test_placeholders_agree() -> None:
    for entry in ENTRIES:
        for source, text in zip(entry.sources, entry.translations, strict=True):
            assert sorted(PLACEHOLDER.findall(source)) == sorted(PLACEHOLDER.findall(text))


def test_the_compiled_catalog_is_in_step() -> None:
    with (CATALOG / "django.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    held = {key: text for key, text in compiled._catalog.items() if key}  # type: ignore[attr-defined]
    expected = {
        (entry.key, number) if len(entry.sources) > 1 else entry.key: text
        for entry in ENTRIES
        for number, text in enumerate(entry.translations)
    }
    assert held == expected, "run `make messages`"


@pytest.fixture
def invited(cast: Cast) -> Invited:
    return make_invited(cast.a)


def speak(row: User | Client, language: str) -> None:
    row.language = language
    row.save()


def test_a_page_in_german(invited: Invited) -> None:
    browser = Browser(headers={"accept-language": "de-DE,de;q=0.9"})
    text = open_link(browser, invited.send()).content.decode()
    assert '<html lang="de">' in text
    assert "Sie werden um Unterlagen gebeten" in text
    assert "Code anfordern" in text
    assert "You are asked" not in text


def test_a_mail_speaks_the_clients_language(invited: Invited, cast: Cast) -> None:
    speak(invited.client, "de")
    invited.send()
    mail = deliver()[-1]
    until = invited.invitation.expires_at
    assert mail.subject == "Dr Anna Novak (Practice 1) bittet Sie um Unterlagen"
    assert "Guten Tag Maria Keller," in mail.body
    assert re.search(rf"gilt bis zum {until.day}\. [A-Z]\w+ {until.year}, sooft", str(mail.body))
    assert "Einladung öffnen" in mail.body
    assert "You " not in mail.body


def test_a_mail_to_a_client_without_one_speaks_the_practitioners(invited: Invited) -> None:
    user = User.fetch(invited.practitioner.user_id)
    assert user is not None
    speak(user, "de")
    invited.send()
    assert "bittet Sie um Unterlagen" in deliver()[-1].subject
    speak(invited.client, "en")
    invited.send()
    assert "asks you for documents" in deliver()[-1].subject


def test_dates_are_read_alike_everywhere() -> None:
    moment = datetime(2026, 12, 11, 9, 5, tzinfo=UTC)
    shown = {}
    for language in ("en", "de"):
        with translation.override(language):
            shown[language] = [
                formats.date_format(moment, "DATE_FORMAT"),
                formats.date_format(moment, "DATETIME_FORMAT"),
            ]
    assert shown == {
        "en": ["11 December 2026", "11 December 2026, 09:05"],
        "de": ["11. Dezember 2026", "11. Dezember 2026, 09:05"],
    }
