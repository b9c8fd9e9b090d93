"""How long a tenant keeps what; what the next run would prune; the runs and what they pruned."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join

from sync.console.asking import ask_worker
from sync.console.pages import OwnPage
from sync.models import Retention, RetentionRun
from sync.retention import KINDS, preview, start_run
from tenants.actions import Done, row_action
from tenants.roles import May
from tenants.scoped_admin import TenantAdmin


@admin.register(Retention)
class RetentionAdmin(OwnPage, TenantAdmin):
    """One policy for each tenant; without one the defaults count."""

    add_permission = change_permission = May.EDIT_TENANT
    when_empty = "No tenant has a policy of its own: the nightly run prunes by the defaults."
    list_display = ("policy", "snapshots", "plans", "attempts", "calls", "events", "closed", "trail")
    fields = ("tenant", "snapshots", "plans", "attempts", "calls", "events", "closed", "trail")
    change_form_template = "sync/retention.html"
    actions_detail = ("run_now",)

    def page(self, request: HttpRequest, row: Retention) -> dict[str, Any]:
        return {"due": preview(row), "runs": RetentionRun.objects.filter(tenant=row.tenant_id)[:5]}

    @admin.display(description="Retention")
    def policy(self, row: Retention) -> str:
        return str(row)

    @row_action(May.EDIT_TENANT, description="Prune now", url_path="prune", confirm="about_run")
    def run_now(self, request: HttpRequest, policy: Retention) -> Done:
        """The nightly run, now."""
        run = start_run(policy.tenant, by=request.user.get_username())
        ask_worker("prune", otherwise="The nightly run goes on with it.", run_id=run.pk)
        return Done("Pruning has started.", goto=reverse("admin:sync_retentionrun_change", args=[run.pk]))

    def about_run(self, request: HttpRequest, policy: Retention) -> str:
        found = [f"{line.label}: {line}" for line in preview(policy) if line.count]
        return f"{'; '.join(found)}. This cannot be undone." if found else "There is nothing to prune."


@admin.register(RetentionRun)
class RetentionRunAdmin(TenantAdmin):
    """Runs and their totals."""

    when_empty = "No run yet: it runs every night at 3:10 UTC."
    list_display = ("started_at", "who", "finished_at", "totals")
    fields = readonly_fields = ("started_at", "who", "finished_at", "totals", "correlation_id")

    @admin.display(description="Asked for by")
    def who(self, run: RetentionRun) -> str:
        return run.by or "the nightly run"

    @admin.display(description="Pruned")
    def totals(self, run: RetentionRun) -> str:
        found = ((kind.label, f"{run.cleared[kind.name]:,}") for kind in KINDS if run.cleared.get(kind.name))
        return format_html_join("", "<div>{}: {}</div>", found) or "Nothing"
