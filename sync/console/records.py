"""What is only looked at: documents in the ERP and events of the store."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from erp.contract.money import Money
from sync.console.order_page import TITLES
from sync.console.postings import amount_cell
from sync.models import Document, Event, EventState
from tenants.scoped_admin import TenantAdmin


@admin.register(Document)
class DocumentAdmin(TenantAdmin):
    """Every document Tieout has, or is about to have, in an ERP."""

    list_display = (
        "reference",
        "title",
        "number",
        "chip",
        "money",
        "posting_date",
        "posted_at",
        "order",
        "company",
    )
    list_filter = ("state", "company", "posting_date")
    search_fields = ("reference__exact", "erp_number__exact", "posting__record_id__exact")
    search_help_text = "Reference, number in the ERP, or order id"
    list_select_related = ("posting", "company")
    date_hierarchy = "posted_at"
    ordering = ("-posted_at", "-id")
    show_full_result_count = False

    @admin.display(description="Document", ordering="kind")
    def title(self, row: Document) -> str:
        return TITLES.get(row.kind, row.kind)

    @admin.display(description="State", ordering="state")
    def chip(self, row: Document) -> str:
        return format_html('<span class="t-chip {}">{}</span>', row.state, row.get_state_display())

    @admin.display(description="Number in the ERP", ordering="erp_number")
    def number(self, row: Document) -> str:
        return row.erp_number

    @admin.display(description="Total", ordering="total")
    def money(self, row: Document) -> str:
        return amount_cell(Money(row.total, row.currency)) if row.total is not None and row.currency else ""

    @admin.display(description="For", ordering="posting")
    def order(self, row: Document) -> str:
        return format_html('<span class="t-amount">{}</span>', row.posting)

    def change_view(
        self, request: HttpRequest, object_id: str, *args: object, **kwargs: object
    ) -> HttpResponse:
        """A document is shown where its order is explained."""
        row = self.get_object(request, object_id)
        if row is None:
            return HttpResponseRedirect(reverse("admin:sync_document_changelist"))
        return HttpResponseRedirect(reverse("admin:sync_posting_change", args=[row.posting_id]))


@admin.register(Event)
class EventAdmin(TenantAdmin):
    """What the stores told us."""

    list_display = ("received_at", "event", "record", "chip", "late", "again", "store")
    list_filter = ("state", "scope", "store")
    search_fields = ("record_id__exact", "delivery_key__exact", "correlation_id__exact")
    search_help_text = "Order or customer id, delivery id, or correlation id"
    list_select_related = ("store",)
    date_hierarchy = "received_at"
    ordering = ("-received_at", "-id")
    fields = readonly_fields = (
        "event",
        "record",
        "chip",
        "late",
        "again",
        "happened_at",
        "received_at",
        "delivery_key",
        "correlation_id",
        "store",
    )

    @admin.display(description="Event", ordering="scope")
    def event(self, event: Event) -> str:
        return event.scope

    @admin.display(description="About", ordering="record_id")
    def record(self, event: Event) -> str:
        return f"{event.record_kind} {event.record_id}".strip().capitalize()

    @admin.display(description="What followed", ordering="state")
    def chip(self, event: Event) -> str:
        look = "ok" if event.state == EventState.QUEUED else ""
        return format_html('<span class="t-chip {}">{}</span>', look, event.get_state_display())

    @admin.display(description="Late", ordering="is_stale")
    def late(self, event: Event) -> str:
        """Validly signed, but older than the store's tolerance: a retry, or a repeated delivery."""
        return "late" if event.is_stale else ""

    @admin.display(description="Repeated", ordering="repeats")
    def again(self, event: Event) -> str:
        return f"{event.repeats} times" if event.repeats else ""
