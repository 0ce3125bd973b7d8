"""DynamoDB through PynamoDB: the base of every table, transactions and ids.

The rules that hold for all tables stand here once: names and time-outs, consistent reads for
decisions, and transactions that survive lost replies and conflicts.
"""

from filevault.dynamo.table import (
    STORE_ERRORS,
    BaseMeta,
    Table,
    all_tables,
    condition_failed,
    connection,
    create_tables,
    fetch_together,
    id_at,
    is_id,
    new_id,
    now,
    readable,
    row_key,
    table_name,
    ttl_attribute,
)
from filevault.dynamo.transaction import Transaction, retrying

__all__ = [
    "STORE_ERRORS",
    "BaseMeta",
    "Table",
    "Transaction",
    "all_tables",
    "condition_failed",
    "connection",
    "create_tables",
    "fetch_together",
    "id_at",
    "is_id",
    "new_id",
    "now",
    "readable",
    "retrying",
    "row_key",
    "table_name",
    "ttl_attribute",
]
