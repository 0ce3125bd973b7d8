"""Fixtures of every test. Unmarked tests run on moto (rules and tables); `stack` tests run against
MiniStack with signature checks on and the product served by gunicorn."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from filevault import aws, dynamo
from tests.cast import Cast, make_cast


def _forget_clients() -> None:
    """PynamoDB and boto3 keep a client a process; a test in another world needs new ones."""
    for model in dynamo.all_tables():
        model._connection = None
    for cached in (dynamo._connection, aws.s3_client, aws.s3_signer):
        cached.cache_clear()


@pytest.fixture(autouse=True)
def world(request: pytest.FixtureRequest) -> Iterator[None]:
    """An empty DynamoDB and bucket in memory, unless the test brings the real stack."""
    if request.node.get_closest_marker("stack"):
        yield
        return
    with mock_aws():
        _forget_clients()
        dynamo.create_tables()
        yield
    _forget_clients()


@pytest.fixture
def cast() -> Cast:
    """Practitioners A and B with a client each: a small named cast of people."""
    return make_cast()
