"""Reprocess runs and their progress."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from sync.console.pages import OwnPage
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
class ReprocessAdmin(OwnPage, TenantAdmin):
    """Who asked for what to be worked off again, and how far it is."""

    when_empty = "Nothing was reprocessed yet. Reprocess is on an order's page, on a gap's, and above the list of orders."
    list_display = ("what", "by", "started_at", "state")
    search_fields = ("what", "by")
    fields = ("what",)
    change_form_template = "sync/reprocess.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongList]:
        return RunList

    @admin.display(description="Progress")
    def state(self, run: Reprocess) -> str:
        return f"{run.now.done} of {run.now.total} done, {run.now.posted} posted"

    def page(self, request: HttpRequest, row: Reprocess) -> dict[str, Any]:
        return {
            "title": "Progress",
            "run": row,
            "progress": progress(row),
            "items": row.items.select_related("posting").order_by("pk")[:SHOWN],
        }
