"""Real rows of every tenant-owned model, for tests that must hold for all of them.

`World(tenant, marker).row("erp.ErpConnection")` makes one row, and whatever rows it refers to, all of this tenant.
Every text in it carries the marker, so that a page that shows any of it shows the marker.

A new model needs nothing here unless its rows obey rules that its fields do not tell: then add an entry to `SPECIAL`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.fields import NOT_PROVIDED
from django.utils import timezone

from audit import Action
from audit.models import AuditEntry
from audit.recording import record
from tenants.fields import EncryptedJSONField
from tenants.models import Membership, Tenant, TenantOwned, User
from tenants.roles import Role

Special = Callable[["World"], Any]

# By model and field: a value that the field's type, choices and length do not tell.
SPECIAL: dict[str, dict[str, Special]] = {
    "storefront.Store": {
        "key": lambda world: world.short,
        "store_hash": lambda world: world.marker.replace("-", ""),
    },
    "erp.ErpConnection": {
        "key": lambda world: world.marker.lower(),
        "system": lambda world: "sap_b1",
        "time_zone": lambda world: "UTC",
    },
    "mappings.MappingSet": {"version": lambda world: 1},
    "mappings.Mapping": {"kind": lambda world: "item"},
    "mappings.MappingChange": {"kind": lambda world: "item"},
    "sync.Erasure": {"records": lambda world: [["order", world.marker]]},
    "sync.Pipeline": {"key": lambda world: world.marker.lower(), "settings": lambda world: {}},
    "sync.HistoryImport": {"before": lambda world: []},
    "sync.OrderRhythm": {"counts": lambda world: []},
    "sync.Alert": {
        "tenant": lambda world: world.tenant,
        "money": lambda world: [],
        "state": lambda world: "open",
    },
    "sync.AlertDestination": {
        "tenant": lambda world: world.tenant,
        "key": lambda world: world.marker.lower(),
        "address": lambda world: f"{world.marker}@example.com",
        "kinds": lambda world: [],
        "secrets_set_at": lambda world: {},
    },
    "sync.AlertNotice": {
        "tenant": lambda world: world.tenant,
        "alert": lambda world: world.row("sync.Alert"),
        "content": lambda world: {"data": {"what": world.marker}},
    },
    "sync.Gap": {"kind": lambda world: "item"},
}


class World:
    """One tenant's rows: one of each model that was asked for.

    :param marker: stands in every text; letters, digits and dashes
    :param short: two to four capitals, for keys that must be short
    """

    def __init__(self, tenant: Tenant, marker: str, short: str) -> None:
        self.tenant = tenant
        self.marker = marker
        self.short = short
        self._rows: dict[type[models.Model], models.Model] = {Tenant: tenant}

    def row(self, model: type[models.Model] | str) -> models.Model:
        """This tenant's row of a model, made when it is first asked for."""
        model = apps.get_model(model) if isinstance(model, str) else model
        if model not in self._rows:
            self._rows[model] = self._make(model)
        return self._rows[model]

    def rows(self) -> list[models.Model]:
        """A row of every tenant-owned model of every app, of this tenant's audit trail and of its people."""
        return [self.row(model) for model in [*tenant_owned_models(), AuditEntry, User]]

    def _make(self, model: type[models.Model]) -> models.Model:
        if model is AuditEntry:
            return record(
                Action.OPERATOR_CHANGED,
                tenant_id=self.tenant.pk,
                subject=("order", self.marker),
                correlation_id=self.marker,
                actor=self.marker,
                details={"sentence": self.marker},
            )
        if model is User:
            return User.objects.create_user(f"{self.marker}-person", first_name=self.marker)
        if model is Membership:
            return Membership.objects.create(tenant=self.tenant, user=self.row(User), role=Role.VIEWER)
        return model.objects.create(**self._values(model))

    def _values(self, model: type[models.Model]) -> dict[str, Any]:
        special = SPECIAL.get(model._meta.label, {})
        values = {}
        for field in model._meta.concrete_fields:
            if field.name in special:
                values[field.name] = special[field.name](self)
            elif (value := self._value(field)) is not NOT_PROVIDED:
                values[field.name] = value
        return values

    def _value(self, field: models.Field) -> Any:
        if field.primary_key or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            return NOT_PROVIDED
        if field.is_relation:
            return self._related(field)
        if field.choices:
            return field.default if field.has_default() else field.flatchoices[0][0]
        return self._plain(field)

    def _related(self, field: models.ForeignKey) -> Any:
        """Rows that must be there; those that may be absent are, which also ends circles."""
        if field.null:
            return NOT_PROVIDED
        return self.row(field.related_model)

    def _plain(self, field: models.Field) -> Any:
        if field.name.endswith("currency"):
            return "USD"
        match field:
            case EncryptedJSONField() | models.JSONField():
                return {"secret": self.marker} if not isinstance(field.get_default(), list) else [self.marker]
            case ArrayField():
                return [self.marker]
            case models.URLField():
                return f"https://{self.marker.lower()}.example.com"
            case models.EmailField():
                return f"{self.marker.lower()}@example.com"
            case models.TextField() | models.CharField():
                return self.marker[: field.max_length] if field.max_length else self.marker
            case models.BinaryField():
                return self.marker.encode()
            case models.DateTimeField():
                return timezone.now()
            case models.DateField():
                return datetime.date(2026, 11, 20)
        if field.has_default() or field.has_db_default() or field.null:
            return NOT_PROVIDED
        return {models.DecimalField: Decimal("1.00"), models.BooleanField: False}.get(type(field), 1)


def tenant_owned_models() -> list[type[models.Model]]:
    """Every model whose rows belong to a tenant."""
    return [model for model in apps.get_models() if issubclass(model, TenantOwned)]
