"""Small template filters for what the pages draw."""

from django import template

register = template.Library()

_TITLES = {"dr", "prof", "mr", "mrs", "ms", "mx", "herr", "frau"}


@register.filter
def initials(name: str) -> str:
    """The first letters of a person's first and last name: "Dr Anna Novak" → "AN"."""
    words = [word for word in str(name).split() if word[0].isalnum()]
    named = [word for word in words if word.rstrip(".").lower() not in _TITLES] or words
    return "".join(word[0] for word in named[:1] + named[1:][-1:]).upper()
