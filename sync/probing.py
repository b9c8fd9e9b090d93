"""Scheduled probes: a cheap authenticated read of each store and ERP company in use, so that silence is not taken for health.

A probe is no work: it takes no lease and no place among parallel orders, and its success hides nothing. In particular it
does not count as a success for the breaker, except where no work is due that could close it.
"""

import time
from datetime import datetime, timedelta

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from audit import correlation
from erp import breaker
from erp.contract.errors import Misconfigured, RemoteError
from erp.models import Breaker, BreakerState, ErpConnection
from erp.testing_connection import ping
from storefront.models import Store
from storefront.opening import open_client
from sync import sweeper
from sync.connections import pause
from sync.models import Mode, Pipeline, Probe

KEPT = timedelta(days=7)
EARLY = timedelta(seconds=30)  # beat comes by once a minute: rather half a minute early than late

Connection = Store | ErpConnection


def due(now: datetime) -> list[Connection]:
    """Stores and ERP companies in use whose last probe is long enough ago; without their secrets."""
    return [
        row
        for rows in (_in_use(Store, "store"), _in_use(ErpConnection, "company"))
        for row in rows
        if row.last_at is None or now - row.last_at >= timedelta(minutes=row.probe_minutes) - EARLY
    ]


def _in_use(model: type[Connection], name: str) -> QuerySet:
    pipelines = Pipeline.objects.filter(**{name: OuterRef("pk")}, paused_at=None).exclude(mode=Mode.OFF)
    last = Probe.objects.filter(**{name: OuterRef("pk")}).order_by("-started_at").values("started_at")[:1]
    return (
        model.objects.filter(paused_at=None, probe_minutes__gt=0)
        .annotate(last_at=Subquery(last), pipeline=Subquery(pipelines.values("pk")[:1]))
        .exclude(pipeline=None)
        .only("pk", "probe_minutes")
    )


def probe(connection: Connection) -> Probe | None:
    """Ask once, keep what came of it; None where the breaker leaves that to the work that is due.

    Wrong credentials pause the connection, as everywhere: an ERP locks users after a few wrong passwords.
    """
    is_company = isinstance(connection, ErpConnection)
    if connection.paused_at or (is_company and not _may_ask(connection)):
        return None
    row = Probe.objects.create(
        tenant_id=connection.tenant_id,
        started_at=timezone.now(),
        **{"company" if is_company else "store": connection},
    )
    began = time.monotonic()
    try:
        with correlation.bind(correlation.new()):
            _ask(connection)
        row.ok = True
        if is_company and _is_troubled(connection):
            breaker.success(connection.pk)
    except RemoteError as error:
        row.ok, row.sentence = False, error.sentence
        _take_failure(connection, error)
    finally:
        if is_company:
            breaker.not_tried(connection.pk)
        row.milliseconds = int((time.monotonic() - began) * 1000)
        row.save(update_fields=["ok", "sentence", "milliseconds"])
    return row


def forget_old(now: datetime) -> None:
    """Probes are kept for a week."""
    Probe.objects.filter(started_at__lt=now - KEPT).delete()


def _ask(connection: Connection) -> None:
    if isinstance(connection, ErpConnection):
        ping(connection)
        return
    with open_client(
        connection, correlation_id=correlation.get(), subject=f"store:{connection.key}"
    ) as client:
        client.store_information()


def _take_failure(connection: Connection, error: RemoteError) -> None:
    if isinstance(error, Misconfigured):
        pause(connection, error)
    elif isinstance(connection, ErpConnection):
        breaker.failure(connection.pk)


def _is_troubled(company: ErpConnection) -> bool:
    return Breaker.objects.filter(connection=company).exclude(state=BreakerState.CLOSED).exists()


def _may_ask(company: ErpConnection) -> bool:
    """While the breaker is open, work that is due probes for itself; without any, we take its turn."""
    if not _is_troubled(company):
        return True
    return not sweeper.due_postings().filter(company=company).exists() and breaker.allow(company.pk)
