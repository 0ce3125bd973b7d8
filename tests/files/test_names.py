"""U7 and D1: names are cleaned once, and make one well-formed header."""

import re
import unicodedata

import pytest

from files.names import clean_name, content_disposition
from filevault.errors import Invalid


@pytest.fixture(autouse=True)
def world() -> None:
    """No tables: what is tested here is text and bytes alone."""


CLEANED = [
    ("Letter.pdf", "Letter.pdf"),
    ("in\u202efdp.exe", "infdp.exe"),
    ("../../x", "x"),
    ("..\\..\\boot.pdf", "boot.pdf"),
    ("C:\\Users\\anna\\tax.pdf", "tax.pdf"),
    ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie_ x=1.pdf"),
    ("\ud800lone.pdf", "lone.pdf"),
    ("tab\tand\x00null.pdf", "tab andnull.pdf"),
    ("e\u0301te\u0301.pdf", "été.pdf"),
    ("👩‍⚕️ report.pdf", "👩‍⚕️ report.pdf"),
    ("דו״ח רפואי.pdf", "דו״ח רפואי.pdf"),
    ("\u2067rtl\u2069\u200f.pdf", "rtl.pdf"),
    ("CON.pdf", "_CON.pdf"),
    ("con .pdf", "_con .pdf"),
    ("com1.txt", "_com1.txt"),
    ("console.txt", "console.txt"),
    (".htaccess", "htaccess"),
    ("trailing. ", "trailing"),
    ('quote"d*.pdf', "quote_d_.pdf"),
]


@pytest.mark.parametrize(("raw", "name"), CLEANED)
def test_names_are_cleaned_U7(raw: str, name: str) -> None:
    assert clean_name(raw) == name


@pytest.mark.parametrize("raw", ["", " ", ".", "..", "a/", "\u202e", "\ud800", "\r\n", None, 5, []])
def test_a_name_of_nothing_is_refused_beside_its_field_U7(raw: object) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(raw)
    assert list(refused.value.fields) == ["fileName"]


@pytest.mark.parametrize(
    "raw", ["x" * 10_000 + ".pdf", "é" * 10_000 + ".docx", "👩‍⚕️" * 3_000 + ".pdf"]
)
def test_long_names_keep_their_ending_U7(raw: str) -> None:
    name = clean_name(raw)
    assert 240 < len(name.encode()) <= 255
    assert name.endswith(raw[-4:])
    assert unicodedata.is_normalized("NFC", name)


@pytest.mark.parametrize(
    "raw", [raw for raw, _ in CLEANED] + ["x" * 10_000, "100%.pdf", "'(1)'.pdf"]
)
def test_one_header_one_name_D1(raw: str) -> None:
    header = content_disposition(clean_name(raw))
    assert header.encode("latin-1").isascii()
    assert not re.search(r"[\x00-\x1f\x7f]", header)
    token = r"(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+"
    assert re.fullmatch(
        rf"attachment; filename=\"[A-Za-z0-9 ._()+-]+\"; filename\*=UTF-8''{token}", header
    )
