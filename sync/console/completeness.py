"""Completeness certificates: what was proved, what was missing and found, to read and to download."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.html import format_html
from unfold.decorators import action

from audit import spreadsheets
from audit.actions import Action
from audit.recording import record
from sync import completeness
from sync.console.pages import OwnPage, window
from sync.models import Certificate, CertificateState, Finding
from tenants.actions import NotDone, row_action
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin

SHOWN = 200
LOOKS = {CertificateState.COMPLETE: "ok", CertificateState.OPEN: "held", CertificateState.LISTING: "waiting"}
WORDS = {
    CertificateState.COMPLETE: "Complete",
    CertificateState.OPEN: "Open",
    CertificateState.LISTING: "Listing",
}


class WindowForm(forms.Form):
    """The orders placed from one moment until before another, in the person's time zone."""

    since = forms.DateTimeField(
        label="Placed from", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    until = forms.DateTimeField(
        label="until before", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since >= until:
            raise forms.ValidationError("The first moment must be before the second.")
        return cleaned


@admin.register(Certificate)
class CertificateAdmin(OwnPage, TenantAdmin):
    """What each pass found, newest first."""

    when_empty = (
        "No certificate yet. The nightly run makes one for each store; Check completeness on a store's page makes one for a "
        "time you choose."
    )
    list_display = ("window", "store", "started_at", "chip", "found")
    list_filter = ("state", "store")
    list_select_related = ("store",)
    fields = ("since",)
    change_form_template = "sync/certificate.html"
    actions_detail = ("look_again", "download")

    @admin.display(description="Orders placed", ordering="since")
    def window(self, certificate: Certificate) -> str:
        return window(certificate)

    @admin.display(description="State", ordering="state")
    def chip(self, certificate: Certificate) -> str:
        state = CertificateState(certificate.state)
        return format_html('<span class="t-chip {}">{}</span>', LOOKS[state], WORDS[state])

    @admin.display(description="Orders")
    def found(self, certificate: Certificate) -> str:
        shares = completeness.shares(certificate.lines.all())
        open_ = sum(share.orders for share in shares if share.finding in completeness.UNSETTLED)
        return f"{sum(share.orders for share in shares):,}" + (f", {open_:,} open" if open_ else "")

    @row_action(May.REPROCESS, description="Look again", url_path="look-again")
    def look_again(self, request: HttpRequest, certificate: Certificate) -> str:
        """Compare what was open with what is known now."""
        if certificate.state == CertificateState.LISTING:
            raise NotDone("The store's orders are still being listed.")
        completeness.compare(certificate)
        return f"{certificate.get_state_display()}."

    @action(description="Download CSV", url_path="csv", permissions=["view"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse | StreamingHttpResponse:
        certificate = self.get_object(request, object_id)
        if certificate is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        record(
            Action.OPERATOR_EXPORTED,
            tenant_id=certificate.tenant_id,
            subject=[f"certificate:{certificate.pk}", f"store:{certificate.store.key}"],
            details={"what": "completeness certificate", "hash": certificate.hash},
        )
        answer = StreamingHttpResponse(
            spreadsheets.lines(_csv(certificate)), content_type="text/csv; charset=utf-8"
        )
        name = (
            f"completeness-{certificate.store.key}-{certificate.since:%Y%m%d}-{certificate.until:%Y%m%d}.csv"
        )
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    def page(self, request: HttpRequest, row: Certificate) -> dict[str, Any]:
        return page_of(row)


def page_of(certificate: Certificate) -> dict[str, Any]:
    """What the certificate's page shows."""
    lines = certificate.lines.select_related("posting")
    asked_about = lines.exclude(finding=Finding.ACCOUNTED) | lines.exclude(
        found_as__in=("", Finding.ACCOUNTED)
    )
    return {
        "title": f"Completeness of {certificate.store.name}",
        "certificate": certificate,
        "shares": completeness.shares(certificate.lines.all()),
        "unlisted": certificate.lines.filter(is_listed=False).count(),
        "count_differs": completeness.count_differs(certificate),
        "notable": asked_about.order_by("pk")[:SHOWN],
        "notable_in_all": asked_about.count(),
        "chip": (LOOKS[CertificateState(certificate.state)], WORDS[CertificateState(certificate.state)]),
    }


def _csv(certificate: Certificate) -> Any:
    yield ("Completeness certificate", certificate.store.name, certificate.store.store_hash)
    yield ("Orders placed from", certificate.since.isoformat(), "until before", certificate.until.isoformat())
    yield ("State", certificate.get_state_display())
    yield ("Counted by the store", "" if certificate.store_count is None else certificate.store_count)
    yield ("SHA-256 of the lines", certificate.hash)
    for share in completeness.shares(certificate.lines.all()):
        yield (share.finding, share.status, share.orders, *map(str, share.money))
    yield completeness.COLUMNS
    yield from completeness.rows_of(certificate)
