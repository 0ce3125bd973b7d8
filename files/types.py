"""The types of file that are taken, in one table.

The extension decides. The media type that a browser sends is a hint and no more: HEIC often comes
without one, and Windows calls a ZIP `x-zip-compressed`. Whether the content agrees is seen by
`files.sniffing` once it is there.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from filevault.errors import Invalid


@dataclass(frozen=True, slots=True)
class FileType:
    """A type of file. `icon` is an id of static/icons.svg; `is_inline` says that a browser may
    show it from the storage host (D2); `is_image` puts it into the gallery; `has_preview` says
    that the worker makes a thumbnail and a preview of it."""

    mime_type: str
    label: str
    icon: str = "file"
    is_image: bool = False
    is_inline: bool = False

    @property
    def has_preview(self) -> bool:
        return self.is_image or self.mime_type == "application/pdf"


PDF: Final = FileType("application/pdf", "PDF", is_inline=True)
PNG: Final = FileType("image/png", "PNG", "image", is_image=True, is_inline=True)
JPEG: Final = FileType("image/jpeg", "JPEG", "image", is_image=True, is_inline=True)
WEBP: Final = FileType("image/webp", "WebP", "image", is_image=True, is_inline=True)
HEIC: Final = FileType("image/heic", "HEIC", "image", is_image=True)
TIFF: Final = FileType("image/tiff", "TIFF", "image", is_image=True)
_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
DOCX: Final = FileType(f"{_OOXML}wordprocessingml.document", "Word")
XLSX: Final = FileType(f"{_OOXML}spreadsheetml.sheet", "Excel", "sheet")
PPTX: Final = FileType(f"{_OOXML}presentationml.presentation", "PowerPoint")
ODT: Final = FileType(f"{_ODF}text", "OpenDocument Text")
ODS: Final = FileType(f"{_ODF}spreadsheet", "OpenDocument Spreadsheet", "sheet")
TXT: Final = FileType("text/plain", "Text")
CSV: Final = FileType("text/csv", "CSV", "sheet")
ZIP: Final = FileType("application/zip", "ZIP", "archive")
DICOM: Final = FileType("application/dicom", "DICOM", "scan")

BY_EXTENSION: Final[dict[str, FileType]] = {
    "pdf": PDF,
    "png": PNG,
    "jpg": JPEG,
    "jpeg": JPEG,
    "heic": HEIC,
    "heif": HEIC,
    "webp": WEBP,
    "tif": TIFF,
    "tiff": TIFF,
    "docx": DOCX,
    "xlsx": XLSX,
    "pptx": PPTX,
    "odt": ODT,
    "ods": ODS,
    "txt": TXT,
    "csv": CSV,
    "zip": ZIP,
    "dcm": DICOM,
    "dicom": DICOM,
}
BY_MIME_TYPE: Final = {file_type.mime_type: file_type for file_type in BY_EXTENSION.values()}
UNKNOWN: Final = FileType("application/octet-stream", "")


def extension_of(file_name: str) -> str:
    """The ending of a name in lower case and without its dot; '' where there is none."""
    stem, dot, extension = file_name.rpartition(".")
    return extension.lower() if dot and stem else ""


def get_type(file_name: str) -> FileType:
    """The type of a cleaned name. Raises `Invalid` with the code `type_not_allowed`."""
    found = BY_EXTENSION.get(extension_of(file_name))
    if found is None:
        text = _("This type of file isn't accepted. Accepted are %(types)s.") % {
            "types": ", ".join(accepted_labels())
        }
        raise Invalid(text, code="type_not_allowed", fields={"fileName": text})
    return found


def accepted_labels() -> list[str]:
    """The names of all types, each once, in the table's order."""
    return list(dict.fromkeys(file_type.label for file_type in BY_EXTENSION.values()))


def allowed_types() -> dict[str, str]:
    """Media types by extension: what the uploader checks before a byte is sent."""
    return {extension: kind.mime_type for extension, kind in BY_EXTENSION.items()}
