"""The renderer as its own process: what it makes of good files, bad files and hostile ones."""

import io
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from files import rendering
from tests.files.pictures import (
    RED,
    black_png,
    camera_exif,
    claiming_png,
    colours,
    decoded,
    encoded,
    encrypted_pdf,
    half_and_half,
)

REPOSITORY = Path(__file__).resolve().parents[2]


def run(content: bytes, mime_type: str) -> tuple[int, bytes, bytes]:
    """Exit code, thumbnail and preview."""
    with ExitStack() as stack:
        source, *made = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        source.write(content)
        source.seek(0)
        pictures = [picture.fileno() for picture in made]
        command = [sys.executable, "-m", "files.rendering", mime_type, *map(str, pictures)]
        process = subprocess.run(
            command, stdin=source, pass_fds=pictures, cwd=REPOSITORY, check=False, timeout=60
        )
        for picture in made:
            picture.seek(0)
        return process.returncode, made[0].read(), made[1].read()


def render(content: bytes, mime_type: str) -> tuple[Image.Image, Image.Image]:
    code, thumbnail, preview = run(content, mime_type)
    assert code == 0
    return decoded(thumbnail), decoded(preview)


WIDE = half_and_half(2400, 1200)
GOOD: dict[str, tuple[bytes, str]] = {
    "jpeg": (encoded(WIDE, "JPEG"), "image/jpeg"),
    "png": (encoded(WIDE, "PNG"), "image/png"),
    "palette": (encoded(WIDE.quantize(16), "PNG"), "image/png"),
    "webp": (encoded(WIDE, "WEBP"), "image/webp"),
    "heic": (encoded(WIDE, "HEIF"), "image/heic"),
    "tiff": (encoded(WIDE, "TIFF", compression="tiff_lzw"), "image/tiff"),
    "cmyk": (encoded(WIDE.convert("CMYK"), "JPEG"), "image/jpeg"),
    "cmyk tiff": (encoded(WIDE.convert("CMYK"), "TIFF"), "image/tiff"),
    "pdf": (encoded(WIDE, "PDF"), "application/pdf"),
}


@pytest.mark.parametrize("name", GOOD)
def test_each_type_gets_a_thumbnail_and_a_preview(name: str) -> None:
    thumbnail, preview = render(*GOOD[name])
    assert (thumbnail.size, preview.size) == ((320, 160), (1600, 800))
    for picture in (thumbnail, preview):
        assert colours(picture)[:2] == ("red", "blue")


