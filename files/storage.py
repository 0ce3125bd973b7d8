"""Storage: the private bucket, reached by browsers through signed requests alone.

Vendor errors are translated here and nowhere else. Every read names a version, because what is
served must be the very version that was checked (U4).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from django.conf import settings
from django.core.files.storage import storages
from storages.backends.s3 import S3Storage

from filevault.aws import AWS_ERRORS, error_code, s3_client, s3_config, s3_signer
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

_MISSING: Final = {"404", "NoSuchKey", "NoSuchVersion", "NotFound"}
_FORBIDDEN: Final = {"403", "AccessDenied", "Forbidden"}
_DELETED_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """What a browser posts a file with: every field of `fields`, then `file`. `expires_in` is in
    seconds."""

    url: str
    fields: dict[str, str]
    expires_in: int


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What storage says of an object. `size` in bytes, `sha256` in base64 where it was sent."""

    size: int
    mime_type: str
    version_id: str
    sse: str
    etag: str
    sha256: str = ""


class CaseStorage(S3Storage):  # type: ignore[misc]
    """The bucket of all files, with presigned POST, pinned versions and exact deletion."""

    def get_default_settings(self) -> dict[str, Any]:
        inherited: dict[str, Any] = super().get_default_settings()
        return inherited | {
            "bucket_name": settings.FILEVAULT_BUCKET,
            "client_config": s3_config(),
            "object_parameters": sse_parameters(),
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
            "querystring_expire": int(settings.DOWNLOAD_URL_LIFETIME.total_seconds()),
        }

    def presign_post(
        self,
        key: str,
        size: int | tuple[int, int],
        mime_type: str,
        *,
        sha256: str = "",
        redirect_to: str = "",
    ) -> PresignedPost:
        """Sign one upload of exactly this key, size, type and encryption (U1), for 5 minutes.

        `size` is in bytes; a pair is the range that is allowed where the size isn't known, for the
        plain form. `sha256` (base64) binds the content. Storage answers 201, or sends the browser
        to `redirect_to`."""
        least, most = size if isinstance(size, tuple) else (size, size)
        fields = {"Content-Type": mime_type, **_sse_fields()}
        if sha256:
            fields["x-amz-checksum-sha256"] = sha256
        if redirect_to:
            fields["success_action_redirect"] = redirect_to
        else:
            fields["success_action_status"] = "201"
        lifetime = int(settings.UPLOAD_URL_LIFETIME.total_seconds())
        with _translated("presign_post"):
            signed = s3_signer().generate_presigned_post(
                Bucket=self.bucket_name,
                Key=key,
                Fields=dict(fields),
                Conditions=[
                    *({name: value} for name, value in fields.items()),
                    ["content-length-range", least, most],
                ],
                ExpiresIn=lifetime,
            )
        return PresignedPost(signed["url"], signed["fields"], lifetime)

    def presign_download(
        self, key: str, version_id: str, *, disposition: str, mime_type: str
    ) -> str:
        """Sign a GET of one version for 2 minutes, with the name and type it arrives under."""
        with _translated("presign_download"):
            return s3_signer().generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.bucket_name,
                    "Key": key,
                    "VersionId": version_id,
                    "ResponseContentDisposition": disposition,
                    "ResponseContentType": mime_type,
                    "ResponseCacheControl": "no-store",
                },
                ExpiresIn=int(settings.DOWNLOAD_URL_LIFETIME.total_seconds()),
            )

    def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """What is stored under a key (the newest version unless one is named); None where nothing
        is. Raises `Unavailable`."""
        version = {"VersionId": version_id} if version_id else {}
        try:
            found = s3_client().head_object(
                Bucket=self.bucket_name, Key=key, ChecksumMode="ENABLED", **cast(Any, version)
            )
        except AWS_ERRORS as error:
            code = error_code(error)
            # AWS also answers 403 to a HEAD of a missing key where `s3:ListBucket` is lacking; a
            # file that is there must not be given up for a fault of ours.
            if code in _MISSING or (code in _FORBIDDEN and not self.list_versions(key)):
                return None
            raise _unavailable("head", error) from error
        return StoredObject(
            size=found["ContentLength"],
            mime_type=found["ContentType"],
            version_id=found.get("VersionId", ""),
            sse=found.get("ServerSideEncryption", ""),
            etag=found["ETag"].strip('"'),
            sha256=found.get("ChecksumSHA256", ""),
        )

    def read_range(self, key: str, version_id: str, start: int, length: int) -> bytes:
        """Up to `length` bytes of a version from `start`. Raises `Unavailable`, also when the
        version has gone since it was looked at: asking anew tells."""
        with _translated("read_range"):
            answer = s3_client().get_object(
                Bucket=self.bucket_name,
                Key=key,
                VersionId=version_id,
                Range=f"bytes={start}-{start + length - 1}",
            )
            return answer["Body"].read(length)

    def list_versions(self, key: str) -> list[str]:
        """The ids of every version and delete marker of exactly this key (Z9: a listing goes by
        prefix, so that longer keys are left out here)."""
        found: list[str] = []
        with _translated("list_versions"):
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
            with _translated("delete_versions"):
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


def sse_parameters() -> dict[str, str]:
    """The encryption that every object is written with, as parameters of the SDK."""
    if settings.FILEVAULT_KMS_KEY_ID:
        return {
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": settings.FILEVAULT_KMS_KEY_ID,
        }
    return {"ServerSideEncryption": "AES256"}


def _sse_fields() -> dict[str, str]:
    names = {
        "ServerSideEncryption": "x-amz-server-side-encryption",
        "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    }
    return {names[parameter]: value for parameter, value in sse_parameters().items()}


@contextmanager
def _translated(call: str) -> Iterator[None]:
    try:
        yield
    except AWS_ERRORS as error:
        raise _unavailable(call, error) from error


def _unavailable(call: str, error: Exception) -> Unavailable:
    code = error_code(error) or type(error).__name__
    logger.error("storage call failed", extra={"call": call, "error": code})
    return Unavailable(code="storage_unavailable")
