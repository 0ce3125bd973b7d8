"""The bucket's own word that bytes have arrived: S3 events by way of SQS.

So a tab that was closed right after the last byte still yields an available, announced file, long
before its window closes. An event says no more than "look there": what counts is what
`files.checking` then sees, so that events may come twice, late, or beside the browser's confirm.
Message structure: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import json
import logging
from typing import Any, Final
from urllib.parse import unquote_plus

from files import keys
from files.checking import PURGE_JOB
from files.states import GONE
from files.tables import File, FileRef
from files.uploads import reconcile
from filevault import jobs, queues
from filevault.dynamo import Transaction
from filevault.errors import NotFound

logger = logging.getLogger(__name__)

#: What S3 sends once, when notifications are set up.
_TEST_EVENT: Final = "s3:TestEvent"
_CREATED: Final = "ObjectCreated:"


@queues.handler("uploads", setting="SQS_UPLOADS_URL")
def handle_message(body: str) -> None:
    """Look at each upload that a message tells of; again changes nothing. Raises
    `queues.BadMessage` and, where a part is away, what `jobs.OUTAGES` lists: once all were looked
    at, since one must not hold up another (N6)."""
    faults = []
    for key in created_keys(body):
        try:
            _settle(key)
        except Exception as error:  # noqa: BLE001 - raised below
            faults.append(error)
    if faults:
        raise faults[0]


def created_keys(body: str) -> list[str]:
    """The keys of objects that a message says were created. Raises `queues.BadMessage`."""
    try:
        message = json.loads(body)
        if message.get("Event") == _TEST_EVENT:
            return []
        return [_key(record) for record in message["Records"] if _tells_of_arrival(record)]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise queues.BadMessage from error


def _tells_of_arrival(record: dict[str, Any]) -> bool:
    return str(record["eventName"]).startswith(_CREATED)


def _key(record: dict[str, Any]) -> str:
    return unquote_plus(record["s3"]["object"]["key"])


def _settle(key: str) -> None:
    """Look at the upload under a key. What isn't a file's own key is left to `files.sweeping`."""
    stored = keys.parse(key)
    ref = FileRef.fetch(stored.file_id) if stored is not None and not stored.ending else None
    file = File.fetch(ref.space_id, ref.file_id) if ref is not None else None
    if file is None or file.s3_key != key:
        return
    if file.state in GONE:
        _purge(file)
        return
    try:
        reconcile(file.space_id, file.file_id)
    except NotFound:
        logger.info("file went while its event was read", extra={"file": file.file_id})


def _purge(file: File) -> None:
    """Bytes that came after the end must not stay until their upload's time is over."""
    tx = Transaction()
    jobs.enqueue(tx, PURGE_JOB, {"spaceId": file.space_id, "fileId": file.file_id})
    tx.commit()
