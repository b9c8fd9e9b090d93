"""Finding due rows that nobody rang for: after a dead broker, a killed worker, or simply when a retry has come due."""

from django.db.models.functions import Now

from sync.models import Mode, Posting


def companies_with_due_work() -> list[int]:
    """Ids of ERP companies that have something to do now."""
    return list(
        Posting.objects.filter(due_at__lte=Now())
        .exclude(lease_until__gt=Now())
        .filter(company__paused_at=None, pipeline__paused_at=None, pipeline__store__paused_at=None)
        .exclude(pipeline__mode=Mode.OFF)
        .order_by()
        .values_list("company_id", flat=True)
        .distinct()
    )
