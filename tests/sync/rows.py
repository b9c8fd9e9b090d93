"""Rows that tests of `sync` start from: one tenant with a store, an ERP company and a posting pipeline between them."""

from erp.models import ErpConnection
from mappings.models import MappingSet
from storefront.models import Store
from sync.models import Pipeline
from sync.pipelines import save_pipeline
from tenants.models import Tenant


def make_store(tenant: Tenant) -> Store:
    return Store.objects.create(
        tenant=tenant, key="S1", name="Acme web shop", store_hash="abc1", environment="sandbox"
    )


def make_company(tenant: Tenant) -> ErpConnection:
    return ErpConnection.objects.create(
        tenant=tenant, key="main", name="Acme Inc.", environment="sandbox", settings={"deadline": "4"}
    )


def make_pipeline(tenant: Tenant, store: Store, company: ErpConnection) -> Pipeline:
    mappings = MappingSet.objects.create(tenant=tenant, company=company, name="default")
    pipeline = Pipeline(
        tenant=tenant,
        key="main",
        name="Web shop to Acme Inc.",
        store=store,
        company=company,
        mapping_set=mappings,
        mode="post",
        environment="sandbox",
    )
    return save_pipeline(pipeline, by="test")
