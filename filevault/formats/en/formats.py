"""Dates in English with the month as a word: "21 December 2026" reads the same everywhere."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i"
