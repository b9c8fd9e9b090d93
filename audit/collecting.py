"""Entries that are collected while a record is worked off, and written with the next change of state.

One journey makes some twenty entries. Written one by one, each with a transaction of its own, they were most of what an
order cost (docs/performance.md). Inside `collecting()`, `audit.recording.record` and `audit.calls.record_call` only
remember; `step()` is a transaction that ends with writing what was remembered. So what changes the state of a row is in
the trail if, and only if, it was committed, and nothing is sent to an ERP before everything up to it is in the trail.
Only the reads since the last step are lost when a process is killed; they changed nothing, and are done again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from audit.models import AuditEntry
from audit.stored_bodies import Body, store_bodies


@dataclass(slots=True)
class Collected:
    """What was recorded and is not written yet; with each entry when, on this process's monotonic clock."""

    entries: list[tuple[float, AuditEntry]] = field(default_factory=list)
    bodies: dict[tuple[int | None, str], Body] = field(default_factory=dict)


_collected: ContextVar[Collected | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[None]:
    """Collect until the end of the block; what no step has written by then is written there, whatever happened."""
    token = _collected.set(Collected())
    try:
        yield
    finally:
        try:
            if _collected.get().entries:  # type: ignore[union-attr]
                with step():
                    pass
        finally:
            _collected.reset(token)


@contextmanager
def step() -> Iterator[None]:
    """A transaction that writes what was collected as its last act. If it is rolled back, what was recorded in it is
    forgotten as its other rows are, and what was recorded before it waits for the next step.
    """
    collected = _collected.get()
    if collected is None:
        with transaction.atomic():
            yield
        return
    before = len(collected.entries)
    try:
        with transaction.atomic():
            yield
            _write(collected)
    except BaseException:
        del collected.entries[before:]
        raise
    collected.entries.clear()
    collected.bodies.clear()


def keep(entry: AuditEntry, bodies: tuple[Body, ...] = ()) -> AuditEntry:
    """Collect an entry with the bodies it names, or write it now where nothing is collected."""
    collected = _collected.get()
    if collected is None and not bodies:
        entry.save(force_insert=True)
        return entry
    if collected is None:
        with transaction.atomic(savepoint=False):
            store_bodies(bodies)
            entry.save(force_insert=True)
        return entry
    collected.entries.append((time.monotonic(), entry))
    collected.bodies.update({(body.tenant_id, body.sha256): body for body in bodies})
    return entry


def _write(collected: Collected) -> None:
    if not collected.entries:
        return
    store_bodies(tuple(collected.bodies.values()))
    now = time.monotonic()
    rows = [
        {
            "age": now - at,
            "tenant_id": entry.tenant_id,
            "action": entry.action,
            "subjects": entry.subjects,
            "correlation_id": entry.correlation_id,
            "actor": entry.actor,
            "details": entry.details,
        }
        for at, entry in collected.entries
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [json.dumps(rows, cls=DjangoJSONEncoder)])


# The moment of an entry is the database's, less the time it has waited here.
_INSERT = """
INSERT INTO audit_auditentry (at, tenant_id, action, subjects, correlation_id, actor, details)
SELECT clock_timestamp() - make_interval(secs => age), tenant_id, action, subjects, correlation_id, actor, details
FROM ROWS FROM (
    jsonb_to_recordset(%s::jsonb) AS (
        age double precision, tenant_id bigint, action text, subjects text[], correlation_id text, actor text,
        details jsonb
    )
) WITH ORDINALITY AS e(age, tenant_id, action, subjects, correlation_id, actor, details, number)
ORDER BY number
"""
