"""Readiness: which part is away, without the name of any."""

from collections.abc import Iterator

import boto3
import pytest
import responses
from django.conf import settings
from django.test import Client

from accounts.tables import User
from filevault import health


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_kept", None)


@pytest.fixture
def provider() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add("GET", settings.OIDC_DISCOVERY_URL, json={})
        yield mock


@pytest.fixture
def bucket() -> None:
    boto3.client("s3").create_bucket(
        Bucket=settings.FILEVAULT_BUCKET,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )


@pytest.mark.usefixtures("bucket", "provider")
def test_ready_when_everything_answers(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"tables": "ok", "bucket": "ok", "discovery": "ok"}


@pytest.mark.usefixtures("provider")
def test_a_missing_bucket_is_down(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"tables": "ok", "bucket": "down", "discovery": "ok"}
    assert settings.FILEVAULT_BUCKET not in answer.content.decode()


@pytest.mark.usefixtures("bucket", "provider")
def test_a_missing_table_is_down(client: Client) -> None:
    User.delete_table()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["tables"] == "down"
    assert "filevault-" not in answer.content.decode()


@pytest.mark.usefixtures("bucket")
def test_a_provider_that_does_not_answer_is_down(client: Client) -> None:
    with responses.RequestsMock():
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["discovery"] == "down"


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_a_load_balancer_asks_by_address(client: Client, address: str) -> None:
    answer = client.get(address, headers={"Host": "10.1.2.3:8000"})
    assert answer.status_code in {200, 503}
    assert answer["Content-Type"] == "application/json"
    assert client.post(address).status_code == 405
