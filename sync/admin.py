"""The console's pages; each has a module of its own in `sync.console`."""

from sync.console import companies, gaps, pipelines, postings, records, runs, stores

__all__ = ["companies", "gaps", "pipelines", "postings", "records", "runs", "stores"]
