"""MiniStack patch: indexes that lag, as DynamoDB's global secondary indexes do on AWS.

Loaded by the launcher through `MINISTACK_PATCHES`. A row that was put or updated less than
`INDEX_LAG_SECONDS` ago (default 1) is missing from every Query and Scan that names an index.
"""

import inspect
import os
import time
from typing import Any

Row = tuple[str, str, str]
Item = dict[str, Any]


def apply() -> None:
    """Note the time of every write, and leave young rows out of what an index read looks at."""
    from ministack.services import dynamodb

    lag = float(os.environ.get("INDEX_LAG_SECONDS", "1"))
    written: dict[Row, float] = {}
    emit = dynamodb._emit_stream_event
    paginate = dynamodb._paginate_evaluated_items
    # Every write passes the one, every page of Query and Scan the other, before Limit counts.
    expected = {
        emit: ["table_name", "event_name", "old_item", "new_item", "replicate"],
        paginate: ["items", "limit", "table", "index_name"],
    }
    for function, parameters in expected.items():
        if list(inspect.signature(function).parameters) != parameters:
            raise SystemExit(f"index lag: MiniStack's {function.__name__} has changed")

    def row(table: Item, item: Item) -> Row:
        keys = (table["pk_name"], table.get("sk_name"))
        values = [str(item.get(name)) if name else "" for name in keys]
        return table["TableName"], values[0], values[1]

    def emit_and_note(
        table_name: str,
        event_name: str,
        old_item: Item | None,
        new_item: Item | None,
        replicate: bool = True,
    ) -> None:
        table = dynamodb._tables.get(table_name)
        if table and new_item is not None:
            written[row(table, new_item)] = time.monotonic()
        emit(table_name, event_name, old_item, new_item, replicate)

    def paginate_settled(
        items: list[Item], limit: int | None, table: Item, index_name: str | None = None
    ) -> tuple[list[Item], bool]:
        if index_name:
            horizon = time.monotonic() - lag
            items = [item for item in items if written.get(row(table, item), 0.0) <= horizon]
        page: tuple[list[Item], bool] = paginate(items, limit, table, index_name)
        return page

    dynamodb._emit_stream_event = emit_and_note
    dynamodb._paginate_evaluated_items = paginate_settled
