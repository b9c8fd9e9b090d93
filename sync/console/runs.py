"""Reprocess runs and their progress."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from sync.models import Reprocess
from sync.reprocess import progress, progress_of
from tenants.long_lists import LongList
from tenants.scoped_admin import TenantAdmin

SHOWN = 200


class RunList(LongList):
    """A page of runs, with the progress of all of them read once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        progress = progress_of(run.pk for run in self.result_list)
        for run in self.result_list:
            run.now = progress[run.pk]


@admin.register(Reprocess)
class ReprocessAdmin(TenantAdmin):
    """Who asked for what to be worked off again, and how far it is."""

    list_display = ("what", "by", "started_at", "state")
    search_fields = ("what", "by")
    fields = ("what",)
    change_form_template = "sync/reprocess.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongList]:
        return RunList

    @admin.display(description="Progress")
    def state(self, run: Reprocess) -> str:
        return f"{run.now.done} of {run.now.total} done, {run.now.posted} posted"

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
            page = {
                "title": "Progress",
                "subtitle": None,
                "run": run,
                "progress": progress(run),
                "items": items,
            }
            extra_context = (extra_context or {}) | page
        return super().change_view(request, object_id, form_url, extra_context)
