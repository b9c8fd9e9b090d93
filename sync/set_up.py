"""The set-up that a posting is worked off with: read, joined and decrypted when a row of it has changed, not with every order."""

from __future__ import annotations

import copy

from sync.models import Pipeline
from tenants.kept import Kept, version_of

# Of one pipeline's set-up, in SQL, joined to a row `next` that names the pipeline.
VERSION = version_of("pipeline", "store", "company", "mapping_set", "store_tenant", "company_tenant")
JOINS = """
JOIN sync_pipeline pipeline ON pipeline.id = next.pipeline_id
JOIN storefront_store store ON store.id = pipeline.store_id
JOIN erp_erpconnection company ON company.id = pipeline.company_id
JOIN mappings_mappingset mapping_set ON mapping_set.id = pipeline.mapping_set_id
JOIN tenants_tenant store_tenant ON store_tenant.id = store.tenant_id
JOIN tenants_tenant company_tenant ON company_tenant.id = company.tenant_id
"""
# What verifies webhooks: every secret that is read costs its decryption.
_NOT_OF_A_JOURNEY = ("client_secret", "previous_client_secret", "webhook_header_secret")


def pipeline_of(pipeline_id: int, version: str) -> Pipeline:
    """The pipeline with its store, ERP company, mapping set and their tenants, at least as new as `version`.

    The caller's own copies: what it sets on them nobody else sees.
    """
    own = _kept.get(pipeline_id, version)
    own.store, own.company = copy.copy(own.store), copy.copy(own.company)
    return own


def _read(pipeline_id: int) -> Pipeline:
    pipelines = Pipeline.objects.select_related("store__tenant", "company__tenant", "mapping_set")
    return pipelines.defer(*(f"store__{secret}" for secret in _NOT_OF_A_JOURNEY)).get(pk=pipeline_id)


_kept = Kept(_read)
