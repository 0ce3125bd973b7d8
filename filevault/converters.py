"""Path converters: ids have one spelling, and anything else is no route at all (Z9)."""

from django.urls import register_converter


class IdConverter:
    """A row id: a UUID in lower case with dashes."""

    regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdConverter, "id")
