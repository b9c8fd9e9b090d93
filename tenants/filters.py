"""List filters that offer a person's own tenants and their rows, and nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db import models
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter

from tenants.models import Tenant
from tenants.scoping import visible


class TenantFilter(DropdownFilter):
    """By tenant; shown to people who see more than one."""

    title = "tenant"
    parameter_name = "tenant"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        """The tenants this person sees, if there is a choice."""
        tenants = list(visible(request.user, Tenant.objects.all()))
        return [(str(tenant.pk), tenant.name) for tenant in tenants] if len(tenants) > 1 else []

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        """The rows of the tenant chosen; text that is no tenant of theirs finds nothing."""
        chosen = self.value()
        if not chosen:
            return queryset
        own = {str(pk) for pk in visible(request.user, Tenant.objects.all()).values_list("pk", flat=True)}
        return queryset.filter(tenant_id=int(chosen)) if chosen in own else queryset.none()


class VisibleRelatedFilter(RelatedDropdownFilter):
    """By a related row; offers only rows this person sees."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[Any, str]]:
        """(id, name) of the rows that can be chosen."""
        rows = visible(request.user, field.remote_field.model._default_manager.all())
        return [(row.pk, str(row)) for row in rows]
