"""History imports: prepared on a store's page, started, watched, paused and cancelled here."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from erp.contract.money import Money
from sync import history_import
from sync.console.pages import Offers, OwnPage, window
from sync.models import HistoryImport, ImportState, Status
from tenants.actions import NotDone, row_action
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin

LOOKS = {
    ImportState.READY: "held",
    ImportState.RUNNING: "waiting",
    ImportState.PAUSED: "paused",
    ImportState.DONE: "ok",
}
HIDDEN = {
    ImportState.READY: {"pause"},
    ImportState.RUNNING: {"start"},
    ImportState.PAUSED: {"pause"},
    ImportState.CANCELLED: {"start", "pause", "cancel"},
    ImportState.DONE: {"start", "pause", "cancel"},
}


@admin.register(HistoryImport)
class HistoryImportAdmin(OwnPage, Offers, TenantAdmin):
    """Who imported which time, and how far it is."""

    when_empty = (
        "No import yet. Import history on a store's page prepares one; nothing starts before you say so."
    )
    list_display = ("window", "store", "by", "made_at", "chip", "progress")
    list_filter = ("state", "store")
    list_select_related = ("store",)
    fields = ("since",)
    change_form_template = "sync/history_import.html"
    actions_detail = ("start", "pause", "cancel")

    def not_now(self, run: HistoryImport) -> set[str]:
        return HIDDEN[ImportState(run.state)]

    @admin.display(description="Orders placed", ordering="since")
    def window(self, run: HistoryImport) -> str:
        return window(run)

    @admin.display(description="State", ordering="state")
    def chip(self, run: HistoryImport) -> str:
        words = run.get_state_display().partition(":")[0]
        return format_html('<span class="t-chip {}">{}</span>', LOOKS.get(ImportState(run.state), ""), words)

    @admin.display(description="Progress")
    def progress(self, run: HistoryImport) -> str:
        of = f" of {run.store_count:,}" if run.store_count is not None else ""
        return f"{run.seen:,}{of} orders"

    @row_action(May.REPROCESS, description="Start", url_path="start", confirm="about_start")
    def start(self, request: HttpRequest, run: HistoryImport) -> str:
        """Start it, or go on after a pause."""
        _do(history_import.start, run, request)
        return "The import runs. You can leave this page; the work goes on."

    def about_start(self, request: HttpRequest, run: HistoryImport) -> str:
        return " ".join(history_import.what_will_happen(run))

    @row_action(May.REPROCESS, description="Pause", url_path="pause")
    def pause(self, request: HttpRequest, run: HistoryImport) -> str:
        _do(history_import.pause, run, request)
        return "The import is paused. Start goes on where it stands."

    @row_action(May.REPROCESS, description="Cancel", url_path="cancel", confirm="about_cancel")
    def cancel(self, request: HttpRequest, run: HistoryImport) -> str:
        _do(history_import.cancel, run, request)
        return "The import is cancelled. Orders that were begun are worked off."

    def about_cancel(self, request: HttpRequest, run: HistoryImport) -> str:
        return "No more orders are read. What is posted stays posted; another import of the same time reads only what is left."

    def page(self, request: HttpRequest, row: HistoryImport) -> dict[str, Any]:
        return page_of(row)


def page_of(run: HistoryImport) -> dict[str, Any]:
    """What the import's page shows: how far it is, what will happen, what was before and what is now."""
    now = {
        (share.status, str(share.money or "").rpartition(" ")[2]): share
        for share in history_import.shares(run)
    }
    before = {(status, currency): (orders, amount) for status, orders, currency, amount in run.before}
    return {
        "title": f"History import of {run.store.name}",
        "run": run,
        "look": LOOKS.get(ImportState(run.state), ""),
        "is_moving": run.state in (ImportState.RUNNING, ImportState.PAUSED),
        "waiting": history_import.waiting_of(run.store),
        "sentences": history_import.what_will_happen(run),
        "rows": [_row(place, before.get(place), now.get(place)) for place in sorted({*before, *now})],
        "total": run.store_count or run.seen,
    }


def _row(
    place: tuple[str, str], before: tuple[int, str] | None, now: history_import.Share | None
) -> dict[str, Any]:
    status, currency = place
    return {
        "status": status,
        "label": Status(status).label,
        "orders_before": before[0] if before else 0,
        "money_before": Money(Decimal(before[1]), currency) if before and before[1] else "",
        "orders": now.orders if now else 0,
        "money": now.money if now and now.money else "",
    }


def _do(step: Any, run: HistoryImport, request: HttpRequest) -> None:
    try:
        step(run, by=request.user.get_username())
    except history_import.CannotImport as why:
        raise NotDone(str(why)) from why
