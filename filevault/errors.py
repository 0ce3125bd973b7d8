"""Domain errors: they name the reason and know nothing of HTTP.

Each carries a stable `code` for programs and a `message` for people that says what happened and
what to do next. `filevault.middleware` maps the classes to status codes, in one place.
"""

from collections.abc import Mapping
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class DomainError(Exception):
    """Base of every refusal that a person may read."""

    code: ClassVar[str] = "error"
    default_message: ClassVar[Text] = _("That did not work. Nothing was changed.")

    def __init__(self, message: Text | None = None, *, code: str | None = None) -> None:
        self.message: Text = message if message is not None else self.default_message
        self.reason: str = code or self.code
        super().__init__(self.reason)


class NotFound(DomainError):
    """The thing isn't there, or this actor may not know that it is: told apart by nobody."""

    code = "not_found"
    default_message = _("There is nothing here, or it is not yours to see.")


class Forbidden(DomainError):
    """The actor may know of the thing, but may not do this to it."""

    code = "forbidden"
    default_message = _("You may look at this, but not change it.")


class NotSignedIn(DomainError):
    """Nobody is known behind this request."""

    code = "not_signed_in"
    default_message = _("Please sign in first.")


class Invalid(DomainError):
    """Input that can't be taken; `fields` maps a field's name to what is wrong with it."""

    code = "invalid"
    default_message = _("Please check what you entered.")

    def __init__(
        self,
        message: Text | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, Text] | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.fields: dict[str, Text] = dict(fields or {})


class TooLarge(Invalid):
    """A file or body over the configured limit."""

    code = "too_large"


class UnsupportedMediaType(Invalid):
    """A body of another kind than the route takes (W1)."""

    code = "unsupported_media_type"
    default_message = _("This address takes JSON (application/json) alone.")


class BadCursor(Invalid):
    """A cursor that is broken, too old, or of another listing."""

    code = "bad_cursor"
    default_message = _("This list has moved on. Please start again at its first page.")


class Conflict(DomainError):
    """The thing changed, or is in a state in which this can't be done."""

    code = "conflict"
    default_message = _("This was changed in the meantime. Please look at it again and retry.")


class OnHold(Conflict):
    """A legal hold keeps the thing: nothing may delete it (T5). Said to clients too, and so without
    a word of why."""

    code = "on_hold"
    default_message = _(
        "This case is being kept as it is for now, so nothing of it can be deleted. "
        "Nothing was changed."
    )


class RateLimited(DomainError):
    """Too many tries; `retry_after` is in seconds."""

    code = "rate_limited"
    default_message = _("That was a lot of tries in a short time. Please wait a little and retry.")

    def __init__(self, retry_after: int, message: Text | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(RateLimited):
    """The few places for a costly kind of work are taken, by whomever."""

    code = "busy"
    default_message = _(
        "Several large downloads are being made just now. Yours has to wait for its turn."
    )


class Unavailable(DomainError):
    """A part that we depend on does not answer; nothing was changed, trying again is right."""

    code = "unavailable"
    default_message = _(
        "A part of Filevault does not answer just now. Nothing was lost; please try again shortly."
    )
