"""The doctor on the running product: all is ok, nothing is left of the examination, and a bucket
that browsers couldn't use is named."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings

from filevault.aws import s3_client
from filevault.local.bucket import provision_bucket
from filevault.local.seed import admin_session
from tests.examining import failures, lines
from tests.stack import TestStack, run_manage

pytestmark = pytest.mark.stack

BUCKET = "filevault-doctor"


@pytest.mark.usefixtures("app")
def test_a_running_product_is_ok_and_keeps_nothing_of_it(stack: TestStack) -> None:
    done = run_manage(stack, "doctor")
    found = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(found) > 30
    assert [line for line in found if not line.startswith("ok   ")] == []
    for secret in (stack.environment["SECRET_KEY"], stack.stack["oidc"]["clientSecret"]):
        assert secret not in done.stdout + done.stderr
    assert versions(stack.stack["bucket"]) == []


def versions(bucket: str) -> list[Any]:
    answer = s3_client().list_object_versions(Bucket=bucket, Prefix="users/doctor/")
    return [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]


@pytest.fixture
def bucket(stack: TestStack, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket of this test's own, whose settings it may spoil; a client that may."""
    session = admin_session(stack.ministack)
    endpoint = stack.ministack.endpoint
    provision_bucket(session, endpoint=endpoint, site=settings.SITE_URL, name=BUCKET)
    settings.FILEVAULT_BUCKET = BUCKET
    settings.S3_ADDRESSING_STYLE = "path"
    settings.STORAGES = {**settings.STORAGES}  # the storage of another bucket is forgotten
    for name, value in stack.admin_environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return session.client("s3", endpoint_url=endpoint)


def _allow(client: Any, *origins: str, headers: tuple[str, ...] = ("*",)) -> None:
    rule = {
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["PUT", "POST", "GET"],
        "AllowedHeaders": list(headers),
    }
    client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})


def _suspend_versions(client: Any) -> None:
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})


SITE = "http://testserver"
POST, PUT = "upload: browsers may post", "upload: browsers may put"
SIGNED_POST = "upload: a signed POST from the site's origin"
PARTS = "upload: in parts, from the site's origin"
READ_ON = "download: from the middle, for the site's pages"


@pytest.mark.parametrize(
    ("spoil", "failing", "said"),
    [
        (lambda client: None, [], ""),
        (
            lambda client: client.delete_bucket_cors(Bucket=BUCKET),
            [POST, SIGNED_POST, PUT, PARTS, READ_ON],
            "correct the bucket's CORS rules",
        ),
        (
            lambda client: _allow(client, "https://other.example.com"),
            [POST, SIGNED_POST, PUT, PARTS, READ_ON],
            "correct the bucket's CORS rules",
        ),
        (lambda client: _allow(client, "*"), [POST, PUT], "any origin may"),
        (
            lambda client: _allow(client, SITE, headers=("content-type",)),
            [PUT, READ_ON],
            "correct the bucket's CORS rules",
        ),
        (_suspend_versions, [SIGNED_POST], "enable versioning on the bucket"),
    ],
    ids=["sound", "no CORS", "another origin", "any origin", "a header less", "no versions"],
)
def test_a_bucket_that_browsers_can_not_use(
    bucket: Any, spoil: Callable[[Any], object], failing: list[str], said: str
) -> None:
    spoil(bucket)
    found = failures("transfers")
    named = [line.removeprefix("FAIL ") for line in found]
    assert all(any(line.startswith(f"{step}: ") for line in named) for step in failing), found
    assert bool(found) == bool(failing)
    assert not failing or said in found[0]
    assert versions(BUCKET) == []


@pytest.mark.usefixtures("bucket")
def test_storage_that_is_away(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    settings.FILEVAULT_BUCKET = "filevault-nowhere"
    settings.STORAGES = {**settings.STORAGES}
    found = lines("transfers")
    assert [line for line in found if line.startswith("ok")] == []
    assert "refused (404 NoSuchBucket)" in found[1]
