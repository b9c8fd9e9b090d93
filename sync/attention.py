"""What needs me? One list for a person's morning: everything that waits for a decision, most money first.

Every query for a person is scoped by `tenants.scoping.visible`, the one place that decides what a person sees. The alerts ask
the same for everybody (`sync.alerts`): what a person reads here in the morning is what was told in the night.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import Any
from urllib.parse import quote

from django.db.models import Count, Max, Min, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from erp.contract.money import Money
from erp.models import ErpConnection
from storefront.models import SignatureFailure, Store
from sync.alerts.kinds import SPECS, Kind
from sync.completeness import UNSETTLED, count_differs
from sync.models import (
    Alert,
    AlertState,
    Certificate,
    CertificateLine,
    CertificateState,
    Document,
    DocumentState,
    Finding,
    Gap,
    GapBlock,
    GapState,
    HookFinding,
    Pipeline,
    Posting,
    RecordKind,
    Status,
)
from tenants.long_lists import COUNTED_UP_TO, count_up_to
from tenants.models import Tenant, User
from tenants.scoping import visible

STILL_UNKNOWN = timedelta(minutes=15)
BEING_READ = timedelta(minutes=30)  # what a completeness check found has so long to be read
SIGNATURES_WITHIN = timedelta(hours=24)


# Kinds of alerts that are asked for here, and so are not listed a second time.
OF_NEEDS = (
    Kind.GAP,
    Kind.REFUSED,
    Kind.HELD,
    Kind.UNKNOWN,
    Kind.SIGNATURES,
    Kind.PAUSED,
    Kind.WEBHOOKS,
    Kind.COMPLETENESS,
    Kind.UNOWNED,
)

# Which rows are asked for: those a person sees, or all.
Scope = Callable[[QuerySet], QuerySet]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One line: what it is, in a sentence, how much waits for it, and where to go."""

    kind: str  # of `sync.alerts.kinds`, or hook_… (storefront.models.FindingKind)
    subject: str  # what it is about, the same for as long as it lasts: gap:12
    sentence: str
    told: str = ""  # the sentence as it may leave the house, where the other has words from outside
    orders: int = 0
    money: tuple[Money, ...] = ()
    since: datetime | None = None
    page: str = ""  # admin url name
    page_args: tuple[object, ...] = ()
    query: str = ""
    tenant: str = ""
    tenant_id: int | None  # None: the installation
    weight: Decimal = field(default=Decimal(0))
    answer: str = ""  # what somebody has said to its alert

    @property
    def alert_kind(self) -> Kind:
        """The alert that tells of it."""
        return Kind.WEBHOOKS if self.kind.startswith("hook_") else Kind(self.kind)


def needs_of(user: User) -> list[Need]:
    """Everything that waits for a person, for all tenants this one may see."""
    scope = partial(visible, user)
    found = needs(scope)
    alerts = list(scope(Alert.objects.filter(state=AlertState.OPEN)).select_related("tenant"))
    answers = {(alert.kind, alert.subject): alert.answer for alert in alerts}
    found = [replace(need, answer=answers.get((need.alert_kind, need.subject), "")) for need in found]
    found += [_watched(alert) for alert in alerts if alert.kind not in OF_NEEDS]
    return sorted(found, key=_gravity, reverse=True)


def _gravity(need: Need) -> tuple[bool, bool, Decimal]:
    """What somebody takes care of comes after what nobody does, critical before the rest, much money before little."""
    return not need.answer, SPECS[need.alert_kind].is_critical, need.weight


def _watched(alert: Alert) -> Need:
    """An alert about something that only the watch knows; its page says the way out."""
    return Need(
        kind=alert.kind,
        subject=alert.subject,
        sentence=alert.sentence,
        orders=alert.orders,
        money=alert.amounts,
        since=alert.since,
        page="admin:sync_alert_change",
        page_args=(alert.pk,),
        tenant=alert.tenant.name if alert.tenant else "Installation",
        tenant_id=alert.tenant_id,
        weight=_weight(alert.amounts),
        answer=alert.answer,
    )


def needs(scope: Scope) -> list[Need]:
    """Everything that waits for a person among the rows of this scope."""
    return [
        *_paused(scope),
        *_gaps(scope),
        *_stopped(scope, Status.REFUSED, "refused by the ERP"),
        *_stopped(scope, Status.HELD, "held"),
        *_unknown(scope),
        *_signatures(scope),
        *_webhooks(scope),
        *_completeness(scope),
    ]


def _paused(scope: Scope) -> Iterator[Need]:
    pages: tuple[tuple[type[ErpConnection] | type[Store] | type[Pipeline], str], ...] = (
        (ErpConnection, "admin:erp_erpconnection_change"),
        (Store, "admin:storefront_store_change"),
        (Pipeline, "admin:sync_pipeline_change"),
    )
    for model, page in pages:
        # Without secrets: one that no key can read must not hide what is paused.
        columns = {f.name for f in model._meta.fields} & {"name", "paused_at", "pause_reason"}
        paused = scope(model.objects.exclude(paused_at=None)).select_related("tenant")
        for row in paused.only(*columns, "tenant__name"):
            why = getattr(row, "pause_reason", "") or "What comes in waits until somebody resumes it."
            yield Need(
                kind="paused",
                subject=f"{model._meta.model_name}:{row.pk}",
                sentence=f"{row.name} is paused: {why}",
                since=row.paused_at,
                page=page,
                page_args=(row.pk,),
                tenant=row.tenant.name,
                tenant_id=row.tenant_id,
            )


