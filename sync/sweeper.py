"""Finding due rows that nobody rang for: after a dead broker, a killed worker, or simply when a retry has come due."""

from django.db.models import QuerySet
from django.db.models.functions import Now

from audit import waiting
from sync.models import Mode, Posting


def due_postings() -> QuerySet[Posting]:
    """Postings that want work now, that nobody works on, and whose store, pipeline and ERP company are in use."""
    return (
        Posting.objects.filter(due_at__lte=waiting.now())
        .exclude(lease_until__gt=Now())
        .filter(company__paused_at=None, pipeline__paused_at=None, pipeline__store__paused_at=None)
        .exclude(pipeline__mode=Mode.OFF)
    )


def companies_with_due_work() -> list[int]:
    """Ids of ERP companies that have something to do now."""
    return list(due_postings().order_by().values_list("company_id", flat=True).distinct())
