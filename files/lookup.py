"""Rows of the files that storage keys name, many at once."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from files import keys
from files.tables import File, FileRef

logger = logging.getLogger(__name__)

#: What PynamoDB raises for a row that it can't make sense of.
_UNREADABLE: Final = (AttributeError, KeyError, TypeError, ValueError)


@dataclass(slots=True)
class Rows:
    """Rows by file id. Those of `unreadable` are there, but can't be read: nobody may conclude
    that they are missing."""

    files: dict[str, File] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)


def find_rows(stored_keys: Iterable[str]) -> Rows:
    """The rows behind storage keys, read consistently; keys of another form are passed over."""
    file_ids = {stored.file_id for key in stored_keys if (stored := keys.parse(key))}
    try:
        refs = FileRef.fetch_many(file_ids)
        files = File.fetch_many((ref.space_id, ref.file_id) for ref in refs)
    except _UNREADABLE:
        return _one_by_one(file_ids)
    return Rows({file.file_id: file for file in files})


def _one_by_one(file_ids: Iterable[str]) -> Rows:
    rows = Rows()
    for file_id in file_ids:
        try:
            ref = FileRef.fetch(file_id)
            file = File.fetch(ref.space_id, file_id) if ref is not None else None
        except _UNREADABLE:
            logger.exception("row can't be read", extra={"file": file_id})
            rows.unreadable.add(file_id)
        else:
            if file is not None:
                rows.files[file_id] = file
    return rows
