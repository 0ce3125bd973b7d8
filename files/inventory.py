"""What lies in the bucket, page by page: for `files.sweeping` alone.

Everything else asks storage for one key that a row names. Deletion here is by exact key and version
too (Z9)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from files.storage import case_storage
from files.storage_errors import translated
from filevault.aws import s3_client
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

#: The most that S3 lists or deletes in one request.
PAGE: Final = 1000

#: Where a listing goes on; empty at its beginning and after its end.
Cursor = dict[str, str]


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version or delete marker; `modified_at` by storage's clock."""

    key: str
    version_id: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload in parts that was neither completed nor aborted."""

    key: str
    upload_id: str
    begun_at: datetime


def list_versions(prefix: str, cursor: Cursor) -> tuple[list[StoredVersion], Cursor]:
    """A page of all versions and delete markers under a prefix. Raises `Unavailable`."""
    with translated("list_object_versions"):
        answer = s3_client().list_object_versions(
            Bucket=case_storage().bucket_name, Prefix=prefix, MaxKeys=PAGE, **cast(Any, cursor)
        )
    entries = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
    found = [
        StoredVersion(entry["Key"], entry["VersionId"], entry["LastModified"]) for entry in entries
    ]
    if "VersionIdMarker" not in cursor:  # some stores begin with the marker, not after it
        found = [each for each in found if each.key > cursor.get("KeyMarker", "")]
    return _up_to_whole_key(found, _next(cast(Any, answer), "KeyMarker", "VersionIdMarker"))


def list_uploads(cursor: Cursor) -> tuple[list[OpenUpload], Cursor]:
    """A page of all open uploads in parts. Raises `Unavailable`."""
    with translated("list_multipart_uploads"):
        answer = s3_client().list_multipart_uploads(
            Bucket=case_storage().bucket_name, MaxUploads=PAGE, **cast(Any, cursor)
        )
    found = [
        OpenUpload(entry["Key"], entry["UploadId"], entry["Initiated"])
        for entry in answer.get("Uploads", [])
    ]
    return found, _next(cast(Any, answer), "KeyMarker", "UploadIdMarker")


def delete_versions(versions: Sequence[StoredVersion]) -> None:
    """Delete exactly these, a page at most. Raises `Unavailable` where one of them is left."""
    doomed = [{"Key": each.key, "VersionId": each.version_id} for each in versions]
    with translated("delete_objects"):
        answer = s3_client().delete_objects(
            Bucket=case_storage().bucket_name,
            Delete={"Objects": cast(Any, doomed), "Quiet": True},
        )
    if answer.get("Errors"):
        logger.error("versions not deleted", extra={"count": len(answer["Errors"])})
        raise Unavailable(code="storage_unavailable")


def check_answers() -> None:
    """Raise `Unavailable` where storage is away altogether."""
    with translated("head_bucket"):
        s3_client().head_bucket(Bucket=case_storage().bucket_name)


def _next(answer: dict[str, Any], *markers: str) -> Cursor:
    if not answer.get("IsTruncated"):
        return {}
    return {marker: answer[f"Next{marker}"] for marker in markers if answer.get(f"Next{marker}")}


def _up_to_whole_key(
    found: list[StoredVersion], cursor: Cursor
) -> tuple[list[StoredVersion], Cursor]:
    """A page without the key that it ends in the middle of, unless there is no other. So the next
    page begins after a key, which stays a good marker when all under it is deleted meanwhile; a
    version doesn't everywhere."""
    whole = [each for each in found if each.key != cursor.get("KeyMarker")]
    if not cursor or not whole:
        return found, cursor
    return whole, {"KeyMarker": max(each.key for each in whole)}
