"""Static files under hashed names, ES modules included."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

#: Comments that have their lines to themselves.
_COMMENTS: Final = re.compile(r"^[ \t]*(//[^\n]*|/\*.*?\*/[ \t]*)$", re.MULTILINE | re.DOTALL)


def without_comments(module: str) -> str:
    """A module as it is sent: comments are a fifth of its weight. Every line keeps its number, so
    that an error in a browser leads to the line that stands in the source."""
    return _COMMENTS.sub(lambda comment: "\n" * comment[0].count("\n"), module)


class _Modules:
    """Where our modules are read from, in place of the storage that holds them."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def open(self, path: str) -> "ContentFile[bytes]":
        with self._storage.open(path) as module:
            return ContentFile(without_comments(module.read().decode()).encode())


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed and compressed static files whose own ES modules find each other.

    Django rewrites ``import … from "./x.js";`` to hashed names by pattern. The pattern trips
    over comments in third-party scripts, so it is held to ``js/``. Each such statement in our
    modules ends with a semicolon, or its name stays unhashed.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )

    def post_process(self, paths: dict[str, tuple[Any, str]], **options: Any) -> Iterator[Any]:
        """As Django does, with our modules lean."""
        lean = {
            name: (_Modules(storage) if name.startswith("js/") else storage, path)
            for name, (storage, path) in paths.items()
        }
        yield from super().post_process(lean, **options)

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """All but the API's own page: its bundle would take brotli ten times as long as the rest of
        the product together, at each start, and few ever open it."""
        ours = [path for path in paths if not path.startswith("ninja/")]
        yield from super().compress_files(ours)
