"""The text that Prometheus reads."""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from config.metrics import folder

__all__ = ["CONTENT_TYPE_LATEST", "counted", "of_rows"]

disable_created_metrics()  # a second series for each counter, which nothing here asks for


def counted() -> bytes:
    """What this process counted; where several share a folder (`config.metrics.folder`), what all of them did."""
    if not os.environ.get(folder.VARIABLE):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


def of_rows() -> bytes:
    """What stands in the database now."""
    from config.metrics.state import (
        StateCollector,  # a worker's own port serves counters alone, without queries
    )

    registry = CollectorRegistry()
    registry.register(StateCollector())
    return generate_latest(registry)
