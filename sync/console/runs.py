"""Reprocess runs and their progress."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from sync.models import Reprocess
from sync.reprocess import progress
from tenants.scoped_admin import TenantAdmin

SHOWN = 200


@admin.register(Reprocess)
class ReprocessAdmin(TenantAdmin):
    """Who asked for what to be worked off again, and how far it is."""

    list_display = ("what", "by", "started_at", "state")
    search_fields = ("what", "by")
    fields = ("what",)
    change_form_template = "sync/reprocess.html"

    @admin.display(description="Progress")
    def state(self, run: Reprocess) -> str:
        now = progress(run)
        return f"{now.done} of {now.total} done, {now.posted} posted"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        if run is not None:
            items = run.items.select_related("posting").order_by("pk")[:SHOWN]
            page = {"title": "Reprocess", "run": run, "progress": progress(run), "items": items}
            extra_context = (extra_context or {}) | page
        return super().change_view(request, object_id, form_url, extra_context)
