"""Fixtures of every test. Unmarked tests run on moto (rules and tables); `stack` tests run against
MiniStack with signature checks on and the product served by gunicorn."""

import copy
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import boto3
import pytest
from django.conf import settings
from django.utils import translation
from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT

from accounts.actors import Practitioner
from filevault import aws, dynamo, leases, limits
from tests import quick_moto
from tests.cast import Cast, make_cast
from tests.faults.wire import Wire, open_wire
from tests.faults.young_rows import lagging_indexes
from tests.files.space import make_bucket
from tests.files.vaults import known
from tests.stack import TestStack, provisioned_stack, running_app

SHORT_WINDOWS = {"NOTICE_QUIET_SECONDS": "3", "NOTICE_LATEST_SECONDS": "20"}
#: Uploads in parts, without tests that send hundreds of megabytes.
SMALL_PARTS = {"MULTIPART_THRESHOLD": str(6 * 1024**2), "PART_SIZE": str(5 * 1024**2)}

quick_moto.install()


def _forget_clients() -> None:
    """PynamoDB and boto3 keep a client a process; a test in another world needs new ones."""
    for model in dynamo.all_tables():
        model._connection = None
    makers = (aws.s3_client, aws.s3_signer, aws.sqs_client, aws.sns_client, aws.sesv2_client)
    for cached in (dynamo.connection, *makers):
        cached.cache_clear()
    boto3.setup_default_session()  # the one before keeps the credentials that it found first


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a stack of their own come first, since they take longest."""
    items.sort(key=lambda item: not _has_own_stack(item))


def _has_own_stack(item: pytest.Item) -> bool:
    fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return any(fixture.scope == "module" for fixture in fixtures.get("stack", ()))


@pytest.fixture(scope="session")
def stack() -> Iterator[TestStack]:
    """MiniStack with signature checks on and lagging indexes, tables, bucket and user pool."""
    with provisioned_stack() as made:
        yield made


@pytest.fixture(scope="session")
def app(stack: TestStack) -> Iterator[str]:
    """The product's address: gunicorn and a worker on the stack, with short upload windows, and
    with all that production logs."""
    settings = SHORT_WINDOWS | SMALL_PARTS | {"LOG_LEVEL": "INFO"}
    with running_app(stack, settings=settings) as site:
        yield site


@pytest.fixture(scope="session")
def blank_tables() -> dict[str, Any]:
    """The empty tables as moto holds them. Making them anew takes 0.2 s, copying them nothing."""
    with mock_aws():
        dynamo.create_tables()
        return dict(_moto_tables())


def _moto_tables() -> dict[str, Any]:
    backend = get_backend("dynamodb")[ACCOUNT][settings.AWS_REGION]
    return backend.tables


@pytest.fixture(autouse=True)
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty DynamoDB in memory; for tests of the real stack, its tables and bucket instead."""
    translation.activate("en")  # what a request activated stays with its thread
    limits.forget()
    leases.forget()
    if {"stack", "browser"} & {mark.name for mark in request.node.iter_markers()}:
        _enter(request.getfixturevalue("stack"), monkeypatch)
        yield
        _forget_clients()
        return
    blank = request.getfixturevalue("blank_tables")
    monkeypatch.setattr(leases, "steady_seconds", lambda: dynamo.now().timestamp())  # time travels
    with mock_aws():  # takes over the clients that are there; making them costs seconds
        _moto_tables().update(copy.deepcopy(blank))
        settled = request.node.get_closest_marker("settled")
        with nullcontext() if settled else lagging_indexes():
            yield


def _enter(stack: TestStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's own process see the stack's rows and objects as the product does."""
    for name, value in stack.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    _forget_clients()


@pytest.fixture
def cast() -> Cast:
    """Practitioners A and B with a client each: a small named cast of people."""
    return make_cast()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Every call to AWS from here on, to be watched, refused, or lost on its way."""
    with open_wire() as opened:
        yield opened


@pytest.fixture
def bucket(world: None) -> None:
    """The bucket, on moto."""
    make_bucket(settings.FILEVAULT_BUCKET)


@pytest.fixture
def a(bucket: None) -> Practitioner:
    """Dr Anna Novak, who shares: with a bucket for her files, and an address that is proved."""
    return known("Dr Anna Novak", 1)


@pytest.fixture
def b(world: None) -> Practitioner:
    """Ben Okafor, who is shared with, found by his proved address."""
    return known("Ben Okafor", 2)
