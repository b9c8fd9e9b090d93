"""The set-up that a posting is worked off with, kept by each process until one of its rows is written again.

Pipeline, store, ERP company, mapping set and tenant change a few times a day and were read, joined and decrypted with every
order. Every version of a row has the number of the transaction that wrote it (`xmin`) and a place of its own (`ctid`): the
claim of a posting brings both, so what is kept here is never older than the claim.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from threading import Lock

from sync.models import Pipeline

# The versions of the rows of one pipeline's set-up, in SQL, and how they join a row `next` that names the pipeline.
_ROWS = ("pipeline", "store", "company", "mapping_set", "store_tenant", "company_tenant")
VERSION = f"concat_ws('/', {', '.join(f'{row}.xmin, {row}.ctid' for row in _ROWS)})"
JOINS = """
JOIN sync_pipeline pipeline ON pipeline.id = next.pipeline_id
JOIN storefront_store store ON store.id = pipeline.store_id
JOIN erp_erpconnection company ON company.id = pipeline.company_id
JOIN mappings_mappingset mapping_set ON mapping_set.id = pipeline.mapping_set_id
JOIN tenants_tenant store_tenant ON store_tenant.id = store.tenant_id
JOIN tenants_tenant company_tenant ON company_tenant.id = company.tenant_id
"""
_MOST = 1_000
# What verifies webhooks: every secret that is read costs its decryption.
_NOT_OF_A_JOURNEY = ("client_secret", "previous_client_secret", "webhook_header_secret")

_kept: OrderedDict[int, tuple[str, Pipeline]] = OrderedDict()
_lock = Lock()


def pipeline_of(pipeline_id: int, version: str) -> Pipeline:
    """The pipeline with its store, ERP company, mapping set and their tenants, at least as new as `version`.

    The caller's own copies: what it sets on them nobody else sees.
    """
    with _lock:
        known, pipeline = _kept.get(pipeline_id, ("", None))
    if pipeline is None or known != version:
        pipeline = _read(pipeline_id)
        with _lock:
            _kept[pipeline_id] = (version, pipeline)
            _kept.move_to_end(pipeline_id)
            while len(_kept) > _MOST:
                _kept.popitem(last=False)
    own = copy.copy(pipeline)
    own.store, own.company = copy.copy(pipeline.store), copy.copy(pipeline.company)
    return own


def _read(pipeline_id: int) -> Pipeline:
    pipelines = Pipeline.objects.select_related("store__tenant", "company__tenant", "mapping_set")
    return pipelines.defer(*(f"store__{secret}" for secret in _NOT_OF_A_JOURNEY)).get(pk=pipeline_id)
