"""The worker's daily verification of the audit trail."""

import logging
from datetime import datetime, timedelta
from typing import Final

from accounts.checkpoints import read_checkpoints
from accounts.verification import verify_all
from filevault import jobs
from filevault.dynamo import now

logger = logging.getLogger(__name__)

VERIFY_JOB: Final = "audit.verify"
#: A sealer that was away is no break of the trail: it catches up.
GRACE: Final = timedelta(minutes=10)


@jobs.periodic("audit.verify", seconds=600)
def plan_verification() -> None:
    """See to it that there is one run a day, however many workers there are."""
    jobs.plan_once(f"verify:{now().date().isoformat()}", VERIFY_JOB)


@jobs.handler(VERIFY_JOB, slow=True)
def run_verification(claim: jobs.Claim) -> datetime | None:
    """Log each fault at ERROR, as `audit trail broken`: the line to raise an alarm on."""
    marks = read_checkpoints(keep=claim.keep)
    faults = 0
    for finding in verify_all(marks, grace=GRACE, keep=claim.keep):
        faults += 1
        logger.error(
            "audit trail broken",
            extra={
                "stream": finding.stream_id,
                "fault": finding.fault.value,
                "event": finding.event_id,
                "sequence": finding.sequence,
            },
        )
    if not faults:
        logger.info("audit trail verified", extra={"checkpoints": marks.checkpoints})
    return None
