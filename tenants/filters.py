"""List filters that offer a person's own tenants and their rows, and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter
from unfold.utils import parse_datetime_str

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


class MomentFilter(RangeDateTimeFilter):
    """Between two moments of the time zone that the console shows; a day without a time is the whole day.

    unfold's own takes them as moments of the installation's zone, and a day without a time as nothing.
    """

    _BOUNDS = (("gte", "from", "00:00:00"), ("lte", "to", "23:59:59.999999"))

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        """The rows between them; text that is no day limits nothing."""
        for lookup, end, time in self._BOUNDS:
            if moment := self._moment(end, time):
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": moment})
        return queryset

    def _moment(self, end: str, otherwise: str) -> datetime | None:
        day = self.used_parameters.get(f"{self.parameter_name}_{end}_0")
        time = self.used_parameters.get(f"{self.parameter_name}_{end}_1") or otherwise
        read = parse_datetime_str(f"{day} {time}") if day else None
        return read and timezone.make_aware(read)
