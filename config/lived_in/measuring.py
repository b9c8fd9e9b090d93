"""What workers and beat ask the database for, timed where no page is: the sweep, taking the next order, a poll's share."""

from collections.abc import Callable
from datetime import timedelta
from statistics import quantiles
from time import perf_counter
from typing import Any

from django.db import transaction
from django.utils import timezone

from storefront.changes import Changed, Page
from sync import polling, sweeper, taking
from sync.models import Document, Flow, FlowKind, Gap, GapState, Posting, RecordKind, Reprocess, Status

REPEATS = 20
POLLED = 250  # orders that one page of the store's list names


def timings() -> dict[str, dict[str, float]]:
    """Milliseconds by name; whatever is written is rolled back."""
    flow = (
        Flow.objects.filter(kind=FlowKind.ORDERS)
        .select_related("pipeline__store", "pipeline__company")
        .first()
    )
    assert flow is not None
    known = list(
        Posting.objects.filter(pipeline=flow.pipeline, record_kind=RecordKind.ORDER)
        .order_by("-pk")
        .values_list("record_id", flat=True)[:POLLED]
    )
    changed = tuple(Changed(record_id=record_id, at=timezone.now()) for record_id in known)
    page = Page(changes=changed, read_until=timezone.now())
    orders = polling.Reading(kind=RecordKind.ORDER, mark="polled_until", pages=iter(()))
    return {
        "sweep": timed(sweeper.companies_with_due_work),
        "take_next": timed(lambda: rolled_back(lambda: taking.take_next(flow.pipeline.company_id))),
        f"poll of {len(changed)} changed orders": timed(
            lambda: rolled_back(lambda: polling.take(orders, page, [flow], timedelta(0)))
        ),
    }


def rolled_back(step: Callable[[], object]) -> None:
    """Do it, and leave no trace."""
    with transaction.atomic():
        step()
        transaction.set_rollback(True)


def timed(step: Callable[[], object], repeats: int = REPEATS) -> dict[str, float]:
    """Median and 95th percentile in milliseconds, after a warm-up."""
    taken = []
    for number in range(repeats + 2):
        began = perf_counter()
        step()
        if number > 1:
            taken.append((perf_counter() - began) * 1000)
    return figures(taken)


def figures(milliseconds: list[float]) -> dict[str, float]:
    """`{"median": ..., "p95": ...}`, to a tenth."""
    cuts = quantiles(milliseconds, n=20, method="inclusive")
    return {"median": round(cuts[9], 1), "p95": round(cuts[18], 1)}


def landmarks() -> dict[str, Any]:
    """Rows of the operator's tenant that the pages and searches are asked for."""
    posting = Posting.objects.filter(
        status=Status.POSTED, pipeline__key="s1", record_kind=RecordKind.ORDER
    ).order_by("-pk")[10]
    invoice = Document.objects.get(posting=posting, kind="invoice")
    return {
        "posting": posting.pk,
        "late_page": min(100, Posting.objects.count() // 100),
        "record_id": posting.record_id,
        "reference": invoice.reference,
        "number": invoice.erp_number,
        "correlation_id": posting.correlation_id,
        "placed_at": posting.placed_at.isoformat() if posting.placed_at else "",
        "gap": Gap.objects.filter(tenant=posting.tenant_id, state=GapState.OPEN)
        .values_list("pk", flat=True)
        .first(),
        "run": Reprocess.objects.filter(tenant=posting.tenant_id).values_list("pk", flat=True).last(),
    }
