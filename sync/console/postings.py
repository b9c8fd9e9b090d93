"""Orders and customers on their way: the list, the page of one, and what a person may ask for."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import DropdownFilter

from erp.contract.errors import RemoteError
from erp.contract.money import Money
from erp.models import ErpConnection
from sync import trail
from sync.console.order_page import TITLES, order_page
from sync.console.pages import Offers, OwnPage
from sync.models import Document, DocumentState, Gap, Pipeline, Posting, RecordKind, Status
from sync.reprocess import exclude, reprocess, scope_of, take_back
from sync.resolution import resolve
from tenants.actions import Done, NotDone, row_action, rows_action
from tenants.audit_admin import story_url
from tenants.filters import MomentFilter
from tenants.long_lists import COUNTED_UP_TO
from tenants.models import Tenant, User
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin
from tenants.scoping import visible

NEWEST = 500  # orders whose currencies the filter offers
# As an index has them. Customers have no such date: they come last.
NEWEST_FIRST = (F("placed_at").desc(nulls_last=True), "-id")


def amount_cell(*amounts: Money) -> str:
    """Amounts in a list: each on a line of its own, never broken."""
    return format_html_join("", '<div class="t-amount">{}</div>', ((str(money),) for money in amounts))


def postings_called(term: str, user: User) -> list[int]:
    """Ids of postings with this record id, correlation id, or a document of this reference or number.

    The indexes begin with the pipeline, the company and the tenant: the few that the person sees are named.
    """
    seen = {
        model: list(visible(user, model.objects.order_by()).values_list("pk", flat=True))
        for model in (Pipeline, ErpConnection, Tenant)
    }
    documents = Document.objects.order_by().values_list("posting_id", flat=True)
    postings = Posting.objects.order_by().values_list("pk", flat=True)
    found = postings.filter(
        pipeline__in=seen[Pipeline], record_kind__in=RecordKind.values, record_id=term
    ).union(
        postings.filter(correlation_id=term),
        documents.filter(company__in=seen[ErpConnection], reference=term),
        documents.filter(tenant__in=seen[Tenant], erp_number=term),
    )
    return list(found[:COUNTED_UP_TO])


class CurrencyFilter(DropdownFilter):
    """By currency; offers those of the newest orders: a list of all would read every order."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = visible(request.user, Posting.objects.filter(record_kind="order")).order_by(*NEWEST_FIRST)
        found = {*newest.values_list("currency", flat=True)[:NEWEST], self.value() or ""}
        return [(currency, currency) for currency in sorted(found) if currency]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Posting]) -> QuerySet[Posting]:
        return queryset.filter(currency=self.value()) if self.value() else queryset


