"""The bucket's settings (T1, T5, W4)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from django.conf import settings

from files.keys import ROOTS
from filevault.aws import AWS_ERRORS, error_code, s3_client
from filevault.doctor import Fault, Step, part

#: Access tokens are judged to within half a minute (`accounts.oidc`), signed addresses live two.
MOST_SKEW: Final = timedelta(seconds=30)
#: What S3 says of a setting that nobody made.
_UNSET: Final = {
    "NoSuchBucketPolicy",
    "NoSuchCORSConfiguration",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}


@part("bucket")
def bucket() -> Iterator[Step]:
    yield Step(f"bucket: {settings.FILEVAULT_BUCKET} is there, in {settings.AWS_REGION}", _reach)
    yield Step("bucket: keeps versions", _check_versioning)
    yield Step("bucket: nothing of it can be made public", _check_public_access)
    yield Step("bucket: encrypts what is stored", _check_encryption)
    yield Step("bucket: ends abandoned uploads, and expires no version", _check_lifecycle)
    yield Step(f"bucket: allows {settings.SITE_URL} alone to read answers", _check_cors)
    if settings.AUDIT_LOCK_DAYS:
        yield Step("bucket: can lock the trail's checkpoints", _check_lock)
    if settings.STORAGE_ORIGIN.startswith("https:"):
        yield Step("bucket: refuses what isn't TLS", _check_tls)


@part("clock")
def clock() -> Iterator[Step]:
    yield Step(f"clock: within {MOST_SKEW.seconds} s of storage's", _compare_clocks)


def _reach() -> None:
    try:
        found = s3_client().head_bucket(Bucket=settings.FILEVAULT_BUCKET)
    except AWS_ERRORS as error:
        if error_code(error) in {"404", "NoSuchBucket"}:
            raise Fault("make it, or correct FILEVAULT_BUCKET") from None
        raise
    region = found.get("BucketRegion", settings.AWS_REGION)
    if region != settings.AWS_REGION:
        raise Fault(f"it is in {region}: set AWS_DEFAULT_REGION to that")


def _compare_clocks() -> None:
    answer = s3_client().head_bucket(Bucket=settings.FILEVAULT_BUCKET)
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    apart = abs(datetime.now(UTC) - theirs)
    if apart > MOST_SKEW:
        raise Fault(f"{apart.total_seconds():.0f} s apart: let NTP set this machine's clock")


def _check_versioning() -> None:
    found = s3_client().get_bucket_versioning(Bucket=settings.FILEVAULT_BUCKET)
    if found.get("Status") != "Enabled":
        raise Fault("enable versioning: until then nothing that is uploaded is taken")


def _check_public_access() -> None:
    found = _setting("get_public_access_block").get("PublicAccessBlockConfiguration", {})
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    off = [name for name in names if not found.get(name)]
    if off:
        raise Fault(f"switch on {', '.join(off)} (PutPublicAccessBlock)")


def _check_encryption() -> None:
    found = _setting("get_bucket_encryption").get("ServerSideEncryptionConfiguration", {})
    defaults = [rule["ApplyServerSideEncryptionByDefault"] for rule in found.get("Rules", [])]
    kinds = {default["SSEAlgorithm"] for default in defaults}
    wanted = {"aws:kms", "aws:kms:dsse"} if settings.FILEVAULT_KMS_KEY_ID else kinds
    if not kinds or not kinds <= wanted:
        kind = "SSE-KMS" if settings.FILEVAULT_KMS_KEY_ID else "SSE-S3"
        raise Fault(f"set its default encryption to {kind}")


def _check_lifecycle() -> None:
    rules = _setting("get_bucket_lifecycle_configuration").get("Rules", [])
    active = [rule for rule in rules if rule["Status"] == "Enabled"]
    for rule in active:
        if _expires_versions(rule) and _touches_files(rule):
            raise Fault(
                f"remove the expiry from the rule {rule.get('ID', '')!r}: a version that a file "
                "is pinned to would go"
            )
    days = [
        rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        for rule in active
        if "AbortIncompleteMultipartUpload" in rule and not _prefix(rule)
    ]
    if not days or timedelta(days=min(days)) <= settings.UPLOAD_RESUME:
        raise Fault(
            "add one rule for the whole bucket: abort incomplete multipart uploads after 7 days "
            "(later than UPLOAD_RESUME_SECONDS)"
        )


def _expires_versions(rule: dict[str, Any]) -> bool:
    expiry = rule.get("Expiration", {})
    return bool(expiry.get("Days") or expiry.get("Date") or "NoncurrentVersionExpiration" in rule)


def _touches_files(rule: dict[str, Any]) -> bool:
    prefix = _prefix(rule)
    return any(prefix.startswith(root) or root.startswith(prefix) for root in ROOTS)


def _prefix(rule: dict[str, Any]) -> str:
    limits = rule.get("Filter", {})
    return str(
        rule.get("Prefix") or limits.get("Prefix") or limits.get("And", {}).get("Prefix", "")
    )


def _check_cors() -> None:
    rules = _setting("get_bucket_cors").get("CORSRules", [])
    origins = {origin for rule in rules for origin in rule["AllowedOrigins"]}
    if origins != {settings.SITE_URL}:
        found = ", ".join(sorted(origins)) or "none"
        raise Fault(f"its CORS rules name {found}: let them name {settings.SITE_URL} and no other")


def _check_lock() -> None:
    """Enabled, and without a default: files couldn't be deleted."""
    found = _setting("get_object_lock_configuration").get("ObjectLockConfiguration", {})
    if found.get("ObjectLockEnabled") != "Enabled":
        raise Fault("enable Object Lock on the bucket, or set AUDIT_LOCK_DAYS=0")
    if "Rule" in found:
        raise Fault("remove Object Lock's default retention: deleted files would stay")


def _check_tls() -> None:
    policy = json.loads(_setting("get_bucket_policy").get("Policy", "{}"))
    statements = policy.get("Statement", [])
    if not any(_refuses_plain(each) for each in statements):
        raise Fault("let its policy deny every action where aws:SecureTransport is false")


def _refuses_plain(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition", {}).get("Bool", {})
    said = str(condition.get("aws:SecureTransport", "")).lower()
    return statement.get("Effect") == "Deny" and said == "false"


def _setting(call: str) -> dict[str, Any]:
    """A setting of the bucket; empty where it was never made."""
    try:
        answer: dict[str, Any] = getattr(s3_client(), call)(Bucket=settings.FILEVAULT_BUCKET)
    except AWS_ERRORS as error:
        if error_code(error) in _UNSET:
            return {}
        raise
    return answer
