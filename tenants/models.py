"""Tenants, the people who work for them and how they prove who they are, and the base of every row of a tenant."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from tenants.authenticators import Authenticator
from tenants.roles import Role

__all__ = ["Authenticator", "Membership", "People", "Tenant", "TenantOwned", "User", "validate_time_zone"]


class People(UserManager):
    """Makes users who may open the console: what they see there is decided by their memberships."""

    def create_user(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> User:
        """A person who may sign in to the console; without a membership they see an empty one."""
        fields.setdefault("is_staff", True)
        return super().create_user(username, email, password, **fields)


class User(AbstractUser):
    """A person who signs in. A superuser is the installation's administrator and sees every tenant."""

    is_staff = models.BooleanField("may open the console", default=True)

    objects = People()


def validate_time_zone(name: str) -> None:
    """Refuse a name that is not in the IANA time zone database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name} is not a time zone. Examples: Europe/Berlin, America/New_York, UTC.")


class Tenant(models.Model):
    """One merchant: the owner of stores, ERP companies, pipelines, mappings and all they bring forth."""

    slug = models.SlugField(unique=True, help_text="Short name in addresses and in apply files.")
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    requires_second_factor = models.BooleanField(
        "second factor needed",
        default=False,
        help_text="Everybody who works here must sign in with a code from an authenticator app besides the password.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class TenantOwned(models.Model):
    """Base of every row that belongs to a tenant.

    A model with a `Meta` of its own writes::

        class Meta(TenantOwned.Meta):
            constraints = [*TenantOwned.Meta.constraints, SameTenant("store"), ...]

    with one `tenants.constraints.SameTenant` for every foreign key to another tenant-owned model.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True
        constraints = [
            # What the composite foreign keys of SameTenant refer to.
            models.UniqueConstraint(fields=["tenant", "id"], name="%(app_label)s_%(class)s_tenant_id"),
        ]


class Growing(TenantOwned):
    """Base of rows that there may be millions of: the tenant has no index of its own, as that of (tenant, id) begins with it."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta(TenantOwned.Meta):
        abstract = True


class Membership(TenantOwned):
    """One role of one person in one tenant."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta(TenantOwned.Meta):
        ordering = ["tenant", "user", "role"]
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "user", "role"], name="tenants_membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="tenants_membership_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.get_role_display()} of {self.tenant}"
