"""Bodies that name people do not stay for ever: what a row whose body was cleared says."""

from django.db import models
from django.utils import timezone
from django.utils.formats import date_format


class ClearedBy(models.TextChoices):
    POLICY = "policy", "Pruned by the retention policy"
    ERASURE = "erasure", "Erased on request"


class Clearable(models.Model):
    """Base of rows whose body, or the names and addresses in it, may be cleared. Hashes, references and money stay."""

    cleared_at = models.DateTimeField(null=True, editable=False)
    cleared_by = models.CharField(max_length=8, choices=ClearedBy, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def cleared(self) -> str:
        """`Pruned by the retention policy on 3 May 2027`, or nothing while all of it is there."""
        if self.cleared_at is None:
            return ""
        day = date_format(timezone.localtime(self.cleared_at), "j M Y")
        return f"{self.get_cleared_by_display()} on {day}"
