"""Gaps: what is missing, once, with everything that waits for it; and letting it go when it is there."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from erp.contract.money import Money
from erp.contract.plan import MissingMapping, Plan
from mappings.models import MappingSet
from mappings.rules import rules_for
from sync import trail
from sync.models import Gap, GapBlock, GapState, Posting


def update_blocks(posting: Posting, plan: Plan, money: Money | None) -> None:
    """Make the gaps of this posting those of its newest plan. One gap for each missing key, however many wait.

    To be called in a transaction: until its end nobody else changes these mappings or what waits for them.
    """
    if not plan.gaps and not posting.blocks.exists():
        return
    MappingSet.objects.select_for_update(no_key=True).get(pk=posting.pipeline.mapping_set_id)
    gaps = [_open(posting, missing) for missing in plan.gaps]
    stale = GapBlock.objects.filter(posting=posting).exclude(gap__in=gaps)
    freed = list(stale.values_list("gap_id", flat=True))
    stale.delete()
    for gap in gaps:
        GapBlock.objects.update_or_create(
            gap=gap,
            posting=posting,
            defaults={
                "tenant_id": posting.tenant_id,
                "currency": money.currency if money else "",
                "amount": money.amount if money else None,
            },
        )
    close_without_blocks(Gap.objects.filter(pk__in=freed))


def _open(posting: Posting, missing: MissingMapping) -> Gap:
    gap, is_new = Gap.objects.get_or_create(
        mapping_set=posting.pipeline.mapping_set,
        kind=missing.kind,
        key=missing.key,
        defaults={
            "tenant_id": posting.tenant_id,
            "label": missing.label[:300],
            "sentence": (missing.sentence or missing.label).replace("the ERP", posting.company.spec.label),
        },
    )
    if not is_new and gap.state == GapState.CLOSED:
        Gap.objects.filter(pk=gap.pk).update(state=GapState.OPEN, closed_at=None, first_seen_at=Now())
        is_new = True
    if is_new:
        trail.gap_opened(gap, posting)
    return gap


def were_filled_meanwhile(posting: Posting, plan: Plan) -> bool:
    """Whether mappings were changed after the plan was made from them: that change did not know of its gaps."""
    return bool(
        plan.gaps
        and plan.versions
        and posting.pipeline.release_on_mapping
        and rules_for(posting.pipeline.mapping_set).version != plan.versions.mapping
    )


def forget_blocks(posting: Posting) -> None:
    """The posting waits for nothing any more; gaps that only it waited for are closed."""
    with transaction.atomic():
        MappingSet.objects.select_for_update(no_key=True).get(pk=posting.pipeline.mapping_set_id)
        freed = list(posting.blocks.values_list("gap_id", flat=True))
        posting.blocks.all().delete()
        close_without_blocks(Gap.objects.filter(pk__in=freed))


def close_without_blocks(gaps: Iterable[Gap]) -> None:
    """A gap that blocks nothing any more is closed."""
    for gap in gaps:
        if gap.state == GapState.OPEN and not gap.blocks.exists():
            Gap.objects.filter(pk=gap.pk).update(state=GapState.CLOSED, closed_at=Now())
            trail.gap_closed(gap)


def freed_by(mapping_set: MappingSet, kinds: Iterable[str]) -> list[Posting]:
    """Postings with a gap that a change of these kinds of mappings has filled, where the pipeline lets them go."""
    rules = rules_for(mapping_set)
    today = timezone.localdate()
    open_gaps = Gap.objects.filter(mapping_set=mapping_set, kind__in=list(kinds)).exclude(
        state=GapState.CLOSED
    )
    filled = [gap.pk for gap in open_gaps if rules.resolve(gap.kind, gap.key, on=today)]
    waiting = Posting.objects.filter(blocks__gap__in=filled, pipeline__release_on_mapping=True)
    return list(waiting.select_related("pipeline__store").distinct())


def waiting_for(gap: Gap) -> QuerySet[Posting]:
    """The postings a gap blocks."""
    return Posting.objects.filter(blocks__gap=gap)


def ignore(gap: Gap, *, by: str, why: str) -> None:
    """Take a gap out of the morning's list, with the reason; what it blocks stays blocked."""
    Gap.objects.filter(pk=gap.pk).update(state=GapState.IGNORED, ignored_by=by, ignored_why=why)
    trail.gap_ignored(gap, by, why)
