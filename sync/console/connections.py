"""What stores and ERP companies have in common: paused or in use, and the way back."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from erp.models import ErpConnection
from storefront.models import Store
from sync.connections import resume_connection
from sync.console.pages import Offers, OwnPage
from tenants.actions import NotDone, row_action
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin

SHOWN_PROBES = 60
PREFIX = {False: "setting_", True: "secret_"}


class ConnectionAdmin(OwnPage, Offers, TenantAdmin):
    """The base of both pages."""

    add_permission = May.EDIT_CONNECTIONS
    change_permission = May.EDIT_CONNECTIONS
    change_form_template = "sync/connection.html"

    @admin.display(description="State")
    def chip(self, connection: Store | ErpConnection) -> str:
        look, word = ("paused", "Paused") if connection.paused_at else ("ok", "In use")
        reason = connection.pause_reason if connection.paused_at else ""
        return format_html('<span class="t-chip {}">{}</span> {}', look, word, reason)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page shows above its form."""
        newest = list(row.probes.all()[:SHOWN_PROBES])
        return {
            "title": str(row),
            "probes": newest[::-1],
            "failed_probes": [probe for probe in newest if probe.ok is False],
        }

    def not_now(self, connection: Store | ErpConnection) -> set[str]:
        return set() if connection.paused_at else {"resume"}

    @row_action(May.PAUSE, description="Resume", url_path="resume", confirm="about_resume")
    def resume(self, request: HttpRequest, connection: Store | ErpConnection) -> str:
        if connection.paused_at is None:
            raise NotDone(f"{connection.name} is not paused.")
        resume_connection(connection, by=request.user.get_username())
        return f"{connection.name} is in use again. What waited for it goes on now."

    def about_resume(self, request: HttpRequest, connection: Store | ErpConnection) -> str:
        return connection.pause_reason or "It is not paused."
