"""The base of every table: names, time-outs, consistent reads, ids, and one client for all."""

import functools
import logging
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

import uuid_utils
from botocore.exceptions import BotoCoreError, ClientError
from django.apps import apps
from django.conf import settings
from pynamodb.attributes import TTLAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.exceptions import GetError, PynamoDBConnectionError, PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

logger = logging.getLogger(__name__)

Row = TypeVar("Row")

#: What PynamoDB raises when the store does not answer; answered with one plain page (503).
STORE_ERRORS = (PynamoDBException,)

_sharing = threading.Lock()


def new_id() -> str:
    """A row id: UUIDv7 (RFC 9562), so that key order is the order of creation."""
    return str(uuid_utils.uuid7())


def id_at(moment: datetime) -> str:
    """The lowest UUIDv7 of a moment: a boundary for range queries over ids."""
    milliseconds = int(moment.timestamp() * 1000)
    return str(uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (0x2 << 62)))


def is_id(value: str) -> bool:
    """Whether a text is a row id in its one canonical spelling (Z9: exact ids only)."""
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False


def now() -> datetime:
    """The current time, aware and in UTC."""
    return datetime.now(UTC)


class BaseMeta:
    """What every table's `Meta` shares. Endpoints and credentials are left to the AWS SDK's own
    environment variables, because PynamoDB binds `host` at import."""

    billing_mode = PAY_PER_REQUEST_BILLING_MODE
    connect_timeout_seconds = 1
    read_timeout_seconds = 3
    max_retry_attempts = 2
    max_pool_connections = 32


def table_name(entity: str) -> str:
    """The table's name in this deployment: `TABLE_PREFIX` and the entity of the design."""
    return f"{settings.TABLE_PREFIX}{entity}"


class Table(Model):
    """Base of every table. PynamoDB lacks Django's `alters_data`, so that a template could delete
    a row by naming a method: all of its methods are closed to templates below."""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """PynamoDB makes a botocore client a table, at about 200 ms each: all tables share one."""
        with _sharing:
            own = super()._get_connection()
            shared = connection(retries=BaseMeta.max_retry_attempts)
            if own.connection is not shared:
                shared.add_meta_table(own.get_meta_table())
                own.connection = shared
            return own

    @classmethod
    def fetch(cls, hash_key: str, range_key: str | None = None) -> Self | None:
        """The base row, read consistently, or None. Decisions are made on this alone."""
        try:
            return cls.get(hash_key, range_key, consistent_read=True)
        except cls.DoesNotExist:
            return None

    @classmethod
    def fetch_many(cls, keys: Iterable[Any]) -> list[Self]:
        """Base rows by key (a hash, or a pair), read consistently; missing ones are left out."""
        wanted = list(dict.fromkeys(keys))
        return list(cls.batch_get(wanted, consistent_read=True)) if wanted else []

    def try_update(self, actions: Sequence[Action], condition: Condition) -> bool:
        """Update where the condition holds; losing the race is a normal answer (False)."""
        try:
            self.update(list(actions), condition=condition)
        except PynamoDBConnectionError as error:
            if condition_failed(error):
                return False
            raise
        return True


def readable(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of a query without those that can't be read, which are logged: one broken row must
    not hide the others (N6)."""
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except (AttributeError, KeyError, TypeError, ValueError):  # PynamoDB has stepped past it
            logger.exception("row can't be read")
            continue
        yield row


def fetch_together(*wanted: tuple[type[Table], tuple[str, ...]]) -> list[Any]:
    """Base rows of several tables by key, read consistently in one request (BatchGetItem): each a
    row of its table or None, in the order asked for."""
    requests: dict[str, Any] = {}
    for model, key in wanted:
        request = requests.setdefault(model.Meta.table_name, {"ConsistentRead": True, "Keys": []})
        request["Keys"].append(_raw_key(model, key))
    try:
        answer = connection(retries=BaseMeta.max_retry_attempts).dispatch(
            "BatchGetItem", {"RequestItems": requests}
        )
    except (BotoCoreError, ClientError) as error:
        raise GetError("rows not read together", error) from error
    if answer.get("UnprocessedKeys"):  # throttled in part: rare enough for one read each
        return [model.fetch(*key) for model, key in wanted]
    found = {
        (model, row_key(row)): row
        for model in {model for model, _key in wanted}
        for row in map(model.from_raw_data, answer["Responses"].get(model.Meta.table_name, []))
    }
    return [found.get((model, key)) for model, key in wanted]


def _raw_key(model: type[Table], key: tuple[str, ...]) -> dict[str, Any]:
    attributes = [model.get_attributes()[name] for name in _key_names(model)]
    return {
        attribute.attr_name: {attribute.attr_type: attribute.serialize(value)}
        for attribute, value in zip(attributes, key, strict=True)
    }


def _close_to_templates(model: type[Model]) -> None:
    for member in vars(model).values():
        function = getattr(member, "__func__", member)
        if callable(function) and hasattr(function, "__dict__") and not isinstance(function, type):
            function.alters_data = True


_close_to_templates(Model)
_close_to_templates(Table)


def condition_failed(error: PynamoDBException) -> bool:
    """Whether a single write was refused by its condition, and not by a fault."""
    return answer_code(error) == "ConditionalCheckFailedException"


def answer_code(error: PynamoDBException) -> str:
    """The store's own code of an error; '' where no answer came. PynamoDB's property for it breaks
    on botocore's connection errors, whose `response` is None."""
    response = getattr(error.cause, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def row_key(row: Table) -> tuple[Any, ...]:
    """A row's own key: (hash,) or (hash, range)."""
    return tuple(getattr(row, name) for name in _key_names(type(row)))


def _key_names(model: type[Table]) -> list[str]:
    return [name for name in (model._hash_keyname, model._range_keyname) if name]


@functools.cache
def connection(*, retries: int) -> Connection:
    """A connection of this process, safe for threads. Transactions do their own retries."""
    return Connection(
        connect_timeout_seconds=BaseMeta.connect_timeout_seconds,
        read_timeout_seconds=BaseMeta.read_timeout_seconds,
        max_retry_attempts=retries,
        max_pool_connections=BaseMeta.max_pool_connections,
    )


def all_tables() -> list[type[Table]]:
    """Every table of the installed apps, by name."""
    for config in apps.get_app_configs():
        if config.name in settings.FILEVAULT_APPS:
            __import__(f"{config.name}.tables")
    return sorted(Table.__subclasses__(), key=lambda model: model.Meta.table_name)


def ttl_attribute(model: type[Table]) -> str | None:
    """The name of the attribute by which DynamoDB expires rows, if the table has one."""
    for attribute in model.get_attributes().values():
        if isinstance(attribute, TTLAttribute):
            return str(attribute.attr_name)
    return None


def create_tables() -> list[str]:
    """Create the tables that are missing (with their indexes and TTL); returns their names."""
    created = []
    for model in all_tables():
        if not model.exists():
            model.create_table(wait=True)
            created.append(model.Meta.table_name)
    return created
