"""The adapter: what is signed, where it is sent, and how faults of storage are told."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.conf import LazySettings
from django.core.files.base import ContentFile

from files import uploads
from files.storage import case_storage
from filevault import aws
from filevault import settings as product_settings
from filevault.errors import Unavailable
from tests.files import samples
from tests.files.space import C1, FakeSpace, put, row

KEY = "cases/one/0123456789abcdef0123456789abcdef"


def policy_of(fields: dict[str, str]) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.b64decode(fields["policy"]))
    return decoded


@pytest.fixture
def fresh_clients() -> Iterator[None]:
    """Clients that are made under the test's own environment."""
    for cached in (aws.s3_client, aws.s3_signer):
        cached.cache_clear()
    yield
    for cached in (aws.s3_client, aws.s3_signer):
        cached.cache_clear()


@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-central-1"])
def test_host_and_algorithm_on_aws(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setattr(product_settings, "AWS_REGION", region)
    origin = f"https://filevault-test.s3.{region}.amazonaws.com"
    post = case_storage().presign_post(KEY, 5, "text/plain")
    assert post.url.rstrip("/") == origin
    assert post.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert f"/{region}/s3/aws4_request" in post.fields["x-amz-credential"]
    url = case_storage().presign_download(
        KEY, "v1", disposition="attachment", mime_type="text/plain"
    )
    assert url.startswith(f"{origin}/{KEY}?")
    assert parse_qs(urlsplit(url).query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert product_settings.storage_origin() == origin  # what the CSP allows


@pytest.mark.usefixtures("fresh_clients")
def test_path_style_under_another_address_for_emulators(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "http://127.0.0.1:4999"
    settings.S3_ADDRESSING_STYLE = "path"
    settings.S3_PUBLIC_ENDPOINT_URL = address
    for name in ("S3_ADDRESSING_STYLE", "S3_PUBLIC_ENDPOINT_URL"):
        monkeypatch.setattr(product_settings, name, getattr(settings, name))
    assert case_storage().presign_post(KEY, 5, "text/plain").url == f"{address}/filevault-test"
    url = case_storage().presign_download(KEY, "v", disposition="attachment", mime_type="a/b")
    assert url.startswith(f"{address}/filevault-test/{KEY}?")
    assert product_settings.storage_origin() == address


def test_the_policy_leaves_nothing_open_U1() -> None:
    post = case_storage().presign_post(KEY, 17, "application/pdf")
    conditions = policy_of(post.fields)["conditions"]
    assert ["content-length-range", 17, 17] in conditions
    exact: dict[str, str] = {}
    for condition in conditions:
        if isinstance(condition, dict):
            exact |= condition
    assert exact["key"] == KEY
    assert exact["bucket"] == "filevault-test"
    assert exact["Content-Type"] == "application/pdf"
    assert exact["x-amz-server-side-encryption"] == "AES256"
    assert exact["success_action_status"] == "201"
    signed = set(post.fields) - {"policy", "x-amz-signature"}
    assert signed <= set(exact)
    assert not [c for c in conditions if isinstance(c, list) and c[0] == "starts-with"]


def test_a_kms_key_is_bound(settings: LazySettings) -> None:
    settings.FILEVAULT_KMS_KEY_ID = "arn:aws:kms:eu-central-1:1:key/k"
    fields = case_storage().presign_post(KEY, 5, "text/plain").fields
    assert fields["x-amz-server-side-encryption"] == "aws:kms"
    assert fields["x-amz-server-side-encryption-aws-kms-key-id"] == settings.FILEVAULT_KMS_KEY_ID


def answering(monkeypatch: pytest.MonkeyPatch, method: str, error: Exception) -> None:
    """Let one call of the client fail; the others work."""

    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(aws.s3_client(), method, fail)


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "HeadObject")


FAULTS = [
    client_error("500"),
    client_error("503"),
    client_error("SlowDown"),
    EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_storage_away_changes_nothing(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    digest = hashlib.sha256(samples.PDF).hexdigest()
    file, _ = uploads.begin(C1, space, file_name="a.pdf", size=len(samples.PDF), sha256=digest)
    put(file, samples.PDF)
    for method in ("head_object", "get_object"):
        with monkeypatch.context() as patch:
            answering(patch, method, fault)
            with pytest.raises(Unavailable):
                uploads.confirm(C1, space, file.file_id)
    assert row(file).state == "PENDING"
    assert uploads.confirm(C1, space, file.file_id).state == "AVAILABLE"


def test_403_on_a_missing_key_means_missing(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method in ("head_object", "get_object"):
        answering(monkeypatch, method, client_error("403"))
    assert case_storage().head(KEY) is None
    assert case_storage().peek(KEY, 10) is None


def test_403_on_a_key_that_is_there_is_a_fault(
    space: FakeSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = uploads.begin(C1, space, file_name="a.pdf", size=len(samples.PDF))
    put(file, samples.PDF)
    for method in ("head_object", "get_object"):
        answering(monkeypatch, method, client_error("403"))
    with pytest.raises(Unavailable):
        case_storage().head(file.s3_key)
    with pytest.raises(Unavailable):
        uploads.reconcile(space.space_id, file.file_id)


def test_a_bucket_without_versions_confirms_nothing(space: FakeSpace) -> None:
    aws.s3_client().put_bucket_versioning(
        Bucket="filevault-test", VersioningConfiguration={"Status": "Suspended"}
    )
    file, _ = uploads.begin(C1, space, file_name="a.pdf", size=len(samples.PDF))
    aws.s3_client().put_object(Bucket="filevault-test", Key=file.s3_key, Body=samples.PDF)
    with pytest.raises(Unavailable):
        uploads.confirm(C1, space, file.file_id)


def test_django_storage_of_the_same_bucket_works(space: FakeSpace) -> None:
    name = case_storage().save("exports/one.txt", ContentFile(b"text"))
    with case_storage().open(name) as opened:
        assert opened.read() == b"text"
    stored = case_storage().head(name)
    assert stored is not None
    assert stored.sse == "AES256"
