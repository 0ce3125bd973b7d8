"""Small files that are what their names say, made by the formats' own rules."""

import io
import zipfile

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(13)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(32)
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(24)
TIFF = b"II*\x00\x08\x00\x00\x00" + bytes(16)
HEIC = b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic" + bytes(32)
AVIF = b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avifmif1" + bytes(32)
DICOM = bytes(128) + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00" + bytes(16)
TXT = "Grüße aus Łódź: 3 < 4, and a <b>bold</b> word.\n".encode()
CSV = b"name;amount\nNovak;12,50\n"
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(64)
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'

_ODF = "application/vnd.oasis.opendocument."
_WRITTEN = (2026, 1, 2, 3, 4, 6)  # the same in each test process


def zipped(*members: tuple[str, bytes], padding: int = 0) -> bytes:
    """A ZIP; `padding` bytes of incompressible content move its directory beyond the head."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, _WRITTEN), content)
        if padding:
            picture = zipfile.ZipInfo("media/picture.bin", _WRITTEN)
            archive.writestr(picture, bytes(range(256)) * (padding // 256 + 1))
    return made.getvalue()


def office(main_part: str, *more: str, padding: int = 0) -> bytes:
    parts = ["[Content_Types].xml", "_rels/.rels", main_part, *more]
    return zipped(*((part, b"<x/>") for part in parts), padding=padding)


def open_document(kind: str, padding: int = 0) -> bytes:
    mime_type = f"{_ODF}{kind}".encode()
    return zipped(("mimetype", mime_type), ("content.xml", b"<x/>"), padding=padding)


DOCX = office("word/document.xml")
XLSX = office("xl/workbook.xml")
PPTX = office("ppt/presentation.xml")
DOCM = office("word/document.xml", "word/vbaProject.bin")
ODT = open_document("text")
ODS = open_document("spreadsheet")
ZIP = zipped(("a.txt", b"a"))

GOOD = {
    "letter.pdf": PDF,
    "scan.png": PNG,
    "photo.jpg": JPEG,
    "photo.JPEG": JPEG,
    "photo.webp": WEBP,
    "fax.tif": TIFF,
    "phone.heic": HEIC,
    "mri.dcm": DICOM,
    "notes.txt": TXT,
    "table.csv": CSV,
    "letter.docx": DOCX,
    "sums.xlsx": XLSX,
    "talk.pptx": PPTX,
    "letter.odt": ODT,
    "sums.ods": ODS,
    "all.zip": ZIP,
}
