"""Erasure of a person's data: who is meant, what it touches, the confirmation, and what was done."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from sync import erasure
from sync.console.asking import ask_worker
from sync.console.pages import Offers
from sync.models import Erasure, ErasureState
from tenants.actions import NotDone, row_action
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin
from tenants.scoping import visible

ELSEWHERE = (
    "What the ERP and the store hold stays: erase it there, in the store first. When one of these records is read again "
    "(by a webhook or Reprocess) and the store still has the person, their data comes back."
)
UNDER_WAY = "Records under way keep everything until they are finished or excluded, and are erased in the night after."
LABELS = {
    "snapshots": "Snapshots of the store's records",
    "plans": "Plans",
    "documents": "Names and addresses in documents",
    "attempts": "What attempts sent and heard",
    "calls": "Bodies of calls",
    "sentences": "Sentences and names of business partners",
    "under way": "Records under way",
}
SHOWN = 50
LOOKS = {ErasureState.FOUND: "held", ErasureState.DONE: "ok", ErasureState.CANCELLED: ""}


class NewErasureForm(forms.ModelForm):
    """Whom it is about."""

    email = forms.EmailField(label="E-mail address", required=False, widget=UnfoldAdminTextInputWidget)
    customer_id = forms.RegexField(
        r"^\d+$",
        label="Customer id in the store",
        required=False,
        max_length=64,
        widget=UnfoldAdminTextInputWidget,
        help_text="Give both if you know both: where snapshots were pruned, an order is found by the address alone.",
        error_messages={"invalid": "A customer id is a number."},
    )

    class Meta:
        model = Erasure
        fields = ("store",)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not (cleaned.get("email") or cleaned.get("customer_id")):
            raise forms.ValidationError("Give the e-mail address, the customer id, or both.")
        return cleaned


@admin.register(Erasure)
class ErasureAdmin(Offers, TenantAdmin):
    """Requests, by their number: whom they were about is forgotten when they are done."""

    view_permission = add_permission = May.ERASE
    when_empty = "No request yet. When a person asks to be erased, say who it is: nothing is erased before you confirm it."
    list_display = ("number", "store", "chip", "progress", "by", "asked_at", "finished_at")
    list_filter = ("state", "store")
    list_select_related = ("store",)
    readonly_fields = (
        "chip",
        "progress",
        "touches",
        "whose",
        "done",
        "elsewhere",
        "by",
        "asked_at",
        "finished_at",
    )
    actions_detail = ("erase_now", "cancel_it")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(
            request, obj, change=change, **(kwargs if obj else {**kwargs, "form": NewErasureForm})
        )

    def get_fields(self, request: HttpRequest, obj: Erasure | None = None) -> list[str]:
        return ["store", *self.readonly_fields] if obj else ["store", "email", "customer_id"]

    def _choices(self, db_field: Any, request: HttpRequest, rows: models.QuerySet | None) -> models.QuerySet:
        return visible(request.user, super()._choices(db_field, request, rows), May.ERASE)

    def save_model(self, request: HttpRequest, obj: Erasure, form: forms.ModelForm, change: bool) -> None:
        obj.tenant_id = obj.store.tenant_id
        if change or not self.allows(request, May.ERASE, obj):
            raise PermissionDenied
        entered = {name: form.cleaned_data[name] for name in ("email", "customer_id")}
        row = erasure.ask(obj.store, by=request.user.get_username(), **entered)
        obj.pk, obj._state.adding = row.pk, False
        _go_on(row)

    def response_add(self, request: HttpRequest, obj: Erasure, post_url_continue: Any = None) -> HttpResponse:
        """To the page of what it touches: there it is confirmed."""
        messages.success(
            request, "Tieout looks for what there is. Nothing is erased before you confirm it here."
        )
        return HttpResponseRedirect(reverse("admin:sync_erasure_change", args=[obj.pk]))

    def not_now(self, row: Erasure) -> set[str]:
        return {
            ErasureState.FOUND: set(),
            ErasureState.LOOKING: {"erase_now"},
        }.get(ErasureState(row.state), {"erase_now", "cancel_it"})

    @admin.display(description="Erasure")
    def number(self, row: Erasure) -> str:
        return f"Erasure {row.pk}"

    @admin.display(description="State", ordering="state")
    def chip(self, row: Erasure) -> SafeString:
        look = LOOKS.get(ErasureState(row.state), "waiting")
        return format_html('<span class="t-chip {}">{}</span>', look, row.get_state_display())

    @admin.display(description="Touches")
    def touches(self, row: Erasure) -> str:
        if row.state != ErasureState.LOOKING and not row.records:
            return "Nothing: no record of this store names the person."
        under_way = format_html("<div>{}</div>", UNDER_WAY) if row.found.get("under way") else ""
        return _counts(row.found) + under_way if row.found else "–"

    @admin.display(description="Records")
    def whose(self, row: Erasure) -> SafeString | str:
        shown = row.records[:SHOWN]
        keys = {
            (p.record_kind, p.record_id): p.pk
            for p in erasure.postings_of(row.store_id, shown).order_by("-pk")
        }
        lines = [_link(kind, record_id, keys.get((kind, record_id))) for kind, record_id in shown]
        if more := len(row.records) - len(shown):
            lines.append(f"and {more:,} more")
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines)) or "–"

    @admin.display(description="Erased")
    def done(self, row: Erasure) -> str:
        return _counts(row.erased)

    @admin.display(description="Elsewhere")
    def elsewhere(self, row: Erasure) -> str:
        return ELSEWHERE

    @row_action(May.ERASE, description="Erase", url_path="erase", confirm="about_erase")
    def erase_now(self, request: HttpRequest, row: Erasure) -> str:
        if not erasure.confirm(row):
            raise NotDone("There is nothing to confirm now.")
        _go_on(row)
        return "Erasing has begun. This page says when it is done."

    def about_erase(self, request: HttpRequest, row: Erasure) -> str:
        found = [f"{label}: {row.found[name]:,}" for name, label in LABELS.items() if row.found.get(name)]
        return (
            f"{'; '.join(found) or 'There is nothing to erase'}. {UNDER_WAY} It cannot be undone. {ELSEWHERE}"
        )

    @row_action(May.ERASE, description="Cancel", url_path="cancel")
    def cancel_it(self, request: HttpRequest, row: Erasure) -> str:
        if not erasure.cancel(row, by=request.user.get_username()):
            raise NotDone("It cannot be cancelled any more.")
        return "Cancelled. Nothing was erased."


def _go_on(row: Erasure) -> None:
    ask_worker("go_on_erasing", otherwise="The nightly run goes on with it.", erasure_id=row.pk)


def _link(kind: str, record_id: str, posting_id: int | None) -> SafeString | str:
    name = f"{kind.capitalize()} {record_id}"
    if posting_id is None:
        return name
    address = reverse("admin:sync_posting_change", args=[posting_id])
    return format_html('<a class="text-primary-600 font-medium" href="{}">{}</a>', address, name)


def _counts(counts: dict[str, int]) -> SafeString | str:
    lines = ((label, f"{counts[name]:,}") for name, label in LABELS.items() if name in counts)
    return format_html_join("", "<div>{}: {}</div>", lines) or "–"
