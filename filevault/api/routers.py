"""Routers of the API: what answers GET answers HEAD, and no query is taken that isn't known."""

from typing import Any

import ninja

from filevault.api.queries import refuse_unknown


class Router(ninja.Router):
    """django-ninja's, with our rules for every operation."""

    def __init__(self, *, tag: str, **options: Any) -> None:
        super().__init__(tags=[tag], by_alias=True, **options)
        self.add_decorator(refuse_unknown)

    def add_api_operation(self, path: str, methods: Any, *args: Any, **options: Any) -> None:
        """As there; and with GET comes HEAD, which answers alike and without a body (RFC 9110
        §9.1). The description names GET alone, since each operation in it has an id of its own."""
        if "GET" in methods:
            hidden = options | {"include_in_schema": False}
            super().add_api_operation(path, ["HEAD"], *args, **hidden)
        super().add_api_operation(path, methods, *args, **options)
