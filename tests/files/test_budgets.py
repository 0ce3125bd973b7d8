"""How many calls a request may cost, beyond knowing who asks."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient

from files import downloads, uploads
from tests.files import samples
from tests.files.space import C1, A, FakeSpace, put


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


@pytest.mark.parametrize("declared", [False, True])
def test_calls_of_each_step(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch, declared: bool
) -> None:
    """The space itself is one read more in each."""
    with counted(monkeypatch) as begun:
        digest = hashlib.sha256(samples.PDF).hexdigest() if declared else None
        size = len(samples.PDF)
        file, _ = uploads.begin(C1, space, file_name="a.pdf", size=size, sha256=digest)
    put(file, samples.PDF)
    with counted(monkeypatch) as confirmed:
        uploads.confirm(C1, space, file.file_id)
    with counted(monkeypatch) as downloaded:
        downloads.get_download(A, space, file.file_id)
    assert begun == ["dynamodb.TransactWriteItems"]
    assert confirmed == [
        "dynamodb.GetItem",
        *(["s3.HeadObject"] if declared else []),
        "s3.GetObject",
        "dynamodb.TransactWriteItems",
    ]
    assert downloaded == ["dynamodb.GetItem", "dynamodb.PutItem"]
