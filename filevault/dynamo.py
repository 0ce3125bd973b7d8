"""DynamoDB through PynamoDB: the base of every table, transactions and ids.

The rules that hold for all tables stand here once: names and time-outs, consistent reads for
decisions, and transactions that survive lost replies and conflicts.
"""

import functools
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

import uuid_utils
from botocore.exceptions import BotoCoreError
from django.apps import apps
from django.conf import settings
from pynamodb.attributes import TTLAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.exceptions import PynamoDBConnectionError, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from filevault.errors import Conflict, DomainError, Unavailable

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
            connection = super()._get_connection()
            shared = _connection(retries=BaseMeta.max_retry_attempts)
            if connection.connection is not shared:
                shared.add_meta_table(connection.get_meta_table())
                connection.connection = shared
            return connection

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


def _close_to_templates(model: type[Model]) -> None:
    for member in vars(model).values():
        function = getattr(member, "__func__", member)
        if callable(function) and hasattr(function, "__dict__") and not isinstance(function, type):
            function.alters_data = True


_close_to_templates(Model)
_close_to_templates(Table)


def condition_failed(error: PynamoDBException) -> bool:
    """Whether a single write was refused by its condition, and not by a fault."""
    return _answer_code(error) == "ConditionalCheckFailedException"


def _answer_code(error: PynamoDBException) -> str:
    """The store's own code of an error; '' where no answer came. PynamoDB's property for it breaks
    on botocore's connection errors, whose `response` is None."""
    response = getattr(error.cause, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


# --- Transactions --------------------------------------------------------------------------------


@dataclass
class _Write:
    """One item of a transaction. A row may stand in it only once, so updates are merged."""

    kind: str
    row: Table
    actions: list[Action] = field(default_factory=list)
    condition: Condition | None = None
    otherwise: DomainError | None = None

    def request(self) -> dict[str, Any]:
        if self.kind == "put":
            return self.row.get_save_kwargs_from_instance(condition=self.condition)
        if self.kind == "update":
            return self.row.get_update_kwargs_from_instance(
                actions=self.actions, condition=self.condition
            )
        if self.kind == "delete":
            return self.row.get_delete_kwargs_from_instance(condition=self.condition)
        hash_key, range_key = (*row_key(self.row), None)[:2]
        return self.row.get_operation_kwargs_from_class(
            hash_key, range_key, condition=self.condition
        )


#: The order in which PynamoDB sends a transaction's items, and so the order of the reasons.
_KINDS = ("check", "delete", "put", "update")
_PASSING_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_PASSING_CODES = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}


def row_key(row: Table) -> tuple[Any, ...]:
    """A row's own key: (hash,) or (hash, range)."""
    names = [name for name in (row._hash_keyname, row._range_keyname) if name]
    return tuple(getattr(row, name) for name in names)


