"""What people type into forms: cleaned once, refused by field."""

import unicodedata
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from filevault.errors import Invalid, Text

#: RFC 5321, 4.5.3.1.3: what is left for an address within a path of 256 octets.
EMAIL_LENGTH: Final = 254
NOTES_LENGTH: Final = 5_000


def clean_line(text: str) -> str:
    """One line of text for people: NFC, spaces joined."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_plain(text: str) -> bool:
    """Without control, format (bidi overrides) and lone surrogate characters, which could disguise
    a name or break a mail's header. The joiners that scripts and emoji need may stay."""
    return all(
        character in "\u200c\u200d" or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
        for character in text
    )


def is_email(address: str) -> bool:
    """Whether mail can be sent to it."""
    try:
        validate_email(address)
    except ValidationError:
        return False
    return len(address) <= EMAIL_LENGTH and is_plain(address)


@dataclass(slots=True)
class Texts:
    """Cleans the texts of one record and gathers what is wrong with them, so that a person hears
    of everything at once."""

    errors: dict[str, Text] = field(default_factory=dict)

    def line(self, name: str, raw: str, *, limit: int, missing: Text | None = None) -> str:
        """One line in NFC; `missing` is what to say where it is required and empty."""
        text = clean_line(raw)
        if not text and missing is not None:
            self.errors[name] = missing
        self._check(name, text, limit)
        return text

    def lines(
        self, name: str, raw: str, *, limit: int = NOTES_LENGTH, missing: Text | None = None
    ) -> str:
        """Text of several lines in NFC; `missing` as for one line."""
        text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n").replace("\r", "\n")).strip()
        if not text and missing is not None:
            self.errors[name] = missing
        self._check(name, text, limit)
        return text

    def email(self, name: str, raw: str) -> str:
        """An address that mail can be sent to, as it was written."""
        address = raw.strip()
        if not is_email(address):
            self.errors[name] = (
                _("This doesn't look like an e-mail address. It should read like name@example.com.")
                if address
                else _("Please enter an e-mail address. The invitation goes there.")
            )
        return address

    def language(self, name: str, code: str) -> str:
        """One of the languages that pages and mails speak; '' where nobody has chosen."""
        if code and code not in dict(settings.LANGUAGES):
            self.errors[name] = _("Please choose one of the languages listed.")
        return code

    def check(self) -> None:
        """Raises `Invalid` with all that was found."""
        if self.errors:
            raise Invalid(fields=self.errors)

    def _check(self, name: str, text: str, limit: int) -> None:
        if len(text) > limit:
            self.errors[name] = _("Please keep this to %(limit)s characters.") % {"limit": limit}
        elif not is_plain(text.replace("\n", "").replace("\t", "")):
            self.errors[name] = _("Please leave out invisible and control characters.")
