"""Indexes that lag, for tests on moto: what was written less than a second ago is missing from
every query of an index, as it may be on AWS. Tests of what indexes list look a second later: they
are marked `settled`."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from botocore.client import BaseClient

from filevault import dynamo

LAG_SECONDS = 1.0

Key = tuple[str, ...]


@contextmanager
def lagging_indexes() -> Iterator[None]:
    """Hide young rows from indexes as long as this holds."""
    keys = {model.Meta.table_name: _key_names(model) for model in dynamo.all_tables()}
    written: dict[Key, float] = {}
    one_at_a_time = threading.RLock()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def is_young(key: Key) -> bool:
        return time.monotonic() - written.get(key, float("-inf")) < LAG_SECONDS

    def call_and_lag(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        with one_at_a_time:  # a write is atomic on DynamoDB; moto's threads may mix two
            answer = call(client, operation, parameters)
        for table, item in _items_written(operation, parameters):
            if table in keys:
                written[_key(table, keys[table], item)] = time.monotonic()
        if operation == "Query" and "IndexName" in parameters:
            table = parameters["TableName"]
            answer["Items"] = [
                item for item in answer["Items"] if not is_young(_key(table, keys[table], item))
            ]
            answer["Count"] = len(answer["Items"])
        return answer

    with mock.patch.object(BaseClient, "_make_api_call", call_and_lag):
        yield


def _key_names(model: type[dynamo.Table]) -> list[str]:
    attributes = model.get_attributes().values()
    return [str(a.attr_name) for a in attributes if a.is_hash_key or a.is_range_key]


def _key(table: str, names: list[str], item: dict[str, Any]) -> Key:
    return (table, *(str(item[name]) for name in names))


def _items_written(
    operation: str, parameters: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    if operation == "PutItem":
        yield parameters["TableName"], parameters["Item"]
    elif operation == "UpdateItem":
        yield parameters["TableName"], parameters["Key"]
    elif operation == "TransactWriteItems":
        for entry in parameters["TransactItems"]:
            for kind, write in entry.items():
                if kind in {"Put", "Update"}:
                    yield write["TableName"], write["Item" if kind == "Put" else "Key"]
