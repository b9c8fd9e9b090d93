"""Scheduled runs: polls that find what webhooks missed, and reference values for the mapping screens."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from django.utils import timezone

from audit import correlation
from erp.contract.errors import RemoteError
from erp.models import ErpConnection
from erp.opening import open_adapter
from erp.reference_values import refresh
from storefront.client import BigCommerceClient, Changed
from storefront.opening import open_client
from sync import bell, inbox
from sync.models import Flow, FlowKind, Mode, RecordKind

# BigCommerce lists have second granularity and drift while they change: every poll looks back a little further.
OVERLAP = timedelta(minutes=10)
# The store's clock and ours do not agree: a reading shortly after a change may have been before it.
CLOCKS_APART = timedelta(minutes=1)


def run(flow: Flow) -> int:
    """Run a flow once; returns how many records it touched. A failure is kept on the flow, in a sentence."""
    if not flow.enabled or flow.pipeline.mode == Mode.OFF or _is_paused(flow):
        return 0
    started = timezone.now()
    Flow.objects.filter(pk=flow.pk).update(last_run_at=started)
    with correlation.bind(correlation.new()):
        try:
            touched = _RUNS[FlowKind(flow.kind)](flow)
        except RemoteError as error:
            Flow.objects.filter(pk=flow.pk).update(last_error=error.sentence)
            return 0
    Flow.objects.filter(pk=flow.pk).update(
        last_success_at=timezone.now(), last_error="", polled_until=started
    )
    return touched


def _is_paused(flow: Flow) -> bool:
    """A connection that a person must mend is not asked: ERPs lock users after a few wrong passwords."""
    pipeline = flow.pipeline
    asked = pipeline.company if flow.kind == FlowKind.REFERENCE_VALUES else pipeline.store
    return bool(pipeline.paused_at or asked.paused_at)


def _poll_orders(flow: Flow) -> int:
    """Orders that changed, and orders with a new refund: that alone may not count as a change of the order."""
    with _client(flow) as client:
        since = _since(flow)
        found = [*client.orders_modified_since(since), *client.orders_refunded_since(since)]
    newest = {changed.record_id: changed for changed in sorted(found, key=lambda changed: changed.at)}
    return want_all(flow, RecordKind.ORDER, list(newest.values()))


def _poll_customers(flow: Flow) -> int:
    with _client(flow) as client:
        found = list(client.customers_modified_since(_since(flow)))
    return want_all(flow, RecordKind.CUSTOMER, found)


def _client(flow: Flow) -> AbstractContextManager[BigCommerceClient]:
    return open_client(flow.pipeline.store, correlation_id=correlation.get(), subject=f"flow:{flow.pk}")


def want_all(flow: Flow, kind: RecordKind, found: list[Changed]) -> int:
    """Have those that changed since they were last read, read again; returns how many changed."""
    for changed in found:
        _want_if_newer(flow, kind, changed.record_id, changed.at)
    bell.ring(flow.pipeline.company_id)
    return len(found)


def _since(flow: Flow) -> datetime:
    return (flow.polled_until or flow.pipeline.start_at or _made_at(flow)) - OVERLAP


def _made_at(flow: Flow) -> datetime:
    """Since when the pipeline could have heard of changes, had it been switched on."""
    first = flow.pipeline.versions.order_by("version").first()
    return first.at if first else timezone.now()


def _want_if_newer(flow: Flow, kind: RecordKind, record_id: str, modified: datetime) -> None:
    """A record that was read after its last change needs no second reading."""
    read_since = flow.pipeline.postings.filter(
        record_kind=kind, record_id=record_id, snapshot__taken_at__gt=modified + CLOCKS_APART
    )
    if not read_since.exists():
        inbox.raise_wanted_version(flow.pipeline, kind, record_id, correlation.get())


def read_reference_values(company: ErpConnection) -> int:
    """Read items, accounts, tax codes and the rest from the ERP; returns how many."""
    with open_adapter(company, correlation_id=correlation.get(), subject=f"company:{company.pk}") as erp:
        return refresh(company, erp)


_RUNS = {
    FlowKind.ORDERS: _poll_orders,
    FlowKind.CUSTOMERS: _poll_customers,
    FlowKind.REFERENCE_VALUES: lambda flow: read_reference_values(flow.pipeline.company),
}
