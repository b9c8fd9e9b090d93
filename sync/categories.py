"""Mappings by category count only where the categories of the store's products are read: who has the one without the other."""

from django.db.models import Exists, OuterRef, QuerySet
from django.dispatch import receiver
from django.urls import reverse

from mappings.kinds import Kind
from mappings.models import Mapping
from mappings.signals import Hint, mapping_shown
from sync.models import Mode, Pipeline

BY_CATEGORY = "category:"
_MEND = "Switch on “Read categories” there, under “What is read”."


def pipelines_without_categories() -> QuerySet[Pipeline]:
    """Pipelines with mappings by category whose store's categories are not read; what is switched off counts for nothing anyway."""
    by_category = Mapping.objects.filter(
        kind=Kind.LINE_ACCOUNT, key__startswith=BY_CATEGORY, mapping_set=OuterRef("mapping_set")
    )
    return (
        Pipeline.objects.filter(Exists(by_category), store__reads_categories=False)
        .exclude(mode=Mode.OFF)
        .select_related("store", "mapping_set")
        .order_by("store__name", "pk")
    )


def sentence_of(pipeline: Pipeline) -> str:
    """What it means, as the store's page and `doctor` say it."""
    return (
        f"Mappings by category of “{pipeline.mapping_set.name}” are not used for orders of {pipeline.store.name}, "
        "because the categories of its products are not read."
    )


@receiver(mapping_shown)
def hints_of(sender: object, mapping: Mapping, **more: object) -> list[Hint]:
    """One for each store in which this mapping is not used."""
    if mapping.kind != Kind.LINE_ACCOUNT or not mapping.key.startswith(BY_CATEGORY):
        return []
    stores = {
        pipeline.store
        for pipeline in pipelines_without_categories().filter(mapping_set=mapping.mapping_set_id)
    }
    return [
        Hint(
            sentence=(
                f"This mapping is not used for orders of {store.name}, because the categories of its products are not "
                f"read. {_MEND}"
            ),
            link=store.name,
            url=reverse("admin:storefront_store_change", args=[store.pk]),
        )
        for store in sorted(stores, key=lambda store: store.name)
    ]
