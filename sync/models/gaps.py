"""Gaps: one row for each mapping that is missing, whatever the number of orders that wait for it."""

from django.db import models

from sync.models.postings import Posting
from tenants.constraints import SameTenant
from tenants.models import Growing, TenantOwned


class GapState(models.TextChoices):
    OPEN = "open", "Open"
    IGNORED = "ignored", "Ignored"
    CLOSED = "closed", "Closed"


class Gap(TenantOwned):
    """A missing mapping: what is missing, since when, and (through its blocks) what it costs."""

    mapping_set = models.ForeignKey("mappings.MappingSet", models.CASCADE, related_name="gaps")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=400)
    label = models.CharField(max_length=300)
    sentence = models.TextField()
    state = models.CharField(max_length=8, choices=GapState, default=GapState.OPEN)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    ignored_by = models.CharField(max_length=150, blank=True)
    ignored_why = models.TextField(blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["mapping_set", "kind", "key"], name="sync_gap_key"),
            SameTenant("mapping_set"),
        ]
        indexes = [models.Index(fields=["tenant", "state"], name="sync_gap_state")]

    def __str__(self) -> str:
        return self.label


class GapBlock(Growing):
    """A posting that waits for a gap, with the money it stands for."""

    gap = models.ForeignKey(Gap, models.CASCADE, related_name="blocks", db_index=False)
    posting = models.ForeignKey(Posting, models.CASCADE, related_name="blocks")
    currency = models.CharField(max_length=3, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    since = models.DateTimeField(auto_now_add=True)

    class Meta(Growing.Meta):
        constraints = [
            *Growing.Meta.constraints,
            models.UniqueConstraint(fields=["gap", "posting"], name="sync_gapblock_once"),
            SameTenant("gap"),
            SameTenant("posting"),
        ]

    def __str__(self) -> str:
        return f"{self.posting_id} waits for {self.gap_id}"
