"""Following sales orders in the ERP: one poll of a company for all its pipelines finds those that were invoiced.

What is found is only wanted: the order's own journey reads the invoices, plans and applies the money. So a poll that is
lost, late or made twice changes nothing but the hour.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from audit import correlation
from erp.contract.adapter import Invoiced
from erp.contract.documents import DocumentKind
from erp.facts import at as facts_at
from erp.models import ErpConnection
from erp.opening import open_adapter
from sync import bell, inbox
from sync.models import Document, DocumentState, Flow, RecordKind

# The ERP tells days, in its own time zone: a poll asks from the day before the last one.
A_DAY = timedelta(days=1)


def poll(company: ErpConnection, flows: list[Flow]) -> int:
    """Want every order of these flows whose invoices are not the ones its newest plan knew; how many.

    Two or three calls, whatever the number of orders; none while no sales order of ours is in the company.

    :raises RemoteError: the company cannot be read
    """
    started = timezone.now()
    orders = Document.objects.filter(
        company=company,
        kind=DocumentKind.SALES_ORDER,
        state=DocumentState.POSTED,
        posting__pipeline__in=[flow.pipeline_id for flow in flows],
    )
    news = _news(company, orders, flows)
    with transaction.atomic():
        for flow in flows:
            ids = [posting.record_id for posting in news if posting.pipeline_id == flow.pipeline_id]
            inbox.raise_wanted_versions(flow.pipeline, RecordKind.ORDER, ids, correlation.get())
        Flow.objects.filter(pk__in=[flow.pk for flow in flows]).update(polled_until=started)
    if news:
        bell.ring(company.pk)
    return len(news)


def _news(company: ErpConnection, orders: QuerySet[Document], flows: Iterable[Flow]) -> list:
    first = orders.aggregate(at=Min("posted_at"))["at"]
    if first is None:
        return []
    since = min(flow.polled_until or first for flow in flows) - A_DAY
    with open_adapter(company, correlation_id=correlation.get(), subject=f"company:{company.key}") as erp:
        found = _by_order(erp.invoiced_since(since.date()))
    ours = orders.filter(erp_key__in=found).select_related("posting__plan", "company")
    return [row.posting for row in ours if not found[row.erp_key] <= _known(row)]


def _by_order(found: Iterable[Invoiced]) -> dict[str, set[tuple[str, bool]]]:
    invoices: dict[str, set[tuple[str, bool]]] = {}
    for each in found:
        invoices.setdefault(each.order, set()).add((each.invoice, each.cancelled))
    return invoices


def _known(order: Document) -> set[tuple[str, bool]]:
    """The invoices that the order's newest plan was made with."""
    plan = order.posting.plan
    facts = facts_at(order.company, plan.facts_version) if plan else None
    return {(i.key, i.cancelled) for i in facts.invoicing.invoices} if facts and facts.invoicing else set()
