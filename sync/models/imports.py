"""History imports: orders from before, read into the product because a person asked for them."""

from django.db import models
from django.db.models.functions import Now

from tenants.constraints import SameTenant
from tenants.models import TenantOwned


class ImportState(models.TextChoices):
    READY = "ready", "Ready: not started"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    CANCELLED = "cancelled", "Cancelled"
    DONE = "done", "Done"


class HistoryImport(TenantOwned):
    """The orders that were placed in a store from `since` until before `until`, wanted one after the other."""

    store = models.ForeignKey("storefront.Store", models.CASCADE, related_name="imports")
    since = models.DateTimeField()
    until = models.DateTimeField()
    by = models.CharField(max_length=150)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.READY)
    made_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    running_until = models.DateTimeField(
        null=True, help_text="A turn that is silent for longer is taken to be dead."
    )
    last_error = models.TextField(blank=True)
    correlation_id = models.CharField(max_length=64)

    store_count = models.PositiveIntegerField(
        null=True, help_text="Orders of this time as the store counts them."
    )
    last_id = models.PositiveBigIntegerField(default=0, help_text="The last order number that was wanted.")
    is_listed = models.BooleanField(default=False, help_text="The store's list was read to its end.")
    seen = models.PositiveIntegerField(default=0, help_text="Orders of the list so far.")
    known = models.PositiveIntegerField(
        default=0, help_text="Those of them that were read before, as they are now."
    )
    before = models.JSONField(default=list, help_text="Orders and money by status when it was started.")

    class Meta(TenantOwned.Meta):
        verbose_name = "history import"
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["store"],
                condition=models.Q(state__in=["running", "paused"]),
                name="sync_historyimport_one_at_a_time",
            ),
            SameTenant("store"),
        ]
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"{self.store.name}, {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"
