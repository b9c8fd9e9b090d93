"""What the watch keeps: whether connections answer, and what a store's hours usually bring."""

from django.db import models

from tenants.constraints import SameTenant
from tenants.models import TenantOwned


class Probe(TenantOwned):
    """One cheap authenticated read of a store or an ERP company: whether it answered, and how quickly."""

    store = models.ForeignKey("storefront.Store", models.CASCADE, null=True, related_name="probes")
    company = models.ForeignKey("erp.ErpConnection", models.CASCADE, null=True, related_name="probes")
    started_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField(null=True)
    ok = models.BooleanField(null=True, help_text="Empty while it runs, or when its worker died.")
    sentence = models.TextField(blank=True, help_text="What went wrong.")

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            SameTenant("store"),
            SameTenant("company"),
        ]
        indexes = [
            models.Index(fields=["store", "-started_at"], name="sync_probe_store"),
            models.Index(fields=["company", "-started_at"], name="sync_probe_company"),
        ]
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S}: {'well' if self.ok else self.sentence}"


class OrderRhythm(TenantOwned):
    """How many orders each hour of the week brought a store, week by week: 168 lists, Monday 00:00 first."""

    store = models.OneToOneField("storefront.Store", models.CASCADE, related_name="rhythm")
    counts = models.JSONField(default=list)
    learned_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [*TenantOwned.Meta.constraints, SameTenant("store")]

    def __str__(self) -> str:
        return f"{self.store}, learned {self.learned_at:%Y-%m-%d}"
