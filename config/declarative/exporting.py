"""Writing a tenant as a set-up file: what `apply` reads, with variables where secrets were."""

from __future__ import annotations

import re
from typing import Any

import yaml
from django.db import models

from config.declarative.schema import (
    SECRETS,
    AlertDestinationEntry,
    PipelineEntry,
    RetentionEntry,
    StoreEntry,
)
from erp.contract.plan import plain
from erp.models import ErpConnection
from mappings.changes import current_rules
from mappings.models import MappingSet
from storefront.models import Store
from sync.models import AlertDestination, Pipeline, Retention
from tenants.models import Membership, Tenant

STORE_SECRETS = [name for name in SECRETS if name in StoreEntry.model_fields]
QUIET = ("quiet_from", "quiet_until")


def export(tenant: Tenant) -> str:
    """The tenant's set-up as YAML. A secret that is set stands there as `${VARIABLE}`, to be given when the file is applied."""
    variables = _Variables()
    stores = Store.objects.filter(tenant=tenant).order_by("key")
    companies = ErpConnection.objects.filter(tenant=tenant).order_by("key")
    pipelines = Pipeline.objects.filter(tenant=tenant).order_by("key")
    content = {
        "slug": tenant.slug,
        "name": _literal(tenant.name),
        "time_zone": tenant.time_zone,
        "requires_second_factor": tenant.requires_second_factor,
        **_retention(tenant),
        "users": _users(tenant),
        "stores": [_store(store, variables) for store in stores],
        "companies": [_company(company, variables) for company in companies],
        "pipelines": [_pipeline(pipeline) for pipeline in pipelines],
        "alert_destinations": _destinations(tenant, variables),
    }
    return _yaml({"tenants": [content]})


def export_installation() -> str:
    """What belongs to no tenant and can stand in a file: who is told of alerts of the installation."""
    return _yaml({"tenants": [], "alert_destinations": _destinations(None, _Variables())})


def _yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


class _Variables:
    """A variable's name for each secret, never the same for two."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, *parts: str) -> str:
        wanted = re.sub(r"[^A-Z0-9]", "_", "_".join(parts).upper())
        free = next(name for name in self._candidates(wanted) if name not in self._taken)
        self._taken.add(free)
        return "${" + free + "}"

    def _candidates(self, wanted: str) -> Any:
        yield wanted
        number = 2
        while True:
            yield f"{wanted}_{number}"
            number += 1


def _destinations(tenant: Tenant | None, variables: _Variables) -> list[dict[str, Any]]:
    found = []
    for row in AlertDestination.objects.filter(tenant=tenant).order_by("key"):
        entry = _values(row, [n for n in AlertDestinationEntry.model_fields if n not in (*SECRETS, *QUIET)])
        entry |= {name: (at := getattr(row, name)) and at.isoformat() for name in QUIET}
        secret = {"secret": variables.name("alerts", row.key, "secret")} if row.secret else {}
        found.append(entry | secret)
    return found


def _users(tenant: Tenant) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    held = Membership.objects.filter(tenant=tenant).select_related("user")
    for row in held.order_by("user__username", "role"):
        new = {"username": row.user.username, "email": row.user.email, "roles": []}
        found.setdefault(row.user.username, new)["roles"].append(row.role)
    return _literal(list(found.values()))


def _retention(tenant: Tenant) -> dict[str, Any]:
    """The policy, if somebody has chosen one. What is kept for ever stands there as 0."""
    row = Retention.objects.filter(tenant=tenant).first()
    return {"retention": {n: getattr(row, n) or 0 for n in RetentionEntry.model_fields}} if row else {}


def _store(store: Store, variables: _Variables) -> dict[str, Any]:
    entry = _values(store, [n for n in StoreEntry.model_fields if n not in (*SECRETS, "flows")])
    flows = {
        f.kind: {
            "enabled": f.enabled,
            "every_minutes": f.every_minutes or None,
            "latency_minutes": f.latency_minutes or None,
            "at": f.at and f.at.isoformat("minutes"),
        }
        for f in store.flows.order_by("kind")
    }
    return (
        entry
        | {"flows": flows}
        | {n: variables.name("store", store.key, n) for n in STORE_SECRETS if getattr(store, n)}
    )


def _company(company: ErpConnection, variables: _Variables) -> dict[str, Any]:
    entry = _values(
        company,
        ["key", "name", "system", "environment", "time_zone", "parallel_calls", "probe_minutes", "settings"],
    )
    set_ = sorted(name for name, secret in (company.credentials or {}).items() if secret)
    entry["credentials"] = {name: variables.name("company", company.key, name) for name in set_}
    entry["mappings"] = [_mappings(m) for m in MappingSet.objects.filter(company=company).order_by("name")]
    return entry


def _mappings(mapping_set: MappingSet) -> dict[str, Any]:
    rules = [
        {
            "kind": r.kind,
            "key": r.key,
            "target": r.target,
            **({"extra": dict(r.extra)} if r.extra else {}),
            **({"effective_from": r.effective_from.isoformat()} if r.effective_from else {}),
        }
        for r in current_rules(mapping_set)
    ]
    return _literal({"name": mapping_set.name, "rules": rules})


def _pipeline(pipeline: Pipeline) -> dict[str, Any]:
    links = {
        "store": pipeline.store.key,
        "company": pipeline.company.key,
        "mappings": _literal(pipeline.mapping_set.name),
    }
    flows = {
        f.kind: {
            "enabled": f.enabled,
            "every_minutes": f.every_minutes or None,
            "latency_minutes": f.latency_minutes or None,
        }
        for f in pipeline.flows.order_by("kind")
    }
    own = _values(pipeline, [n for n in PipelineEntry.model_fields if n not in (*links, "flows")])
    return {"key": pipeline.key, "name": own["name"], **links, **own, "flows": flows}


def _values(row: models.Model, names: list[str]) -> dict[str, Any]:
    return {name: _literal(plain(getattr(row, name))) for name in names}


def _literal(value: Any) -> Any:
    """A text that looks like a variable stays a text."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {key: _literal(v) for key, v in value.items()}
    return [_literal(v) for v in value] if isinstance(value, list) else value
