"""Path converters of the files app."""

from django.urls import register_converter

from filevault.converters import IdConverter

PREFIX = "user:"


class UserSpaceConverter(IdConverter):
    """The vault of a user: the user's id in the URL, `user:<id>` in Python."""

    def to_python(self, value: str) -> str:
        return f"{PREFIX}{value}"

    def to_url(self, value: str) -> str:
        return value.removeprefix(PREFIX)


register_converter(UserSpaceConverter, "user_space")
