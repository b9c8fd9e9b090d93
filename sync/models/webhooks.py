"""What is known of a store's webhooks: what the hourly look found, and how we answered, minute by minute."""

from django.db import models
from django.db.models.functions import Now

from storefront.models import FindingKind
from tenants.constraints import SameTenant
from tenants.models import TenantOwned


class HookFinding(TenantOwned):
    """Something about a store's webhooks that was seen, since when, and until when."""

    store = models.ForeignKey("storefront.Store", models.CASCADE, related_name="hook_findings")
    kind = models.CharField(max_length=12, choices=FindingKind)
    about = models.CharField(max_length=300, blank=True, help_text="Scope, address or code it is about.")
    sentence = models.TextField()
    since = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    repaired = models.BooleanField(default=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["store", "kind", "about"],
                condition=models.Q(ended_at=None),
                name="sync_hookfinding_open",
            ),
            SameTenant("store"),
        ]
        ordering = ["-since"]

    def __str__(self) -> str:
        return self.sentence


class AnswerMinute(TenantOwned):
    """How many deliveries of a store were answered in one minute, and how many of them with a success (2xx)."""

    store = models.ForeignKey("storefront.Store", models.CASCADE, related_name="+")
    minute = models.DateTimeField(help_text="Start of the minute, UTC.")
    answered = models.PositiveIntegerField(default=0)
    succeeded = models.PositiveIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["store", "minute"], name="sync_answerminute_once"),
            SameTenant("store"),
        ]
        indexes = [models.Index(fields=["minute"], name="sync_answerminute_minute")]

    def __str__(self) -> str:
        return f"{self.succeeded} of {self.answered} at {self.minute:%H:%M}"
