"""Static files under hashed names, ES modules included."""

from collections.abc import Iterable, Iterator

from whitenoise.storage import CompressedManifestStaticFilesStorage


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

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """All but the API's own page: its bundle would take brotli ten times as long as the rest of
        the product together, at each start, and few ever open it."""
        ours = [path for path in paths if not path.startswith("ninja/")]
        yield from super().compress_files(ours)
