"""The audit trail. Append-only: the database refuses UPDATE, DELETE and TRUNCATE on both tables.

Both are partitioned by month (UTC) from the first migration, so that retention detaches partitions instead of
deleting rows. In the database their primary key is (id, at); ids come from one sequence and are unique.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from audit.encryption import TokenField


class AuditEntry(models.Model):
    """One fact: what happened, when, to what, by whom, under which correlation id.

    `tenant_id` is a plain number: this is the lowest layer, and the trail outlives what it tells about. None
    means the installation as a whole.
    """

    at = models.DateTimeField(db_default=Now(), editable=False)
    tenant_id = models.BigIntegerField(null=True, blank=True)
    action = models.CharField(max_length=48)  # of `audit.actions.Action`, which grows without a migration
    subjects = ArrayField(models.TextField(), default=list)
    correlation_id = models.CharField(max_length=64, blank=True)
    actor = models.CharField(max_length=150, blank=True, help_text="A sign-in name; empty: Tieout itself.")
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["tenant_id", "-at"], name="audit_entry_tenant_at"),
            models.Index(fields=["correlation_id", "at"], name="audit_entry_correlation"),
            GinIndex(fields=["subjects"], name="audit_entry_subjects"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {' '.join(self.subjects)}".strip()


class CallBody(models.Model):
    """What an outward call sent or received, compressed and encrypted; entries refer to it by its hash.

    The hash is SHA-256 of the body as stored, that is without the credentials a login carries. `audit.bodies` clears a body: its
    token is empty then.
    """

    at = models.DateTimeField(db_default=Now(), editable=False)
    tenant_id = models.BigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    token = TokenField()

    class Meta:
        verbose_name = "call body"
        verbose_name_plural = "call bodies"
        indexes = [models.Index(fields=["sha256", "tenant_id"], name="audit_callbody_sha256")]

    def __str__(self) -> str:
        return self.sha256
