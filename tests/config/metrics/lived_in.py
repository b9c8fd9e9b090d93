"""A database in which something of everything has happened, for what `/metrics` must be able to tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

from erp.models import Breaker, BreakerState
from storefront.models import FailureReason, note_signature_failure
from sync import heartbeats
from sync.heartbeats import BEAT_LOCK_KEY
from sync.models import Event, Flow, Posting
from tests.sync.console.making import make_document, make_gap, make_posting


def live_in(pipeline: Any) -> None:
    """Orders in every state, a gap, an open breaker, a paused store, a flow that failed and one that ran."""
    now = timezone.now()
    due = make_posting(pipeline, 1, status="waiting", due_at=now - timedelta(minutes=10))
    make_posting(pipeline, 2, status="waiting", due_at=now + timedelta(hours=1))
    make_posting(pipeline, 3, status="unknown", lease_until=now + timedelta(minutes=2), due_at=now)
    for number, status in enumerate(("blocked", "held", "refused", "excluded", "not_due"), start=4):
        make_posting(pipeline, number, status=status)
    posted = make_posting(pipeline, 9, status="posted")
    make_document(posted, posted_at=now)
    make_gap(pipeline, "HAT", Posting.objects.get(status="blocked"))
    Event.objects.create(
        tenant=pipeline.tenant,
        store=pipeline.store,
        delivery_key="d1",
        scope="store/order/updated",
        record_kind="order",
        record_id=due.record_id,
        state="queued",
    )
    Breaker.objects.create(
        tenant=pipeline.tenant,
        connection=pipeline.company,
        state=BreakerState.OPEN,
        failures=5,
        opened_at=now,
    )
    note_signature_failure(pipeline.store, FailureReason.BAD_SIGNATURE, now=now)
    heartbeats.beat(heartbeats.SWEEP)
    flows = Flow.objects.filter(pipeline=pipeline)
    flows.update(
        every_minutes=5,
        last_run_at=now,
        last_success_at=now - timedelta(minutes=7),
    )
    flows.filter(kind="customers").update(last_error="The store does not answer.")


@contextmanager
def a_beat() -> Iterator[None]:
    """What PostgreSQL sees of a running beat."""
    parameters = connection.get_connection_params()
    names = ("host", "port", "dbname", "user", "password")
    with psycopg.connect(
        **{name: parameters[name] for name in names if name in parameters}, autocommit=True
    ) as held:
        held.execute("SELECT pg_advisory_lock(%s)", [BEAT_LOCK_KEY])
        yield
