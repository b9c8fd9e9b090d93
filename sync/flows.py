"""Scheduled runs: polls that find what webhooks missed and what the ERP invoiced, and reference values for the mapping screens."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from audit import correlation
from erp.contract.errors import RemoteError
from erp.models import ErpConnection
from erp.opening import open_adapter
from erp.reference_values import refresh
from storefront.models import Store
from sync import following, polling
from sync.models import Flow, FlowKind, Mode
from sync.models.pipelines import FLOWS_OF_THE_ERP


def run(flow: Flow, *, scheduled: bool = False) -> int:
    """Run a flow once; returns how many records it touched. A failure is kept on the flow, in a sentence.

    One poll serves all pipelines of a store, or of a company, so a scheduled run has nothing to do where
    another pipeline's has just polled; nor has any run while one is under way.
    """
    if not _is_on(flow) or (scheduled and _ran_lately(flow)):
        return 0
    together = _begin(flow)
    if not together:
        return 0
    rows = Flow.objects.filter(pk__in=[each.pk for each in together])
    try:
        with correlation.bind(correlation.new()):
            touched = _run(flow, together)
    except RemoteError as error:
        rows.update(last_error=error.sentence)
        return 0
    finally:
        rows.update(running_until=None)
    rows.update(last_success_at=timezone.now(), last_error="")
    return touched


def _run(flow: Flow, together: list[Flow]) -> int:
    if flow.kind == FlowKind.REFERENCE_VALUES:
        return read_reference_values(flow.pipeline.company)
    if flow.kind == FlowKind.INVOICED_ORDERS:
        return following.poll(flow.pipeline.company, together)
    return polling.poll(flow.pipeline.store, FlowKind(flow.kind), together)


def _begin(flow: Flow) -> list[Flow]:
    """The flows that this run is for, marked as running; none if one of them runs already."""
    with transaction.atomic():
        found = list(_of_one_run(flow).select_for_update(of=("self",)).order_by("pk"))
        if any(each.running_until and each.running_until > timezone.now() for each in found):
            return []
        found = [each for each in found if _is_on(each)]
        started = {"last_run_at": timezone.now(), "running_until": Now() + polling.RUNNING}
        Flow.objects.filter(pk__in=[each.pk for each in found]).update(**started)
    return found


def _of_one_run(flow: Flow):
    rows = Flow.objects.select_related("pipeline__store", "pipeline__company")
    if flow.kind == FlowKind.REFERENCE_VALUES:
        return rows.filter(pk=flow.pk)
    if flow.kind == FlowKind.INVOICED_ORDERS:
        return rows.filter(kind=flow.kind, pipeline__company=flow.pipeline.company_id)
    return rows.filter(kind=flow.kind, pipeline__store=flow.pipeline.store_id)


def polls_of(store: Store) -> list[Flow]:
    """The polls of a store that are on, one of each kind: its run serves all pipelines of the store."""
    polls = Flow.objects.filter(enabled=True, pipeline__store=store, pipeline__paused_at=None)
    return list(
        polls.exclude(kind__in=FLOWS_OF_THE_ERP)
        .exclude(pipeline__mode=Mode.OFF)
        .select_related("pipeline")
        .order_by("kind", "pipeline_id")
        .distinct("kind")
    )


def _is_on(flow: Flow) -> bool:
    """A connection that a person must mend is not asked: ERPs lock users after a few wrong passwords."""
    pipeline = flow.pipeline
    return flow.enabled and pipeline.mode != Mode.OFF and not (pipeline.paused_at or flow.asked.paused_at)


def _ran_lately(flow: Flow) -> bool:
    """Within half of the flow's own interval: its next turn is soon enough."""
    if flow.kind == FlowKind.REFERENCE_VALUES or not flow.every_minutes or not flow.last_success_at:
        return False
    return timezone.now() - flow.last_success_at < timedelta(minutes=flow.every_minutes) / 2


def read_reference_values(company: ErpConnection) -> int:
    """Read items, accounts, tax codes and the rest from the ERP; returns how many."""
    with open_adapter(company, correlation_id=correlation.get(), subject=f"company:{company.pk}") as erp:
        return refresh(company, erp)
