"""TransactWriteItems that survive lost replies and conflicts."""

import logging
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from filevault.dynamo.table import Table, answer_code, connection, row_key
from filevault.errors import Conflict, DomainError, Unavailable

logger = logging.getLogger(__name__)

_TRIES_ANEW: Final = 5


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
                connection(retries=0).transact_write_items(
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


def retrying(step: Callable[[], None], *, on: type[Conflict], code: str) -> None:
    """Do a step that reads rows and commits what follows from them, and anew where somebody else
    changed them in between (`on`). Raises `Unavailable` (with `code`) when that doesn't end."""
    for _attempt in range(_TRIES_ANEW):
        try:
            step()
        except on:
            continue
        return
    raise Unavailable(code=code)


def _both(first: Condition | None, second: Condition | None) -> Condition | None:
    if first is None or second is None:
        return first if second is None else second
    both: Condition = first & second
    return both


def _refused(error: TransactWriteError, writes: list[_Write]) -> Exception | None:
    """The refusal that an error means, or None where trying again is right."""
    code = answer_code(error)
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
