"""Record first, work after the commit: one accepted delivery is one row, and whatever it touches wants work.

Nothing else happens in the request. The bell is rung after the commit and can neither block nor raise; if nobody hears it, the sweeper finds
the rows.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, F, QuerySet, Value, When
from django.db.models.functions import Least

from audit import correlation, waiting
from storefront.events import StoreEvent
from storefront.models import Store
from sync import bell, trail
from sync.models import Event, EventState, Flow, FlowKind, Mode, Pipeline, Posting, RecordKind, Status
from tenants.inserting import insert_new

FLOW_OF_RECORD = {RecordKind.ORDER: FlowKind.ORDERS, RecordKind.CUSTOMER: FlowKind.CUSTOMERS}


def accept(*, store: Store, event: StoreEvent) -> Event:
    """Record one verified delivery, once, and raise the wanted version of every posting it concerns.

    A repeated delivery only counts, unless the store did not name it: then what looks like a repeat may be a second change within the same
    second, and is read again. One of a scope that we do not follow is recorded and nothing more. Returns the event's row. Durable when it
    returns, whatever state the tenant, the ERP or the broker is in.
    """
    row = Event(
        tenant_id=store.tenant_id,
        store=store,
        delivery_key=event.delivery_key,
        scope=event.scope,
        record_kind=event.record_kind,
        record_id=event.record_id,
        state=EventState.QUEUED if event.record_kind in FLOW_OF_RECORD else EventState.RECORDED,
        is_stale=event.stale,
        happened_at=event.created_at,
        correlation_id=correlation.get() or correlation.new(),
    )
    with transaction.atomic():
        if insert_new(row, unique=("store", "delivery_key")):
            trail.event_received(row, store)
        else:
            row = Event.objects.get(store=store, delivery_key=event.delivery_key)
            Event.objects.filter(pk=row.pk).update(repeats=F("repeats") + 1)
            trail.event_repeated(row, store)
            if event.is_identified:
                return row
        if row.state == EventState.QUEUED:
            want(
                store=store,
                record_kind=row.record_kind,
                record_id=row.record_id,
                correlation_id=row.correlation_id,
            )
    return row


@transaction.atomic(savepoint=False)
def want(*, store: Store, record_kind: str, record_id: str, correlation_id: str) -> None:
    """Make every pipeline of the store that follows this kind of record read it again. Rings after the commit."""
    pipelines = followers(store, record_kind)
    for pipeline in pipelines:
        raise_wanted_version(pipeline, record_kind, record_id, correlation_id)
    for company_id in {p.company_id for p in pipelines}:
        transaction.on_commit(lambda company_id=company_id: bell.ring(company_id), robust=True)


def followers(store: Store, record_kind: str) -> list[Pipeline]:
    """The pipelines of a store that take records of this kind."""
    flow = Flow.objects.filter(kind=FLOW_OF_RECORD[RecordKind(record_kind)], enabled=True)
    return list(Pipeline.objects.filter(store=store, flows__in=flow).exclude(mode=Mode.OFF))


def raise_wanted_version(
    pipeline: Pipeline,
    record_kind: str,
    record_id: str,
    correlation_id: str,
    *,
    wait: timedelta = timedelta(0),
) -> None:
    """One more version of this record is wanted; a posting that waits for a retry is due at once, an excluded one never."""
    posting = _posting(pipeline, record_kind, record_id, correlation_id, wait, in_background=False)
    if not insert_new(posting, unique=("pipeline", "record_kind", "record_id")):
        rows = Posting.objects.filter(pipeline=pipeline, record_kind=record_kind, record_id=record_id)
        _raise(rows, correlation_id, wait, in_background=False)


def raise_wanted_versions(
    pipeline: Pipeline,
    record_kind: str,
    record_ids: Sequence[str],
    correlation_id: str,
    *,
    wait: timedelta = timedelta(0),
    in_background: bool = False,
) -> None:
    """One more version of each of these records is wanted, in a handful of queries however many they are.

    :param in_background: their reading leaves live work its share of the store's quota
    """
    postings = Posting.objects.filter(pipeline=pipeline, record_kind=record_kind)
    known = set(postings.filter(record_id__in=record_ids).values_list("record_id", flat=True))
    # One that comes in between is as new as ours would be: its first reading is still to come.
    Posting.objects.bulk_create(
        [
            _posting(pipeline, record_kind, record_id, correlation_id, wait, in_background)
            for record_id in dict.fromkeys(record_ids)
            if record_id not in known
        ],
        ignore_conflicts=True,
    )
    if not known:
        return
    # In one order, so that two who want several of the same records do not wait for each other.
    rows = postings.filter(record_id__in=known).order_by("pk").select_for_update(no_key=True)
    _raise(Posting.objects.filter(pk__in=rows.values("pk")), correlation_id, wait, in_background)


def _posting(
    pipeline: Pipeline,
    record_kind: str,
    record_id: str,
    correlation_id: str,
    wait: timedelta,
    in_background: bool,
) -> Posting:
    return Posting(
        tenant_id=pipeline.tenant_id,
        pipeline=pipeline,
        company_id=pipeline.company_id,
        record_kind=record_kind,
        record_id=record_id,
        correlation_id=correlation_id,
        due_at=waiting.now() + wait,
        in_background=in_background,
    )


def _raise(rows: QuerySet[Posting], correlation_id: str, wait: timedelta, in_background: bool) -> None:
    by_hand = When(status=Status.EXCLUDED, reason_code="by_hand", then=Value(None, DateTimeField()))
    rows.update(
        wanted_version=F("wanted_version") + 1,
        correlation_id=correlation_id,
        # What is on its way for somebody else stays live.
        in_background=Case(When(due_at=None, then=Value(in_background)), default=F("in_background"))
        if in_background
        else False,
        due_at=Case(by_hand, default=Least(F("due_at"), waiting.now() + wait)),
    )
