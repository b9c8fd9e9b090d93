"""A request to erase a person's data: what it asks for, what it found, what it did. It forgets whom it was about."""

from django.db import models

from tenants.constraints import SameTenant
from tenants.fields import EncryptedTextField
from tenants.models import TenantOwned


class ErasureState(models.TextChoices):
    LOOKING = "looking", "Looking for what there is"
    FOUND = "found", "Found: waits for a confirmation"
    ERASING = "erasing", "Erasing"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"


class Erasure(TenantOwned):
    """One person of one store. `email`, `customer_id` and `marks` are forgotten when it is done or cancelled."""

    store = models.ForeignKey("storefront.Store", models.PROTECT, related_name="+")
    email = EncryptedTextField(blank=True, default="")
    customer_id = EncryptedTextField(blank=True, default="")
    marks = EncryptedTextField(
        blank=True, default="", help_text="The person's own data as found: texts to look for, a line each."
    )
    state = models.CharField(max_length=10, choices=ErasureState, default=ErasureState.LOOKING)
    by = models.CharField(max_length=150)
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    progress = models.CharField(max_length=200, blank=True)
    records = models.JSONField(default=list, help_text="Records of the store: kind and id.")
    found = models.JSONField(default=dict, help_text="How many rows of which kind it touches.")
    erased = models.JSONField(default=dict, help_text="How many were cleared.")
    correlation_id = models.CharField(max_length=64)

    class Meta(TenantOwned.Meta):
        verbose_name = "erasure"
        ordering = ["-asked_at", "-id"]
        constraints = [*TenantOwned.Meta.constraints, SameTenant("store")]

    def __str__(self) -> str:
        return f"Erasure {self.pk} of {self.store}"
