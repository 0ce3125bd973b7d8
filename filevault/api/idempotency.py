"""`Idempotency-Key`: a call that is sent again gets the same answer, and is done once."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from ninja.responses import NinjaJSONEncoder
from pydantic import BaseModel

from accounts.actors import Actor
from filevault.dynamo import new_id, now
from filevault.errors import Conflict
from filevault.tables import Once

KEPT: Final = timedelta(hours=24)
#: A call that has not ended by then has died with its process; its key is free again.
LEASE: Final = timedelta(minutes=1)


class KeyUsed(Conflict):
    """The key came with another body before."""

    code = "idempotency_mismatch"
    default_message = _("This Idempotency-Key was used for another request.")


class InProgress(Conflict):
    """The same call is being worked on just now."""

    code = "in_progress"
    default_message = _("The same request is being worked on. Please ask again in a moment.")


def once(
    actor: Actor, route: str, key: str | None, body: BaseModel, work: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What `work` answers, or what it answered to the same actor, route and key within the last 24
    hours. A refusal is not kept, so that the call can be sent again. Raises `KeyUsed`,
    `InProgress`, and whatever `work` does."""
    if key is None:
        return work()
    row = Once(_digest(actor.actor_id, route, key))
    digest = _digest(body.model_dump_json())
    mine = {"body": digest, "by": new_id()}
    free = Once.key.does_not_exist() | (Once.ttl < now())
    if not row.try_update([Once.answer.set(mine), Once.ttl.set(now() + LEASE)], free):
        return _kept(row.key, digest)
    still_mine = Once.answer == mine
    try:
        answer = work()
    except BaseException:
        row.try_update([Once.ttl.set(now() - LEASE)], still_mine)
        raise
    kept = json.loads(json.dumps(mine | {"answer": answer}, cls=NinjaJSONEncoder))
    row.try_update([Once.answer.set(kept), Once.ttl.set(now() + KEPT)], still_mine)
    return answer


def _kept(key: str, digest: str) -> dict[str, Any]:
    row = Once.fetch(key)
    kept: dict[str, Any] = dict(row.answer or {}) if row is not None else {}
    if kept.get("body", digest) != digest:
        raise KeyUsed
    if "answer" not in kept:
        raise InProgress
    return dict(kept["answer"])


def _digest(*texts: str) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
