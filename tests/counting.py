"""Counting the calls that something makes to AWS: performance is shown by counts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The operations that are sent meanwhile, as `service.Operation`."""
    calls: list[str] = []
    original: Callable[..., Any] = vars(BaseClient)["_make_api_call"]

    def count(self: BaseClient, operation: str, arguments: Any) -> Any:
        calls.append(f"{self.meta.service_model.service_name}.{operation}")
        return original(self, operation, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", count)
        yield calls
