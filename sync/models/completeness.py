"""Proof, for a window of a store, that every order is accounted for: in which status, or why not."""

from django.db import models
from django.db.models.functions import Now

from sync.models.postings import Status
from tenants.constraints import SameTenant
from tenants.models import TenantOwned


class CertificateState(models.TextChoices):
    LISTING = "listing", "The store's orders are being listed"
    OPEN = "open", "Not every order is accounted for yet"
    COMPLETE = "complete", "Every order is accounted for"


class Finding(models.TextChoices):
    """What is known of one order of the store. Stored and part of the kinds of needs: never renamed."""

    ACCOUNTED = "accounted", "In exactly one status"
    MISSING = "missing", "Not known here"
    STALE = "stale", "Changed in the store since it was read"
    COMING = "coming", "Found, being read now"
    UNOWNED = "unowned", "Owned by no pipeline"
    DOUBLED = "doubled", "Owned by two pipelines that post"


class Certificate(TenantOwned):
    """One pass over the orders that were placed in a store from `since` until before `until`."""

    store = models.ForeignKey("storefront.Store", models.CASCADE, related_name="certificates")
    since = models.DateTimeField()
    until = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True, help_text="Who asked for it; empty: the nightly run.")
    state = models.CharField(max_length=10, choices=CertificateState, default=CertificateState.LISTING)
    started_at = models.DateTimeField(db_default=Now())
    listed_at = models.DateTimeField(null=True, help_text="When the last page of the store's list was read.")
    running_until = models.DateTimeField(
        null=True, help_text="A listing that is silent for longer is taken to be dead."
    )
    last_error = models.TextField(blank=True)
    settled_at = models.DateTimeField(
        null=True, help_text="When it was last compared with what is known here."
    )
    last_id = models.PositiveBigIntegerField(
        default=0, help_text="How far the list was read: a dead run goes on there."
    )
    responsible_since = models.DateTimeField(
        help_text="Orders from before are nobody's here: before go-live."
    )
    rows_listed = models.PositiveIntegerField(default=0, help_text="Orders of the list, its ends included.")
    store_count = models.PositiveIntegerField(
        null=True, help_text="Orders as the store counts them, its ends included."
    )
    not_probed = models.PositiveIntegerField(
        default=0, help_text="Numbers missing in the list that were not asked for."
    )
    hash = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the lines, as the CSV file has them."
    )

    class Meta(TenantOwned.Meta):
        verbose_name = "completeness certificate"
        constraints = [*TenantOwned.Meta.constraints, SameTenant("store")]
        indexes = [models.Index(fields=["store", "-started_at"], name="sync_certificate_recent")]
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.store.name}, {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"


class CertificateLine(TenantOwned):
    """One order of the store. `found_as` is what it was when it was listed, `finding` what it is now."""

    certificate = models.ForeignKey(Certificate, models.CASCADE, related_name="lines")
    record_id = models.CharField(max_length=64)
    is_listed = models.BooleanField(
        default=True, help_text="No: the list leaves it out; found by its number."
    )
    placed_at = models.DateTimeField(null=True)
    modified_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    total = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    channel = models.CharField(max_length=20, blank=True)
    found_as = models.CharField(max_length=10, choices=Finding, blank=True)
    finding = models.CharField(max_length=10, choices=Finding, default=Finding.MISSING)
    status = models.CharField(max_length=16, choices=Status, blank=True)
    posting = models.ForeignKey("sync.Posting", models.SET_NULL, null=True, related_name="+")

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["certificate", "record_id"], name="sync_certificateline_once"),
            SameTenant("certificate"),
            SameTenant("posting"),
        ]
        indexes = [models.Index(fields=["certificate", "finding"], name="sync_certificateline_found")]

    def __str__(self) -> str:
        return f"Order {self.record_id}: {self.get_finding_display()}"
