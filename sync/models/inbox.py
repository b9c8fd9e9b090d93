"""What the store told us, once."""

from django.db import models

from tenants.constraints import SameTenant
from tenants.models import Growing


class EventState(models.TextChoices):
    QUEUED = "queued", "Queued: its record is read again"
    RECORDED = "recorded", "Recorded: nothing follows from it"


class Event(Growing):
    """One delivery of the store. `delivery_key` is the delivery's own id, so a repeated delivery is one row."""

    store = models.ForeignKey("storefront.Store", models.PROTECT, related_name="events", db_index=False)
    delivery_key = models.CharField(max_length=200)
    scope = models.CharField(max_length=120)
    record_kind = models.CharField(max_length=20, blank=True)
    record_id = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=EventState)
    is_stale = models.BooleanField(
        default=False, help_text="Validly signed, but older than the store's tolerance."
    )
    happened_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)
    repeats = models.PositiveIntegerField(default=0)
    correlation_id = models.CharField(max_length=64)

    class Meta(Growing.Meta):
        constraints = [
            *Growing.Meta.constraints,
            models.UniqueConstraint(fields=["store", "delivery_key"], name="sync_event_once"),
            SameTenant("store"),
        ]
        indexes = [
            models.Index(fields=["store", "record_kind", "record_id"], name="sync_event_record"),
            models.Index(fields=["-received_at", "-id"], name="sync_event_newest"),
            models.Index(fields=["correlation_id"], name="sync_event_correlation"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.record_id}"
