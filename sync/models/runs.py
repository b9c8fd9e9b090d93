"""Reprocess: a person asked for these postings to be worked off again, and watches."""

from django.db import models

from sync.models.postings import Posting
from tenants.constraints import SameTenant
from tenants.models import Growing, TenantOwned


class Reprocess(TenantOwned):
    """One press of the button, with what it touches."""

    by = models.CharField(max_length=150)
    what = models.CharField(max_length=300, help_text="What was chosen, in words.")
    started_at = models.DateTimeField(auto_now_add=True)
    correlation_id = models.CharField(max_length=64)

    class Meta(TenantOwned.Meta):
        verbose_name = "reprocess run"
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return self.what


class ReprocessItem(Growing):
    """One posting of a run. It is done when the posting has worked off `version`."""

    run = models.ForeignKey(Reprocess, models.CASCADE, related_name="items", db_index=False)
    posting = models.ForeignKey(Posting, models.CASCADE, related_name="+", db_index=False)
    version = models.PositiveBigIntegerField()

    class Meta(Growing.Meta):
        constraints = [
            *Growing.Meta.constraints,
            models.UniqueConstraint(fields=["run", "posting"], name="sync_reprocessitem_once"),
            SameTenant("run"),
            SameTenant("posting"),
        ]

    def __str__(self) -> str:
        return f"{self.posting_id} in run {self.run_id}"
