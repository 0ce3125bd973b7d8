"""Real pictures and PDFs, made for the test that wants them, and a look at what became of them."""

import io
import struct
import zlib
from typing import Any

import pillow_heif
from PIL import ExifTags, Image

pillow_heif.register_heif_opener()

RED, BLUE = (220, 30, 30), (30, 30, 220)


def half_and_half(width: int = 800, height: int = 600) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as a file of a Pillow format."""
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def camera_exif(orientation: int) -> bytes:
    """What a phone writes: how to turn the picture, who made it, and where."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "CameraMaker"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13, 24, 0)}
    )
    return exif.tobytes()


def black_png(width: int, height: int) -> bytes:
    """A PNG of clear RGBA pixels, made without unfolding it: a thousandth of what it will be."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    row = packer.compress(bytes(1 + 4 * width)) + packer.flush(zlib.Z_FULL_FLUSH)
    length = height * (1 + 4 * width)
    checksum = struct.pack(">HH", length % 65521, 1)  # Adler-32 of zeros (RFC 1950)
    packed = b"\x78\xda" + row * height + packer.flush() + checksum
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def claiming_png(width: int, height: int) -> bytes:
    """A tiny PNG whose header claims a size that it doesn't hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = zlib.compress(bytes(64))
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def encrypted_pdf() -> bytes:
    """A PDF that wants a password: its trailer names an encryption nobody has the key of."""
    plain = encoded(half_and_half(), "PDF")
    keys = b"/O <" + b"11" * 32 + b"> /U <" + b"22" * 32 + b">"
    lock = b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 " + keys + b" >>"
    identity = b"/ID [<" + b"33" * 16 + b"> <" + b"33" * 16 + b">]"
    return plain.replace(b"trailer\n<<", b"trailer\n<< /Encrypt " + lock + b" " + identity, 1)


def decoded(picture: bytes) -> Image.Image:
    """A made picture, which must be a JPEG."""
    image = Image.open(io.BytesIO(picture), formats=["JPEG"])
    image.load()
    return image


def colours(image: Image.Image) -> tuple[str, str, str, str]:
    """Which of red, blue and white stands at the left, right, top and bottom edge."""
    width, height = image.size
    places = ((2, height // 2), (width - 3, height // 2), (width // 2, 2), (width // 2, height - 3))
    found = [_name(image.getpixel(place)) for place in places]
    return found[0], found[1], found[2], found[3]


def _name(pixel: Any) -> str:
    red, _green, blue = pixel
    if min(pixel) > 200:
        return "white"
    if max(pixel) < 60:
        return "black"
    return "red" if red > blue else "blue"


def _chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)
