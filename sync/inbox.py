"""Record first, work after the commit: one accepted delivery is one row, and whatever it touches wants work.

Nothing else happens in the request. The bell is rung after the commit and can neither block nor raise; if nobody hears it, the sweeper finds
the rows.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F

from audit import correlation, waiting
from audit.actions import Action
from storefront.events import StoreEvent
from storefront.models import Store
from sync import bell, trail
from sync.models import Event, EventState, Flow, FlowKind, Mode, Pipeline, RecordKind, Status

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
    return row if _record(row, store) else _repeated(row, event)


def _record(row: Event, store: Store) -> bool:
    """Insert the event, its entry in the audit trail and what it wants, in one statement; False if it is there already."""
    entry = trail.entry_of_event(Action.EVENT_RECEIVED, row, store)
    values = {
        **{field.column: getattr(row, field.attname) for field in _EVENT},
        **_wanted(store, row.record_kind, row.record_id, row.correlation_id),
        "action": entry.action,
        "subjects": entry.subjects,
        "actor": entry.actor,
        "details": json.dumps(entry.details),
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
        row.pk, companies = cursor.fetchone()
    if row.pk is None:
        return False
    row._state.adding, row._state.db = False, connection.alias
    _ring(companies or ())
    return True


@transaction.atomic(savepoint=False)
def _repeated(row: Event, event: StoreEvent) -> Event:
    known = Event.objects.get(store=row.store, delivery_key=row.delivery_key)
    Event.objects.filter(pk=known.pk).update(repeats=F("repeats") + 1)
    trail.event_repeated(known, row.store)
    if known.state == EventState.QUEUED and not event.is_identified:
        want(
            store=row.store,
            record_kind=known.record_kind,
            record_id=known.record_id,
            correlation_id=known.correlation_id,
        )
    return known


def want(*, store: Store, record_kind: str, record_id: str, correlation_id: str) -> None:
    """Make every pipeline of the store that follows this kind of record read it again. Rings after the commit.

    A posting that waits for a retry is due at once, an excluded one never.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WANT, _wanted(store, record_kind, record_id, correlation_id))
        _ring([company_id for (company_id,) in cursor.fetchall()])


def raise_wanted_versions(
    pipeline: Pipeline,
    record_kind: str,
    record_ids: Sequence[str],
    correlation_id: str,
    *,
    wait: timedelta = timedelta(0),
    in_background: bool = False,
) -> None:
    """One more version of each of these records is wanted by one pipeline, in one statement however many they are. Does not ring.

    :param in_background: their reading leaves live work its share of the store's quota
    """
    values = {
        "pipeline": pipeline.pk,
        "record_kind": record_kind,
        "record_ids": list(dict.fromkeys(record_ids)),
        "correlation_id": correlation_id,
        "in_background": in_background,
        "wait": waiting.seconds_ahead() + wait.total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WANT_IN_ONE_PIPELINE, values)


def followers(store: Store, record_kind: str) -> list[Pipeline]:
    """The pipelines of a store that take records of this kind."""
    flow = Flow.objects.filter(kind=FLOW_OF_RECORD[RecordKind(record_kind)], enabled=True)
    return list(Pipeline.objects.filter(store=store, flows__in=flow).exclude(mode=Mode.OFF))


def _wanted(store: Store, record_kind: str, record_id: str, correlation_id: str) -> dict[str, object]:
    """The values of `_POSTINGS` for one record that the store tells of."""
    return {
        "store_id": store.pk,
        "flow": FLOW_OF_RECORD.get(record_kind, ""),
        "record_kind": record_kind,
        "record_ids": [record_id],
        "correlation_id": correlation_id,
        "in_background": False,
        "wait": waiting.seconds_ahead(),
    }


def _ring(companies: Iterable[int]) -> None:
    for company_id in set(companies):
        transaction.on_commit(lambda company_id=company_id: bell.ring(company_id), robust=True)


# One more version of each record is wanted, in the same order for everybody, so that two who want the same do not wait for
# each other. Written out, as is what a delivery writes: it runs with every webhook, and every round trip to PostgreSQL is
# one more to wait for. What stays live or excluded, stays so.
_POSTINGS = f"""
INSERT INTO sync_posting (
    tenant_id, pipeline_id, company_id, record_kind, record_id, correlation_id, due_at, wanted_version, done_version, tries, crashes,
    lease_fence, in_background, status, reason, reason_code, excluded_by, currency, created_at, changed_at
)
SELECT
    pipeline.tenant_id, pipeline.id, pipeline.company_id, %(record_kind)s, record_id, %(correlation_id)s,
    statement_timestamp() + make_interval(secs => %(wait)s), 1, 0, 0, 0, 0, %(in_background)s, '{Status.WAITING}', '', '', '', '',
    statement_timestamp(), statement_timestamp()
FROM {{source}} sync_pipeline pipeline CROSS JOIN unnest(%(record_ids)s::text[]) record_id
WHERE {{condition}}
ORDER BY pipeline.id, record_id
ON CONFLICT (pipeline_id, record_kind, record_id) DO UPDATE SET
    wanted_version = sync_posting.wanted_version + 1,
    correlation_id = excluded.correlation_id,
    in_background = excluded.in_background AND (sync_posting.due_at IS NULL OR sync_posting.in_background),
    due_at = CASE
        WHEN sync_posting.status = '{Status.EXCLUDED}' AND sync_posting.reason_code = 'by_hand' THEN NULL
        ELSE least(sync_posting.due_at, excluded.due_at)
    END
RETURNING company_id
"""  # noqa: S608 - put together from constants
_FOLLOWS = f"""
pipeline.store_id = %(store_id)s AND pipeline.mode <> '{Mode.OFF}' AND EXISTS (
    SELECT 1 FROM sync_flow flow WHERE flow.pipeline_id = pipeline.id AND flow.kind = %(flow)s AND flow.enabled
)
"""  # noqa: S608 - put together from constants
_WANT = _POSTINGS.format(source="", condition=_FOLLOWS)
_WANT_IN_ONE_PIPELINE = _POSTINGS.format(source="", condition="pipeline.id = %(pipeline)s")
_EVENT = [
    field for field in Event._meta.concrete_fields if not field.primary_key and field.name != "received_at"
]
_RECORD = f"""
WITH event AS (
    INSERT INTO sync_event (received_at, {", ".join(field.column for field in _EVENT)})
    VALUES (statement_timestamp(), {", ".join(f"%({field.column})s" for field in _EVENT)})
    ON CONFLICT (store_id, delivery_key) DO NOTHING RETURNING id
), trail AS (
    INSERT INTO audit_auditentry (at, tenant_id, action, subjects, correlation_id, actor, details)
    SELECT statement_timestamp(), %(tenant_id)s, %(action)s, %(subjects)s, %(correlation_id)s, %(actor)s, %(details)s::jsonb FROM event
), wanted AS ({_POSTINGS.format(source="event CROSS JOIN", condition=_FOLLOWS)})
SELECT (SELECT id FROM event), (SELECT array_agg(company_id) FROM wanted)
"""  # noqa: S608 - put together from constants
