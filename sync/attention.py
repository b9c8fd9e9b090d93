"""What needs me? One list for a person's morning: everything that waits for a decision, most money first.

Alerts are rows here. Every query is scoped by `tenants.scoping.visible`, the one place that decides what a person sees.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Max, Min, Sum
from django.utils import timezone

from erp.contract.money import Money
from erp.models import ErpConnection
from storefront.models import SignatureFailure, Store
from sync.models import Gap, GapBlock, GapState, HookFinding, Pipeline, Posting, RecordKind, Status
from tenants.models import User
from tenants.scoping import visible

STILL_UNKNOWN = timedelta(minutes=15)
SIGNATURES_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One line: what it is, in a sentence, how much waits for it, and where to go."""

    kind: str  # gap | refused | held | unknown | signatures | paused | hook_… (storefront.models.FindingKind)
    sentence: str
    orders: int = 0
    money: tuple[Money, ...] = ()
    since: datetime | None = None
    page: str = ""  # admin url name
    page_args: tuple[object, ...] = ()
    query: str = ""
    tenant: str = ""
    weight: Decimal = field(default=Decimal(0))


def needs_of(user: User) -> list[Need]:
    """Everything that waits for a person, for all tenants this one may see."""
    found = [
        *_paused(user),
        *_gaps(user),
        *_stopped(user, Status.REFUSED, "refused by the ERP"),
        *_stopped(user, Status.HELD, "held"),
        *_unknown(user),
        *_signatures(user),
        *_webhooks(user),
    ]
    return sorted(found, key=lambda need: (need.kind == "paused", need.weight), reverse=True)


def _paused(user: User) -> Iterator[Need]:
    pages: tuple[tuple[type[ErpConnection] | type[Store] | type[Pipeline], str], ...] = (
        (ErpConnection, "admin:erp_erpconnection_change"),
        (Store, "admin:storefront_store_change"),
        (Pipeline, "admin:sync_pipeline_change"),
    )
    for model, page in pages:
        for row in visible(user, model.objects.exclude(paused_at=None)).select_related("tenant"):
            why = getattr(row, "pause_reason", "") or "What comes in waits until somebody resumes it."
            yield Need(
                kind="paused",
                sentence=f"{row.name} is paused: {why}",
                since=row.paused_at,
                page=page,
                page_args=(row.pk,),
                tenant=row.tenant.name,
            )


def gaps_with_money(user: User) -> list[tuple[Gap, int, tuple[Money, ...]]]:
    """Open gaps with the orders and the money that wait for each, most money first."""
    gaps = visible(user, Gap.objects.filter(state=GapState.OPEN)).select_related("tenant")
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


def _gaps(user: User) -> Iterator[Need]:
    for gap, orders, money in gaps_with_money(user):
        yield Need(
            kind="gap",
            sentence=gap.sentence,
            orders=orders,
            money=money,
            since=gap.first_seen_at,
            page="admin:sync_gap_change",
            page_args=(gap.pk,),
            tenant=gap.tenant.name,
            weight=_weight(money),
        )


def _stopped(user: User, status: Status, words: str) -> Iterator[Need]:
    groups = (
        visible(user, Posting.objects.filter(status=status))
        .values("tenant__name", "reason_code", "currency", "record_kind")
        .annotate(orders=Count("id"), amount=Sum("total"), since=Min("changed_at"), reason=Max("reason"))
        .order_by("tenant__name", "reason_code")
    )
    for group in groups:
        many = group["orders"] > 1
        what = group["record_kind"] + ("s" if many else "")
        money = (Money(group["amount"] or Decimal(0), group["currency"]),) if group["currency"] else ()
        yield Need(
            kind=str(status),
            sentence=f"{group['orders']} {what} {'are' if many else 'is'} {words}. {group['reason']}",
            orders=group["orders"],
            money=money,
            since=group["since"],
            page="admin:sync_posting_changelist",
            query=f"status__exact={status}&reason_code__exact={group['reason_code']}",
            tenant=group["tenant__name"],
            weight=_weight(money),
        )


def _unknown(user: User) -> Iterator[Need]:
    old = Posting.objects.filter(status=Status.UNKNOWN, changed_at__lt=timezone.now() - STILL_UNKNOWN)
    count = visible(user, old).count()
    if count:
        yield Need(
            kind="unknown",
            sentence="The ERP has not yet said whether it took these. They are looked up again by themselves.",
            orders=count,
            page="admin:sync_posting_changelist",
            query=f"status__exact={Status.UNKNOWN}",
        )


def _signatures(user: User) -> Iterator[Need]:
    recent = SignatureFailure.objects.filter(hour__gte=timezone.now() - SIGNATURES_WITHIN)
    for row in (
        visible(user, recent)
        .values("store_id", "store__name", "tenant__name")
        .annotate(count=Sum("count"), since=Min("hour"))
        .order_by("store_id")
    ):
        yield Need(
            kind="signatures",
            sentence=(
                f"{row['count']} webhooks for {row['store__name']} failed their signature in the last day. "
                "Check the client secret of the store, or whether somebody forges them."
            ),
            since=row["since"],
            page="admin:storefront_store_change",
            page_args=(row["store_id"],),
            tenant=row["tenant__name"],
        )


def _webhooks(user: User) -> Iterator[Need]:
    """What the hourly look at the stores' webhooks could not mend by itself."""
    findings = visible(user, HookFinding.objects.filter(ended_at=None)).select_related("store", "tenant")
    for row in findings.order_by("since"):
        yield Need(
            kind=f"hook_{row.kind}",
            sentence=f"Webhooks of {row.store.name}: {row.sentence}",
            since=row.since,
            page="admin:storefront_store_webhooks",
            page_args=(row.store_id,),
            tenant=row.tenant.name,
        )


def _weight(money: Iterable[Money]) -> Decimal:
    return sum((m.amount for m in money), Decimal(0))


def posting_counts(user: User) -> dict[str, int]:
    """Orders by status, for the tiles of the home page."""
    rows = (
        visible(user, Posting.objects.filter(record_kind=RecordKind.ORDER))
        .values("status")
        .annotate(n=Count("id"))
    )
    return {row["status"]: row["n"] for row in rows.order_by()}
