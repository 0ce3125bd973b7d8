"""Sessions in DynamoDB (`SESSION_ENGINE`), for practitioners and, in a realm apart, for clients.

The row stands under the hash of the key, so that who reads the table can use no session. Each
top-level value is an attribute of its own and a save writes only what changed, so that parallel
requests lose nothing (L7). Idle and absolute limits are checked on read; TTL comes days late.
"""

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase, UpdateError

from accounts.tables import Session
from filevault.dynamo import now

#: Values that more than one module reads: the id of the profile that signed in, and how the
#: provider says that the login was proved (`amr`, RFC 8176).
PROFILE_KEY: Final = "profile"
AMR_KEY: Final = "amr"
#: The `amr` of the password form: whoever may use that one may use the admin area.
BREAK_GLASS_AMR: Final = "break-glass"
#: How often `lastSeen` is written at most.
SEEN_EVERY: Final = timedelta(minutes=1)


class SessionStore(SessionBase):
    """A practitioner's session."""

    realm: ClassVar[str] = "practitioner"

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        #: Whether a person asks: what a page asks by itself keeps nobody signed in.
        self.is_used = True
        self._row: Session | None = None
        self._stored: dict[str, str] = {}

    @property
    def ends_at(self) -> datetime | None:
        """When the session ends unless it is used again; None where there is none yet."""
        if self._row is None:
            return None
        seen = now() if self._seen_is_due() else self._row.last_seen_at
        return min(seen + settings.SESSION_IDLE, self._row.created_at + settings.SESSION_ABSOLUTE)

    def load(self) -> dict[str, Any]:
        row = Session.fetch(self._hash(self.session_key)) if self.session_key else None
        if row is None or _has_ended(row):
            self._session_key = None
            return {}
        self._row = row
        self._stored = {key: row.data[key] for key in row.data}
        return {key: json.loads(text) for key, text in self._stored.items()}

    def create(self) -> None:
        """A new key with nothing under it; `cycle_key` then puts the data back."""
        self._session_key = None
        self._session_cache: dict[str, Any] = {}
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Write what changed. Raises `UpdateError` where the row was deleted meanwhile (a logout):
        a session that is dead stays dead."""
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        texts = {key: json.dumps(value) for key, value in data.items()}
        if must_create or self.session_key is None:
            self._insert(texts)
        else:
            self._update(texts)
        self._stored = texts

    def touch(self) -> None:
        """Note that the session was used, at most once a minute. A dead one stays dead."""
        if self._row is not None and self._seen_is_due():
            self._row.try_update(
                [Session.last_seen_at.set(now())], condition=Session.key_hash.exists()
            )

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            Session(self._hash(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Nothing to do: the table's TTL removes what has ended."""

    def _insert(self, texts: dict[str, str]) -> None:
        moment = now()
        self._session_key = secrets.token_urlsafe(32)
        self._row = Session(
            self._hash(self.session_key),
            realm=self.realm,
            data=texts,
            created_at=moment,
            last_seen_at=moment,
            ttl=moment + settings.SESSION_ABSOLUTE,
        )
        self._row.save()

    def _update(self, texts: dict[str, str]) -> None:
        changed = {key: text for key, text in texts.items() if self._stored.get(key) != text}
        actions: list[Any] = [Session.value_at(key).set(text) for key, text in changed.items()]
        actions += [Session.value_at(key).remove() for key in self._stored.keys() - texts.keys()]
        if self._seen_is_due():
            actions.append(Session.last_seen_at.set(now()))
        row = Session(self._hash(self.session_key))
        if actions and not row.try_update(actions, condition=Session.key_hash.exists()):
            raise UpdateError
        self._row = row if actions else self._row

    def _seen_is_due(self) -> bool:
        if not self.is_used:
            return False
        return self._row is None or now() - self._row.last_seen_at >= SEEN_EVERY

    def _hash(self, session_key: str | None) -> str:
        """The realm is part of what is hashed: a key of one realm opens nothing in the other."""
        return hashlib.sha256(f"{self.realm}:{session_key}".encode()).hexdigest()


class ClientSessionStore(SessionStore):
    """A client's session, under /portal/ and /invite/ alone."""

    realm = "client"


def _has_ended(row: Session) -> bool:
    moment = now()
    idle = moment - row.last_seen_at >= settings.SESSION_IDLE
    return idle or moment - row.created_at >= settings.SESSION_ABSOLUTE
