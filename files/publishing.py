"""Tells subscribers of each file that became available, by an SNS topic (`SNS_TOPIC_ARN`).

The job is written in the transaction that makes the file available, so that none is missed. SNS
takes a message at least once: `eventId` is the same each time, so that a subscriber can tell a
double. Ids, size and type alone, no names: e-mail and other accounts may be subscribed.
"""

import json
import logging
from typing import Any, Final

from django.conf import settings

from files.checking import PUBLISH_JOB
from files.states import FileState
from files.tables import File
from filevault import jobs
from filevault.aws import AWS_ERRORS, error_code, sns_client
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

EVENT: Final = "file.available"


@jobs.handler(PUBLISH_JOB)
def publish(claim: jobs.Claim) -> None:
    """Publish one file, unless it has gone again since. Raises `Unavailable` where SNS doesn't take
    it, for whatever reason: the job waits until it does."""
    file = File.fetch(claim.payload["spaceId"], claim.payload["fileId"])
    if not settings.SNS_TOPIC_ARN or file is None or file.state != FileState.AVAILABLE:
        return
    message = _message(file, claim.payload["eventId"])
    attributes = {
        "event": EVENT,
        "spaceKind": file.space_id.partition(":")[0],
        "mimeType": file.mime_type,
    }
    try:
        sns_client().publish(
            TopicArn=settings.SNS_TOPIC_ARN,
            Message=json.dumps(message),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )
    except AWS_ERRORS as error:
        code = error_code(error) or type(error).__name__
        logger.error("file not published", extra={"file": file.file_id, "error": code})
        raise Unavailable(code="topic_unavailable") from error


def _message(file: File, event_id: str) -> dict[str, Any]:
    kind, _, key = file.space_id.partition(":")
    return {
        "event": EVENT,
        "eventId": event_id,
        "fileId": file.file_id,
        "spaceId": file.space_id,
        **({"caseId": key} if kind == "case" else {}),
        "userId": file.owner_id,
        "size": int(file.size),
        "mimeType": file.mime_type,
        "at": file.available_at.isoformat(),
    }
