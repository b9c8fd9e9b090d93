"""The console's pages; each has a module of its own in `sync.console`."""

from sync.console import (
    alerts,
    companies,
    completeness,
    destinations,
    erasures,
    gaps,
    imports,
    pipelines,
    postings,
    records,
    retention,
    runs,
    stores,
)

__all__ = [
    "alerts",
    "companies",
    "completeness",
    "destinations",
    "erasures",
    "gaps",
    "imports",
    "pipelines",
    "postings",
    "records",
    "retention",
    "runs",
    "stores",
]
