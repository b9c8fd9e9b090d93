"""Reprocess and the other things a person may ask of postings: exclude, take back, resolve as already in the ERP."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Now

from audit import correlation
from erp.contract.money import Money
from sync import bell, gaps, trail
from sync.models import Posting, Reprocess, ReprocessItem, Status
from sync.statuses import NEEDS_A_PERSON

EXCLUDED_BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a press of the button would touch: how many orders, and how much money by currency."""

    count: int
    money: tuple[Money, ...]

    def __str__(self) -> str:
        """`43 orders (18,204.00 USD)`."""
        orders = "1 order" if self.count == 1 else f"{self.count:,} orders"
        return f"{orders} ({', '.join(map(str, self.money))})" if self.money else orders


def scope_of(postings: QuerySet[Posting]) -> Scope:
    """Counted before anything is touched."""
    sums = postings.order_by().values("currency").annotate(orders=Count("pk"), amount=Sum("total"))
    rows = list(sums.order_by("currency"))
    money = (Money(row["amount"] or Decimal(0), row["currency"]) for row in rows if row["currency"])
    return Scope(count=sum(row["orders"] for row in rows), money=tuple(money))


def reprocess(postings: Iterable[Posting], *, by: str, what: str) -> Reprocess:
    """Work these postings off again: read, plan, compare, post what is missing. What is posted is never posted twice.

    What a person excluded stays excluded: `take_back` first.

    :raises ValueError: without any posting
    """
    postings = list(postings)
    if not postings:
        raise ValueError("Nothing was chosen.")
    with transaction.atomic():
        run = Reprocess.objects.create(
            tenant_id=postings[0].tenant_id,
            by=by,
            what=what,
            correlation_id=correlation.get() or correlation.new(),
        )
        ids = [p.pk for p in postings]
        included = Posting.objects.filter(pk__in=ids).exclude(
            status=Status.EXCLUDED, reason_code=EXCLUDED_BY_HAND
        )
        included.update(wanted_version=F("wanted_version") + 1, due_at=Now(), tries=0)
        ReprocessItem.objects.bulk_create(
            ReprocessItem(tenant_id=p.tenant_id, run=run, posting=p, version=p.wanted_version)
            for p in Posting.objects.filter(pk__in=ids)
        )
        trail.reprocess_asked(run, postings)
        for company_id in {p.company_id for p in postings}:
            transaction.on_commit(lambda company_id=company_id: bell.ring(company_id), robust=True)
    return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    total: int
    done: int
    posted: int
    needs_a_person: int


def progress(run: Reprocess) -> Progress:
    """How far a run is: an item is done when its posting has worked off the version that was asked for, or stopped."""
    return progress_of([run.pk])[run.pk]


def progress_of(run_ids: Iterable[int]) -> dict[int, Progress]:
    """How far each of these runs is, in one query."""
    worked = Q(posting__done_version__gte=F("version"))
    done = worked | (Q(posting__due_at=None) & Q(posting__lease_until=None))
    needs_a_person = done & Q(posting__status__in=NEEDS_A_PERSON)
    counts = (
        ReprocessItem.objects.filter(run__in=(ids := list(run_ids)))
        .values("run_id")
        .annotate(
            total=Count("id"),
            done=Count("id", filter=done),
            posted=Count("id", filter=worked & Q(posting__status=Status.POSTED)),
            needs_a_person=Count("id", filter=needs_a_person),
        )
        .order_by()
    )
    nothing = Progress(total=0, done=0, posted=0, needs_a_person=0)
    return dict.fromkeys(ids, nothing) | {row.pop("run_id"): Progress(**row) for row in counts}


def exclude(posting: Posting, *, by: str, why: str) -> None:
    """Never post this record, with the reason. Events for it are still recorded; `take_back` undoes it.

    :raises ValueError: without a reason
    """
    if not why.strip():
        raise ValueError("Say why this order is excluded: the auditor will ask.")
    with transaction.atomic():
        gaps.forget_blocks(posting)
        Posting.objects.filter(pk=posting.pk).update(
            status=Status.EXCLUDED,
            reason=why.strip(),
            reason_code=EXCLUDED_BY_HAND,
            excluded_by=by,
            due_at=None,
            lease_fence=F("lease_fence") + 1,  # a worker that has it stops at its next check
            lease_until=None,
        )
        trail.excluded(posting, by, why)


def take_back(posting: Posting, *, by: str) -> Reprocess:
    """Undo an exclusion: the record is read and planned again."""
    with transaction.atomic():
        Posting.objects.filter(pk=posting.pk).update(
            status=Status.WAITING, reason="", reason_code="", excluded_by=""
        )
        trail.taken_back(posting, by)
        return reprocess([posting], by=by, what=f"{posting} is no longer excluded")
