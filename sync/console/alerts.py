"""Alerts: what is wrong, since when, who was told; acknowledging and muting."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from sync.alerts.answers import acknowledge, mute, unmute
from sync.alerts.kinds import SPECS, Kind
from sync.console.pages import Offers, OwnPage, moment
from sync.console.postings import amount_cell
from sync.models import Alert, AlertState
from tenants.actions import NotDone, row_action
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin

MARKDOWN = MarkdownIt("commonmark", {"html": False})
SPANS = (("1", "an hour"), ("8", "eight hours"), ("24", "a day"), ("72", "three days"), ("168", "a week"))


class MuteForm(forms.Form):
    hours = forms.ChoiceField(label="For", choices=SPANS, widget=UnfoldAdminSelectWidget)
    why = forms.CharField(label="Why", max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))


@admin.register(Alert)
class AlertAdmin(OwnPage, Offers, TenantAdmin):
    """Open alerts first, then what is over."""

    when_empty = (
        "Nothing has been wrong so far. What goes wrong appears here by itself, and again on the home page."
    )
    list_display = ("chip", "what", "orders_waiting", "money_waiting", "since", "answer")
    list_filter = ("state", "kind", "severity")
    fields = ("sentence",)
    change_form_template = "sync/alert.html"
    actions_detail = ("acknowledge", "mute", "unmute")
    actions = None
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        """Without those that have not lasted for long enough to be told."""
        rows = super().get_queryset(request).exclude(state=AlertState.NOTICED)
        is_over = Case(
            When(state=AlertState.OPEN, then=Value(0)), default=Value(1), output_field=IntegerField()
        )
        return rows.annotate(is_over=is_over).order_by("is_over", "severity", "-raised_at", "-id")

    def page(self, request: HttpRequest, row: Alert) -> dict[str, Any]:
        return alert_page(row)

    def get_urls(self) -> list[Any]:
        """With the runbooks, so that a link in an e-mail leads to what to do."""
        page = self.admin_site.admin_view(self.runbook)
        return [path("runbooks/<slug:kind>/", page, name="sync_alert_runbook"), *super().get_urls()]

    def runbook(self, request: HttpRequest, kind: str) -> HttpResponse:
        """One page of `docs/runbooks/`: the same for everybody."""
        pages = {page.stem: page for page in (settings.BASE_DIR / "docs/runbooks").glob("*.md")}
        if kind not in pages or not self.has_view_permission(request):
            raise Http404("There is no such runbook.")
        text = pages[kind].read_text(encoding="utf-8")
        title, _, rest = text.removeprefix("# ").partition("\n")
        page = {"title": title, "subtitle": None, "text": mark_safe(MARKDOWN.render(rest))}  # noqa: S308 - our own page
        context = {**self.admin_site.each_context(request), "opts": self.opts, **page}
        return TemplateResponse(request, "sync/runbook.html", context)

    def not_now(self, alert: Alert) -> set[str]:
        """What is over needs no answer."""
        if alert.state != AlertState.OPEN:
            return {"acknowledge", "mute"} | (set() if alert.is_muted else {"unmute"})
        hidden = {"mute"} if alert.is_muted else {"unmute"}
        return {*hidden, "acknowledge"} if alert.acknowledged_at else hidden

    @admin.display(description="Alert", ordering="kind")
    def chip(self, alert: Alert) -> str:
        look = "ok" if alert.state == AlertState.CLEARED else alert.severity
        word = "Over" if alert.state == AlertState.CLEARED else alert.get_kind_display()
        return format_html('<span class="t-chip {}">{}</span>', look, word)

    @admin.display(description="What")
    def what(self, alert: Alert) -> str:
        return alert.sentence if len(alert.sentence) <= 200 else f"{alert.sentence[:200]}…"

    @admin.display(description="Orders", ordering="orders")
    def orders_waiting(self, alert: Alert) -> int | str:
        return alert.orders or ""

    @admin.display(description="Money")
    def money_waiting(self, alert: Alert) -> str:
        return amount_cell(*alert.amounts)

    @admin.display(description="Answer")
    def answer(self, alert: Alert) -> str:
        """What people have said to it, or when it was over."""
        return answer_of(alert)

    @row_action(
        May.ANSWER_ALERTS, description="Acknowledge", url_path="acknowledge", confirm="about_acknowledge"
    )
    def acknowledge(self, request: HttpRequest, alert: Alert) -> str:
        if alert.state != AlertState.OPEN:
            raise NotDone("It is over already.")
        acknowledge(alert, by=request.user.get_username())
        return "Acknowledged. Nobody is reminded of it any more; its end will be told."

    def about_acknowledge(self, request: HttpRequest, alert: Alert) -> str:
        return f"You take care of it: {alert.sentence} Reminders stop. It stays open until it is over."

    @row_action(May.ANSWER_ALERTS, description="Mute", url_path="mute", form=MuteForm, confirm="about_mute")
    def mute(self, request: HttpRequest, alert: Alert, entered: dict[str, str]) -> str:
        until = timezone.now() + timedelta(hours=int(entered["hours"]))
        mute(alert, until=until, by=request.user.get_username(), why=entered["why"])
        return f"Muted until {moment(until)}. If it is still so then, it is told again."

    def about_mute(self, request: HttpRequest, alert: Alert) -> str:
        return "No messages about it until then, also if it goes away and comes back. It stays in this list."

    @row_action(May.ANSWER_ALERTS, description="Unmute", url_path="unmute")
    def unmute(self, request: HttpRequest, alert: Alert) -> str:
        unmute(alert, by=request.user.get_username())
        return "Messages about it are sent again."


def alert_page(alert: Alert) -> dict[str, Any]:
    """What the page of one alert shows."""
    spec = SPECS[Kind(alert.kind)]
    return {
        "title": alert.get_kind_display(),
        "alert": alert,
        "spec": spec,
        "money": alert.amounts,
        "is_open": alert.state == AlertState.OPEN,
        "answer": answer_of(alert),
        "messages_sent": alert.notices.select_related("destination").order_by("made_at")[:100],
    }


def answer_of(alert: Alert) -> str:
    """What people have said to it, or when it was over."""
    if alert.state != AlertState.CLEARED:
        return alert.answer
    return f"Over since {moment(alert.gone_at)}" if alert.gone_at else "Over"