class ReasonForm(forms.Form):
    why = forms.CharField(label="Why", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class FoundForm(forms.Form):
    reference = forms.CharField(
        label="Reference", max_length=16, help_text="Of the document on this page that is already there."
    )
    number = forms.CharField(label="Document number in the ERP", max_length=64)


@admin.register(Posting)
class PostingAdmin(OwnPage, Offers, TenantAdmin):
    """What came from the store and what became of it in the ERP."""

    list_display = ("record", "chip", "why", "money", "placed_at", "erp_documents", "pipeline")
    list_filter = ("status", "record_kind", "pipeline", CurrencyFilter, ("placed_at", MomentFilter))
    search_fields = ("record_id",)
    search_help_text = "Order id, reference, number in the ERP, or correlation id"
    list_select_related = ("pipeline__store", "company")
    ordering = NEWEST_FIRST
    fields = ("record_id",)
    change_form_template = "sync/order.html"
    actions = ("reprocess_selected",)
    actions_detail = ("reprocess_one", "exclude_one", "take_back_one", "resolve_one")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        numbers = Document.objects.only("posting_id", "kind", "erp_number").order_by("posting_id", "position")
        return super().get_queryset(request).prefetch_related(Prefetch("documents", numbers))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Posting], search_term: str
    ) -> tuple[QuerySet[Posting], bool]:
        """By a whole id or number. Each is looked up in an index of its own: one condition over two tables would read both."""
        term = search_term.strip()
        return (queryset.filter(pk__in=postings_called(term, request.user)) if term else queryset), False

    def page(self, request: HttpRequest, row: Posting) -> dict[str, Any]:
        return {
            "title": str(row),
            "page": order_page(row),
            "gaps": Gap.objects.filter(blocks__posting=row),
            "story_url": story_url(trail.subject(row)),
        }

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """With the pipeline, for people who see several."""
        shown = super().get_list_display(request)
        several = visible(request.user, Pipeline.objects.order_by()).values("pk")[:2]
        return shown if len(several) > 1 else [name for name in shown if name != "pipeline"]

    def not_now(self, posting: Posting) -> set[str]:
        if posting.status == Status.EXCLUDED and posting.excluded_by:
            return {"reprocess_one", "exclude_one", "resolve_one"}
        is_open = posting.documents.exclude(state__in=(DocumentState.POSTED, DocumentState.CANCELLED))
        return {"take_back_one"} if is_open.exists() else {"take_back_one", "resolve_one"}

    @admin.display(description="Record", ordering="record_id")
    def record(self, posting: Posting) -> str:
        return format_html('<span class="t-amount">{}</span>', posting)

    @admin.display(description="Status", ordering="status")
    def chip(self, posting: Posting) -> str:
        return format_html('<span class="t-chip {}">{}</span>', posting.status, posting.get_status_display())

    @admin.display(description="Why")
    def why(self, posting: Posting) -> str:
        return posting.reason if len(posting.reason) <= 160 else f"{posting.reason[:160]}…"

    @admin.display(description="Total", ordering="total")
    def money(self, posting: Posting) -> str:
        return (
            amount_cell(Money(posting.total, posting.currency))
            if posting.total is not None and posting.currency
            else ""
        )

    @admin.display(description="In the ERP")
    def erp_documents(self, posting: Posting) -> str:
        """The numbers people search for: those of sales documents and partners; payments are on the order's page."""
        shown = ("invoice", "sales_order", "credit_memo", "partner")
        numbers = (
            (f"{TITLES[d.kind]} {d.erp_number}",)
            for d in posting.documents.all()
            if d.erp_number and d.kind in shown
        )
        return format_html_join("", '<div class="t-amount">{}</div>', numbers)

    @rows_action(May.REPROCESS, description="Reprocess", confirm="about_reprocess")
    def reprocess_selected(self, request: HttpRequest, rows: QuerySet[Posting]) -> Done:
        run = None
        for tenant_id in sorted(set(rows.order_by().values_list("tenant_id", flat=True))):
            chosen = not_excluded(rows.filter(tenant_id=tenant_id))
            if chosen.exists():
                what = f"{scope_of(chosen)} chosen by hand"
                run = reprocess(chosen, by=request.user.get_username(), what=what)
        if run is None:
            raise NotDone("What you chose is excluded. Take it back first.")
        return reprocessing(run)

    def about_reprocess(self, request: HttpRequest, rows: QuerySet[Posting]) -> str:
        chosen = scope_of(not_excluded(rows))
        left = rows.count() - chosen.count
        note = f" {left} excluded by hand are left alone." if left else ""
        return f"This works off {chosen} again. What is posted is never posted twice.{note}"

    @row_action(May.REPROCESS, description="Reprocess", url_path="reprocess", confirm="about_one")
    def reprocess_one(self, request: HttpRequest, posting: Posting) -> Done:
        if posting.status == Status.EXCLUDED and posting.excluded_by:
            raise NotDone(f"{posting} is excluded. Take it back first.")
        return reprocessing(reprocess([posting], by=request.user.get_username(), what=str(posting)))

    def about_one(self, request: HttpRequest, posting: Posting) -> str:
        return f"{posting} is read from the store, planned, and posted if nothing is missing. Nothing is posted twice."

    @row_action(
        May.EXCLUDE, description="Exclude", url_path="exclude", form=ReasonForm, confirm="about_exclude"
    )
    def exclude_one(self, request: HttpRequest, posting: Posting, entered: dict[str, str]) -> str:
        exclude(posting, by=request.user.get_username(), why=entered["why"])
        return f"{posting} is excluded: nothing more of it will be posted. You can take it back."

    def about_exclude(self, request: HttpRequest, posting: Posting) -> str:
        return "Nothing more of it is posted, whatever the store says later. The reason goes into the audit trail."

    @row_action(May.EXCLUDE, description="Take back", url_path="take-back")
    def take_back_one(self, request: HttpRequest, posting: Posting) -> Done:
        if posting.status != Status.EXCLUDED:
            raise NotDone(f"{posting} is not excluded.")
        return reprocessing(take_back(posting, by=request.user.get_username()))

    @row_action(
        May.RESOLVE,
        description="Resolve as already in the ERP",
        url_path="resolve",
        form=FoundForm,
        confirm="about_resolve",
    )
    def resolve_one(self, request: HttpRequest, posting: Posting, entered: dict[str, str]) -> str:
        row = Document.objects.filter(posting=posting, reference=entered["reference"].strip()).first()
        if row is None or row.state == DocumentState.POSTED:
            raise NotDone(f"{posting} has no open document with reference {entered['reference']}.")
        try:
            resolve(row, number=entered["number"].strip(), by=request.user.get_username())
        except RemoteError as error:
            raise NotDone(error.sentence) from error
        return f"{TITLES[row.kind]} {entered['number']} in {posting.company.name} is bound to {posting}."

    def about_resolve(self, request: HttpRequest, posting: Posting) -> str:
        return f"We look the number up in {posting.company.name} and compare its amount. Nothing is posted for that document."


def not_excluded(rows: QuerySet[Posting]) -> QuerySet[Posting]:
    """Without those that a person has excluded: they are taken back one by one."""
    return rows.exclude(status=Status.EXCLUDED, excluded_by__gt="")


def reprocessing(run: Any) -> Done:
    """The end of every action that starts a run: its progress."""
    return Done("Reprocessing has started.", goto=reverse("admin:sync_reprocess_change", args=[run.pk]))
