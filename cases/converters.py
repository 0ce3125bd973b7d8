"""Path converters of the cases app."""

from django.urls import register_converter
from django.urls.converters import StringConverter

from filevault.converters import IdConverter

PREFIX = "case:"


class CaseSpaceConverter(IdConverter):
    """The space of a case: its id in the URL, `case:<id>` in Python."""

    def to_python(self, value: str) -> str:
        return f"{PREFIX}{value}"

    def to_url(self, value: str) -> str:
        return value.removeprefix(PREFIX)


register_converter(CaseSpaceConverter, "case_space")


class ActivityFormConverter(StringConverter):
    """The form of an export."""

    regex = "csv|json"


register_converter(ActivityFormConverter, "activity_form")
