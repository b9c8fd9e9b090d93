"""A posting: one store record on its way into one ERP company. The unit of work, of order and of every promise."""

from django.db import models
from django.db.models import F

from sync.models.clearing import Clearable
from sync.models.pipelines import Pipeline
from tenants.constraints import SameTenant
from tenants.fields import EncryptedJSONField, EncryptedTextField
from tenants.models import Growing


class RecordKind(models.TextChoices):
    ORDER = "order", "Order"
    CUSTOMER = "customer", "Customer"


class Status(models.TextChoices):
    """What a person reads; derived from the plan and its documents by `sync.statuses`."""

    WAITING = "waiting", "Waiting"
    POSTED = "posted", "Posted"
    NOT_DUE = "not_due", "Not due"
    BLOCKED = "blocked", "Blocked by a gap"
    HELD = "held", "Held"
    REFUSED = "refused", "Refused"
    UNKNOWN = "unknown", "Outcome unknown"
    EXCLUDED = "excluded", "Excluded"
    BEFORE_GO_LIVE = "before_go_live", "Before go-live"


# What is under way or needs somebody: few rows, however many orders the database holds.
UNFINISHED = (Status.WAITING, Status.UNKNOWN, Status.BLOCKED, Status.HELD, Status.REFUSED)


class Snapshot(Clearable, Growing):
    """Everything the store said about one record at one moment: immutable, encrypted, known by its hash; `None` once it was cleared."""

    store = models.ForeignKey("storefront.Store", models.PROTECT, related_name="+", db_index=False)
    record_kind = models.CharField(max_length=10, choices=RecordKind)
    record_id = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    body = EncryptedJSONField(null=True)
    taken_at = models.DateTimeField(auto_now_add=True)

    class Meta(Growing.Meta):
        constraints = [
            *Growing.Meta.constraints,
            models.UniqueConstraint(
                fields=["store", "record_kind", "record_id", "hash"], name="sync_snapshot_content"
            ),
            SameTenant("store"),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "taken_at"],
                name="sync_snapshot_kept",
                condition=models.Q(body__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.record_kind} {self.record_id} {self.hash[:8]}"


class Posting(Growing):
    """(store record, pipeline). Holds the lease, the wanted version and the status.

    Every accepted event raises `wanted_version`; a worker reads it before it fetches and marks only that one done, so
    that bursts coalesce and no edit is lost. `due_at` is when it wants work (null: nothing to do).
    """

    # Foreign keys have an index of their own only where rows are found by them and no other index begins with them: every index is
    # written again with each of an order's steps.
    pipeline = models.ForeignKey(Pipeline, models.PROTECT, related_name="postings", db_index=False)
    company = models.ForeignKey("erp.ErpConnection", models.PROTECT, related_name="+", db_index=False)
    record_kind = models.CharField(max_length=10, choices=RecordKind)
    record_id = models.CharField(max_length=64)

    wanted_version = models.PositiveBigIntegerField(default=1)
    done_version = models.PositiveBigIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0, help_text="Tries since the last success, for the backoff.")
    crashes = models.PositiveIntegerField(default=0, help_text="Times a worker took it and never came back.")
    in_background = models.BooleanField(
        default=False, help_text="An import wants it: live work comes first in the store's quota."
    )
    lease_fence = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    reason = models.TextField(blank=True, help_text="One sentence: why it is not posted, and the way out.")
    reason_code = models.CharField(max_length=60, blank=True)
    excluded_by = models.CharField(max_length=150, blank=True)
    correlation_id = models.CharField(max_length=64)

    snapshot = models.ForeignKey(Snapshot, models.PROTECT, null=True, related_name="+", db_index=False)
    plan = models.ForeignKey("StoredPlan", models.SET_NULL, null=True, related_name="+", db_index=False)
    read_at = models.DateTimeField(null=True, help_text="When its newest reading in the store began.")
    record_modified_at = models.DateTimeField(
        null=True, help_text="When the record itself says it was modified, in that reading."
    )
    placed_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    total = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(Growing.Meta):
        verbose_name = "order or customer"
        verbose_name_plural = "orders and customers"
        constraints = [
            *Growing.Meta.constraints,
            models.UniqueConstraint(
                fields=["pipeline", "record_kind", "record_id"], name="sync_posting_record"
            ),
            SameTenant("pipeline"),
            SameTenant("company"),
            SameTenant("snapshot"),
            SameTenant("plan"),
        ]
        indexes = [
            models.Index(
                fields=["company", "due_at"],
                name="sync_posting_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["company", "lease_until"],
                name="sync_posting_leased",
                condition=models.Q(lease_until__isnull=False),
            ),
            models.Index(
                fields=["pipeline"],
                name="sync_posting_background",
                condition=models.Q(in_background=True, due_at__isnull=False),
            ),
            models.Index(
                fields=["company", "status"],
                name="sync_posting_unfinished",
                condition=models.Q(status__in=UNFINISHED),
            ),
            # The list, whole and by status. Not by tenant: one that is small is found by (tenant, id), one that is large is met soon.
            models.Index(F("placed_at").desc(nulls_last=True), F("id").desc(), name="sync_posting_newest"),
            models.Index(
                F("status"),
                F("placed_at").desc(nulls_last=True),
                F("id").desc(),
                name="sync_posting_by_status",
            ),
            # Customers have no such date: they stand at the end of that index, behind all orders.
            models.Index(
                F("placed_at").desc(nulls_last=True),
                F("id").desc(),
                name="sync_posting_customers",
                condition=models.Q(record_kind="customer"),
            ),
            # The tiles of the home page, and how many a list by status has: counted in the index alone.
            models.Index(
                fields=["tenant", "status", "record_kind"], include=["id"], name="sync_posting_counted"
            ),
            models.Index(fields=["correlation_id"], name="sync_posting_correlation"),
        ]

    def __str__(self) -> str:
        return f"{self.get_record_kind_display()} {self.record_id}"


class StoredPlan(Clearable, Growing):
    """A plan as it was made: canonical JSON (encrypted, it names people), its hash, and what it is a function of.

    The body is `None` once it was cleared.
    """

    posting = models.ForeignKey(Posting, models.CASCADE, related_name="plans", db_index=False)
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, related_name="+", db_index=False)
    outcome = models.CharField(max_length=16)
    hash = models.CharField(max_length=64)
    body = EncryptedTextField(null=True)
    mapping_version = models.CharField(max_length=64)
    settings_version = models.CharField(max_length=64)
    facts_version = models.CharField(max_length=64)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta(Growing.Meta):
        constraints = [
            *Growing.Meta.constraints,
            models.UniqueConstraint(fields=["posting", "hash"], name="sync_storedplan_content"),
            SameTenant("posting"),
            SameTenant("snapshot"),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "made_at"],
                name="sync_storedplan_kept",
                condition=models.Q(body__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"Plan {self.hash[:8]}"
