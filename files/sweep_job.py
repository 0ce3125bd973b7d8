"""The worker's daily sweep: a job in slices, so that others get their turn between them."""

import logging
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from files.findings import SAFE, Finding
from files.sweeping import Sweep
from filevault import jobs
from filevault.dynamo import Transaction, now

logger = logging.getLogger(__name__)

SWEEP_JOB: Final = "storage.sweep"
OLDER_THAN: Final = timedelta(hours=24)
#: How long one slice goes on before other slow jobs get their turn (N6).
SLICE_SECONDS: Final = 20.0


@jobs.periodic("storage.sweep", seconds=600)
def plan_sweep() -> None:
    """See to it that there is one sweep a day, however many workers run."""
    moment = now()
    sweep = Sweep(moment - OLDER_THAN, SAFE)
    jobs.plan_once(f"sweep:{moment.date().isoformat()}", SWEEP_JOB, _dump(sweep))


@jobs.handler(SWEEP_JOB, slow=True)
def sweep_slice(claim: jobs.Claim) -> datetime | None:
    """Sweep for a while; what follows is a job of its own, which begins where this ends."""
    sweep = _load(claim.payload)
    sweep.keep = claim.keep
    until = time.monotonic() + SLICE_SECONDS
    while sweep.step():
        if time.monotonic() < until:
            claim.keep()
            continue
        tx = Transaction()
        claim.complete_in(tx)
        jobs.enqueue(tx, SWEEP_JOB, _dump(sweep))
        tx.commit()
        return None
    report(sweep)
    return None


def report(sweep: Sweep) -> None:
    """Log what a sweep has found: at ERROR, as `sweep found leftovers`, unless that is nothing.
    Counts alone: no key and no name."""
    counts = {finding.value: sweep.found[finding] for finding in Finding}
    extra = {"left": sweep.left, **counts}
    if any(count for finding, count in counts.items() if finding != Finding.FOREIGN):
        logger.error("sweep found leftovers", extra=extra)
    else:
        logger.info("sweep found nothing", extra=extra)


def _dump(sweep: Sweep) -> dict[str, Any]:
    return {
        "horizon": sweep.horizon.isoformat(),
        "repairs": sorted(sweep.repairs),
        "stage": sweep.stage,
        "cursor": sweep.cursor,
        "found": dict(sweep.found),
        "repaired": dict(sweep.repaired),
    }


def _load(payload: dict[str, Any]) -> Sweep:
    return Sweep(
        horizon=datetime.fromisoformat(payload["horizon"]),
        repairs=frozenset(map(Finding, payload["repairs"])),
        stage=payload["stage"],
        cursor=payload["cursor"],
        found=Counter(payload["found"]),
        repaired=Counter(payload["repaired"]),
    )
