"""What AWS bills for the calls that something makes: DynamoDB's request units, S3's requests.

Rules: Amazon DynamoDB Developer Guide, "DynamoDB on-demand capacity mode" (a read unit is one
consistent read of up to 4 KB, half of one where it needn't be; a write unit is one write of up to
1 KB; in a transaction each counts twice), "DynamoDB item sizes and formats", and "Global secondary
indexes", "Write considerations" (an index is written where an entry of it comes, goes or changes).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock

from botocore.client import BaseClient

from filevault.dynamo import Table, all_tables

#: Of S3's two classes of requests. Deleting costs nothing.
_S3_WRITES: Final = {
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjectsV2",
    "ListParts",
    "PutObject",
    "UploadPart",
}
_S3_READS: Final = {"GetObject", "HeadBucket", "HeadObject"}
_KB: Final = 1024

#: Amounts by unit.
Bill = dict[str, float]
Item = dict[str, Any]
Call = Callable[..., Any]


@contextmanager
def metered(*, without_queries_of: str = "") -> Iterator[Bill]:
    """Counts what is sent meanwhile: `read_units`, `write_units`, `s3_writes`, `s3_reads`; queries
    of one table can be left out."""
    bill: Bill = defaultdict(float)
    original: Call = vars(BaseClient)["_make_api_call"]

    def count(client: BaseClient, operation: str, arguments: Any) -> Any:
        service = client.meta.service_model.service_name
        if service == "s3":
            bill["s3_writes"] += operation in _S3_WRITES
            bill["s3_reads"] += operation in _S3_READS
        if service != "dynamodb":
            return original(client, operation, arguments)
        meter = _Meter(client, original)
        before = {key: meter.fetch(*key) for key in _written(operation, arguments)}
        answer = original(client, operation, arguments)
        if operation != "Query" or arguments["TableName"] != without_queries_of:
            bill["read_units"] += _read_units(operation, arguments, answer)
        factor = 2 if operation == "TransactWriteItems" else 1
        for (table, key), old in before.items():
            bill["write_units"] += _write_units(table, old, meter.fetch(table, key), factor)
        return answer

    with mock.patch.object(BaseClient, "_make_api_call", count):
        yield bill


class _Meter:
    """Looks at rows beside what is metered."""

    def __init__(self, client: BaseClient, call: Call) -> None:
        self._client, self._call = client, call

    def fetch(self, table: str, key: tuple[tuple[str, str], ...]) -> Item | None:
        arguments = {
            "TableName": table,
            "Key": {name: {"S": value} for name, value in key},
            "ConsistentRead": True,
        }
        found: Item | None = self._call(self._client, "GetItem", arguments).get("Item")
        return found


def _written(operation: str, arguments: Any) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Table and key of each row that a call writes, or holds to a condition."""
    if operation == "TransactWriteItems":
        requests = [next(iter(each.values())) for each in arguments["TransactItems"]]
    elif operation in {"PutItem", "UpdateItem", "DeleteItem"}:
        requests = [arguments]
    elif operation == "BatchWriteItem":
        requests = [
            {"TableName": table, **next(iter(each.values()))}
            for table, writes in arguments["RequestItems"].items()
            for each in writes
        ]
    else:
        return []
    return [(each["TableName"], _key_of(each)) for each in requests]


def _key_of(request: Any) -> tuple[tuple[str, str], ...]:
    row = request.get("Key") or request["Item"]
    model = _model(request["TableName"])
    return tuple((name, row[name]["S"]) for name in _key_names(model))


def _read_units(operation: str, arguments: Any, answer: Any) -> float:
    if operation == "GetItem":
        return _rounded(size_of(answer.get("Item")), arguments.get("ConsistentRead"))
    if operation in {"Query", "Scan"}:
        size = sum(map(size_of, answer.get("Items", [])))
        return _rounded(size, arguments.get("ConsistentRead"))
    if operation == "BatchGetItem":
        return sum(
            _batch_units(request, answer["Responses"].get(table, []))
            for table, request in arguments["RequestItems"].items()
        )
    return 0.0


def _batch_units(request: Any, found: list[Item]) -> float:
    """Each row alone is rounded up; one that is missing costs a unit too."""
    consistent = request.get("ConsistentRead")
    missing = len(request["Keys"]) - len(found)
    return sum(_rounded(size_of(item), consistent) for item in found) + missing * _rounded(
        0, consistent
    )


def _rounded(size: int, consistent: object) -> float:
    units = max(1, math.ceil(size / (4 * _KB)))
    return units if consistent else units / 2


def _write_units(table: str, old: Item | None, new: Item | None, factor: int) -> float:
    base = factor * _kilobytes(max(size_of(old), size_of(new)))
    return base + sum(
        _index_units(_projected(schema, table, old), _projected(schema, table, new))
        for schema in _model(table)._get_schema()["global_secondary_indexes"]
    )


def _index_units(old: Item | None, new: Item | None) -> int:
    """An entry that comes, goes or changes is one write; one that moves to another key is two."""
    if old == new:
        return 0
    return sum(_kilobytes(size_of(entry)) for entry in _changed(old, new))


def _changed(old: Item | None, new: Item | None) -> list[Item]:
    entries = [entry for entry in (old, new) if entry is not None]
    if len(entries) == 2 and entries[0]["_key"] == entries[1]["_key"]:
        return [max(entries, key=size_of)]
    return entries


def _projected(schema: Any, table: str, item: Item | None) -> Item | None:
    """What an index holds of a row, with its key beside it; None where the row isn't in it."""
    names = [each["AttributeName"] for each in schema["key_schema"]]
    if item is None or not all(name in item for name in names):
        return None
    if schema["projection"]["ProjectionType"] == "KEYS_ONLY":
        kept = {*names, *_key_names(_model(table))}
        item = {name: value for name, value in item.items() if name in kept}
    return item | {"_key": {"L": [item[name] for name in names]}}


def size_of(item: Item | None) -> int:
    """Bytes of a row: of its attributes' names and values."""
    if not item:
        return 0
    return sum(
        len(name.encode()) + _value_size(value) for name, value in item.items() if name != "_key"
    )


def _value_size(value: Any) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":  # two digits a byte, and one more
        return math.ceil(len(content.lstrip("-")) / 2) + 1
    if kind == "M":
        return 3 + sum(len(name.encode()) + 1 + _value_size(each) for name, each in content.items())
    if kind == "L":
        return 3 + sum(1 + _value_size(each) for each in content)
    if kind in {"SS", "NS", "BS"}:
        return sum(len(each) for each in content)
    return len(content) if kind == "B" else 1


def _kilobytes(size: int) -> int:
    return max(1, math.ceil(size / _KB))


def _model(table: str) -> type[Table]:
    return next(model for model in all_tables() if table == model.Meta.table_name)


def _key_names(model: type[Table]) -> list[str]:
    attributes = model.get_attributes()
    names = [name for name in (model._hash_keyname, model._range_keyname) if name]
    return [str(attributes[name].attr_name) for name in names]
