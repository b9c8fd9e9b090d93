"""The home page: what needs me, how much is where, and whether everything flows."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from sync.attention import needs_of, posting_counts
from sync.models import Flow, Status
from tenants.models import Tenant
from tenants.scoping import visible

TILES = (
    (Status.POSTED, "Posted"),
    (Status.WAITING, "Waiting"),
    (Status.NOT_DUE, "Not due"),
    (Status.BLOCKED, "Blocked by gaps"),
    (Status.HELD, "Held"),
    (Status.REFUSED, "Refused"),
    (Status.UNKNOWN, "Outcome unknown"),
)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the home page (unfold's DASHBOARD_CALLBACK)."""
    counts = posting_counts(request.user)
    orders = reverse("admin:sync_posting_changelist")
    flows = (
        visible(request.user, Flow.objects.all())
        .select_related("pipeline")
        .order_by("pipeline__name", "kind")
    )
    return context | {
        "tiles": [
            {"label": label, "count": counts[status], "url": f"{orders}?status__exact={status}"}
            for status, label in TILES
        ],
        "needs": needs_of(request.user),
        "flows": flows,
        "several_tenants": visible(request.user, Tenant.objects.all()).count() > 1,
    }
