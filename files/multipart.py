"""Uploads in parts, for files that one request would be too fragile for.

The browser sends each part under a URL of its own, which binds part number, length and SHA-256
(U1). What has arrived is asked of storage, never of the browser. Limits of S3 (AWS, "Amazon S3
multipart upload limits"): 10,000 parts, 5 MiB to 5 GiB each but the last.
"""

import logging
import math
from dataclasses import dataclass
from typing import Any, Final, cast

from django.conf import settings

from files.storage import case_storage
from files.storage_errors import translated, unavailable
from filevault.aws import AWS_ERRORS, error_code, s3_client, s3_signer, sse_parameters
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

MOST_PARTS: Final = 10_000
_MIB: Final = 1024 * 1024
_GONE: Final = {"NoSuchUpload", "404"}
#: What storage says to a list of parts that isn't the one it has.
_BAD_PARTS: Final = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "BadDigest"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has arrived. `size` in bytes, `sha256` in base64, as S3 writes it."""

    number: int
    size: int
    sha256: str
    etag: str


@dataclass(frozen=True, slots=True)
class PartGrant:
    """What a browser sends one part with: a PUT to `url` with exactly these headers."""

    url: str
    headers: dict[str, str]


def part_size_for(size: int) -> int:
    """Bytes a part, in whole MiB, so that `MOST_PARTS` are enough for a file of `size`."""
    needed = math.ceil(size / MOST_PARTS / _MIB) * _MIB
    return max(int(settings.PART_SIZE), needed)


def part_count(size: int, part_size: int) -> int:
    return math.ceil(size / part_size)


def length_of(number: int, *, size: int, part_size: int) -> int:
    """Bytes of one part: the last one is what is left."""
    return min(part_size, size - (number - 1) * part_size)


def create(key: str, mime_type: str) -> str:
    """Open an upload in parts, with the type and encryption that the object will have; returns
    its id. Raises `Unavailable`."""
    with translated("create_multipart_upload"):
        answer = s3_client().create_multipart_upload(
            Bucket=case_storage().bucket_name,
            Key=key,
            ContentType=mime_type,
            ChecksumAlgorithm="SHA256",
            **cast(Any, sse_parameters()),
        )
    return answer["UploadId"]


def presign_part(key: str, upload_id: str, *, number: int, length: int, sha256: str) -> PartGrant:
    """Sign one part of exactly this number, length and SHA-256 (base64), for 15 minutes (U8)."""
    with translated("presign_part"):
        url = s3_signer().generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": case_storage().bucket_name,
                "Key": key,
                "UploadId": upload_id,
                "PartNumber": number,
                "ContentLength": length,
                "ChecksumSHA256": sha256,
            },
            ExpiresIn=int(settings.PART_URL_LIFETIME.total_seconds()),
        )
    return PartGrant(url, {"x-amz-checksum-sha256": sha256})


def list_parts(key: str, upload_id: str) -> list[Part] | None:
    """What has arrived, by number; None where the upload is over (completed or aborted)."""
    parts: list[Part] = []
    try:
        pages = s3_client().get_paginator("list_parts")
        for page in pages.paginate(Bucket=case_storage().bucket_name, Key=key, UploadId=upload_id):
            for part in page.get("Parts", []):
                parts.append(
                    Part(
                        number=part["PartNumber"],
                        size=part["Size"],
                        sha256=part.get("ChecksumSHA256", ""),
                        etag=part["ETag"],
                    )
                )
    except AWS_ERRORS as error:
        if error_code(error) in _GONE:
            return None
        raise unavailable("list_parts", error) from error
    return parts


def is_whole(parts: list[Part], *, size: int, part_size: int) -> bool:
    """Whether every part of a file is there, each with the length that it must have."""
    expected = range(1, part_count(size, part_size) + 1)
    return [part.number for part in parts] == list(expected) and all(
        part.size == length_of(part.number, size=size, part_size=part_size) for part in parts
    )


def complete(key: str, upload_id: str, parts: list[Part]) -> bool:
    """Join the parts into the object. False where storage doesn't take them; an upload that was
    completed meanwhile counts as taken, since looking at the object tells. Raises `Unavailable`."""
    try:
        s3_client().complete_multipart_upload(
            Bucket=case_storage().bucket_name,
            Key=key,
            UploadId=upload_id,
            MultipartUpload={
                "Parts": [
                    {"PartNumber": part.number, "ETag": part.etag, "ChecksumSHA256": part.sha256}
                    for part in parts
                ]
            },
        )
    except AWS_ERRORS as error:
        if error_code(error) in _GONE:
            return True
        if error_code(error) in _BAD_PARTS:
            logger.error("parts not joined", extra={"error": error_code(error)})
            return False
        raise unavailable("complete_multipart_upload", error) from error
    return True


def abort(key: str, upload_id: str) -> None:
    """Throw away what has arrived; again changes nothing. A part that is under way just then can
    outlive it, so that `files.sweeping` looks again. Raises `Unavailable`."""
    try:
        s3_client().abort_multipart_upload(
            Bucket=case_storage().bucket_name, Key=key, UploadId=upload_id
        )
    except AWS_ERRORS as error:
        if error_code(error) not in _GONE:
            raise unavailable("abort_multipart_upload", error) from error


def abort_quietly(key: str, upload_id: str) -> None:
    """The same for an upload that came to nothing; where storage is away, sweeping finds it."""
    try:
        abort(key, upload_id)
    except Unavailable:
        logger.warning("multipart upload left to be swept")
