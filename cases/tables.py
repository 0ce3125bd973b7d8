"""Why: clients, cases, invitations, upload notices and search."""

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from filevault.dynamo import BaseMeta, Table, table_name


class _ClientsByName(GlobalSecondaryIndex["Client"]):
    class Meta:
        index_name = "byName"
        projection = KeysOnlyProjection()

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    name_key = UnicodeAttribute(range_key=True, attr_name="nameKey")


class _ClientsByEmail(GlobalSecondaryIndex["Client"]):
    class Meta:
        index_name = "byEmailHash"
        projection = KeysOnlyProjection()

    email_hash = UnicodeAttribute(hash_key=True, attr_name="emailHash")


class Client(Table):
    """A person in a practitioner's address book. `open_cases` is held in the transactions of the
    cases, so that a delete can be refused by a condition; `case_ids` are the cases they are on,
    open or closed."""

    class Meta(BaseMeta):
        table_name = table_name("Client")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    client_id = UnicodeAttribute(range_key=True, attr_name="clientId")
    name = UnicodeAttribute()
    email = UnicodeAttribute()
    phone = UnicodeAttribute(default="")
    notes = UnicodeAttribute(default="")
    language = UnicodeAttribute(default="")
    name_key = UnicodeAttribute(attr_name="nameKey")
    email_hash = UnicodeAttribute(attr_name="emailHash")
    open_cases = NumberAttribute(attr_name="openCases", default=0)
    case_ids = UnicodeSetAttribute(attr_name="caseIds", null=True)
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    updated_at = UTCDateTimeAttribute(attr_name="updatedAt")
    event_id = UnicodeAttribute(attr_name="eventId", null=True)

    by_name = _ClientsByName()
    by_email_hash = _ClientsByEmail()


class _CasesByStatus(GlobalSecondaryIndex["Case"]):
    class Meta:
        index_name = "byStatus"
        projection = KeysOnlyProjection()

    owner_status = UnicodeAttribute(hash_key=True, attr_name="ownerStatus")
    updated_at = UTCDateTimeAttribute(range_key=True, attr_name="updatedAt")


class Case(Table):
    """A matter between a practitioner and one or more clients; `owner_status` is
    `userId#status`. `members` says of each colleague on it (by user id) what they may do,
    `pending_members` of each address (by its hash) that nobody has proved yet. `retention` is a
    rule of `cases.retention`; once closed, `retain_until` is when the case will be deleted, and
    `warned_days` the last warning that went out. While `held_at` is set a legal hold keeps
    everything (T5)."""

    class Meta(BaseMeta):
        table_name = table_name("Case")

    case_id = UnicodeAttribute(hash_key=True, attr_name="caseId")
    user_id = UnicodeAttribute(attr_name="userId")
    owner_status = UnicodeAttribute(attr_name="ownerStatus")
    status = UnicodeAttribute()
    title = UnicodeAttribute()
    reference = UnicodeAttribute(default="")
    notes = UnicodeAttribute(default="")
    client_ids: ListAttribute[str] = ListAttribute(attr_name="clientIds", default=list)
    members: MapAttribute[str, str] = MapAttribute(default=dict)
    pending_members: MapAttribute[str, str] = MapAttribute(attr_name="pendingMembers", default=dict)
    link_only = BooleanAttribute(attr_name="linkOnly", default=False)
    file_count = NumberAttribute(attr_name="fileCount", default=0)
    bytes_used = NumberAttribute(attr_name="bytesUsed", default=0)
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    updated_at = UTCDateTimeAttribute(attr_name="updatedAt")
    closed_at = UTCDateTimeAttribute(attr_name="closedAt", null=True)
    deleted_at = UTCDateTimeAttribute(attr_name="deletedAt", null=True)
    retention = UnicodeAttribute(default="")
    retain_until = UTCDateTimeAttribute(attr_name="retainUntil", null=True)
    warned_days = NumberAttribute(attr_name="warnedDays", null=True)
    held_at = UTCDateTimeAttribute(attr_name="heldAt", null=True)
    held_by = UnicodeAttribute(attr_name="heldBy", null=True)
    hold_reason = UnicodeAttribute(attr_name="holdReason", null=True)
    certificate_id = UnicodeAttribute(attr_name="certificateId", null=True)
    event_id = UnicodeAttribute(attr_name="eventId", null=True)

    by_status = _CasesByStatus()


class CaseMember(Table):
    """A colleague on a case, listed for them. It counts only together with the case's own
    `members`. `email` is the address as the owner wrote it."""

    class Meta(BaseMeta):
        table_name = table_name("CaseMember")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    case_id = UnicodeAttribute(range_key=True, attr_name="caseId")
    shared_by = UnicodeAttribute(attr_name="sharedBy")
    email = UnicodeAttribute()
    created_at = UTCDateTimeAttribute(attr_name="createdAt")


class PendingMember(Table):
    """A case shared with an address that nobody has proved to be theirs yet; it becomes a
    `CaseMember` at that person's login."""

    class Meta(BaseMeta):
        table_name = table_name("PendingMember")

    email_hash = UnicodeAttribute(hash_key=True, attr_name="emailHash")
    case_id = UnicodeAttribute(range_key=True, attr_name="caseId")
    shared_by = UnicodeAttribute(attr_name="sharedBy")
    email = UnicodeAttribute()
    created_at = UTCDateTimeAttribute(attr_name="createdAt")