def gaps_with_money(scope: Scope) -> list[tuple[Gap, int, tuple[Money, ...]]]:
    """Open gaps with the orders and the money that wait for each, most money first."""
    gaps = scope(Gap.objects.filter(state=GapState.OPEN)).select_related("tenant")
    waiting = waiting_at({gap.pk for gap in gaps})
    rows = [(gap, *waiting[gap.pk]) for gap in gaps]
    return sorted(rows, key=lambda row: (sum((m.amount for m in row[2]), Decimal(0)), row[1]), reverse=True)


def waiting_at(gap_ids: Iterable[int]) -> dict[int, tuple[int, tuple[Money, ...]]]:
    """How many orders and how much money wait for each of these gaps, in one query."""
    waiting: dict[int, tuple[int, tuple[Money, ...]]] = {pk: (0, ()) for pk in gap_ids}
    sums = (
        GapBlock.objects.filter(gap__in=list(waiting))
        .values("gap_id", "currency")
        .annotate(orders=Count("id"), amount=Sum("amount"))
        .order_by("gap_id", "currency")
    )
    for row in sums:
        orders, money = waiting[row["gap_id"]]
        more = (Money(row["amount"] or Decimal(0), row["currency"]),) if row["currency"] else ()
        waiting[row["gap_id"]] = (orders + row["orders"], money + more)
    return waiting


def _gaps(scope: Scope) -> Iterator[Need]:
    for gap, orders, money in gaps_with_money(scope):
        yield Need(
            kind="gap",
            subject=f"gap:{gap.pk}",
            sentence=gap.sentence,
            orders=orders,
            money=money,
            since=gap.first_seen_at,
            page="admin:sync_gap_change",
            page_args=(gap.pk,),
            tenant=gap.tenant.name,
            tenant_id=gap.tenant_id,
            weight=_weight(money),
        )


def _stopped(scope: Scope, status: Status, words: str) -> Iterator[Need]:
    """One line for each reason, with its money by currency."""
    by_currency = (
        scope(Posting.objects.filter(status=status))
        .values("tenant_id", "tenant__name", "reason_code", "currency", "record_kind")
        .annotate(orders=Count("id"), amount=Sum("total"), since=Min("changed_at"), reason=Max("reason"))
        .order_by("tenant__name", "tenant_id", "reason_code", "record_kind", "currency")
    )
    for (tenant_id, code, kind), group in groupby(by_currency, key=_reason):
        rows = list(group)
        orders, money = sum(row["orders"] for row in rows), _money(rows)
        counted = f"{orders} {kind}{'s are' if orders > 1 else ' is'} {words}."
        yield Need(
            kind=str(status),
            subject=f"{status}:{tenant_id}/{kind}/{code}",
            sentence=f"{counted} {max(row['reason'] for row in rows)}",
            told=f"{counted} Reason: {code.replace('_', ' ')}." if code else counted,
            orders=orders,
            money=money,
            since=min(row["since"] for row in rows),
            page="admin:sync_posting_changelist",
            query=f"status__exact={status}&reason_code__exact={quote(code)}",
            tenant=rows[0]["tenant__name"],
            tenant_id=tenant_id,
            weight=_weight(money),
        )


def _reason(row: Mapping[str, Any]) -> tuple[int, str, str]:
    return row["tenant_id"], row["reason_code"], row["record_kind"]


def _unknown(scope: Scope) -> Iterator[Need]:
    """By when the oldest of its documents was sent: a posting itself changes with every lookup."""
    lost = Document.objects.filter(posting=OuterRef("pk"), state=DocumentState.UNKNOWN).order_by("sent_at")
    old = Posting.objects.filter(status=Status.UNKNOWN).annotate(sent_at=Subquery(lost.values("sent_at")[:1]))
    by_currency = (
        scope(old.filter(sent_at__lt=timezone.now() - STILL_UNKNOWN))
        .values("tenant_id", "tenant__name", "currency")
        .annotate(orders=Count("id"), amount=Sum("total"), since=Min("sent_at"))
        .order_by("tenant__name", "tenant_id", "currency")
    )
    for tenant_id, rows in groupby(by_currency, key=lambda row: row["tenant_id"]):
        found = list(rows)
        yield Need(
            kind="unknown",
            subject=f"tenant:{tenant_id}",
            sentence="The ERP has not yet said whether it took these. They are looked up again by themselves.",
            orders=sum(row["orders"] for row in found),
            money=_money(found),
            since=min(row["since"] for row in found),
            page="admin:sync_posting_changelist",
            query=f"status__exact={Status.UNKNOWN}",
            tenant=found[0]["tenant__name"],
            tenant_id=tenant_id,
        )


