"""Small template filters for what the pages draw."""

from django import template

register = template.Library()


@register.filter
def initials(name: str) -> str:
    """The first letters of a person's first and last name: "Maria Keller" → "MK"."""
    words = [word for word in str(name).split() if word[0].isalnum()]
    letters = [word[0] for word in (words[:1] + words[1:][-1:])]
    return "".join(letters).upper()
