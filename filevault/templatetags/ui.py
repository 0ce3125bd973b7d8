"""Small template filters for what the pages draw."""

from django import template
from django.utils.formats import number_format

register = template.Library()

_UNITS = ("B", "KB", "MB", "GB", "TB")
_TITLES = {"dr", "prof", "mr", "mrs", "ms", "mx", "herr", "frau"}


@register.filter
def initials(name: str) -> str:
    """The first letters of a person's first and last name: "Dr Anna Novak" → "AN"."""
    words = [word for word in str(name).split() if word[0].isalnum()]
    named = [word for word in words if word.rstrip(".").lower() not in _TITLES] or words
    return "".join(word[0] for word in named[:1] + named[1:][-1:]).upper()


@register.filter
def size(count: float | None) -> str:
    """Bytes as the uploader says them, whose figures stand beside: "640 B", "1.8 MB", "200 MB"."""
    value, unit = float(count or 0), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    value = round(value, 1 if value < 10 else None)
    return f"{number_format(value, decimal_pos=int(value % 1 > 0))}\N{NO-BREAK SPACE}{_UNITS[unit]}"
