"""Tables that belong to no app: due work, the mail outbox, limits and idempotency."""

from pynamodb.attributes import (
    JSONAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from filevault.dynamo import BaseMeta, Table, table_name


class Job(Table):
    """Work that falls due. Listed by shard and time with a consistent query, so no index is needed;
    claimed by a conditional write of owner, fence and lease."""

    class Meta(BaseMeta):
        table_name = table_name("Job")

    shard = UnicodeAttribute(hash_key=True)
    due_key = UnicodeAttribute(range_key=True, attr_name="dueKey")
    kind = UnicodeAttribute()
    payload = JSONAttribute(default=dict)
    owner = UnicodeAttribute(null=True)
    fence = NumberAttribute(default=0)
    lease_until = UTCDateTimeAttribute(attr_name="leaseUntil", null=True)
    tries = NumberAttribute(default=0)
    last_error = UnicodeAttribute(attr_name="lastError", null=True)
    created_at = UTCDateTimeAttribute(attr_name="createdAt")


class _MailBySes(GlobalSecondaryIndex["Mail"]):
    class Meta:
        index_name = "bySesMessageId"
        projection = AllProjection()

    ses_message_id = UnicodeAttribute(hash_key=True, attr_name="sesMessageId")


class _MailByDay(GlobalSecondaryIndex["Mail"]):
    class Meta:
        index_name = "byDay"
        projection = AllProjection()

    day = UnicodeAttribute(hash_key=True)
    mail_id = UnicodeAttribute(range_key=True, attr_name="mailId")


class Mail(Table):
    """The outbox. A mail has a state before it is sent: queued → sending → sent, or dead; what SES
    tells later makes it bounced or complained. `context` holds ids (and a login code for its ten
    minutes), never rendered text. Once the mail is out it is emptied, but where somebody has to
    hear of a bounce."""

    class Meta(BaseMeta):
        table_name = table_name("Mail")

    mail_id = UnicodeAttribute(hash_key=True, attr_name="mailId")
    template = UnicodeAttribute()
    address_hash = UnicodeAttribute(attr_name="addressHash")
    context = JSONAttribute(default=dict)
    state = UnicodeAttribute()
    tries = NumberAttribute(default=0)
    reason = UnicodeAttribute(null=True)
    ses_message_id = UnicodeAttribute(attr_name="sesMessageId", null=True)
    day = UnicodeAttribute()
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
    sent_at = UTCDateTimeAttribute(attr_name="sentAt", null=True)
    ttl = TTLAttribute(null=True)

    by_ses_message_id = _MailBySes()
    by_day = _MailByDay()


class Suppression(Table):
    """Addresses that bounced for good or complained; nothing is sent to them."""

    class Meta(BaseMeta):
        table_name = table_name("Suppression")

    address_hash = UnicodeAttribute(hash_key=True, attr_name="addressHash")
    reason = UnicodeAttribute()
    created_at = UTCDateTimeAttribute(attr_name="createdAt")


class Limit(Table):
    """One counter of one key in one window; atomic, so that it holds across processes."""

    class Meta(BaseMeta):
        table_name = table_name("Limit")

    key = UnicodeAttribute(hash_key=True)
    used = NumberAttribute(default=0)
    ttl = TTLAttribute()


class Once(Table):
    """What may happen once: idempotency keys and their recorded answers."""

    class Meta(BaseMeta):
        table_name = table_name("Once")

    key = UnicodeAttribute(hash_key=True)
    answer = JSONAttribute(null=True)
    ttl = TTLAttribute()


class SigningKey(Table):
    """A public key that has signed, or may: kept for ever, so that a signature outlives the private
    key (T3). All of them lie in one partition."""

    class Meta(BaseMeta):
        table_name = table_name("SigningKey")

    key_set = UnicodeAttribute(hash_key=True, attr_name="keySet")
    key_id = UnicodeAttribute(range_key=True, attr_name="keyId")
    public_key = UnicodeAttribute(attr_name="publicKey")
    created_at = UTCDateTimeAttribute(attr_name="createdAt")
