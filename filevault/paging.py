"""Pages of a listing and the opaque cursors between them."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

from filevault.errors import BadCursor

T = TypeVar("T", covariant=True)

CURSOR_LIFETIME = timedelta(days=1)


class Rows(Protocol[T]):
    """A limited query, as PynamoDB returns it."""

    def __iter__(self) -> Iterator[T]: ...

    @property
    def last_evaluated_key(self) -> dict[str, dict[str, Any]] | None: ...


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing; `cursor` is opaque, and empty on the last page."""

    items: list[T]
    cursor: str = ""


def read_page(rows: Rows[T], *, scope: str) -> Page[T]:
    """Read a limited query to its end and make the cursor that continues it. `scope` names the
    listing (its table and key), so that a cursor fits nowhere else."""
    items = list(rows)
    last = rows.last_evaluated_key
    return Page(items, make_cursor(last, scope=scope) if last else "")


def make_cursor(key: dict[str, Any], *, scope: str) -> str:
    """Seal the key that a listing continues after."""
    return _box().encrypt(json.dumps({"scope": scope, "key": key}).encode()).decode()


def open_cursor(cursor: str, *, scope: str) -> dict[str, Any] | None:
    """The key that a cursor continues after; None for an empty one. Raises `BadCursor`."""
    if not cursor:
        return None
    try:
        text = _box().decrypt(
            cursor.encode("ascii", "replace"), ttl=int(CURSOR_LIFETIME.total_seconds())
        )
        opened = json.loads(text)
    except (InvalidToken, ValueError):
        opened = {}
    if opened.get("scope") != scope:
        raise BadCursor
    return dict(opened["key"])


def _box() -> MultiFernet:
    """Encrypted and not only signed, because the address book's keys hold names (T2)."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [salted_hmac("filevault.cursor", "", secret=s, algorithm="sha256") for s in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(d.digest())) for d in digests])
