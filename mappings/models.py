"""A set of mappings, its current rows, and the immutable versions that made them.

Only `mappings.changes` writes these tables. Versions and their changes are append-only: triggers of the
database refuse UPDATE and DELETE.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from mappings.keys import KEY_LENGTH
from mappings.kinds import Kind, label_of
from tenants.constraints import SameTenant
from tenants.models import TenantOwned

STORED_KEY_LENGTH = 2 * KEY_LENGTH  # a literal star is two characters in a key
TARGET_LENGTH = 1000


class MappingSet(TenantOwned):
    """The mappings of one ERP company that pipelines refer to. `version` counts its changes."""

    company = models.ForeignKey(
        "erp.ErpConnection",
        on_delete=models.PROTECT,
        related_name="mapping_sets",
        verbose_name="ERP company",
    )
    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField(default=0, editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name = "set of mappings"
        verbose_name_plural = "sets of mappings"
        ordering = ["company", "name"]
        constraints = [
            *TenantOwned.Meta.constraints,
            SameTenant("company"),
            models.UniqueConstraint(fields=["company", "name"], name="mappings_set_name"),
        ]

    def __str__(self) -> str:
        return f"{self.company}: {self.name}"


class Path(models.TextChoices):
    """By which path a change came."""

    SCREEN = "screen", "screen"
    CSV = "csv", "CSV import"
    APPLY = "apply", "set-up file"
    UNDO = "undo", "undo"


class MappingVersion(TenantOwned):
    """One change of a set: who, when, why, and the rows that changed. Immutable."""

    mapping_set = models.ForeignKey(MappingSet, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    by = models.CharField(max_length=150, help_text="Sign-in name; empty: Tieout itself.")
    why = models.TextField(blank=True)
    path = models.CharField(max_length=10, choices=Path.choices, default=Path.SCREEN)
    at = models.DateTimeField(db_default=Now())

    class Meta(TenantOwned.Meta):
        verbose_name = "version of mappings"
        verbose_name_plural = "versions of mappings"
        ordering = ["mapping_set", "-number"]
        constraints = [
            *TenantOwned.Meta.constraints,
            SameTenant("mapping_set"),
            models.UniqueConstraint(fields=["mapping_set", "number"], name="mappings_version_number"),
        ]

    def __str__(self) -> str:
        return f"{self.mapping_set} v{self.number}"


class _Place(TenantOwned):
    """Which rule a row is about: a kind, a key and the first posting date it counts for."""

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=STORED_KEY_LENGTH)
    effective_from = models.DateField(
        null=True, blank=True, help_text="First posting date it counts for. Empty: always."
    )

    class Meta(TenantOwned.Meta):
        abstract = True

    @property
    def kind_label(self) -> str:
        """The kind as people read it."""
        return label_of(self.kind)

    @property
    def place(self) -> tuple[str, str, object]:
        """What identifies the rule inside its set."""
        return self.kind, self.key, self.effective_from


class Mapping(_Place):
    """One rule as it is now."""

    mapping_set = models.ForeignKey(MappingSet, on_delete=models.PROTECT, related_name="mappings")
    target = models.CharField(max_length=TARGET_LENGTH)
    extra = models.JSONField(default=dict, blank=True)
    version = models.ForeignKey(
        MappingVersion, on_delete=models.PROTECT, related_name="+", verbose_name="last change"
    )

    class Meta(_Place.Meta):
        abstract = False
        ordering = ["mapping_set", "kind", "key", "effective_from"]
        constraints = [
            *TenantOwned.Meta.constraints,
            SameTenant("mapping_set"),
            SameTenant("version"),
            models.UniqueConstraint(
                fields=["mapping_set", "kind", "key", "effective_from"],
                name="mappings_mapping_place",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in Kind]), name="mappings_mapping_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind_label}: {self.key}"


class MappingChange(_Place):
    """One rule that a version made, altered or removed. Immutable."""

    version = models.ForeignKey(MappingVersion, on_delete=models.PROTECT, related_name="changes")
    removed = models.BooleanField(default=False)
    target = models.CharField(max_length=TARGET_LENGTH, blank=True)
    extra = models.JSONField(default=dict, blank=True)
    previous_target = models.CharField(max_length=TARGET_LENGTH, null=True)  # NULL: there was no rule
    previous_extra = models.JSONField(default=dict, blank=True)

    class Meta(_Place.Meta):
        abstract = False
        verbose_name = "change of a mapping"
        verbose_name_plural = "changes of mappings"
        ordering = ["version", "kind", "key", "effective_from"]
        constraints = [
            *TenantOwned.Meta.constraints,
            SameTenant("version"),
            models.UniqueConstraint(
                fields=["version", "kind", "key", "effective_from"],
                name="mappings_change_place",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind_label}: {self.key}"


class MappingImport(TenantOwned):
    """A CSV file that was uploaded and shown, until it is applied or a day has passed."""

    mapping_set = models.ForeignKey(MappingSet, on_delete=models.CASCADE, related_name="imports")
    content = models.BinaryField()
    file_name = models.CharField(max_length=200)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now())

    class Meta(TenantOwned.Meta):
        constraints = [*TenantOwned.Meta.constraints, SameTenant("mapping_set")]

    def __str__(self) -> str:
        return self.file_name
