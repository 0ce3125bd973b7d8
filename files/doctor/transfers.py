"""A file's way in and out, as a browser goes it: with the site's origin, and signed addresses."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import requests
from django.conf import settings

from files import multipart
from files.keys import new_key
from files.presigned import PresignedPost
from files.storage import case_storage
from filevault.doctor import TIMEOUT, Fault, Step, part
from filevault.dynamo import new_id

#: An origin that nobody has (RFC 6761 §6.4).
STRANGER: Final = "https://elsewhere.invalid"
_TYPE: Final = "text/plain"
_CORS: Final = "correct the bucket's CORS rules for SITE_URL (docs/operations.md)"


@dataclass
class Sample:
    """A file of the examination, under a key in the product's own form: whatever were left of it
    after a crash, `sweep_uploads` would find."""

    key: str = field(default_factory=lambda: new_key("users/doctor/", new_id()))
    contents: tuple[bytes, bytes] = field(
        default_factory=lambda: (secrets.token_bytes(1024), secrets.token_bytes(1024)),
    )
    version: str = ""

    def preflight(self, method: str, headers: str) -> None:
        """What a browser asks first: the site's origin may, and a stranger's may not."""
        if not _may(self.key, method, headers, settings.SITE_URL):
            raise Fault(_CORS)
        if _may(self.key, method, headers, STRANGER):
            raise Fault(f"any origin may: {_CORS}")

    def post(self) -> None:
        """Upload it twice: the first version is the one that a file would be pinned to."""
        storage = case_storage()
        for content in self.contents:
            digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
            grant = storage.presign_post(self.key, len(content), _TYPE, sha256=digest)
            _post(grant, content)
            if not self.version:
                stored = storage.head(self.key)
                self.version = stored.version_id if stored else ""
        if not self.version or self.version == "null":
            raise Fault("it came without a version: enable versioning on the bucket")

    def download(self) -> None:
        """Fetch the first version, though there are newer ones, on the terms that were signed."""
        answer = requests.get(self._signed_address(), timeout=TIMEOUT)
        if answer.status_code != 200:
            raise Fault(_refusal(answer))
        if answer.content != self.contents[0]:
            raise Fault("another version came: let `versionId` reach S3, and into the cache key")
        if not answer.headers.get("Content-Disposition", "").startswith("attachment"):
            raise Fault("it would be shown, not saved: let `response-content-*` reach S3")

    def read_on(self) -> None:
        """From the middle, as a page of the site goes on with a large file whose line broke."""
        headers = {"Origin": settings.SITE_URL, "Range": f"bytes={len(self.contents[0]) // 2}-"}
        answer = requests.get(self._signed_address(), headers=headers, timeout=TIMEOUT)
        if answer.status_code != 206:
            raise Fault(_refusal(answer))
        _check_readable(answer)
        exposed = answer.headers.get("Access-Control-Expose-Headers", "").lower()
        if not {"content-range", "etag"} <= set(exposed.replace(" ", "").split(",")):
            raise Fault(f"pages can't tell which part comes: {_CORS}")

    def read_unsigned(self) -> None:
        """The same address without its signature opens nothing."""
        parts = urlsplit(self._signed_address())
        version = f"versionId={self.version}"
        plain = requests.get(parts._replace(query=version).geturl(), timeout=TIMEOUT)
        if plain.status_code != 403:
            raise Fault(
                f"it answers {plain.status_code} without a signature: block public access to the "
                "bucket, and restrict viewer access at CloudFront"
            )

    def check_headers(self) -> None:
        """What only CloudFront can add (D2)."""
        answer = requests.get(self._signed_address(), timeout=TIMEOUT)
        for name in ("X-Content-Type-Options", "Content-Security-Policy"):
            if name not in answer.headers:
                raise Fault(f"{name} is missing: give the distribution its response-headers policy")

    def send_part(self) -> None:
        """An upload in parts: sent, listed, joined; and another one given up."""
        content = self.contents[0]
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        upload_id = multipart.create(self.key, _TYPE)
        grant = multipart.presign_part(
            self.key, upload_id, number=1, length=len(content), sha256=digest
        )
        headers = {**grant.headers, "Origin": settings.SITE_URL}
        answer = requests.put(grant.url, data=content, headers=headers, timeout=TIMEOUT)
        if answer.status_code != 200:
            raise Fault(_refusal(answer))
        _check_readable(answer)
        parts = multipart.list_parts(self.key, upload_id)
        if not parts or not multipart.complete(self.key, upload_id, parts):
            raise Fault("storage doesn't join what was sent: check the endpoint")
        given_up = multipart.create(self.key, _TYPE)
        multipart.abort(self.key, given_up)

    def remove(self) -> None:
        """Delete every version, as deleting a file does."""
        storage = case_storage()
        storage.delete_versions(self.key)
        if storage.list_versions(self.key):
            raise Fault("versions are left: allow s3:DeleteObjectVersion, and lock no object here")

    def _signed_address(self) -> str:
        if not self.version:
            raise Fault("nothing was uploaded: mend that first")
        return case_storage().presign_download(
            self.key,
            self.version,
            disposition='attachment; filename="doctor.txt"',
            mime_type=_TYPE,
        )


@part("transfers")
def transfers() -> Iterator[Step]:
    sample = Sample()
    part_headers = "content-type,x-amz-checksum-sha256"
    removed = False
    try:
        yield Step("upload: browsers may post", partial(sample.preflight, "POST", ""))
        yield Step("upload: a signed POST from the site's origin", sample.post)
        yield Step("upload: browsers may put", partial(sample.preflight, "PUT", part_headers))
        yield Step("upload: in parts, from the site's origin", sample.send_part)
        yield Step("download: the very version that was signed", sample.download)
        yield Step("download: from the middle, for the site's pages", sample.read_on)
        yield Step("download: nothing without a signature", sample.read_unsigned)
        if settings.CLOUDFRONT_DOMAIN:
            yield Step("download: CloudFront adds its headers", sample.check_headers)
        removed = True
        yield Step("delete: every version goes", sample.remove)
    finally:
        if not removed:  # the examination was broken off
            case_storage().delete_versions(sample.key)


def _may(key: str, method: str, headers: str, origin: str) -> bool:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    address = case_storage().presign_post(key, 1, _TYPE).url
    answer = requests.options(address, headers=asked, timeout=TIMEOUT)
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    return answer.status_code == 200 and allowed in {origin, "*"}


def _post(grant: PresignedPost, content: bytes) -> None:
    answer = requests.post(
        grant.url,
        data=grant.fields,
        files={"file": ("doctor", content)},
        headers={"Origin": settings.SITE_URL},
        timeout=TIMEOUT,
    )
    if answer.status_code != 201:
        raise Fault(_refusal(answer))
    _check_readable(answer)


def _check_readable(answer: requests.Response) -> None:
    """Whether a page of the site may read what storage answered, and how far it got."""
    if answer.headers.get("Access-Control-Allow-Origin") not in {settings.SITE_URL, "*"}:
        raise Fault(f"it arrives, but browsers may not know: {_CORS}")


def _refusal(answer: requests.Response) -> str:
    code = answer.text.partition("<Code>")[2].partition("</Code>")[0][:60]
    said = f"{answer.status_code} {code}".strip()
    return f"refused ({said}): check the role's rights to objects and key, and this machine's clock"
