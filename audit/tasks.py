"""Celery: tasks carry the correlation id of whoever sent them; the trail's partitions are made ahead."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from celery import shared_task
from celery.signals import before_task_publish, task_postrun, task_prerun

from audit import correlation
from audit.partitions import make_partitions

HEADER = "tieout_correlation_id"

_running: dict[str, ExitStack] = {}


@before_task_publish.connect(weak=False)
def _send_along(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """The id bound where the task is sent goes with it."""
    if headers is not None and correlation.get():
        headers.setdefault(HEADER, correlation.get())


@task_prerun.connect(weak=False)
def _bind(task_id: str = "", task: Any = None, **_: Any) -> None:
    """The task runs under the id that came with it, or a new one, and as Tieout itself."""
    # A worker puts the message's headers on the request itself, `apply` into its `headers`.
    given = str(getattr(task.request, HEADER, None) or (task.request.headers or {}).get(HEADER) or "")
    stack = ExitStack()
    stack.enter_context(correlation.bind(given if correlation.is_well_formed(given) else "", actor=""))
    _running[task_id] = stack


@task_postrun.connect(weak=False)
def _release(task_id: str = "", **_: Any) -> None:
    """The thread is given back without an id."""
    if stack := _running.pop(task_id, None):
        stack.close()


@shared_task(name="audit.make_partitions")
def make_audit_partitions() -> int:
    """Make the coming months' partitions; run once a day. The number of partitions made."""
    return make_partitions()
