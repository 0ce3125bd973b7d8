"""What: file records, their lookup by id, shares and what a space uses."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from filevault.dynamo import BaseMeta, Table, table_name


class _Images(GlobalSecondaryIndex["File"]):
    class Meta:
        index_name = "images"
        projection = AllProjection()

    image_space = UnicodeAttribute(hash_key=True, attr_name="imageSpace")
    file_id = UnicodeAttribute(range_key=True, attr_name="fileId")


class File(Table):
    """A file of a space. Ids are UUIDv7, so the base table lists newest first, consistently.
    Sizes in bytes, digests in hex; `version_id` is the pinned S3 version that was checked and is
    served. `held_bytes` is what of the quota it holds (nothing: it gave that back), `purged_at`
    says when its bytes were seen to be gone.

    `declared_sha256` is what the sender's device computed, `sha256` what storage or the worker has
    proved. `upload_id` and `part_size` belong to a multipart upload; `active_at` is when the sender
    was last heard of (beginning, having parts signed, confirming). `scan_verdict` is a
    `files.states.Scan`. `admin_reads` are the last times that an admin opened the file, as
    `{"at": ISO 8601, "reason": text}`; the trail has all of them. `proof_event_id` is the event
    that holds its proved SHA-256, for the receipt, and stays after a deletion. The versions of
    thumbnail and preview are pinned like the file's own."""

    class Meta(BaseMeta):
        table_name = table_name("File")

    space_id = UnicodeAttribute(hash_key=True, attr_name="spaceId")
    file_id = UnicodeAttribute(range_key=True, attr_name="fileId")
    owner_id = UnicodeAttribute(attr_name="userId")
    file_name = UnicodeAttribute(attr_name="fileName")
    s3_key = UnicodeAttribute(attr_name="s3Key")
    version_id = UnicodeAttribute(attr_name="versionId", null=True)
    size = NumberAttribute()
    held_bytes = NumberAttribute(attr_name="heldBytes", null=True)
    mime_type = UnicodeAttribute(attr_name="mimeType")
    declared_sha256 = UnicodeAttribute(attr_name="declaredSha256", null=True)
    sha256 = UnicodeAttribute(null=True)
    upload_id = UnicodeAttribute(attr_name="uploadId", null=True)
    part_size = NumberAttribute(attr_name="partSize", null=True)
    active_at = UTCDateTimeAttribute(attr_name="activeAt", null=True)
    scan_verdict = UnicodeAttribute(attr_name="scan", null=True)
    thumb_version_id = UnicodeAttribute(attr_name="thumbVersionId", null=True)
    preview_version_id = UnicodeAttribute(attr_name="previewVersionId", null=True)
    state = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    uploaded_by = UnicodeAttribute(attr_name="uploadedBy")
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    upload_expires_at = UTCDateTimeAttribute(attr_name="uploadExpiresAt")
    available_at = UTCDateTimeAttribute(attr_name="availableAt", null=True)
    deleted_at = UTCDateTimeAttribute(attr_name="deletedAt", null=True)
    purged_at = UTCDateTimeAttribute(attr_name="purgedAt", null=True)
    request_id = UnicodeAttribute(attr_name="requestId", null=True)
    shared_with: ListAttribute[str] = ListAttribute(attr_name="sharedWith", default=list)
    pending_with: ListAttribute[str] = ListAttribute(attr_name="pendingWith", default=list)
    is_read_only = BooleanAttribute(attr_name="isReadOnly", default=True)
    admin_reads = JSONAttribute(attr_name="adminReads", null=True)
    image_space = UnicodeAttribute(attr_name="imageSpace", null=True)
    event_id = UnicodeAttribute(attr_name="eventId", null=True)
    proof_event_id = UnicodeAttribute(attr_name="proofEventId", null=True)

    images = _Images()


class FileRef(Table):
    """A file by its id alone; written in the file's own transaction."""

    class Meta(BaseMeta):
        table_name = table_name("FileRef")

    file_id = UnicodeAttribute(hash_key=True, attr_name="fileId")
    space_id = UnicodeAttribute(attr_name="spaceId")


class FileDigest(Table):
    """Files of a space by content, so that the same bytes sent twice can be pointed out.
    `digest_key` is `<sha256>#<fileId>`; written and deleted with the file's own row."""

    class Meta(BaseMeta):
        table_name = table_name("FileDigest")

    space_id = UnicodeAttribute(hash_key=True, attr_name="spaceId")
    digest_key = UnicodeAttribute(range_key=True, attr_name="digestKey")


class FileShare(Table):
    """ "Shared with me" in one query; copies the display fields, which never change. It counts
    only together with the file's own `shared_with`. `email` is the address as its owner wrote it,
    where it was shared by address."""

    class Meta(BaseMeta):
        table_name = table_name("FileShare")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    file_id = UnicodeAttribute(range_key=True, attr_name="fileId")
    space_id = UnicodeAttribute(attr_name="spaceId")
    file_name = UnicodeAttribute(attr_name="fileName")
    size = NumberAttribute()
    mime_type = UnicodeAttribute(attr_name="mimeType")
    shared_by = UnicodeAttribute(attr_name="sharedBy")
    email = UnicodeAttribute(null=True)
    created_at = UTCDateTimeAttribute(attr_name="createdAt")


class PendingShare(Table):
    """A share with an address that nobody has proved to be theirs yet; it becomes a `FileShare` at
    that person's login."""

    class Meta(BaseMeta):
        table_name = table_name("PendingShare")

    email_hash = UnicodeAttribute(hash_key=True, attr_name="emailHash")
    file_id = UnicodeAttribute(range_key=True, attr_name="fileId")
    space_id = UnicodeAttribute(attr_name="spaceId")
    shared_by = UnicodeAttribute(attr_name="sharedBy")
    email = UnicodeAttribute()
    created_at = UTCDateTimeAttribute(attr_name="createdAt")


class Usage(Table):
    """Bytes and files that count against an owner's quota; changed by atomic adds."""

    class Meta(BaseMeta):
        table_name = table_name("Usage")

    space_owner = UnicodeAttribute(hash_key=True, attr_name="spaceOwner")
    bytes_used = NumberAttribute(attr_name="bytesUsed", default=0)
    file_count = NumberAttribute(attr_name="fileCount", default=0)