def _money(rows: Iterable[Mapping[str, Any]]) -> tuple[Money, ...]:
    """The amounts of rows that are summed by currency; records without one have none."""
    return tuple(Money(row["amount"] or Decimal(0), row["currency"]) for row in rows if row["currency"])


def _signatures(scope: Scope) -> Iterator[Need]:
    recent = SignatureFailure.objects.filter(hour__gte=timezone.now() - SIGNATURES_WITHIN)
    for row in (
        scope(recent)
        .values("store_id", "store__name", "tenant_id", "tenant__name")
        .annotate(count=Sum("count"), since=Min("hour"))
        .order_by("store_id")
    ):
        yield Need(
            kind="signatures",
            subject=f"store:{row['store_id']}",
            sentence=(
                f"{row['count']} webhooks for {row['store__name']} failed their signature in the last day. "
                "Check the client secret of the store, or whether somebody forges them."
            ),
            since=row["since"],
            page="admin:storefront_store_change",
            page_args=(row["store_id"],),
            tenant=row["tenant__name"],
            tenant_id=row["tenant_id"],
        )


def _webhooks(scope: Scope) -> Iterator[Need]:
    """What the hourly look at the stores' webhooks could not mend by itself."""
    findings = scope(HookFinding.objects.filter(ended_at=None)).select_related("store", "tenant")
    for row in findings.order_by("since").only(
        "kind", "sentence", "since", "store__name", "tenant__name", "tenant_id"
    ):
        yield Need(
            kind=f"hook_{row.kind}",
            subject=f"webhooks:{row.pk}",
            sentence=f"Webhooks of {row.store.name}: {row.sentence}",
            since=row.since,
            page="admin:storefront_store_webhooks",
            page_args=(row.store_id,),
            tenant=row.tenant.name,
            tenant_id=row.tenant_id,
        )


def _completeness(scope: Scope) -> Iterator[Need]:
    """Each store's newest certificate, where an order could not be accounted for or belongs to no pipeline."""
    made = Certificate.objects.exclude(state=CertificateState.LISTING).order_by("store_id", "-started_at")
    newest = scope(Certificate.objects.filter(pk__in=made.distinct("store_id").values("pk")))
    columns = (
        "since",
        "until",
        "state",
        "listed_at",
        "started_at",
        "store_count",
        "rows_listed",
        "store__name",
        "tenant__name",
    )
    for certificate in newest.select_related("store", "tenant").only(*columns, "tenant_id"):
        young = certificate.listed_at and timezone.now() - certificate.listed_at < BEING_READ
        open_lines = certificate.lines.filter(finding__in=UNSETTLED)
        if certificate.state == CertificateState.OPEN and not young:
            more = ""
            if count_differs(certificate):
                more = f"; the store counts {certificate.store_count} orders and lists another number"
            yield _of_certificate(
                certificate,
                "completeness",
                open_lines,
                f"is not accounted for{more}",
                f"are not accounted for{more}",
            )
        unowned = certificate.lines.filter(finding=Finding.UNOWNED)
        if unowned.exists():
            yield _of_certificate(
                certificate,
                "unowned",
                unowned,
                "belongs to no pipeline: none has its channel, currency or customer group",
                "belong to no pipeline: none has their channel, currency or customer group",
            )


def _of_certificate(
    certificate: Certificate, kind: str, lines: QuerySet[CertificateLine], of_one: str, of_several: str
) -> Need:
    by_currency = (
        lines.values("currency").annotate(orders=Count("id"), amount=Sum("total")).order_by("currency")
    )
    rows = list(by_currency)
    orders, money = sum(row["orders"] for row in rows), _money(rows)
    return Need(
        kind=kind,
        subject=f"store:{certificate.store_id}",
        sentence=(
            f"{orders} order{'' if orders == 1 else 's'} of {certificate.store.name}, placed since "
            f"{certificate.since:%Y-%m-%d}, {of_one if orders == 1 else of_several}."
        ),
        orders=orders,
        money=money,
        since=certificate.started_at,
        page="admin:sync_certificate_change",
        page_args=(certificate.pk,),
        tenant=certificate.tenant.name,
        tenant_id=certificate.tenant_id,
        weight=_weight(money),
    )


def _weight(money: Iterable[Money]) -> Decimal:
    return sum((m.amount for m in money), Decimal(0))


def posting_counts(user: User) -> dict[str, str]:
    """Orders by status, for the tiles of the home page: counted up to a bound, `10,000+` beyond it."""
    # The index begins with the tenant: they are named to whoever sees all of them, too.
    tenants = list(visible(user, Tenant.objects.order_by()).values_list("pk", flat=True))
    orders = Posting.objects.filter(tenant__in=tenants, record_kind=RecordKind.ORDER)
    counts = {status: count_up_to(orders.filter(status=status)) for status in Status}
    return {
        status: f"{COUNTED_UP_TO:,}+" if count > COUNTED_UP_TO else f"{count:,}"
        for status, count in counts.items()
    }
