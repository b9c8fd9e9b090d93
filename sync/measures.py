"""What the spine counts and times, for Prometheus: the receiver, the bell, and the journeys of one ERP company.

Each process counts for itself; `config.metrics` shows the sums. What stands in rows is read from there and not counted here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils import timezone
from prometheus_client import Counter, Histogram

from audit.measures import SECONDS
from audit.tracing import span
from erp.models import ErpConnection
from sync.models import Document, Posting

DELIVERIES = Counter("tieout_webhook_deliveries", "Webhook deliveries by what became of them", ["outcome"])
RECEIVER_SECONDS = Histogram(
    "tieout_webhook_seconds",
    "How long a webhook delivery took to be answered, whatever the answer",
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
RINGS = Counter("tieout_bell_rings", "Rings sent to the broker", ["outcome"])

_COMPANY = ["tenant", "company"]
JOURNEYS = Counter(
    "tieout_journeys",
    "Journeys of orders and customers by how they ended: done, later, unknown, refused, misconfigured, lease_lost, crashed",
    [*_COMPANY, "outcome"],
)
JOURNEY_SECONDS = Histogram(
    "tieout_journey_seconds",
    "How long a worker was busy with one order or customer",
    _COMPANY,
    buckets=SECONDS,
)
WAIT_SECONDS = Histogram(
    "tieout_wait_seconds",
    "How long an order or customer was due before a worker took it",
    _COMPANY,
    buckets=(0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0),
)
STATUSES = Counter(
    "tieout_postings_finished",
    "Orders and customers by the status a journey left them in",
    [*_COMPANY, "status"],
)
ATTEMPTS = Counter(
    "tieout_attempts",
    "Tries to bring one document into the ERP by outcome: created, adopted, absent, later, unknown, refused, misconfigured",
    [*_COMPANY, "kind", "outcome"],
)


@dataclass(slots=True)
class Journey:
    """One journey under way; `outcome` stays "crashed" unless somebody says how it ended."""

    outcome: str = "crashed"


@contextmanager
def journey_of(posting: Posting) -> Iterator[Journey]:
    """Count, time and trace one journey, and how long its posting had waited for it."""
    labels = _labels(posting.company)
    if posting.due_at is not None:
        WAIT_SECONDS.labels(*labels).observe(max(0.0, (timezone.now() - posting.due_at).total_seconds()))
    journey, started = Journey(), time.monotonic()
    tenant, company = labels
    with span("journey", tenant=tenant, company=company, kind=posting.record_kind) as told:
        try:
            yield journey
        finally:
            told["outcome"] = journey.outcome
            JOURNEYS.labels(*labels, journey.outcome).inc()
            JOURNEY_SECONDS.labels(*labels).observe(time.monotonic() - started)


def count_status(posting: Posting, status: str) -> None:
    """Count the status that a journey left a posting in."""
    STATUSES.labels(*_labels(posting.company), str(status)).inc()


def count_attempt(posting: Posting, document: Document, outcome: str) -> None:
    """Count one try to bring a document of this posting into the ERP."""
    ATTEMPTS.labels(*_labels(posting.company), document.kind, outcome).inc()


def _labels(company: ErpConnection) -> tuple[str, str]:
    return company.tenant.slug, company.key
