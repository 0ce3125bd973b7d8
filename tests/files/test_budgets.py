"""How many calls a request may cost, beyond knowing who asks."""

import hashlib

import pytest

from files import downloads, uploads
from tests.counting import counted
from tests.files import samples
from tests.files.space import C1, A, FakeSpace, put


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
