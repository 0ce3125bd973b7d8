"""What browsers may do at the private bucket: requests that are signed for them, one by one.

Each binds all that matters of it (U1), and lives for minutes (U8). Parts are signed in
`files.multipart`.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from storages.backends.s3 import S3Storage

from files.storage_errors import translated
from filevault.aws import s3_config, s3_signer, sse_parameters
from filevault.dynamo import now


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """What a browser posts a file with: every field of `fields`, then `file`. `expires_in` is in
    seconds."""

    url: str
    fields: dict[str, str]
    expires_in: int


class SigningStorage(S3Storage):  # type: ignore[misc]
    """The bucket as browsers reach it: presigned POST, and GET from storage or CloudFront."""

    def get_default_settings(self) -> dict[str, Any]:
        inherited: dict[str, Any] = super().get_default_settings()
        key_id, key = next(iter(settings.CLOUDFRONT_KEYS), (None, None))
        return inherited | {
            "cloudfront_key_id": key_id,
            "cloudfront_key": key,
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
        with translated("presign_post"):
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
        """Sign a GET of one version for 2 minutes, with the name and type it arrives under: from
        storage, or from CloudFront where that stands before it."""
        if settings.CLOUDFRONT_DOMAIN:
            return self._sign_for_cloudfront(key, version_id, disposition, mime_type)
        with translated("presign_download"):
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

    def _sign_for_cloudfront(
        self, key: str, version_id: str, disposition: str, mime_type: str
    ) -> str:
        """A canned policy over the whole address: nothing of its query can be changed or left out
        (AWS, "Create a signed URL using a canned policy")."""
        query = {
            "versionId": version_id,
            "response-content-disposition": disposition,
            "response-content-type": mime_type,
            "response-cache-control": "no-store",
        }
        # Blanks as %20: CloudFront hands the query on as it is, and S3 takes no plus for one.
        encoded = urlencode(query, quote_via=quote, safe="")
        address = f"https://{settings.CLOUDFRONT_DOMAIN}/{quote(key)}?{encoded}"
        expires_at = now() + settings.DOWNLOAD_URL_LIFETIME
        return str(
            self.cloudfront_signer.generate_presigned_url(address, date_less_than=expires_at)
        )


def _sse_fields() -> dict[str, str]:
    names = {
        "ServerSideEncryption": "x-amz-server-side-encryption",
        "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    }
    return {names[parameter]: value for parameter, value in sse_parameters().items()}
