"""Who: profiles, sessions, and the audit trail."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.expressions.operand import Path
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from filevault.dynamo import BaseMeta, Table, table_name


class _UserByEmail(GlobalSecondaryIndex["User"]):
    class Meta:
        index_name = "byEmailHash"
        projection = KeysOnlyProjection()

    email_hash = UnicodeAttribute(hash_key=True, attr_name="emailHash")


class User(Table):
    """A practitioner's profile. `user_id` is the UUIDv5 of issuer and subject (L3), so that losing
    the SQL database loses nobody's ownership."""

    class Meta(BaseMeta):
        table_name = table_name("User")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    issuer = UnicodeAttribute()
    subject = UnicodeAttribute()
    email = UnicodeAttribute(default="")
    email_verified = BooleanAttribute(attr_name="emailVerified", default=False)
    email_hash = UnicodeAttribute(attr_name="emailHash", null=True)
    display_name = UnicodeAttribute(attr_name="displayName", default="")
    practice = UnicodeAttribute(default="")
    language = UnicodeAttribute(default="")
    is_admin = BooleanAttribute(attr_name="isAdmin", default=False)
    deactivated_at = UTCDateTimeAttribute(attr_name="deactivatedAt", null=True)
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    last_login_at = UTCDateTimeAttribute(attr_name="lastLoginAt", null=True)
    event_id = UnicodeAttribute(attr_name="eventId", null=True)

    by_email_hash = _UserByEmail()


class Session(Table):
    """A session under the hash of its key (L7). Each top-level value is an attribute of `data`
    of its own, so that parallel requests never lose what the other wrote."""

    class Meta(BaseMeta):
        table_name = table_name("Session")

    key_hash = UnicodeAttribute(hash_key=True, attr_name="keyHash")
    realm = UnicodeAttribute()
    data: MapAttribute[str, str] = MapAttribute(default=dict)
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    last_seen_at = UTCDateTimeAttribute(attr_name="lastSeenAt")
    ttl = TTLAttribute()

    @classmethod
    def value_at(cls, name: str) -> Path:
        """One value of `data`, to be set or removed alone."""
        return Path(["data", name])


class _Unsealed(GlobalSecondaryIndex["AuditEvent"]):
    class Meta:
        index_name = "unsealed"
        projection = KeysOnlyProjection()

    unsealed_shard = UnicodeAttribute(hash_key=True, attr_name="unsealedShard")
    event_id = UnicodeAttribute(range_key=True, attr_name="eventId")


class AuditEvent(Table):
    """One event of the trail. It is written in the transaction of the change it tells of; sequence
    and hash are added by the sealing job, which then drops `unsealed_shard`."""

    class Meta(BaseMeta):
        table_name = table_name("AuditEvent")

    stream_id = UnicodeAttribute(hash_key=True, attr_name="streamId")
    event_id = UnicodeAttribute(range_key=True, attr_name="eventId")
    action = UnicodeAttribute()
    actor = UnicodeAttribute()
    target = UnicodeAttribute(default="")
    address = UnicodeAttribute(default="")
    at = UTCDateTimeAttribute()
    details = JSONAttribute(default=dict)
    unsealed_shard = UnicodeAttribute(attr_name="unsealedShard", null=True)
    sequence = NumberAttribute(null=True)
    previous_hash = UnicodeAttribute(attr_name="previousHash", null=True)
    hash = UnicodeAttribute(null=True)

    unsealed = _Unsealed()


class _ChangedHeads(GlobalSecondaryIndex["StreamHead"]):
    class Meta:
        index_name = "changed"
        projection = KeysOnlyProjection()

    changed_shard = UnicodeAttribute(hash_key=True, attr_name="changedShard")
    stream_id = UnicodeAttribute(range_key=True, attr_name="streamId")


class StreamHead(Table):
    """The sealed end of a stream: how many events, and the hash of the last one."""

    class Meta(BaseMeta):
        table_name = table_name("StreamHead")

    stream_id = UnicodeAttribute(hash_key=True, attr_name="streamId")
    sequence = NumberAttribute(default=0)
    hash = UnicodeAttribute(default="")
    last_event_id = UnicodeAttribute(attr_name="lastEventId", null=True)
    sealed_at = UTCDateTimeAttribute(attr_name="sealedAt", null=True)
    changed_shard = UnicodeAttribute(attr_name="changedShard", null=True)

    changed = _ChangedHeads()
