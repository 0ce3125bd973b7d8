"""moto without work that our tests pay for and don't need.

- Rows are kept as they go over the wire, and are handed on as they are. moto looks for each of the
  ten members that an `AttributeValue` may have, under several spellings.
- A transaction keeps a copy of each table that it touches, to be put back should it fail. Keys and
  indexes never change under it, and neither does a scalar, so that neither is copied.
"""

import copy
from typing import Any

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_write_structure = BaseJSONSerializer._serialize_type_structure
_copy_value = DynamoType.__deepcopy__


def install() -> None:
    """For the whole process."""
    for owner, name, method in (
        (BaseJSONSerializer, "_serialize_type_structure", _write),
        (DynamoType, "__deepcopy__", _copy_unless_scalar),
        (Table, "__deepcopy__", _copy_rows),
    ):
        setattr(owner, name, method)


def _write(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    if shape.name == "AttributeValue" and isinstance(value, dict):
        serialized[key] = value
    else:
        _write_structure(self, serialized, value, shape, key)


def _copy_unless_scalar(self: DynamoType, memo: dict[int, Any]) -> DynamoType:
    composed = self.is_list() or self.is_map() or self.is_set()
    return _copy_value(self, memo) if composed else self


def _copy_rows(self: Table, memo: dict[int, Any]) -> Table:
    copied = copy.copy(self)
    for name, value in vars(self).items():
        if isinstance(value, (list, dict)):
            setattr(copied, name, copy.copy(value))
    copied.items = copy.deepcopy(self.items, memo)
    return copied
