"""What can be wrong for a tenant beyond what waits for a person: connections, flows, work, messages."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import (
    BooleanField,
    Count,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.urls import reverse

from audit.redaction import redact_text
from erp.contract.money import Money
from erp.models import BreakerState, ErpConnection
from storefront.models import Store
from sync import sweeper
from sync.alerts.condition import Condition
from sync.alerts.kinds import Kind
from sync.models import (
    AlertDestination,
    Document,
    Flow,
    Mode,
    NoticeState,
    Probe,
    StoreFlow,
    StoreFlowKind,
)
from sync.models.pipelines import FLOWS_OF_THE_ERP

LATE_WORK = timedelta(minutes=5)  # how long a due record may wait for a worker
STORE_SECRETS = [f.name for f in Store._meta.concrete_fields if getattr(f, "holds_tokens", False)]
OWN = ("name", "tenant_id")  # and no secret: one that no key can read must not stop the watch
COMPANY_PAGE = "admin:erp_erpconnection_change"

Waiting = tuple[int, tuple[Money, ...]]


def conditions(now: datetime) -> Iterator[Condition]:
    """All of them."""
    yield from _erps(now)
    yield from _stores(now)
    yield from _doubled()
    yield from _flows(now)
    yield from _store_flows(now)
    yield from _overdue(now)
    yield from _undelivered()


def _erps(now: datetime) -> Iterator[Condition]:
    """ERP companies that do not answer: their breaker is open, or their probes fail."""
    is_open = Q(breaker__state__in=(BreakerState.OPEN, BreakerState.HALF_OPEN))
    companies = [
        company
        for company in _probed(ErpConnection, "company")
        .annotate(is_open=ExpressionWrapper(is_open, output_field=BooleanField()))
        .annotate(opened_at=F("breaker__opened_at"))
        if company.is_open or company.probes_fail
    ]
    waiting = waiting_for([company.pk for company in companies])
    for company in companies:
        orders, money = waiting.get(company.pk, (0, ()))
        yield Condition(
            kind=Kind.ERP_UNREACHABLE,
            subject=f"company:{company.pk}",
            tenant_id=company.tenant_id,
            sentence=f"{company.name} does not answer. It is tried again every few minutes; what is due waits.",
            since=company.opened_at or company.failing_since or now,
            path=reverse(COMPANY_PAGE, args=[company.pk]),
            orders=orders,
            money=money,
        )


def _stores(now: datetime) -> Iterator[Condition]:
    for store in _probed(Store, "store"):
        if store.probes_fail:
            yield Condition(
                kind=Kind.STORE_UNREACHABLE,
                subject=f"store:{store.pk}",
                tenant_id=store.tenant_id,
                sentence=f"{store.name} does not answer our probes. Webhooks are still taken; orders cannot be read.",
                since=store.failing_since or now,
                path=reverse("admin:storefront_store_change", args=[store.pk]),
            )


def _probed(model: type[Store] | type[ErpConnection], name: str) -> QuerySet:
    """Connections in use with how their last two probes went: one failure may be chance."""
    ended = Probe.objects.filter(**{name: OuterRef("pk")}, ok__isnull=False).order_by("-started_at")
    return (
        model.objects.filter(paused_at=None)
        .annotate(
            last_ok=Subquery(ended.values("ok")[:1]),
            before_ok=Subquery(ended.values("ok")[1:2]),
            failing_since=Subquery(ended.values("started_at")[1:2]),
            probes_fail=ExpressionWrapper(Q(last_ok=False, before_ok=False), output_field=BooleanField()),
        )
        .only(*OWN)
    )


def _doubled() -> Iterator[Condition]:
    doubled = Document.objects.exclude(doubles="").select_related("company").order_by("pk")
    for document in doubled.only(
        "kind", "reference", "doubles", "looked_again_at", "currency", "total", "tenant_id", "posting_id",
        "company__name",
    ):  # fmt: skip
        has_money = document.total is not None and document.currency
        yield Condition(
            kind=Kind.DOCUMENT_DOUBLED,
            subject=f"document:{document.pk}",
            tenant_id=document.tenant_id,
            sentence=(
                f"{document.company.name} has more than one {document.kind} under reference {document.reference}: "
                f"{document.doubles}."
            ),
            since=document.looked_again_at,
            path=reverse("admin:sync_posting_change", args=[document.posting_id]),
            orders=1,
            money=(Money(document.total, document.currency),) if has_money else (),
        )


def _flows(now: datetime) -> Iterator[Condition]:
    """Flows of pipelines; what is paused is told as that."""
    flows = (
        Flow.objects.filter(enabled=True, pipeline__paused_at=None)
        .exclude(pipeline__mode=Mode.OFF)
        .exclude(kind__in=FLOWS_OF_THE_ERP, pipeline__company__paused_at__isnull=False)
        .filter(Q(kind__in=FLOWS_OF_THE_ERP) | Q(pipeline__store__paused_at=None))
        .select_related("pipeline")
        .annotate(made_at=Min("pipeline__versions__at"))
    )
    for flow in flows:
        page = reverse("admin:sync_pipeline_change", args=[flow.pipeline_id])
        name = f"{flow.get_kind_display()} of {flow.pipeline.name}"
        yield from _flow(flow, flow.last_success_at or flow.made_at or now, name, page, now)


def _store_flows(now: datetime) -> Iterator[Condition]:
    """What is done for a store as a whole. Webhooks that cannot be looked at are told among what is wrong with them."""
    flows = StoreFlow.objects.filter(enabled=True, store__paused_at=None).select_related("store")
    for flow in flows.defer(*(f"store__{name}" for name in STORE_SECRETS)):
        if flow.kind == StoreFlowKind.WEBHOOKS and flow.last_error:
            continue
        page = reverse("admin:storefront_store_change", args=[flow.store_id])
        name = f"“{flow.get_kind_display()}” of {flow.store.name}"
        yield from _flow(flow, flow.last_success_at or now, name, page, now)


def _flow(
    flow: Flow | StoreFlow, since: datetime, name: str, page: str, now: datetime
) -> Iterator[Condition]:
    """One that fails is told as that; one that does not run at all, or too seldom, as late."""
    about = {
        "subject": f"{flow._meta.model_name}:{flow.pk}",
        "tenant_id": flow.tenant_id,
        "since": since,
        "path": page,
    }
    budget = flow.latency_budget
    if flow.last_error:
        said = redact_text(f"{name} failed: {flow.last_error}")
        yield Condition(kind=Kind.FLOW_FAILING, sentence=said, **about)
    elif budget is not None and now - since > budget:
        said = f"{name}: no successful run since {since:%Y-%m-%d %H:%M} UTC. Its budget is {_spoken(budget)}."
        # After a pause its next run comes first.
        holds = timedelta(minutes=flow.every_minutes or 0)
        yield Condition(kind=Kind.FLOW_LATE, sentence=said, holds=holds, **about)


def _overdue(now: datetime) -> Iterator[Condition]:
    """Records that could be worked off and are not: workers are dead or too few. An ERP that is away is told as that."""
    oldest = sweeper.due_postings().filter(company=OuterRef("pk")).order_by("due_at").values("due_at")[:1]
    companies = list(
        ErpConnection.objects.filter(Q(breaker=None) | Q(breaker__state=BreakerState.CLOSED), paused_at=None)
        .annotate(oldest=Subquery(oldest))
        .filter(oldest__lt=now - LATE_WORK)
        .only(*OWN)
    )
    waiting = waiting_for([company.pk for company in companies])
    for company in companies:
        orders, money = waiting.get(company.pk, (0, ()))
        yield Condition(
            kind=Kind.WORK_OVERDUE,
            subject=f"company:{company.pk}",
            tenant_id=company.tenant_id,
            sentence=f"Work for {company.name} has been due since {company.oldest:%Y-%m-%d %H:%M} UTC and nobody takes it.",
            since=company.oldest,
            path=reverse(COMPANY_PAGE, args=[company.pk]),
            orders=orders,
            money=money,
        )


def _undelivered() -> Iterator[Condition]:
    given_up = AlertDestination.objects.filter(notices__state=NoticeState.DEAD)
    counted = given_up.annotate(count=Count("notices"), since=Min("notices__made_at"))
    for destination in counted.only("key", "tenant_id"):
        yield Condition(
            kind=Kind.UNDELIVERED,
            subject=f"destination:{destination.pk}",
            tenant_id=destination.tenant_id,
            sentence=(
                f"{destination.count} alert {'message' if destination.count == 1 else 'messages'} to {destination.key} "
                f"{'was' if destination.count == 1 else 'were'} given up: it could not be reached."
            ),
            since=destination.since,
            path=reverse("admin:sync_alertdestination_change", args=[destination.pk]),
        )


def waiting_for(company_ids: Iterable[int]) -> dict[int, Waiting]:
    """How many records are due for each of these ERP companies, and their money; asked only while something is wrong."""
    found: dict[int, Waiting] = {}
    wanted = list(company_ids)
    if not wanted:
        return found
    sums = (
        sweeper.due_postings()
        .filter(company_id__in=wanted)
        .values("company_id", "currency")
        .annotate(orders=Count("id"), amount=Sum("total"))
        .order_by("company_id", "currency")
    )
    for row in sums:
        orders, money = found.get(row["company_id"], (0, ()))
        more = (Money(row["amount"] or Decimal(0), row["currency"]),) if row["currency"] else ()
        found[row["company_id"]] = (orders + row["orders"], money + more)
    return found


def _spoken(duration: timedelta) -> str:
    minutes = int(duration.total_seconds()) // 60
    return f"{minutes} minutes" if minutes % 60 else f"{minutes // 60} hour{'s' if minutes > 60 else ''}"
