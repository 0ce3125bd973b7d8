"""The private bucket of the local stack."""

from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from filevault.local.ministack import REGION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "filevault-local"


def provision_bucket(
    session: boto3.Session, *, endpoint: str, site: str, name: str = BUCKET
) -> str:
    """Create or update the bucket; returns its name. Safe to repeat.

    Production's bucket policy that refuses everything but TLS is left out here: the emulator is
    reached by plain http on 127.0.0.1, so that policy would refuse every request.
    """
    s3 = session.client("s3", endpoint_url=endpoint)
    try:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    _close(s3, name)
    _expire_parts(s3, name)
    _let_in(s3, name, site)
    return name


def _close(s3: "S3Client", name: str) -> None:
    """Private, versioned and encrypted."""
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_ownership_controls(
        Bucket=name,
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )


def _expire_parts(s3: "S3Client", name: str) -> None:
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "abort-incomplete-uploads",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    # Long after the worker should have done it: an upload that is gone on
                    # with day after day (`UPLOAD_RESUME_SECONDS`) must not lose its parts.
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                }
            ]
        },
    )


def _let_in(s3: "S3Client", name: str, site: str) -> None:
    """The site's own pages, and no others."""
    s3.put_bucket_cors(
        Bucket=name,
        CORSConfiguration={
            "CORSRules": [
                {
                    "AllowedOrigins": [site],
                    "AllowedMethods": ["PUT", "POST", "GET", "HEAD"],
                    "AllowedHeaders": [
                        "content-type",
                        "range",
                        "x-amz-checksum-sha256",
                        "x-amz-server-side-encryption*",
                    ],
                    "ExposeHeaders": ["Content-Range", "ETag"],
                    "MaxAgeSeconds": 600,
                }
            ]
        },
    )
