"""Admin pages that cannot be scoped to a tenant are for superusers only, whoever registered them."""

from __future__ import annotations

from django.contrib import admin

from tenants.scoped_admin import SuperuserOnly, TenantAdmin, superuser_only


def close_to_all_but_superusers(site: admin.AdminSite | None = None) -> None:
    """Replace every registered admin that is neither scoped nor closed by one that is closed."""
    site = site or admin.site
    for model, registered in list(site._registry.items()):
        if not isinstance(registered, TenantAdmin | SuperuserOnly):
            site.unregister(model)
            site.register(model, superuser_only(registered))
