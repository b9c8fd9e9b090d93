"""How many orders each hour of the week brings a store: learned once a day from its own last weeks, kept in one row."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max, OuterRef, Subquery
from django.urls import reverse

from storefront.models import Store
from sync.alerts.condition import Condition
from sync.alerts.kinds import Kind
from sync.alerts.silence import HOURS_OF_WEEK, MOST_WEEKS, Verdict, judge
from sync.models import Flow, FlowKind, Mode, OrderRhythm, Posting, RecordKind

RELEARN_AFTER = timedelta(hours=20)


def learn_all(now: datetime) -> None:
    """Learn again what stores usually bring; those learned today are left alone."""
    fresh = OrderRhythm.objects.filter(learned_at__gt=now - RELEARN_AFTER).values("store_id")
    for store in Store.objects.exclude(pk__in=fresh).select_related("tenant").only("tenant__time_zone"):
        learn(store, now)


def learn(store: Store, now: datetime) -> OrderRhythm:
    """Count the orders of the last full weeks by the time the customer placed them, in the tenant's zone."""
    zone = ZoneInfo(store.tenant.time_zone)
    ends = _monday(now, zone)
    begins = _monday(ends - timedelta(weeks=MOST_WEEKS) + timedelta(hours=12), zone)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"store": store.pk, "begins": begins, "ends": ends, "zone": zone.key})
        found = {(week, hour): count for week, hour, count in cursor.fetchall()}
        cursor.execute(_FIRST, {"store": store.pk, "begins": begins})
        first = cursor.fetchone()[0]
    weeks = min(MOST_WEEKS, (ends - first).days // 7) if first and first < ends else 0
    counts = [
        [found.get((week, hour), 0) for week in range(MOST_WEEKS - weeks, MOST_WEEKS)]
        for hour in range(HOURS_OF_WEEK)
    ]
    row, _ = OrderRhythm.objects.update_or_create(
        store=store,
        defaults={"tenant_id": store.tenant_id, "counts": counts, "learned_at": now},
    )
    return row


def conditions(now: datetime) -> Iterator[Condition]:
    """Stores that are in use, are asked for orders, and are silent for too long."""
    for rhythm in _rhythms():
        verdict, last = verdict_of(rhythm, now)
        if verdict.is_too_long:
            yield Condition(
                kind=Kind.STORE_SILENT,
                subject=f"store:{rhythm.store_id}",
                tenant_id=rhythm.tenant_id,
                sentence=f"{rhythm.store.name}: {verdict.sentence}",
                since=last or now,
                path=reverse("admin:storefront_store_change", args=[rhythm.store_id]),
            )


def verdict_of(rhythm: OrderRhythm, now: datetime) -> tuple[Verdict, datetime | None]:
    """What is thought of the store's present silence, and when its last order came."""
    zone = ZoneInfo(rhythm.store.tenant.time_zone)
    last = rhythm.last_order if hasattr(rhythm, "last_order") else last_order_of(rhythm.store)
    verdict = judge(rhythm.counts, last_order=last, now=now, zone=zone)
    if verdict.is_too_long and (unread := _last_unread(rhythm.store)) and unread > (last or unread):
        # It came, and could not be read yet: no silence of the store's.
        verdict = judge(rhythm.counts, last_order=unread, now=now, zone=zone)
    return verdict, last


def last_order_of(store: Store) -> datetime | None:
    """When the customer of the newest order placed it."""
    newest = Posting.objects.filter(**_ORDERS, tenant_id=store.tenant_id, pipeline__store=store)
    return newest.order_by("-placed_at").values_list("placed_at", flat=True).first()


def _rhythms() -> list[OrderRhythm]:
    """The rhythm of every store in use with its last order, in one query."""
    newest = Posting.objects.filter(
        **_ORDERS, tenant_id=OuterRef("tenant_id"), pipeline__store=OuterRef("store_id")
    )
    asked = Flow.objects.filter(kind=FlowKind.ORDERS, enabled=True, pipeline__paused_at=None).exclude(
        pipeline__mode=Mode.OFF
    )
    return list(
        OrderRhythm.objects.filter(store__paused_at=None, store_id__in=asked.values("pipeline__store_id"))
        .select_related("store__tenant")
        .only("tenant_id", "counts", "store__name", "store__tenant__time_zone")
        .annotate(last_order=Subquery(newest.order_by("-placed_at").values("placed_at")[:1]))
    )


def _last_unread(store: Store) -> datetime | None:
    """When we heard last of an order that could not be read yet: it is due and has no date of its own."""
    unread = Posting.objects.filter(
        pipeline__store=store, record_kind=RecordKind.ORDER, placed_at=None, due_at__isnull=False
    )
    return unread.aggregate(at=Max("created_at"))["at"]


def _monday(at: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the week that a moment lies in."""
    local = at.astimezone(zone)
    day = local.date() - timedelta(days=local.weekday())
    return datetime(day.year, day.month, day.day, tzinfo=zone)


_ORDERS = {"record_kind": RecordKind.ORDER, "placed_at__isnull": False}

_COUNT = """
SELECT extract(day FROM (placed_at AT TIME ZONE %(zone)s) - (%(begins)s::timestamptz AT TIME ZONE %(zone)s))::int / 7 AS week,
       (extract(isodow FROM placed_at AT TIME ZONE %(zone)s)::int - 1) * 24
         + extract(hour FROM placed_at AT TIME ZONE %(zone)s)::int AS hour,
       count(DISTINCT record_id)
FROM sync_posting JOIN sync_pipeline ON sync_pipeline.id = pipeline_id
WHERE sync_pipeline.store_id = %(store)s AND record_kind = 'order'
  AND sync_posting.tenant_id = sync_pipeline.tenant_id
  AND placed_at >= %(begins)s AND placed_at < %(ends)s
GROUP BY 1, 2
"""
# Weeks before the first order are no history: a new store's zeros would say that nothing is usual.
_FIRST = """
SELECT min(placed_at) FROM sync_posting JOIN sync_pipeline ON sync_pipeline.id = pipeline_id
WHERE sync_pipeline.store_id = %(store)s AND record_kind = 'order' AND placed_at >= %(begins)s
  AND sync_posting.tenant_id = sync_pipeline.tenant_id
"""
