"""Rows that tests of `sync` start from: one tenant with a store, an ERP company and a posting pipeline between them."""

from datetime import timedelta
from decimal import Decimal

from django.db.models.functions import Now

from erp.models import ErpConnection
from mappings.models import MappingSet
from storefront.models import Store
from sync.models import Document, Pipeline, Posting, Snapshot, StoredPlan
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


def make_posting(pipeline: Pipeline, record_id: str, **columns: object) -> Posting:
    values: dict[str, object] = {
        "due_at": Now() - timedelta(seconds=1),
        "correlation_id": "c" * 32,
        **columns,
    }
    return Posting.objects.create(
        tenant=pipeline.tenant,
        pipeline=pipeline,
        company=pipeline.company,
        record_kind="order",
        record_id=record_id,
        **values,
    )


def make_document(posting: Posting, **columns: object) -> Document:
    """An invoice of an order, over 10.83 USD unless the columns say otherwise."""
    snapshot, _ = Snapshot.objects.get_or_create(
        tenant=posting.tenant,
        store=posting.pipeline.store,
        record_kind="order",
        record_id=posting.record_id,
        hash="5" * 64,
        defaults={"body": {}},
    )
    plan = StoredPlan.objects.create(
        tenant=posting.tenant, posting=posting, snapshot=snapshot, outcome="ready", hash="9" * 64, body="{}"
    )
    values: dict[str, object] = {
        "total": Decimal("10.83"),
        "tax": Decimal("0.83"),
        "currency": "USD",
        **columns,
    }
    return Document.objects.create(
        tenant=posting.tenant,
        posting=posting,
        plan=plan,
        company=posting.company,
        reference=f"S1-{posting.record_id}-I",
        kind="invoice",
        position=0,
        body="{}",
        hash="7" * 64,
        **values,
    )
