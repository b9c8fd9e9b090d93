"""`GET /metrics` of the web processes: what those of this machine counted, and what stands in the database."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.metrics import exposition
from config.metrics.access import refusal_of


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics for whoever may read them; else a refusal without data."""
    refusal = refusal_of(
        authorization=request.headers.get("Authorization", ""),
        address=request.META.get("REMOTE_ADDR", ""),
        is_forwarded="X-Forwarded-For" in request.headers or "Forwarded" in request.headers,
    )
    if refusal:
        return _refused(refusal)
    return HttpResponse(
        exposition.counted() + exposition.of_rows(), content_type=exposition.CONTENT_TYPE_LATEST
    )


def _refused(status: int) -> HttpResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return HttpResponse(status=status, headers=headers)
