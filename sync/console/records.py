"""What is only looked at: documents in the ERP and events of the store."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import DropdownFilter

from erp.contract.money import Money
from storefront.models import Store
from sync.console.order_page import TITLES
from sync.console.postings import NEWEST, amount_cell, postings_called
from sync.models import Document, Event, EventState, RecordKind
from tenants.filters import MomentFilter
from tenants.long_lists import COUNTED_UP_TO
from tenants.scoped_admin import TenantAdmin
from tenants.scoping import visible


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
    list_filter = ("state", "company", ("posted_at", MomentFilter))
    search_fields = ("reference",)
    search_help_text = "Reference, number in the ERP, or order id"
    list_select_related = ("posting", "company")
    ordering = ("-posted_at", "-id")
    sorts_quickly = ("posted_at",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Document], search_term: str
    ) -> tuple[QuerySet[Document], bool]:
        """Those of the orders that the term finds."""
        term = search_term.strip()
        return (queryset.filter(posting__in=postings_called(term, request.user)) if term else queryset), False

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


class ScopeFilter(DropdownFilter):
    """By scope; offers those of the newest events: a list of all would read every event."""

    title = "event"
    parameter_name = "scope"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = visible(request.user, Event.objects.order_by("-received_at")).values_list("scope", flat=True)
        found = {*newest[:NEWEST], self.value() or ""}
        return [(scope, scope) for scope in sorted(found) if scope]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(scope=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(TenantAdmin):
    """What the stores told us."""

    list_display = ("received_at", "event", "record", "chip", "late", "again", "store")
    list_filter = ("state", ScopeFilter, "store", ("received_at", MomentFilter))
    search_fields = ("record_id",)
    search_help_text = "Order or customer id, delivery id, or correlation id"
    list_select_related = ("store",)
    ordering = ("-received_at", "-id")
    sorts_quickly = ("received_at",)
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """By a whole id; each is looked up in an index of its own."""
        term = search_term.strip()
        stores = list(visible(request.user, Store.objects.all()).values_list("pk", flat=True))
        events = Event.objects.filter(store__in=stores).order_by().values_list("pk", flat=True)
        about = events.filter(record_kind__in=(*RecordKind, ""), record_id=term)
        found = about.union(events.filter(delivery_key=term), events.filter(correlation_id=term))
        return (queryset.filter(pk__in=list(found[:COUNTED_UP_TO])) if term else queryset), False

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
