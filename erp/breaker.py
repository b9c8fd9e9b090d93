"""The circuit breaker of an ERP company, shared by all workers: rows in PostgreSQL, on the database's clock.

Closed: calls go out. After five failures in a row it opens, and nothing is tried for a while. Then one worker at a time
may probe; a success closes it, a failure opens it again for longer.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now

from audit import waiting
from audit.actions import Action
from audit.collecting import step
from audit.recording import record
from erp.models import Breaker, BreakerState, ErpConnection

MOST_FAILURES = 5
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=5)
PROBE_TIME = timedelta(minutes=3)  # a probe that never reported back lets the next one through after this


def is_closed(connection: ErpConnection) -> bool:
    """Whether calls go out freely; the connection's breaker should have been read with it."""
    breaker = getattr(connection, "breaker", None)
    return breaker is None or breaker.state == BreakerState.CLOSED


def allow(connection_id: int) -> bool:
    """Whether a call may go out now. In an outage, true for one worker at a time, once per pause."""
    breaker = Breaker.objects.filter(connection_id=connection_id).only("state").first()
    if breaker is None or breaker.state == BreakerState.CLOSED:
        return True
    took = Breaker.objects.filter(connection_id=connection_id, probe_at__lte=waiting.now()).exclude(
        state=BreakerState.CLOSED
    )
    return bool(took.update(state=BreakerState.HALF_OPEN, probe_at=waiting.now() + PROBE_TIME))


def success(connection_id: int) -> None:
    """The ERP answered: the breaker closes."""
    if not _is_troubled(connection_id):
        return
    with step():
        breaker = Breaker.objects.select_for_update().get(connection_id=connection_id)
        was_open = breaker.state != BreakerState.CLOSED
        Breaker.objects.filter(pk=breaker.pk).update(
            state=BreakerState.CLOSED, failures=0, opened_at=None, probe_at=None
        )
        if was_open:
            _note(breaker, BreakerState.CLOSED)


def _is_troubled(connection_id: int) -> bool:
    """Whether the breaker is not closed, or counts failures. Written out: it is asked after each document."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM erp_breaker WHERE connection_id = %s AND (state <> %s OR failures <> 0)",
            [connection_id, BreakerState.CLOSED.value],
        )
        return cursor.fetchone() is not None


def not_tried(connection_id: int) -> None:
    """A probe ended without having asked the ERP: the next one may go at once. Nothing happens if none was under way."""
    Breaker.objects.filter(connection_id=connection_id, state=BreakerState.HALF_OPEN).update(
        state=BreakerState.OPEN, probe_at=waiting.now()
    )


def failure(connection_id: int) -> None:
    """The ERP could not be reached or gave no usable answer. The fifth in a row, or a failed probe, opens the breaker.

    Calls that were under way when it opened say nothing new: they lengthen no pause.
    """
    with step():
        breaker = _locked(connection_id)
        if breaker.state == BreakerState.OPEN:
            return
        failures = breaker.failures + 1
        opens = failures >= MOST_FAILURES or breaker.state == BreakerState.HALF_OPEN
        Breaker.objects.filter(pk=breaker.pk).update(failures=failures)
        if opens:
            Breaker.objects.filter(pk=breaker.pk).update(
                state=BreakerState.OPEN, opened_at=Now(), probe_at=waiting.now() + pause_after(failures)
            )
        if opens and breaker.state == BreakerState.CLOSED:
            _note(breaker, BreakerState.OPEN)


def pause_after(failures: int) -> timedelta:
    """How long nothing is tried: doubled with every failure beyond the fifth, at most five minutes."""
    doublings = min(max(failures - MOST_FAILURES, 0), 10)
    return min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE)


def _locked(connection_id: int) -> Breaker:
    tenant_id = ErpConnection.objects.values_list("tenant_id", flat=True).get(pk=connection_id)
    Breaker.objects.get_or_create(connection_id=connection_id, defaults={"tenant_id": tenant_id})
    return Breaker.objects.select_for_update().get(connection_id=connection_id)


def _note(breaker: Breaker, state: str) -> None:
    record(
        Action.BREAKER_CHANGED,
        tenant_id=breaker.tenant_id,
        subject=f"company:{breaker.connection_id}",
        details={"state": str(state), "failures": breaker.failures},
    )
