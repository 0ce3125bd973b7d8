"""What storage enforces for uploads in parts, against MiniStack with signature checks on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.conf import LazySettings

from files import parts, uploads
from files.multipart import PartGrant, presign_part
from files.storage import case_storage
from filevault.aws import s3_client
from filevault.errors import Conflict
from tests.files.parts import CONTENT, MIB, PART_SIZE, begin_parts, digest, piece, sign
from tests.files.space import FakeSpace, row

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def small_parts(settings: LazySettings) -> None:
    settings.MULTIPART_THRESHOLD = 6 * MIB
    settings.PART_SIZE = PART_SIZE


def send(grant: PartGrant, content: bytes, headers: dict[str, str] | None = None) -> int:
    """Put a part as a browser does; the status."""
    sent = grant.headers if headers is None else headers
    return httpx.put(grant.url, content=content, headers=sent).status_code


def arrived(client: Any, space: FakeSpace, file_id: str) -> list[int]:
    _file, there = parts.get_parts(client, space, file_id)
    return [part.number for part in there]


def test_parts_arrive_and_become_the_very_file(client: Any, space: FakeSpace) -> None:
    file = begin_parts(client, space)
    for number, grant in sign(client, space, file, 1, 2, 3).items():
        assert send(grant, piece(number)) == 200
    _file, there = parts.get_parts(client, space, file.file_id)
    told = [(part.number, part.size, part.sha256) for part in there]
    assert told == [(n, len(piece(n)), digest(piece(n))) for n in (1, 2, 3)]
    assert uploads.confirm(client, space, file.file_id).state == "AVAILABLE"
    found = row(file)
    assert b"".join(case_storage().stream(file.s3_key, str(found.version_id))) == CONTENT
    stored = case_storage().head(file.s3_key, found.version_id)
    assert stored is not None
    assert (stored.mime_type, stored.sse) == ("application/pdf", "AES256")


ALTERED = {
    "other bytes": lambda grant: send(grant, b"x" * PART_SIZE),
    "a byte more": lambda grant: send(grant, piece(1) + b"x"),
    "a byte less": lambda grant: send(grant, piece(1)[:-1]),
    "another checksum": lambda grant: send(
        grant, b"x" * PART_SIZE, {"x-amz-checksum-sha256": digest(b"x" * PART_SIZE)}
    ),
    "no checksum": lambda grant: send(grant, piece(1), {}),
    "another part": lambda grant: send(
        PartGrant(grant.url.replace("partNumber=1", "partNumber=2"), grant.headers), piece(1)
    ),
    "a later end": lambda grant: send(
        PartGrant(grant.url.replace("X-Amz-Expires=900", "X-Amz-Expires=9000"), grant.headers),
        piece(1),
    ),
}


@pytest.mark.parametrize("altered", ALTERED)
def test_a_part_is_bound_by_its_signature_U1(client: Any, space: FakeSpace, altered: str) -> None:
    file = begin_parts(client, space)
    grant = sign(client, space, file, 1)[1]
    assert 400 <= ALTERED[altered](grant) < 500
    assert arrived(client, space, file.file_id) == []
    assert send(grant, piece(1)) == 200


def test_parts_live_fifteen_minutes_U8(client: Any, space: FakeSpace) -> None:
    file = begin_parts(client, space)
    for age, status in ((timedelta(minutes=14), 200), (timedelta(minutes=16), 403)):
        with time_machine.travel(datetime.now(UTC) - age):
            grant = presign_part(
                file.s3_key,
                str(file.upload_id),
                number=1,
                length=PART_SIZE,
                sha256=digest(piece(1)),
            )
        assert send(grant, piece(1)) == status


def test_a_part_sent_again_replaces_the_first(client: Any, space: FakeSpace) -> None:
    file = begin_parts(client, space)
    for _ in range(2):
        assert send(sign(client, space, file, 2)[2], piece(2)) == 200
    assert arrived(client, space, file.file_id) == [2]


def test_nothing_arrives_after_an_abort(client: Any, space: FakeSpace) -> None:
    file = begin_parts(client, space)
    grant = sign(client, space, file, 1)[1]
    uploads.abort(client, space, file.file_id)
    assert send(grant, piece(1)) == 404
    with pytest.raises(Conflict):
        uploads.confirm(client, space, file.file_id)
    assert case_storage().list_versions(file.s3_key) == []


def test_a_finished_file_takes_no_part_and_keeps_its_version_U3(
    client: Any, space: FakeSpace
) -> None:
    file = begin_parts(client, space)
    grants = sign(client, space, file, 1, 2, 3)
    for number, grant in grants.items():
        assert send(grant, piece(number)) == 200
    version = uploads.confirm(client, space, file.file_id).version_id
    assert send(grants[1], piece(1)) == 404
    assert case_storage().list_versions(file.s3_key) == [version]


def test_an_upload_that_storage_forgot_is_told_as_over(client: Any, space: FakeSpace) -> None:
    """The bucket's lifecycle throws away what lies too long; so may an operator."""
    file = begin_parts(client, space)
    s3_client().abort_multipart_upload(
        Bucket=case_storage().bucket_name, Key=file.s3_key, UploadId=str(file.upload_id)
    )
    with pytest.raises(parts.UploadOver):
        parts.get_parts(client, space, file.file_id)
    with pytest.raises(Conflict) as refused:
        uploads.confirm(client, space, file.file_id)
    assert refused.value.reason == "not_uploaded"
