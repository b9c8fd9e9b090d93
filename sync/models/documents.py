"""Intentions and attempts: what an ERP company should hold under which reference, and every try to bring it there."""

from django.db import models

from sync.models.clearing import Clearable
from sync.models.postings import Posting, StoredPlan
from tenants.constraints import SameTenant
from tenants.fields import EncryptedTextField
from tenants.models import Growing


class DocumentState(models.TextChoices):
    INTENDED = "intended", "To be posted"
    SENDING = "sending", "Being sent"
    UNKNOWN = "unknown", "Outcome unknown"
    POSTED = "posted", "Posted"
    REFUSED = "refused", "Refused"
    CANCELLED = "cancelled", "Cancelled"


class Document(Clearable, Growing):
    """The intention to have one document in one ERP company: written before anything is sent, unique by reference."""

    posting = models.ForeignKey(Posting, models.PROTECT, related_name="documents")
    plan = models.ForeignKey(StoredPlan, models.PROTECT, related_name="+", db_index=False)
    company = models.ForeignKey("erp.ErpConnection", models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=16)
    kind = models.CharField(max_length=14)
    position = models.PositiveSmallIntegerField(help_text="Order within the posting.")
    body = EncryptedTextField(
        help_text="The contract document as canonical JSON; without names and addresses once cleared."
    )
    hash = models.CharField(max_length=64)

    state = models.CharField(max_length=10, choices=DocumentState, default=DocumentState.INTENDED)
    sent_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)
    posting_date = models.DateField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    total = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    tax = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    corrects = models.CharField(max_length=16, blank=True)
    replaces = models.CharField(max_length=16, blank=True)
    settles = models.CharField(max_length=16, blank=True)

    erp_key = models.CharField("ERP key", max_length=64, blank=True)
    erp_number = models.CharField("ERP number", max_length=64, blank=True)
    erp_total = models.DecimalField("ERP total", max_digits=20, decimal_places=4, null=True)
    erp_tax = models.DecimalField("ERP tax", max_digits=20, decimal_places=4, null=True)
    is_draft = models.BooleanField(default=False)
    adopted = models.BooleanField(default=False)
    looked_again_at = models.DateTimeField(
        null=True, help_text="When its reference was looked up after posting."
    )
    doubles = models.CharField(
        max_length=200,
        blank=True,
        help_text="Numbers of all documents under its reference, if there are several.",
    )

    class Meta(Growing.Meta):
        verbose_name = "document in the ERP"
        verbose_name_plural = "documents in the ERP"
        constraints = [
            *Growing.Meta.constraints,
            models.UniqueConstraint(fields=["company", "reference"], name="sync_document_reference"),
            SameTenant("posting"),
            SameTenant("plan"),
            SameTenant("company"),
        ]
        indexes = [
            models.Index(fields=["-posted_at", "-id"], name="sync_document_newest"),
            models.Index(
                fields=["state", "-posted_at"], name="sync_document_open", condition=~models.Q(state="posted")
            ),
            models.Index(
                fields=["tenant", "posted_at"], name="sync_document_kept", condition=models.Q(cleared_at=None)
            ),
            models.Index(fields=["tenant", "erp_number"], name="sync_document_number"),
            models.Index(
                fields=["company", "posted_at"],
                name="sync_document_to_look_at",
                condition=models.Q(looked_again_at=None, state=DocumentState.POSTED),
            ),
            models.Index(fields=["company"], name="sync_document_doubled", condition=~models.Q(doubles="")),
        ]
        ordering = ["posting", "position"]

    def __str__(self) -> str:
        return f"{self.kind} {self.erp_number or self.reference}"


class Attempt(Clearable, Growing):
    """One try. What was sent and answered is in the audit trail's calls under `correlation_id` and this attempt."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    fence = models.PositiveBigIntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=20, blank=True, help_text="Empty while it runs, or when its worker died."
    )
    sentence = models.TextField(blank=True)
    code = models.CharField(max_length=60, blank=True)
    request = EncryptedTextField(blank=True, default="")
    answer = EncryptedTextField(blank=True, default="")
    correlation_id = models.CharField(max_length=64)

    class Meta(Growing.Meta):
        constraints = [
            *Growing.Meta.constraints,
            models.UniqueConstraint(fields=["document", "number"], name="sync_attempt_number"),
            SameTenant("document"),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "started_at"], name="sync_attempt_kept", condition=models.Q(cleared_at=None)
            )
        ]
        ordering = ["document", "number"]

    def __str__(self) -> str:
        return f"Attempt {self.number}: {self.outcome or 'running'}"