class Transaction:
    """One TransactWriteItems: all of it happens, or nothing.

    What belongs together (record, audit event, notice, job, search terms) is collected here and
    committed once. `otherwise` is the refusal to raise when that item's condition does not hold.
    A lost reply is retried with identical bytes and token. After a failed condition the `witness`
    (the audit event) is looked up first, since an earlier try may have been applied.
    """

    LIMIT = 100
    TRIES = 8

    def __init__(self) -> None:
        self._writes: dict[tuple[Any, ...], _Write] = {}
        self._witness: Table | None = None
        self._after: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._writes)

    def create(self, row: Table, *, otherwise: DomainError | None = None) -> None:
        """Write a row that must not be there yet."""
        hash_key = row.get_attributes()[str(row._hash_keyname)]
        self._add(_Write("put", row, [], hash_key.does_not_exist(), otherwise))

    def put(
        self,
        row: Table,
        *,
        condition: Condition | None = None,
        otherwise: DomainError | None = None,
    ) -> None:
        """Write a whole row, whether or not it was there."""
        self._add(_Write("put", row, [], condition, otherwise))

    def update(
        self,
        row: Table,
        actions: Sequence[Action],
        *,
        condition: Condition | None = None,
        otherwise: DomainError | None = None,
    ) -> None:
        """Change attributes of a row. Updates of the same row are joined into one."""
        self._add(_Write("update", row, list(actions), condition, otherwise))

    def delete(
        self,
        row: Table,
        *,
        condition: Condition | None = None,
        otherwise: DomainError | None = None,
    ) -> None:
        self._add(_Write("delete", row, [], condition, otherwise))

    def check(
        self, row: Table, condition: Condition, *, otherwise: DomainError | None = None
    ) -> None:
        """Hold a row to a condition without changing it."""
        self._add(_Write("check", row, [], condition, otherwise))

    def witness(self, row: Table) -> None:
        """The created row whose presence proves that this transaction was applied."""
        self._witness = row

    def on_commit(self, action: Callable[[], None]) -> None:
        """Run once the transaction is applied (never for what must survive a crash)."""
        self._after.append(action)

    def commit(self) -> None:
        """Apply. Raises the refusal of the condition that failed, `Conflict` where none was given,
        and `Unavailable` when the store stays busy or away."""
        if not 0 < len(self._writes) <= self.LIMIT:
            raise ValueError(f"a transaction holds 1 to {self.LIMIT} items, not {len(self)}")
        self._send(str(uuid.uuid4()))
        for action in self._after:
            action()

    def _add(self, write: _Write) -> None:
        key = (type(write.row), *row_key(write.row))
        before = self._writes.get(key)
        if before is None:
            self._writes[key] = write
        elif before.kind == write.kind == "update":
            before.actions += write.actions
            before.condition = _both(before.condition, write.condition)
            before.otherwise = before.otherwise or write.otherwise
        elif before.kind == "check" and write.kind == "update":
            write.condition = _both(before.condition, write.condition)
            write.otherwise = before.otherwise or write.otherwise
            self._writes[key] = write
        else:
            raise ValueError(f"{type(write.row).__name__} stands twice in one transaction")

    def _send(self, token: str) -> None:
        writes = sorted(self._writes.values(), key=lambda write: _KINDS.index(write.kind))
        requests = {kind: [w.request() for w in writes if w.kind == kind] for kind in _KINDS}
        for attempt in range(self.TRIES):
            try:
                _connection(retries=0).transact_write_items(
                    requests["check"],
                    requests["delete"],
                    requests["put"],
                    requests["update"],
                    client_request_token=token,
                )
                return
            except TransactWriteError as error:
                refused = _refused(error, writes)
                if refused is not None:
                    if self._applied_before():
                        return
                    raise refused from error
            logger.warning("transaction retried", extra={"attempt": attempt + 1})
            if attempt + 1 < self.TRIES:
                _pause(attempt)
        raise Unavailable(code="store_busy")

    def _applied_before(self) -> bool:
        witness = self._witness
        return witness is not None and type(witness).fetch(*row_key(witness)) is not None


def _both(first: Condition | None, second: Condition | None) -> Condition | None:
    if first is None or second is None:
        return first if second is None else second
    both: Condition = first & second
    return both


def _refused(error: TransactWriteError, writes: list[_Write]) -> Exception | None:
    """The refusal that an error means, or None where trying again is right."""
    code = _answer_code(error)
    if code == "TransactionCanceledException":
        reasons = error.cancellation_reasons
        for write, reason in zip(writes, reasons, strict=False):
            if reason is not None and reason.code == "ConditionalCheckFailed":
                return write.otherwise or Conflict()
        if any(reason is not None and reason.code in _PASSING_REASONS for reason in reasons):
            return None
        return error
    if code in _PASSING_CODES:
        return None
    return None if isinstance(error.cause, BotoCoreError) else error


def _pause(attempt: int) -> None:
    """Exponential backoff with full jitter: up to 25 ms, 50 ms … 1 s."""
    time.sleep(random.uniform(0, min(1.0, 0.025 * 2**attempt)))  # noqa: S311


@functools.cache
def _connection(*, retries: int) -> Connection:
    """A connection of this process, safe for threads. Transactions do their own retries."""
    return Connection(
        connect_timeout_seconds=BaseMeta.connect_timeout_seconds,
        read_timeout_seconds=BaseMeta.read_timeout_seconds,
        max_retry_attempts=retries,
        max_pool_connections=BaseMeta.max_pool_connections,
    )


# --- Tables of this installation -----------------------------------------------------------------


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


def now() -> datetime:
    """The current time, aware and in UTC."""
    return datetime.now(UTC)
