"""The audit trail on screen: read-only, scoped, searchable, exportable."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, FieldTextFilter
from unfold.decorators import action

from audit import Action
from audit.models import AuditEntry
from audit.recording import record
from audit.spreadsheets import lines
from audit.stories import search, story
from tenants.filters import MomentFilter
from tenants.long_lists import LongList
from tenants.models import Tenant
from tenants.scoped_admin import TenantAdmin
from tenants.scoping import is_installation_administrator, tenant_ids, visible

STORY = "story"
WORDS = {item.value: item.words for item in Action}
COLUMNS = ["at (UTC)", "tenant", "action", "subjects", "actor", "correlation id", "details"]


class ActionFilter(DropdownFilter):
    """By what happened."""

    title = "what happened"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The closed list."""
        return list(WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Entries of one kind."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class StoryFilter(DropdownFilter):
    """One subject's whole story in time order; the links to it are on orders, documents and entries."""

    title = "story of"
    parameter_name = STORY

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The subject asked for; the list of all subjects would be as long as the trail."""
        asked = request.GET.get(STORY, "")
        return [(asked, asked)] if asked else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Told from the entries this person sees."""
        return story(self.value(), queryset) if self.value() else queryset


class Trail(LongList):
    """A page of entries, with the names of their tenants read once for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        """The entries know their tenants' ids only."""
        super().get_results(request)
        names = _names(entry.tenant_id for entry in self.result_list)
        for entry in self.result_list:
            entry.tenant_called = names.get(entry.tenant_id)


@admin.register(AuditEntry)
class AuditPage(TenantAdmin):
    """The trail. Nobody adds to it, changes it or deletes from it here."""

    list_display = ["when", "what", "about", "actor", "correlation", "summary"]
    list_filter = [
        ("at", MomentFilter),
        ActionFilter,
        ("actor", FieldTextFilter),
        ("correlation_id", FieldTextFilter),
        StoryFilter,
    ]
    search_fields = ["correlation_id"]
    search_help_text = (
        "An order (order:S1/100234), a document's reference or its number in the ERP, a correlation id"
    )
    ordering = ["-at", "-id"]
    actions_list = ["export"]
    actions = None
    tenant_column = "tenant_name"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongList]:
        """With the tenants' names."""
        return Trail

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All there is."""
        return ["at", "tenant_name", "what", "about", "actor", "correlation", "facts"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All of it."""
        return self.get_fields(request, obj)

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """Newest first; a story is told from its beginning."""
        return ["at", "id"] if request.GET.get(STORY) or request.GET.get("q") else ["-at", "-id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """By subject, by the number of a document in the ERP, by correlation id."""
        return (search(search_term, queryset) if search_term.strip() else queryset), False

    @admin.display(description="at", ordering="at")
    def when(self, entry: AuditEntry) -> SafeString:
        """To the second: a story is read by its times."""
        at = date_format(timezone.localtime(entry.at), "j M Y, H:i:s")
        return format_html('<span class="t-amount">{}</span>', at)

    @admin.display(description="what happened", ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """In words; a kind that a newer version wrote stays as it was written."""
        return WORDS.get(entry.action, entry.action)

    @admin.display(description="about")
    def about(self, entry: AuditEntry) -> SafeString:
        """The subjects, each with a link to its story."""
        links = ((story_url(subject), subject) for subject in entry.subjects)
        return format_html_join(" ", '<a href="{}">{}</a>', links)

    @admin.display(description="correlation id")
    def correlation(self, entry: AuditEntry) -> SafeString:
        """A link to everything under the same id."""
        if not entry.correlation_id:
            return SafeString("")
        url = f"{reverse('admin:audit_auditentry_changelist')}?{urlencode({'q': entry.correlation_id})}"
        return format_html('<a href="{}">{}…</a>', url, entry.correlation_id[:8])

    @admin.display(description="details")
    def summary(self, entry: AuditEntry) -> str:
        """The details in one line; of a call, what was asked and how it went."""
        if entry.action == Action.CALL_MADE:
            return _call_in_one_line(entry.details)[:200]
        return _in_one_line(entry.details)[:160]

    @admin.display(description="details")
    def facts(self, entry: AuditEntry) -> SafeString:
        """The details, one to a line."""
        return format_html("<pre>{}</pre>", json.dumps(entry.details, indent=2, ensure_ascii=False))

    @admin.display(description="tenant")
    def tenant_name(self, entry: AuditEntry) -> str:
        """The tenant's name, which the trail itself does not know."""
        if entry.tenant_id is None:
            return "installation"
        if not hasattr(entry, "tenant_called"):
            entry.tenant_called = _names([entry.tenant_id]).get(entry.tenant_id)
        return entry.tenant_called or str(entry.tenant_id)

    @action(description="Export as CSV", icon="download")
    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list shows, filters and search included, as a file a spreadsheet opens safely."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entries = self.get_changelist_instance(request).get_queryset(request)
        names = dict(visible(request.user, Tenant.objects.all()).values_list("pk", "name"))
        for tenant_id in (
            [None] if is_installation_administrator(request.user) else sorted(tenant_ids(request.user))
        ):
            record(
                Action.OPERATOR_EXPORTED,
                tenant_id=tenant_id,
                subject=("export", "audit"),
                # Not what was searched for: that may be a person's name.
                details={name: "[searched]" if name == "q" else value for name, value in request.GET.items()},
            )
        response = StreamingHttpResponse(lines(_rows(entries, names)), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y%m%d-%H%M%S}.csv"'
        return response


def story_url(subject: str) -> str:
    """Where the whole story of a subject is told: `story_url("order:S1/100234")`."""
    return f"{reverse('admin:audit_auditentry_changelist')}?{urlencode({STORY: subject})}"


def _names(tenants: Iterable[int | None]) -> dict[int, str]:
    return dict(Tenant.objects.filter(pk__in={pk for pk in tenants if pk}).values_list("pk", "name"))


def _rows(entries: QuerySet[AuditEntry], names: dict[int, str]) -> Iterator[list[object]]:
    yield COLUMNS
    for entry in entries.iterator(chunk_size=2000):
        yield [
            entry.at.isoformat(timespec="milliseconds"),
            names.get(entry.tenant_id, ""),
            entry.action,
            " ".join(entry.subjects),
            entry.actor,
            entry.correlation_id,
            _in_one_line(entry.details),
        ]


def _call_in_one_line(details: dict[str, Any]) -> str:
    """`GET /stores/abc/v2/orders/127 → 200, 12 ms`; the whole address is on the entry's page."""
    outcome = details.get("status") or details.get("error") or "no answer"
    path = urlsplit(str(details.get("url", ""))).path
    return f"{details.get('method', '')} {path} → {outcome}, {details.get('milliseconds', '?')} ms"


def _in_one_line(details: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in details.items() if value not in ("", None))
