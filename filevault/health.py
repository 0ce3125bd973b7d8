"""Whether what the product depends on answers. Says `ok` or `down` and no name of anything."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import requests
from django.conf import settings

from filevault.aws import AWS_ERRORS, s3_client
from filevault.dynamo import STORE_ERRORS, all_tables

logger = logging.getLogger(__name__)

#: An answer is kept this long, so that asking often costs nothing: anybody may ask.
KEPT_SECONDS: Final = 5
DISCOVERY_TIMEOUT_SECONDS: Final = 3

_lock = threading.Lock()
_kept: tuple[float, dict[str, str]] | None = None


def check_dependencies() -> dict[str, str]:
    """Each dependency and whether it answers: `{"tables": "ok", "bucket": "down", …}`."""
    global _kept
    with _lock:
        if _kept is None or time.monotonic() - _kept[0] > KEPT_SECONDS:
            states = {name: _state(name, check) for name, check in _CHECKS.items()}
            _kept = (time.monotonic(), states)
        return dict(_kept[1])


def _state(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except (*STORE_ERRORS, *AWS_ERRORS, requests.RequestException) as error:
        extra = {"part": name, "error": type(error).__name__}
        logger.warning("a part does not answer", extra=extra)
        return "down"
    return "ok"


def _read_tables() -> None:
    """One read of a row that isn't there from each table: needs no right beyond the product's."""
    for table in all_tables():
        table.fetch("-", "-" if table._range_keyname else None)


def _reach_bucket() -> None:
    s3_client().head_bucket(Bucket=settings.FILEVAULT_BUCKET)


def _reach_discovery() -> None:
    answer = requests.get(settings.OIDC_DISCOVERY_URL, timeout=DISCOVERY_TIMEOUT_SECONDS)
    answer.raise_for_status()


_CHECKS: Final = {
    "tables": _read_tables,
    "bucket": _reach_bucket,
    "discovery": _reach_discovery,
}
