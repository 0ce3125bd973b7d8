"""How many calls a request may cost, beyond knowing who asks; and that ten thousand files cost a
page no more of them than ten."""

import hashlib
from itertools import chain

import pytest
from django.conf import LazySettings, settings
from django.test import Client as Browser
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT

from accounts.actors import Practitioner
from files import downloads, uploads
from files.tables import FileRef, FileShare
from files.vault import vault_of
from filevault.dynamo import Table, new_id
from tests.cases.invited import sign_in
from tests.counting import counted
from tests.files import samples
from tests.files.space import C1, A, FakeSpace, make_bucket, put
from tests.files.vaults import image_row, known

FEW, MANY = 10, 10_000


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


@pytest.fixture
def owner(world: None, settings: LazySettings) -> Practitioner:
    make_bucket(settings.FILEVAULT_BUCKET)
    return known("Dr Anna Novak", 1)


@pytest.fixture
def recipient(world: None) -> Practitioner:
    return known("Ben Okafor", 2)


def add_shared_images(owner: Practitioner, recipient: Practitioner, count: int) -> None:
    """Put images into a vault, shared with somebody, straight into moto's tables: sending so many
    would take minutes."""
    file = image_row(vault_of(owner))
    file.shared_with = [recipient.user_id]
    ref = FileRef(file.file_id, space_id=file.space_id)
    shared = FileShare(
        recipient.user_id,
        file.file_id,
        space_id=file.space_id,
        file_name=file.file_name,
        size=file.size,
        mime_type=file.mime_type,
        shared_by=owner.user_id,
        created_at=file.created_at,
    )
    ids = [new_id() for _each in range(count)]
    for row in (file, ref, shared):
        _store_often(row, ids)


def _store_often(row: Table, ids: list[str]) -> None:
    table = get_backend("dynamodb")[ACCOUNT][settings.AWS_REGION].tables[row.Meta.table_name]
    like = row.serialize()
    for file_id in ids:
        table.put_item(like | {"fileId": {"S": file_id}})


@pytest.mark.settled
def test_pages_of_ten_thousand_files_cost_as_those_of_ten(
    owner: Practitioner, recipient: Practitioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {
        "/files/": sign_in(owner),
        "/files/gallery/": sign_in(owner),
        "/files/shared/": sign_in(recipient),
        "/api/files/list?limit=10": sign_in(owner),
        "/api/files/list?limit=10&cursor=": sign_in(recipient),
    }
    costs = []
    for count in (FEW, MANY - FEW):
        add_shared_images(owner, recipient, count)
        costs.append([_calls(browser, path, monkeypatch) for path, browser in pages.items()])
    assert costs[0] == costs[1]
    assert "dynamodb.Scan" not in chain(*costs[1])
    assert max(len(calls) for calls in costs[1]) <= 8
    assert [calls.count("dynamodb.Query") for calls in costs[1][:3]] == [1, 1, 1]


def _calls(browser: Browser, path: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a page costs that shows something."""
    with counted(monkeypatch) as calls:
        shown = browser.get(path).content.decode()
    assert shown.count("photo.jpg") >= FEW, path
    return sorted(calls)
