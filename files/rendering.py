"""Thumbnail and preview of one file, made in a process of its own (`python -m files.rendering`).

What strangers send is decoded here, by libraries in C. So this process gets no secrets, no more
memory and time than below, and can open nothing: no file, no socket, no other program. Whatever
becomes of it, the worker goes on. It imports nothing of the product.

The file comes on standard input (seekable), its media type and the descriptors of the two pictures
as arguments. Exit code 0: both are written. `UNREADABLE`: no picture can be made of the file.
"""

import os
import resource
import signal
import sys
import warnings
from io import BytesIO
from typing import BinaryIO, Final, cast

import pillow_heif
import pypdfium2
from PIL import Image, ImageCms, ImageOps

#: `EX_DATAERR` of sysexits.h.
UNREADABLE: Final = 65

THUMBNAIL: Final = (320, 320)
PREVIEW: Final = (1600, 1600)
#: The largest phone cameras make 200 million pixels; their JPEGs are decoded at a fraction of that.
MAX_PIXELS: Final = 210_000_000
#: Address space, processor time and written file, in bytes and seconds.
MEMORY: Final = 1024**3
CPU_SECONDS: Final = 20
#: The worker ends it long before; this counts where the worker was killed.
WALL_SECONDS: Final = 60
LARGEST_PICTURE: Final = 16 * 1024**2
#: Small pages aren't blown up beyond four times 72 dpi.
MOST_SCALE: Final = 4.0

PDF: Final = "application/pdf"
#: The one decoder for each media type: a file gets no other than what it was checked as.
DECODERS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/heic": "HEIF",
    "image/tiff": "TIFF",
}
_DEEP: Final = {"I", "F", "I;16", "I;16L", "I;16B", "I;16N"}
_SRGB: Final = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


class Unreadable(Exception):
    """No picture can be made of this file."""


def confine() -> None:
    """Give up what this process doesn't need, before it reads anything. What is open stays so, and
    no descriptor more is to be had. A core dump would hold the file."""
    Image.init()  # its decoders are files themselves
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, LARGEST_PICTURE),
        (resource.RLIMIT_NOFILE, 0),
    ]
    if sys.platform == "linux":  # macOS takes no limit on address space
        limits.append((resource.RLIMIT_AS, MEMORY))
    for which, amount in limits:
        resource.setrlimit(which, (amount, amount))
    signal.alarm(WALL_SECONDS)
    os.nice(10)


def render(source: BinaryIO, mime_type: str) -> tuple[bytes, bytes]:
    """Thumbnail and preview as JPEG: upright, in sRGB, on white, and with no metadata at all (a
    photo tells where it was taken). Of what has several pages or frames, the first. Raises
    `Unreadable`, and whatever else the decoders raise."""
    preview = _first_page(source) if mime_type == PDF else _picture(source, mime_type)
    thumbnail = preview.copy()
    thumbnail.thumbnail(THUMBNAIL)
    return _jpeg(thumbnail, quality=80), _jpeg(preview, quality=85)


def _first_page(source: BinaryIO) -> Image.Image:
    document = pypdfium2.PdfDocument(source)
    document.init_forms()  # what was filled in is drawn, too
    page = document[0]
    width, height = page.get_size()
    if not (0 < width < float("inf") and 0 < height < float("inf")):
        raise Unreadable
    scale = min(PREVIEW[0] / width, PREVIEW[1] / height, MOST_SCALE)
    drawn: Image.Image = page.render(scale=scale).to_pil()
    drawn.thumbnail(PREVIEW)  # sizes are rounded up
    return _on_white(drawn)


def _picture(source: BinaryIO, mime_type: str) -> Image.Image:
    if mime_type not in DECODERS:
        raise Unreadable
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    if mime_type == "image/heic":
        pillow_heif.options.DECODE_THREADS = 1
        pillow_heif.register_heif_opener()
    image: Image.Image = Image.open(source, formats=[DECODERS[mime_type]])
    image.draft("RGB", PREVIEW)  # a JPEG is decoded at down to an eighth of its size
    image = _shrunk(image)
    return _on_white(_in_srgb(ImageOps.exif_transpose(image)))


def _shrunk(image: Image.Image) -> Image.Image:
    """At preview size, in a mode that was fit to be scaled."""
    if image.mode in _DEEP:
        image = _flattened(image)
    elif image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
    elif image.mode in {"1", "P"}:
        image = image.convert("L" if image.mode == "1" else "RGB")
    image.thumbnail(PREVIEW)
    return image


def _flattened(image: Image.Image) -> Image.Image:
    """Grey values of more than eight bits in eight: of 16 the upper half, else the whole range."""
    low, high = (0, 65535)
    if not image.mode.startswith("I;16"):
        low, high = cast(tuple[int, int], image.getextrema())
    image = image.convert("F")
    image.thumbnail(PREVIEW)
    scale = 255.0 / (high - low) if high > low else 0.0
    return image.point(lambda value: value * scale - low * scale).convert("L")


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as they were meant, where the picture brings a profile that can be read."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in {"RGB", "CMYK", "L"}:
        return image
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        return ImageCms.profileToProfile(image, own, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def _on_white(image: Image.Image) -> Image.Image:
    """A new picture, so that nothing but the pixels is taken over."""
    paper = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper.paste(image, mask=image.getchannel("A"))
    else:
        paper.paste(image.convert("RGB"))
    return paper


def _jpeg(image: Image.Image, *, quality: int) -> bytes:
    made = BytesIO()
    image.save(made, "JPEG", quality=quality, optimize=True, progressive=True)
    return made.getvalue()


def main(mime_type: str, thumbnail: int, preview: int) -> int:
    """Render standard input into the two descriptors; returns the exit code."""
    confine()
    try:
        pictures = render(sys.stdin.buffer, mime_type)
    except Exception:  # noqa: BLE001 - the decoders raise whatever they like
        return UNREADABLE
    for descriptor, picture in zip((thumbnail, preview), pictures, strict=True):
        with os.fdopen(descriptor, "wb") as file:
            file.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