@pytest.mark.parametrize(
    ("kind", "mime_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
@pytest.mark.parametrize(("orientation", "red_at"), [(1, 0), (3, 1), (6, 2), (8, 3)])
def test_a_photo_stands_upright(kind: str, mime_type: str, orientation: int, red_at: int) -> None:
    content = encoded(half_and_half(), kind, exif=camera_exif(orientation))
    for picture in render(content, mime_type):
        assert (picture.width > picture.height) == (orientation in (1, 3))
        assert colours(picture)[red_at] == "red"
        assert colours(picture)[red_at ^ 1] == "blue"


def test_a_phones_heic_and_a_palette_stand_upright() -> None:
    turned = camera_exif(6)
    for content, mime_type in (
        (encoded(half_and_half(), "HEIF", exif=turned), "image/heic"),
        (encoded(half_and_half().quantize(8), "PNG", exif=turned), "image/png"),
        (encoded(half_and_half(), "TIFF", tiffinfo={274: 6}), "image/tiff"),
    ):
        assert colours(render(content, mime_type)[1])[2:] == ("red", "blue"), mime_type


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_nothing_tells_where_and_by_what_it_was_taken(kind: str) -> None:
    content = encoded(
        half_and_half(), kind, exif=camera_exif(1), xmp=b"<x:xmpmeta>author Novak</x:xmpmeta>"
    )
    assert b"CameraMaker" in content or kind == "PNG"
    mime_type = "image/heic" if kind == "HEIF" else f"image/{kind.lower()}"
    code, *pictures = run(content, mime_type)
    assert code == 0
    for made in pictures:
        assert not [word for word in (b"Exif", b"CameraMaker", b"Novak", b"xmp") if word in made]
        assert set(decoded(made).info) <= {
            *("jfif", "jfif_version", "jfif_unit", "jfif_density"),
            *("progressive", "progression"),
        }


def test_a_comment_of_the_camera_is_left_out() -> None:
    content = encoded(half_and_half(), "JPEG", comment=b"patient Novak", dpi=(299, 299))
    _, thumbnail, preview = run(content, "image/jpeg")
    assert b"Novak" not in thumbnail + preview
    assert decoded(preview).info["jfif_density"] != (299, 299)


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (200, 100), (0, 0, 0, 0))
    clear.paste((*RED, 255), (0, 0, 100, 100))
    plain = Image.new("RGB", (200, 100), (9, 9, 9))
    plain.paste(RED, (0, 0, 100, 100))
    for content, mime_type in (
        (encoded(clear, "PNG"), "image/png"),
        (encoded(clear, "WEBP", lossless=True), "image/webp"),
        (encoded(clear.quantize(8), "PNG"), "image/png"),
        (encoded(plain, "PNG", transparency=(9, 9, 9)), "image/png"),
    ):
        _, preview = render(content, mime_type)
        assert colours(preview)[:2] == ("red", "white")


def test_deep_greys_keep_their_shades() -> None:
    grey = Image.new("I;16", (256, 4))
    grey.putdata([value * 257 for _ in range(4) for value in range(256)])
    for kind, mime_type in (("PNG", "image/png"), ("TIFF", "image/tiff")):
        _, preview = render(encoded(grey, kind), mime_type)
        for x in (0, 64, 128, 255):
            assert abs(_pixel(preview, x, 1)[0] - x) < 6


def test_colours_are_read_by_the_pictures_own_profile() -> None:
    """Where the first channel is said to be green, red is green."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")
    _, preview = render(encoded(half_and_half(), "JPEG", icc_profile=swapped), "image/jpeg")
    red, green, _blue = _pixel(preview, 2, 2)
    assert green > 150 > red
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for unfit in (lab, b"no profile at all"):
        content = encoded(half_and_half(), "JPEG", icc_profile=unfit)
        assert colours(render(content, "image/jpeg")[1])[:2] == ("red", "blue")


def test_the_first_of_several_pages_and_frames() -> None:
    first, second = half_and_half(), Image.new("RGB", (800, 600), (255, 255, 255))
    for kind, mime_type in (
        ("TIFF", "image/tiff"),
        ("WEBP", "image/webp"),
        ("PNG", "image/png"),
        ("PDF", "application/pdf"),
    ):
        content = encoded(first, kind, save_all=True, append_images=[second])
        assert colours(render(content, mime_type)[1])[:2] == ("red", "blue"), kind


def test_small_pictures_are_not_blown_up() -> None:
    thumbnail, preview = render(encoded(half_and_half(40, 20), "PNG"), "image/png")
    assert (thumbnail.size, preview.size) == ((40, 20), (40, 20))
    thin, _ = render(encoded(Image.new("RGB", (9000, 1), RED), "PNG"), "image/png")
    assert thin.size == (320, 1)


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "image/png"),
    "no picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "image/png"),
    "half a picture": (encoded(WIDE, "JPEG")[:2000], "image/jpeg"),
    "claims a billion pixels": (claiming_png(40_000, 40_000), "image/png"),
    "no pdf": (b"%PDF-1.7\n%%EOF\n", "application/pdf"),
    "locked pdf": (encrypted_pdf(), "application/pdf"),
    "another type than declared": (encoded(WIDE, "PNG"), "image/jpeg"),
    "a type with no pictures": (encoded(WIDE, "PNG"), "text/html"),
    "heic of rubbish": (
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(99),
        "image/heic",
    ),
    "tiff of rubbish": (b"II*\x00\x08\x00\x00\x00" + b"\xff" * 200, "image/tiff"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cant_be_drawn_is_said_by_the_exit_code(name: str) -> None:
    assert run(*BAD[name]) == (rendering.UNREADABLE, b"", b"")


def test_a_claim_of_too_many_pixels_is_refused_before_they_are_decoded() -> None:
    with pytest.raises(Image.DecompressionBombError):
        rendering.render(io.BytesIO(claiming_png(40_000, 40_000)), "image/png")


def test_a_bomb_within_the_pixel_limit_dies_of_the_memory_limit() -> None:
    """190 million pixels take 760 MB as they are and as much again to be scaled."""
    bomb = black_png(19_000, 10_000)
    assert len(bomb) < 1024**2
    assert run(bomb, "image/png") == (rendering.UNREADABLE, b"", b"")


PROBE = """
import os, resource, signal, socket, sys, tempfile, time
from files import rendering
file = tempfile.TemporaryFile()
rendering.confine()
{body}
"""


def probe(body: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROBE.format(body=body)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_process_can_take_no_more_than_its_share() -> None:
    assert "MemoryError" in probe(f"bytearray({rendering.MEMORY})").stderr
    much = f"bytes({rendering.LARGEST_PICTURE + 1})"
    written = probe(f"file.write({much}); file.flush()")
    assert "File too large" in written.stderr
    told = probe(
        "print(*(resource.getrlimit(w)[1] for w in (resource.RLIMIT_CPU, resource.RLIMIT_CORE)))"
    ).stdout
    assert told.split() == [str(rendering.CPU_SECONDS), "0"]


@pytest.mark.parametrize(
    "door",
    ["open('/etc/hostname')", "open('/tmp/left', 'w')", "socket.socket()", "os.pipe()"],
)
def test_nothing_can_be_opened(door: str) -> None:
    assert "Too many open files" in probe(door).stderr


def test_no_program_can_be_started() -> None:
    """One that is linked to a library, as nearly all are: that can't be opened."""
    started = probe(f"os.execv({sys.executable!r}, [{sys.executable!r}, '-c', 'print(1)'])")
    assert (started.returncode != 0, started.stdout) == (True, "")


def test_endless_work_ends() -> None:
    code = "resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass"
    assert probe(code).returncode < 0


def test_idleness_ends_where_no_worker_is_left_to_end_it() -> None:
    code = "rendering.WALL_SECONDS = 1\nrendering.confine()\ntime.sleep(50)"
    assert probe(code).returncode == -signal.SIGALRM


def test_it_imports_nothing_of_the_product() -> None:
    found = probe(
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'boto3', 'accounts')])"
    )
    assert found.stdout.strip() == "[]", found.stderr


