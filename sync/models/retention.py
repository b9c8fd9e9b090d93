"""How long what names people, or is only evidence of work done, is kept for a tenant."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.deconstruct import deconstructible

from tenants.models import TenantOwned

FOR_EVER = 0


@deconstructible
class AtLeast:
    """Days of a policy: 0 keeps for ever, anything else is not less than what the product itself needs."""

    def __init__(self, days: int) -> None:
        self.days = days

    def __call__(self, value: int) -> None:
        if value != FOR_EVER and value < self.days:
            raise ValidationError(f"At least {self.days} days, or 0 to keep for ever.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AtLeast) and other.days == self.days

    def __hash__(self) -> int:
        return hash(self.days)


def _days(default: int, *, floor: int, name: str, means: str) -> models.PositiveIntegerField:
    return models.PositiveIntegerField(
        name,
        default=default,
        validators=[AtLeast(floor)],
        help_text=f"{means} At least {floor} days; 0: for ever.",
    )


class Retention(TenantOwned):
    """Days after which a tenant's bodies are cleared and its spent rows deleted; 0: never.

    Whatever an order that is not finished needs stays, however old; references, hashes, money, documents' lines and the trail stay for ever.
    """

    snapshots = _days(
        365,
        floor=30,
        name="snapshots",
        means="What the store said of an order or customer. An older order is read from the store again when it is worked off again.",
    )
    plans = _days(
        1095,
        floor=30,
        name="plans",
        means="Plans, and names and addresses in posted documents. Lines, accounts and amounts of documents stay.",
    )
    attempts = _days(
        365,
        floor=14,
        name="attempts",
        means="What was sent, answered and said at each try. The outcome stays.",
    )
    calls = _days(
        90,
        floor=14,
        name="bodies of calls",
        means="What calls to stores and ERPs carried. The trail's facts and hashes stay.",
    )
    events = _days(
        90,
        floor=14,
        name="events",
        means="Deliveries of the stores; they are deleted. The trail still names them.",
    )
    closed = _days(
        365,
        floor=14,
        name="closed gaps, runs and alerts",
        means="Closed gaps, finished reprocess runs, alerts that are over and messages of alerts; they are deleted.",
    )

    trail = _days(
        3650,
        floor=365,
        name="audit trail",
        means="Months of the trail, taken off by the archivist's command. A month holds all tenants: the longest policy decides.",
    )

    class Meta(TenantOwned.Meta):
        verbose_name = verbose_name_plural = "retention"
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["tenant"], name="sync_retention_once"),
        ]

    def __str__(self) -> str:
        return f"Retention of {self.tenant}"


class RetentionRun(TenantOwned):
    """One pruning of a tenant: who asked for it, what it has cleared so far, by kind."""

    by = models.CharField(max_length=150, blank=True, help_text="Empty: the nightly run.")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    cleared = models.JSONField(default=dict)
    correlation_id = models.CharField(max_length=64)

    class Meta(TenantOwned.Meta):
        verbose_name = "retention run"
        ordering = ["-started_at", "-id"]
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(finished_at=None), name="sync_retentionrun_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant}, {self.started_at:%Y-%m-%d %H:%M}"
