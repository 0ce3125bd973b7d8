"""The stores: DynamoDB's tables as this release knows them, and the SQL database."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from filevault import signing
from filevault.doctor.examination import Fault, Step, part
from filevault.dynamo import Table, Transaction, all_tables, description, now
from filevault.tables import Once

_APPLY = "apply infra/, or run `manage.py create_tables`"


@part("tables")
def tables() -> Iterator[Step]:
    count = len(all_tables())
    yield Step(
        f"tables: all {count} are there, with the keys and indexes of this release",
        lambda: _compare(description.deviations, _APPLY),
    )
    yield Step(
        "tables: rows expire where they should",
        lambda: _compare(description.ttl_deviations, _APPLY),
    )
    yield Step(
        "tables: point-in-time recovery is on",
        lambda: _compare(description.recovery_deviations, "switch it on (UpdateContinuousBackups)"),
    )
    yield Step(
        "tables: deletion protection is on",
        lambda: _compare(description.protection_deviations, "switch it on (UpdateTable)"),
    )
    yield Step("tables: a row can be written, read and deleted", _write_a_row)


@part("signing")
def signing_keys() -> Iterator[Step]:
    yield Step("signing: each id of SIGNING_KEYS stands for the key that it always did", _check_ids)


@part("database")
def database() -> Iterator[Step]:
    yield Step(f"database: {connection.vendor} answers", connection.ensure_connection)
    yield Step("database: every migration is applied", _check_migrations)


def _compare(find: Callable[[type[Table]], list[str]], fix: str) -> None:
    found = [
        f"{model.Meta.table_name} {deviation}"
        for model in all_tables()
        for deviation in find(model)
    ]
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise Fault(f"{'; '.join(found[:3])}{more}: {fix}")


def _check_ids() -> None:
    try:
        signing.check_ids()
    except ImproperlyConfigured as error:
        raise Fault(str(error)) from None


def _write_a_row() -> None:
    row = Once(f"doctor#{uuid.uuid4()}", ttl=now() + timedelta(hours=1))
    tx = Transaction()
    tx.create(row)
    tx.commit()
    try:
        if Once.fetch(row.key) is None:
            raise Fault("what was written can't be read: check AWS_ENDPOINT_URL")
    finally:
        row.delete()


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise Fault(f"{len(missing)} are missing: run `manage.py migrate`")
