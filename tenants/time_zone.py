"""Times in the console are those of the tenant."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from tenants.models import Tenant
from tenants.scoping import Person, visible


class TimeZoneMiddleware:
    """While a request is answered, times are shown in the zone of the person's tenants, if they share one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_of(request.user)):
            return self.get_response(request)


def zone_of(user: Person) -> zoneinfo.ZoneInfo | None:
    """The zone that all tenants of this person share; None, the installation's, if there is no such zone."""
    if not user.is_authenticated:
        return None
    zones = visible(user, Tenant.objects.order_by()).values_list("time_zone", flat=True).distinct()[:2]
    shared = list(zones)
    return zoneinfo.ZoneInfo(shared[0]) if len(shared) == 1 else None
