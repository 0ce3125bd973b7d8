"""U5: the content agrees with the type, or the file is refused with the reason."""

import tracemalloc
from dataclasses import dataclass, field

import pytest

from files.sniffing import HEAD, find_fault
from files.states import Reason
from files.types import get_type
from tests.files import samples


@pytest.fixture(autouse=True)
def world() -> None:
    """No tables: what is tested here is text and bytes alone."""


@dataclass
class Stored:
    """Content in storage, which counts how often it is read."""

    content: bytes
    reads: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, start: int, length: int) -> bytes:
        self.reads.append((start, length))
        return self.content[start : start + length]


def fault(name: str, content: bytes) -> Reason | None:
    return find_fault(get_type(name), len(content), Stored(content))


@pytest.mark.parametrize(("name", "content"), samples.GOOD.items())
def test_sound_files_pass(name: str, content: bytes) -> None:
    assert fault(name, content) is None


@pytest.mark.parametrize("name", samples.GOOD)
@pytest.mark.parametrize("content", [samples.EXE, samples.HTML, samples.SVG, b""])
def test_programs_pages_and_nothing_are_refused(name: str, content: bytes) -> None:
    assert fault(name, content) is not None


@pytest.mark.parametrize("name", samples.GOOD)
@pytest.mark.parametrize("other", samples.GOOD)
def test_no_type_passes_as_another(name: str, other: str) -> None:
    texts = {".txt", ".csv"}
    alike = get_type(name) == get_type(other) or {name[-4:], other[-4:]} <= texts
    zip_holds_any = name == "all.zip" and samples.GOOD[other].startswith(b"PK")
    # A PDF without bytes beyond ASCII, like the sample, reads as text too.
    text_of_pdf = name[-4:] in texts and other == "letter.pdf"
    if not (alike or zip_holds_any or text_of_pdf):
        assert fault(name, samples.GOOD[other]) is not None


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.docx", samples.DOCM, Reason.MACROS),
        ("a.docx", samples.XLSX, Reason.WRONG_CONTENT),
        ("a.docx", samples.DOCX[:-30], Reason.UNREADABLE),
        ("a.zip", samples.ZIP[:40], Reason.UNREADABLE),
        ("a.odt", samples.ODS, Reason.WRONG_CONTENT),
        ("a.txt", samples.HTML, Reason.MARKUP),
        ("a.csv", b"a;b\n<script>1</script>", Reason.MARKUP),
        ("a.txt", b"\xef\xbb\xbf <?xml version='1.0'?>", Reason.MARKUP),
        ("a.txt", "\ufeff<html>".encode("utf-16-le"), Reason.MARKUP),
        ("a.txt", b"a\x00b", Reason.WRONG_CONTENT),
        ("a.heic", samples.AVIF, Reason.WRONG_CONTENT),
        ("a.pdf", b" " * 1024 + samples.PDF, Reason.WRONG_CONTENT),
    ],
)
def test_reasons(name: str, content: bytes, reason: Reason) -> None:
    assert fault(name, content) is reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"\n" * 1000 + samples.PDF),
        ("a.csv", "\ufeffname\tamount\nŁódź\t1\n".encode("utf-16-le")),
        ("a.txt", b"caf\xe9 in Latin-1\r\n"),
    ],
)
def test_what_real_programs_write_passes(name: str, content: bytes) -> None:
    assert fault(name, content) is None


def test_one_read_for_ordinary_files_and_one_more_for_the_end_of_a_container() -> None:
    picture = Stored(samples.PNG + bytes(5 * HEAD))
    assert find_fault(get_type("a.png"), len(picture.content), picture) is None
    assert picture.reads == [(0, HEAD)]
    large = Stored(samples.office("word/document.xml", padding=5 * HEAD))
    assert find_fault(get_type("a.docx"), len(large.content), large) is None
    assert [start for start, _ in large.reads] == [0, len(large.content) - HEAD]
    small = Stored(samples.DOCX)
    assert find_fault(get_type("a.docx"), len(small.content), small) is None
    assert len(small.reads) == 1


def test_a_directory_without_end_costs_no_memory() -> None:
    bomb = bytearray(samples.zipped(("[Content_Types].xml", b""), padding=12 * 1024 * 1024))
    end = bomb.rindex(b"PK\x05\x06")
    # The directory claims the whole file before it.
    bomb[end + 12 : end + 16] = (end).to_bytes(4, "little")
    bomb[end + 16 : end + 20] = (0).to_bytes(4, "little")
    stored = Stored(bytes(bomb))
    assert find_fault(get_type("a.docx"), len(bomb), stored) is Reason.UNREADABLE
    assert sum(length for _, length in stored.reads) < 2 * 1024 * 1024


def test_a_directory_of_nothing_but_names_costs_no_memory() -> None:
    """Each of its entries takes 46 bytes in the file, and hundreds once it is read."""
    member = b"PK\x01\x02" + bytes([20, 0, 20, 0]) + bytes(38)
    count = 7 * 1024 * 1024 // len(member)
    start = b"PK\x03\x04" + bytes(26)
    size = (count * len(member)).to_bytes(4, "little")
    end = b"PK\x05\x06" + bytes(4) + b"\xff\xff\xff\xff" + size + b"\x1e" + bytes(5)
    content = start + member * count + end
    tracemalloc.start()
    try:
        assert fault("a.docx", content) is Reason.UNREADABLE
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
