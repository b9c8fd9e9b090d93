"""What the processes count and time, for Prometheus. Labels name set-up and outcomes: never a person, a secret, or an order.

This page holds what several packages count in the same way; what only one of them does is counted there.
"""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from audit.tracing import call_span

# From a lookup in the same rack to the longest deadline of a write.
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

CALLS = Counter(
    "tieout_calls",
    "Calls to stores and ERPs by their answer: 2xx, 3xx, 4xx, 429, 5xx, or none",
    ["side", "tenant", "connection", "answer"],
)
CALL_SECONDS = Histogram(
    "tieout_call_seconds",
    "How long calls to stores and ERPs took, answered or not",
    ["side", "tenant", "connection"],
    buckets=SECONDS,
)


def count_call(
    *, side: str, tenant: str, connection: str, method: str, url: str, status: int | None, seconds: float
) -> None:
    """Count one call outward, and make its span where traces are on.

    :param side: `store` or `erp`
    :param connection: the key of the store or of the ERP company
    :param status: None if no answer came
    """
    CALLS.labels(side, tenant, connection, answer_of(status)).inc()
    CALL_SECONDS.labels(side, tenant, connection).observe(seconds)
    call_span(
        side=side,
        tenant=tenant,
        connection=connection,
        method=method,
        url=url,
        status=status,
        seconds=seconds,
    )


def answer_of(status: int | None) -> str:
    """A status as its class; the refusal for too many calls stands apart, and "none" is no answer at all."""
    if status is None:
        return "none"
    return "429" if status == 429 else f"{status // 100}xx"
