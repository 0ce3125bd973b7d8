"""Marks in a text what a search found."""

import re
from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from cases.search import fold

register = template.Library()

#: A word with the accents that may stand apart from its letters.
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")


@register.filter
def mark_words(text: str, words: Iterable[str]) -> SafeString:
    """The text with the beginnings marked that match a normalised word: "Müller" by "mull"."""
    asked = sorted(words, key=len, reverse=True)
    parts: list[tuple[str | SafeString]] = []
    end = 0
    for found in _WORD.finditer(text):
        size = _matching_length(found.group(), asked)
        if size:
            parts += [(text[end : found.start()],)]
            end = found.start() + size
            parts += [(format_html("<mark>{}</mark>", text[found.start() : end]),)]
    return format_html_join("", "{}", [*parts, (text[end:],)])


def _matching_length(word: str, asked: Iterable[str]) -> int:
    """How many letters of a word as it is written make up the longest beginning asked for."""
    folded = fold(word)
    prefix = next((begin for begin in asked if folded.startswith(begin)), "")
    if not prefix:
        return 0
    return next(n for n in range(1, len(word) + 1) if fold(word[:n]).startswith(prefix))
