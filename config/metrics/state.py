"""What stands in rows, read when Prometheus asks. Every query walks an index and stops early: flat up to a million orders.

All web processes of all machines tell the same, so a query over these metrics takes the `max` of them and never a sum.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from erp.models import BreakerState, ErpConnection
from storefront.models import SignatureFailure, Store
from sync import sweeper
from sync.heartbeats import SWEEP, last_tick
from sync.models import (
    UNFINISHED,
    Document,
    Event,
    Flow,
    Gap,
    GapState,
    Heartbeat,
    Mode,
    Pipeline,
    PipelineVersion,
    Posting,
)
from tenants.models import Tenant

LONGEST_QUERY = timedelta(seconds=3)
# Counted exactly up to here, by company and status. Beyond it, what matters is that there are this many.
MOST_COUNTED = 100_000
SIGNATURES_WITHIN = timedelta(hours=24)

Samples = Iterable[tuple[tuple[str, ...], float]]
Families = Iterator[GaugeMetricFamily]


class StateCollector(Collector):
    """Everything about rows; while PostgreSQL does not answer in time, `tieout_database_up 0` in its place."""

    def collect(self) -> Families:
        """Read all of it in one short transaction."""
        started = time.monotonic()
        try:
            families = list(_read())
        except DatabaseError:
            families = []
        build = [((settings.VERSION, platform.python_version()), 1.0)]
        yield _gauge("build_info", "This release", ("version", "python"), build)
        yield _gauge("database_up", "Whether PostgreSQL answered in time", (), [((), bool(families))])
        took = time.monotonic() - started
        yield _gauge("state_read_seconds", "How long reading the rows took", (), [((), took)])
        yield from families


def _read() -> Families:
    with transaction.atomic():
        with connection.cursor() as cursor:
            milliseconds = int(LONGEST_QUERY.total_seconds() * 1000)
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
        yield from _queue()
        yield from _work()
        yield from _flows()
        yield from _connections()
        yield from _last_heard()
        yield from _webhooks()
        yield from _installation()


def _queue() -> Families:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"statuses": list(UNFINISHED), "most": MOST_COUNTED})
        counts = [((tenant, company, status), count) for tenant, company, status, count in cursor.fetchall()]
    yield _gauge(
        "postings",
        f"Orders and customers that are not finished, by status; at most {MOST_COUNTED} are counted",
        ("tenant", "company", "status"),
        counts,
    )
    gaps = Gap.objects.filter(state=GapState.OPEN).values_list("tenant__slug").annotate(Count("id"))
    yield _gauge("gaps_open", "Mappings that are missing", ("tenant",), (((slug,), n) for slug, n in gaps))


# The list of statuses stands in the query itself, so that PostgreSQL sees that the partial index holds them all.
_COUNTS = f"""
SELECT tenant.slug, company.key, wanted.status, found.count
FROM erp_erpconnection company
JOIN tenants_tenant tenant ON tenant.id = company.tenant_id
CROSS JOIN unnest(%(statuses)s::varchar[]) wanted(status)
CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT 1 FROM sync_posting posting
        WHERE posting.company_id = company.id AND posting.status = wanted.status
          AND posting.status IN ({", ".join(f"'{status}'" for status in UNFINISHED)})
        LIMIT %(most)s
    ) counted
) found
ORDER BY 1, 2, 3
"""  # noqa: S608 - the statuses are our own


def _work() -> Families:
    """What is due, and what is being worked on, of each ERP company."""
    oldest = sweeper.due_postings().filter(company=OuterRef("pk")).order_by("due_at").values("due_at")[:1]
    at_work = (
        Posting.objects.filter(company=OuterRef("pk"), lease_until__gt=Now())
        .order_by()
        .values("company")
        .annotate(count=Count("id"))
        .values("count")
    )
    rows = list(
        _companies()
        .annotate(waits=Now() - Subquery(oldest), at_work=Subquery(at_work))
        .values_list("tenant__slug", "key", "waits", "at_work", "parallel_calls")
    )
    labels = ("tenant", "company")
    yield _gauge(
        "oldest_due_seconds",
        "How long the longest-waiting due order or customer has waited for a worker; 0: none waits",
        labels,
        (((t, k), max(0.0, waits.total_seconds()) if waits else 0.0) for t, k, waits, _, _ in rows),
    )
    yield _gauge(
        "postings_at_work", "Being worked on now", labels, (((t, k), at or 0) for t, k, _, at, _ in rows)
    )
    yield _gauge(
        "parallel_limit",
        "How many a company works on at the same time, at most",
        labels,
        (((t, k), limit) for t, k, _, _, limit in rows),
    )


def _flows() -> Families:
    versions = PipelineVersion.objects.filter(pipeline=OuterRef("pipeline")).order_by("version")
    flows = list(
        Flow.objects.select_related("pipeline__store", "pipeline__company", "tenant")
        .annotate(good_until=Coalesce("last_success_at", Subquery(versions.values("at")[:1])))
        .order_by("tenant__slug", "pipeline__key", "kind")
    )
    labels = ("tenant", "pipeline", "flow")

    def name(flow: Flow) -> tuple[str, str, str]:
        return flow.tenant.slug, flow.pipeline.key, flow.kind

    now = timezone.now()
    yield _gauge(
        "flow_active",
        "Whether the flow is on, and neither its pipeline nor its connections are off or paused",
        labels,
        ((name(flow), _is_active(flow)) for flow in flows),
    )
    yield _gauge(
        "flow_failing",
        "Whether the last run of the flow failed",
        labels,
        ((name(flow), bool(flow.last_error)) for flow in flows),
    )
    yield _gauge(
        "flow_last_success_timestamp_seconds",
        "When the flow last ran to its end",
        labels,
        ((name(flow), flow.last_success_at.timestamp()) for flow in flows if flow.last_success_at),
    )
    yield _gauge(
        "flow_lag_seconds",
        "How long ago the flow last ran to its end, or was made: what changed since then it may have missed",
        labels,
        ((name(flow), (now - flow.good_until).total_seconds()) for flow in flows if flow.good_until),
    )
    yield _gauge(
        "flow_interval_seconds",
        "How often the flow runs; absent for one that lives on events alone",
        labels,
        ((name(flow), flow.every_minutes * 60) for flow in flows if flow.every_minutes),
    )


def _is_active(flow: Flow) -> bool:
    pipeline = flow.pipeline
    paused = (pipeline.paused_at, pipeline.store.paused_at, pipeline.company.paused_at)
    return flow.enabled and pipeline.mode != Mode.OFF and not any(paused)


def _connections() -> Families:
    """Breakers, and what is paused until a person resumes it."""
    states = list(_companies().values_list("tenant__slug", "key", "breaker__state"))
    yield _gauge(
        "breaker",
        "1 for the state that the circuit breaker of the ERP company is in",
        ("tenant", "company", "state"),
        (
            ((tenant, key, state), (known or BreakerState.CLOSED) == state)
            for tenant, key, known in states
            for state in BreakerState.values
        ),
    )
    paused = [
        ((tenant, kind, key), is_paused)
        for kind, model in (("store", Store), ("company", ErpConnection), ("pipeline", Pipeline))
        for tenant, key, is_paused in model.objects.order_by("tenant__slug", "key").values_list(
            "tenant__slug", "key", Q(paused_at__isnull=False)
        )
    ]
    yield _gauge(
        "paused", "Whether nothing is sent until a person resumes it", ("tenant", "kind", "key"), paused
    )


def _last_heard() -> Families:
    """By tenant: one step into an index each."""
    event = Event.objects.filter(tenant=OuterRef("pk")).order_by("-received_at").values("received_at")[:1]
    posted = Document.objects.filter(tenant=OuterRef("pk"), posted_at__isnull=False)
    document = posted.order_by("-posted_at").values("posted_at")[:1]
    rows = list(
        Tenant.objects.order_by("slug")
        .annotate(event=Subquery(event), document=Subquery(document))
        .values_list("slug", "event", "document")
    )
    yield _gauge(
        "last_webhook_timestamp_seconds",
        "When a store of the tenant last told us of something new",
        ("tenant",),
        (((slug,), event.timestamp()) for slug, event, _ in rows if event),
    )
    yield _gauge(
        "last_document_timestamp_seconds",
        "When a document of the tenant was last posted",
        ("tenant",),
        (((slug,), posted.timestamp()) for slug, _, posted in rows if posted),
    )


def _webhooks() -> Families:
    failures = (
        SignatureFailure.objects.filter(hour__gte=timezone.now() - SIGNATURES_WITHIN)
        .order_by("store", "reason")
        .values_list("tenant__slug", "store__key", "reason")
        .annotate(Sum("count"))
    )
    yield _gauge(
        "webhook_signature_failures",
        "Webhooks of a store that were refused in the last 24 hours, by why they were not believed",
        ("tenant", "store", "reason"),
        ((tuple(labels), count) for *labels, count in failures),
    )


def _installation() -> Families:
    lives, ticked = last_tick()
    yield _gauge("beat_running", "Whether a beat holds its lock", (), [((), lives)])
    yield _gauge(
        "beat_last_tick_timestamp_seconds",
        "When beat last looked at its schedule",
        (),
        [((), ticked.timestamp())] if ticked else [],
    )
    sweeps = Heartbeat.objects.filter(name=SWEEP).values_list("at", flat=True)
    yield _gauge(
        "last_sweep_timestamp_seconds",
        "When a worker last swept for due work: beat, broker and workers are well while it is young",
        (),
        (((), at.timestamp()) for at in sweeps),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
            " current_setting('max_connections')::int"
        )
        open_now, most = cursor.fetchone()
    yield _gauge("database_connections", "Connections to PostgreSQL, anybody's", (), [((), open_now)])
    yield _gauge("database_connections_limit", "How many PostgreSQL allows", (), [((), most)])


def _companies() -> QuerySet[ErpConnection]:
    return ErpConnection.objects.order_by("tenant__slug", "key")


def _gauge(name: str, what: str, labels: tuple[str, ...], samples: Samples) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tieout_{name}", what, labels=labels)
    for values, number in samples:
        family.add_metric(values, float(number))
    return family
