"""What a monitoring system reads: how much waits, for how long, and what became of mails.

Numbers alone, of nobody. Each reading is a handful of queries (no scan), and is kept for a while,
so that several who ask cost no more than one. Requests and their errors are counted by the load
balancer, queues by SQS itself.
"""

import threading
import time
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily

from filevault import jobs, mail
from filevault.dynamo import now

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
KEPT_SECONDS: Final = 15
#: Every state of a mail, so that a count of none is said, and not left out.
_MAIL_STATES: Final = ("queued", "sending", "sent", "cancelled", "dead", "bounced", "complained")

_lock = threading.Lock()
_kept: tuple[float, bytes] | None = None


def render_metrics() -> bytes:
    """The metrics in Prometheus's text format. Raises what the store raises while it is away."""
    global _kept
    with _lock:
        if _kept is None or time.monotonic() - _kept[0] > KEPT_SECONDS:
            registry = CollectorRegistry(auto_describe=False)
            registry.register(_Collector())
            _kept = (time.monotonic(), generate_latest(registry))
        return _kept[1]


class _Collector:
    def describe(self) -> list[GaugeMetricFamily]:
        return []  # registering must not read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        moment = now()
        oldest = jobs.oldest_due_at()
        age = (moment - oldest).total_seconds() if oldest else 0.0
        due, dead = jobs.count_waiting()
        yield GaugeMetricFamily(
            "filevault_jobs_oldest_due_seconds",
            "How long the job that has waited longest has been due; 0 when none waits.",
            value=max(0.0, age),
        )
        yield GaugeMetricFamily(
            "filevault_jobs_due",
            "Jobs that are due or being done, counted up to 1000 a shard.",
            value=due,
        )
        yield GaugeMetricFamily(
            "filevault_jobs_dead", "Jobs that were given up, counted up to 1000.", value=dead
        )
        states = mail.count_states(moment.date())
        mails = GaugeMetricFamily(
            "filevault_mails_today",
            "Mails of this day (UTC) by state, of the newest 5000.",
            labels=["state"],
        )
        for state in sorted({*_MAIL_STATES, *states}):
            mails.add_metric([state], states[state])
        yield mails
