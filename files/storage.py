"""Storage: the private bucket as the server itself reads, writes and empties it.

Every read names a version, because what is served must be the very version that was checked (U4).
What browsers may do stands in `files.presigned`, uploads in parts in `files.multipart`.
"""

import logging
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final, cast

from django.core.files.storage import storages

from files.presigned import SigningStorage
from files.storage_errors import translated, unavailable
from filevault.aws import AWS_ERRORS, error_code, s3_client, sse_parameters
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

_MISSING: Final = {"404", "NoSuchKey", "NoSuchVersion", "NotFound"}
_EMPTY: Final = {"416", "InvalidRange"}
_FORBIDDEN: Final = {"403", "AccessDenied", "Forbidden"}
_DELETED_AT_ONCE: Final = 1000
_PIECE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What storage says of an object. `size` in bytes, `sha256` in base64 where it was sent."""

    size: int
    mime_type: str
    version_id: str
    sse: str
    etag: str
    sha256: str = ""


class CaseStorage(SigningStorage):
    """The bucket of all files, with pinned versions and exact deletion."""

    def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """What is stored under a key (the newest version unless one is named); None where nothing
        is. Raises `Unavailable`."""
        version = {"VersionId": version_id} if version_id else {}
        try:
            found = s3_client().head_object(
                Bucket=self.bucket_name, Key=key, ChecksumMode="ENABLED", **cast(Any, version)
            )
        except AWS_ERRORS as error:
            if self._is_missing(key, error_code(error)):
                return None
            raise unavailable("head", error) from error
        return StoredObject(
            size=found["ContentLength"],
            mime_type=found["ContentType"],
            version_id=found.get("VersionId", ""),
            sse=found.get("ServerSideEncryption", ""),
            etag=found["ETag"].strip('"'),
            sha256=found.get("ChecksumSHA256", ""),
        )

    def peek(self, key: str, length: int) -> tuple[StoredObject, bytes] | None:
        """The newest version of a key and its first bytes, in one request; None where nothing is.
        It tells no checksum: S3 answers none to a ranged read. Raises `Unavailable`."""
        try:
            found = s3_client().get_object(
                Bucket=self.bucket_name, Key=key, Range=f"bytes=0-{length - 1}"
            )
            first = found["Body"].read(length)
        except AWS_ERRORS as error:
            code = error_code(error)
            if code in _EMPTY:  # there is no first byte
                empty = self.head(key)
                return None if empty is None else (empty, b"")
            if self._is_missing(key, code):
                return None
            raise unavailable("peek", error) from error
        stored = StoredObject(
            size=int(found["ContentRange"].rpartition("/")[2]),
            mime_type=found["ContentType"],
            version_id=found.get("VersionId", ""),
            sse=found.get("ServerSideEncryption", ""),
            etag=found["ETag"].strip('"'),
        )
        return stored, first

    def stream(self, key: str, version_id: str, *, start: int = 0) -> Generator[bytes, None, None]:
        """The bytes of a version from `start`, in pieces, never all at once. Raises `Unavailable`
        at any piece; a reader that keeps count goes on from there with a new call."""
        with translated("stream"):
            answer = s3_client().get_object(
                Bucket=self.bucket_name, Key=key, VersionId=version_id, Range=f"bytes={start}-"
            )
        body = answer["Body"]
        try:
            while True:
                with translated("stream"):
                    piece = body.read(_PIECE)
                if not piece:
                    return
                yield piece
        finally:
            body.close()

    def put(self, key: str, content: bytes, mime_type: str) -> str:
        """Write a small object of our own making; returns its version."""
        with translated("put"):
            written = s3_client().put_object(
                Bucket=self.bucket_name,
                Key=key,
                Body=content,
                ContentType=mime_type,
                **cast(Any, sse_parameters()),
            )
        return written["VersionId"]

    def read_range(self, key: str, version_id: str, start: int, length: int) -> bytes:
        """Up to `length` bytes of a version from `start`. Raises `Unavailable`, also when the
        version has gone since it was looked at: asking anew tells."""
        with translated("read_range"):
            answer = s3_client().get_object(
                Bucket=self.bucket_name,
                Key=key,
                VersionId=version_id,
                Range=f"bytes={start}-{start + length - 1}",
            )
            return answer["Body"].read(length)

    def _is_missing(self, key: str, code: str) -> bool:
        """Whether an error means that nothing is there. AWS also answers 403 to a read of a missing
        key where `s3:ListBucket` is lacking; a file that is there must not be given up for a fault
        of ours."""
        return code in _MISSING or (code in _FORBIDDEN and not self.list_versions(key))

    def list_versions(self, key: str) -> list[str]:
        """The ids of every version and delete marker of exactly this key (Z9: a listing goes by
        prefix, so that longer keys are left out here)."""
        found: list[str] = []
        with translated("list_versions"):
            pages = s3_client().get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=key):
                entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                found += [entry["VersionId"] for entry in entries if entry["Key"] == key]
        return found

    def delete_versions(self, key: str, *, except_version: str | None = None) -> int:
        """Delete every version of a key but one; returns how many went. Safe to repeat."""
        doomed = [version for version in self.list_versions(key) if version != except_version]
        for start in range(0, len(doomed), _DELETED_AT_ONCE):
            batch = doomed[start : start + _DELETED_AT_ONCE]
            with translated("delete_versions"):
                answer = s3_client().delete_objects(
                    Bucket=self.bucket_name,
                    Delete={
                        "Objects": [{"Key": key, "VersionId": version} for version in batch],
                        "Quiet": True,
                    },
                )
            if answer.get("Errors"):
                logger.error("versions not deleted", extra={"count": len(answer["Errors"])})
                raise Unavailable(code="storage_unavailable")
        return len(doomed)


def case_storage() -> CaseStorage:
    """The one storage of the product (`STORAGES["default"]`)."""
    return cast(CaseStorage, storages["default"])
