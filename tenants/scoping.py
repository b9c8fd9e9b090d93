"""The one place that decides which rows a person sees and in which tenants they may do what.

Everything that lists rows for a person goes through `visible`, everything that acts asks `may`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import QuerySet

from tenants.models import Membership, Tenant, User
from tenants.roles import May, rights_of

Row = TypeVar("Row", bound=models.Model)
Person = User | AnonymousUser

_CACHE = "_rights_by_tenant"


def rights(user: Person) -> dict[int, frozenset[May]]:
    """What somebody may do, by tenant id. A superuser is not listed here: they may do everything everywhere.

    Read once per user object, that is once per request, as Django does with its own permissions.
    """
    if not user.is_authenticated or not user.is_active:
        return {}
    if not hasattr(user, _CACHE):
        roles: dict[int, list[str]] = defaultdict(list)
        for tenant_id, role in Membership.objects.filter(user_id=user.pk).values_list("tenant_id", "role"):
            roles[tenant_id].append(role)
        setattr(user, _CACHE, {tenant_id: rights_of(held) for tenant_id, held in roles.items()})
    return getattr(user, _CACHE)


def may(user: Person, tenant: Tenant | int | None, permission: May) -> bool:
    """Whether somebody may do this in this tenant. `None`, the installation, is for superusers."""
    if is_installation_administrator(user):
        return True
    tenant_id = tenant.pk if isinstance(tenant, Tenant) else tenant
    return tenant_id is not None and permission in rights(user).get(tenant_id, frozenset())


def may_somewhere(user: Person, permission: May) -> bool:
    """Whether there is a tenant in which somebody may do this."""
    return is_installation_administrator(user) or bool(tenant_ids(user, permission))


def tenant_ids(user: Person, permission: May = May.VIEW) -> frozenset[int]:
    """The tenants in which somebody may do this by membership."""
    return frozenset(tenant_id for tenant_id, held in rights(user).items() if permission in held)


def visible(user: Person, rows: QuerySet[Row], permission: May = May.VIEW) -> QuerySet[Row]:
    """Those rows that somebody may see, or with another permission, do that to.

    Rows of a model that belongs to no tenant are for superusers only.
    """
    if is_installation_administrator(user):
        return rows
    path = tenant_path(rows.model)
    if path is None:
        return rows.none()
    own = tenant_ids(user, permission)
    if rows.model is User:
        return rows.filter(pk__in=Membership.objects.filter(tenant_id__in=own).values("user_id"))
    return rows.filter(**{f"{path}__in": own})


def is_installation_administrator(user: Person) -> bool:
    """Whether somebody sees and may do everything in this installation."""
    return user.is_authenticated and user.is_active and user.is_superuser


def tenant_path(model: type[models.Model]) -> str | None:
    """The lookup from a row to its tenant's id; None for a model that belongs to no tenant."""
    if model is Tenant:
        return "pk"
    if model is User:
        return "memberships__tenant_id"
    try:
        field = model._meta.get_field("tenant")
    except FieldDoesNotExist:
        # Of the layers below, which know no Tenant: the audit trail.
        return "tenant_id" if any(field.name == "tenant_id" for field in model._meta.fields) else None
    return "tenant_id" if field.related_model is Tenant else None


def tenant_id_of(row: models.Model) -> int | None:
    """The tenant a row belongs to, None for the installation's own."""
    return row.pk if isinstance(row, Tenant) else getattr(row, "tenant_id", None)