def test_forms_of_a_pdf_are_drawn_with_what_was_filled_in() -> None:
    _, preview = render(form_pdf(), "application/pdf")
    assert _darkest(preview) < 100


@pytest.mark.parametrize("font", [b"Helvetica", b"Arial", b"SomethingSans-Bold"])
def test_a_text_whose_font_is_not_in_the_file_is_drawn(font: bytes) -> None:
    """With what the renderer brings itself: it can open none of the system's."""
    text = b"BT /F 40 Tf 10 50 Td (Letter) Tj ET"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R "
        b"/Resources << /Font << /F << /Type /Font /Subtype /TrueType /BaseFont /%s >> >> >> >>"
        % font,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    ]
    _, preview = render(pdf_of(parts), "application/pdf")
    assert _darkest(preview) < 100


def form_pdf() -> bytes:
    """A page with one text field whose appearance is a black box, and nothing else."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Annots [4 0 R] >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (b) /F 4 /P 3 0 R "
        b"/Rect [50 50 150 150] /AP << /N 5 0 R >> >>",
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 100 100] /Length 26 >>\nstream\n"
        b"0 0 0 rg 10 10 80 80 re f \nendstream",
    ]
    return pdf_of(parts)


def pdf_of(parts: list[bytes]) -> bytes:
    """The objects of a PDF, the catalog first."""
    made = io.BytesIO(b"%PDF-1.7\n")
    made.seek(0, os.SEEK_END)
    for number, part in enumerate(parts, start=1):
        made.write(b"%d 0 obj\n%s\nendobj\n" % (number, part))
    made.write(b"trailer\n<< /Root 1 0 R /Size %d >>\n%%%%EOF\n" % (len(parts) + 1))
    return made.getvalue()


def _darkest(picture: Image.Image) -> int:
    extremes: Any = picture.convert("L").getextrema()
    return int(extremes[0])


def _pixel(picture: Image.Image, x: int, y: int) -> tuple[int, int, int]:
    found: Any = picture.getpixel((x, y))
    return int(found[0]), int(found[1]), int(found[2])
