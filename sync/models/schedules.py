"""What runs by itself: when, since when, and how it went last."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models

from tenants.constraints import SameTenant
from tenants.models import TenantOwned

MISSED_RUNS = 3  # what has no latency budget of its own may miss so many
MISSED_DAY = timedelta(hours=26)


class Scheduled(TenantOwned):
    """Something that runs every so often, whose last run is known."""

    enabled = models.BooleanField(default=True)
    every_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Poll every so many minutes. Empty: events only."
    )
    latency_minutes = models.PositiveIntegerField(
        "latency budget",
        null=True,
        blank=True,
        help_text="Minutes without a successful run after which we alert. Empty: three times its interval, an hour at least.",
    )
    periodic_task = models.OneToOneField(
        "django_celery_beat.PeriodicTask",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    running_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="A run that is silent for longer is taken to be dead.",
    )
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)

    class Meta(TenantOwned.Meta):
        abstract = True

    @property
    def latency_budget(self) -> timedelta | None:
        """How long it may be without a successful run; None where it follows events alone."""
        if self.latency_minutes:
            return timedelta(minutes=self.latency_minutes)
        if not self.every_minutes:
            return None
        return max(timedelta(minutes=MISSED_RUNS * self.every_minutes), timedelta(hours=1))


class StoreFlowKind(models.TextChoices):
    WEBHOOKS = "webhooks", "Webhooks are in place"
    COMPLETENESS = "completeness", "Every order is accounted for"


class StoreFlow(Scheduled):
    """What is done for a store as a whole, whatever pipelines it has."""

    store = models.ForeignKey("storefront.Store", models.CASCADE, related_name="flows")
    kind = models.CharField(max_length=20, choices=StoreFlowKind)
    every_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Run every so many minutes. Empty: at the time of day, or by hand."
    )
    at = models.TimeField(
        "time of day",
        null=True,
        blank=True,
        help_text="Run once a day at this time, in the tenant's time zone.",
    )

    class Meta(TenantOwned.Meta):
        verbose_name = "flow of a store"
        verbose_name_plural = "flows of a store"
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["store", "kind"], name="sync_storeflow_kind"),
            SameTenant("store"),
        ]
        ordering = ["store", "kind"]

    def __str__(self) -> str:
        return f"{self.store}: {self.get_kind_display()}"

    @property
    def latency_budget(self) -> timedelta | None:
        """As of every flow; one that runs daily may be two hours late."""
        return super().latency_budget or (MISSED_DAY if self.at else None)

    def clean(self) -> None:
        """Refuses two schedules at once."""
        if self.every_minutes and self.at:
            raise ValidationError("Choose one: every so many minutes, or a time of day.")
