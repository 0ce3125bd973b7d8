"""Terraform's files as plain data, for tests that compare them with the code."""

import functools
from pathlib import Path
from typing import Any

import hcl2

from tests.infra.terraform import INFRA

_NOTES = {"__is_block__", "__comments__"}


@functools.cache
def module(name: str, file: str = "main.tf") -> dict[str, Any]:
    """A file of a module: blocks by kind, `resource` and `data` once more by type and name.
    Expressions stay text, as `${…}`."""
    return parsed(INFRA / "modules" / name / file)


def parsed(path: Path) -> dict[str, Any]:
    """The same of any file."""
    found: dict[str, Any] = _plain(hcl2.loads(path.read_text()))
    for kind in ("resource", "data", "variable", "output", "module"):
        found[kind] = _merged(found.get(kind, []))
    found["locals"] = _merged(found.get("locals", []))
    return found


def _merged(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for block in blocks:
        for name, content in block.items():
            known = made.get(name)
            made[name] = {**known, **content} if isinstance(known, dict) else content
    return made


def _plain(value: Any) -> Any:
    """Without the parser's notes and the quotes that it keeps."""
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items() if key not in _NOTES}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value