class _InvitationsByClient(GlobalSecondaryIndex["Invitation"]):
    class Meta:
        index_name = "byClient"
        projection = KeysOnlyProjection()

    client_id = UnicodeAttribute(hash_key=True, attr_name="clientId")
    case_id = UnicodeAttribute(range_key=True, attr_name="caseId")


class Invitation(Table):
    """A client's way into one case. Read on every request of a client session (I4). `jti` changes
    when access is given anew, so that older links and devices die with the revocation."""

    class Meta(BaseMeta):
        table_name = table_name("Invitation")

    case_id = UnicodeAttribute(hash_key=True, attr_name="caseId")
    client_id = UnicodeAttribute(range_key=True, attr_name="clientId")
    user_id = UnicodeAttribute(attr_name="userId")
    access = UnicodeAttribute()
    jti = UnicodeAttribute()
    expires_at = UTCDateTimeAttribute(attr_name="expiresAt")
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    opened_at = UTCDateTimeAttribute(attr_name="openedAt", null=True)
    last_used_at = UTCDateTimeAttribute(attr_name="lastUsedAt", null=True)
    revoked_at = UTCDateTimeAttribute(attr_name="revokedAt", null=True)
    wished_at = UTCDateTimeAttribute(attr_name="wishedAt", null=True)
    code_hash = UnicodeAttribute(attr_name="codeHash", null=True)
    code_tries = NumberAttribute(attr_name="codeTries", default=0)
    code_expires_at = UTCDateTimeAttribute(attr_name="codeExpiresAt", null=True)
    mail_id = UnicodeAttribute(attr_name="mailId", null=True)
    mail_state = UnicodeAttribute(attr_name="mailState", null=True)
    mail_sent_at = UTCDateTimeAttribute(attr_name="mailSentAt", null=True)
    event_id = UnicodeAttribute(attr_name="eventId", null=True)

    by_client = _InvitationsByClient()


class ClientDevice(Table):
    """A device that needs no new code; it dies with the invitation's `jti`."""

    class Meta(BaseMeta):
        table_name = table_name("ClientDevice")

    invitation_key = UnicodeAttribute(hash_key=True, attr_name="invitationKey")
    device_hash = UnicodeAttribute(range_key=True, attr_name="deviceHash")
    jti = UnicodeAttribute()
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    ttl = TTLAttribute()


class Notice(Table):
    """The one open upload window of a case and a recipient. `closes_at` moves with every upload of
    the burst, never past `closes_latest_at`. Closing deletes the row, and its job goes on."""

    class Meta(BaseMeta):
        table_name = table_name("Notice")

    notice_key = UnicodeAttribute(hash_key=True, attr_name="noticeKey")
    notice_id = UnicodeAttribute(attr_name="noticeId")
    opened_at = UTCDateTimeAttribute(attr_name="openedAt")
    closes_at = UTCDateTimeAttribute(attr_name="closesAt")
    closes_latest_at = UTCDateTimeAttribute(attr_name="closesLatestAt")


class NoticeFile(Table):
    """Exactly which files a window holds; `mail_id` once a mail has counted it, `tries` how often
    its check failed by a fault of ours."""

    class Meta(BaseMeta):
        table_name = table_name("NoticeFile")

    notice_id = UnicodeAttribute(hash_key=True, attr_name="noticeId")
    file_id = UnicodeAttribute(range_key=True, attr_name="fileId")
    space_id = UnicodeAttribute(attr_name="spaceId")
    mail_id = UnicodeAttribute(attr_name="mailId", null=True)
    tries = NumberAttribute(default=0)
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    ttl = TTLAttribute(null=True)


class RetentionEnd(Table):
    """When closed cases of a practitioner come to their end: `<retainUntil>#<caseId>`, written and
    deleted with the case's `retain_until`. It lists; the case decides."""

    class Meta(BaseMeta):
        table_name = table_name("RetentionEnd")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    end_key = UnicodeAttribute(range_key=True, attr_name="endKey")


class DeletionCertificate(Table):
    """That a case was deleted, and why; `document` is the signed certificate, once everything has
    gone. Holds no title and no name."""

    class Meta(BaseMeta):
        table_name = table_name("DeletionCertificate")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    certificate_id = UnicodeAttribute(range_key=True, attr_name="certificateId")
    case_id = UnicodeAttribute(attr_name="caseId")
    reason = UnicodeAttribute()
    closed_at = UTCDateTimeAttribute(attr_name="closedAt", null=True)
    retain_until = UTCDateTimeAttribute(attr_name="retainUntil", null=True)
    deleted_at = UTCDateTimeAttribute(attr_name="deletedAt")
    finished_at = UTCDateTimeAttribute(attr_name="finishedAt", null=True)
    file_count = NumberAttribute(attr_name="fileCount", null=True)
    byte_count = NumberAttribute(attr_name="byteCount", null=True)
    document = UnicodeAttribute(null=True)
    event_id = UnicodeAttribute(attr_name="eventId", null=True)


class Seen(Table):
    """When a practitioner last looked at a case: what came later is new."""

    class Meta(BaseMeta):
        table_name = table_name("Seen")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    case_id = UnicodeAttribute(range_key=True, attr_name="caseId")
    seen_at = UTCDateTimeAttribute(attr_name="seenAt")


class SearchTerm(Table):
    """One normalised word of one record: `term#kind#id`, read by prefix."""

    class Meta(BaseMeta):
        table_name = table_name("SearchTerm")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    term_key = UnicodeAttribute(range_key=True, attr_name="termKey")
