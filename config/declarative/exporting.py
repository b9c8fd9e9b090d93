"""Writing a tenant as a set-up file: what `apply` reads, with variables where secrets were."""

import re
from typing import Any

import yaml
from django.db import models

from config.declarative.schema import SECRETS, PipelineEntry, StoreEntry
from erp.contract.plan import plain
from erp.models import ErpConnection
from mappings.changes import current_rules
from mappings.models import MappingSet
from storefront.models import Store
from sync.models import Pipeline
from tenants.models import Membership, Tenant


def export(tenant: Tenant) -> str:
    """The tenant's set-up as YAML. Secrets are left out: a set secret stands there as `${VARIABLE}`, to be given when applied."""
    content = {
        "slug": tenant.slug,
        "name": tenant.name,
        "time_zone": tenant.time_zone,
        "users": _users(tenant),
        "stores": [_store(s) for s in Store.objects.filter(tenant=tenant).order_by("key")],
        "companies": [_company(c) for c in ErpConnection.objects.filter(tenant=tenant).order_by("key")],
        "pipelines": [_pipeline(p) for p in Pipeline.objects.filter(tenant=tenant).order_by("key")],
    }
    return yaml.safe_dump({"tenants": [content]}, sort_keys=False, allow_unicode=True, width=120)


def _users(tenant: Tenant) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in (
        Membership.objects.filter(tenant=tenant).select_related("user").order_by("user__username", "role")
    ):
        entry = found.setdefault(
            row.user.username, {"username": row.user.username, "email": row.user.email, "roles": []}
        )
        entry["roles"].append(row.role)
    return list(found.values())


def _store(store: Store) -> dict[str, Any]:
    entry = _values(store, [n for n in StoreEntry.model_fields if n not in SECRETS])
    return entry | {n: _variable(store.key, n) for n in SECRETS if getattr(store, n)}


def _company(company: ErpConnection) -> dict[str, Any]:
    entry = _values(
        company, ["key", "name", "system", "environment", "time_zone", "parallel_calls", "settings"]
    )
    entry["credentials"] = {name: _variable(company.key, name) for name in sorted(company.credentials or {})}
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
    return {"name": mapping_set.name, "rules": rules}


def _pipeline(pipeline: Pipeline) -> dict[str, Any]:
    names = [n for n in PipelineEntry.model_fields if n not in ("store", "company", "mappings", "flows")]
    entry = _values(pipeline, names)
    entry["store"] = pipeline.store.key
    entry["company"] = pipeline.company.key
    entry["mappings"] = pipeline.mapping_set.name
    entry["flows"] = {
        f.kind: {"enabled": f.enabled, "every_minutes": f.every_minutes}
        for f in pipeline.flows.order_by("kind")
    }
    return entry


def _values(row: models.Model, names: list[str]) -> dict[str, Any]:
    return {name: plain(getattr(row, name)) for name in names}


def _variable(owner: str, name: str) -> str:
    return "${" + re.sub(r"[^A-Z0-9]", "_", f"{owner}_{name}".upper()) + "}"
