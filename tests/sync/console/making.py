"""Many rows, as a busy morning has them: for pages that must stay quick, and for what they say."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from sync.models import (
    Document,
    Gap,
    GapBlock,
    Pipeline,
    Posting,
    Reprocess,
    ReprocessItem,
    Snapshot,
    StoredPlan,
)
from tenants.models import Membership, Tenant, User
from tenants.roles import Role


def make_person(tenant: Tenant, *roles: Role) -> User:
    """Somebody with these roles."""
    user = User.objects.create_user(
        f"person-{User.objects.count()}", password="correct horse 17", is_staff=True
    )
    for role in roles:
        Membership.objects.create(tenant=tenant, user=user, role=role)
    return user


def make_posting(pipeline: Pipeline, number: int, **values: object) -> Posting:
    """An order of 10.00 USD and `number` cents."""
    plain: dict[str, object] = {
        "status": "blocked",
        "reason": "SKU HAT has no item in SAP Business One.",
        "currency": "USD",
        "total": Decimal("10.00") + Decimal(number) / 100,
        "placed_at": timezone.now() - timedelta(minutes=number),
    }
    return Posting.objects.create(
        tenant=pipeline.tenant,
        pipeline=pipeline,
        company=pipeline.company,
        record_kind="order",
        record_id=str(number),
        correlation_id="c" * 32,
        **{**plain, **values},
    )


def make_gap(pipeline: Pipeline, key: str, *postings: Posting) -> Gap:
    """A missing item that these orders wait for."""
    gap = Gap.objects.create(
        tenant=pipeline.tenant,
        mapping_set=pipeline.mapping_set,
        kind="item",
        key=key,
        label=f"SKU {key}",
        sentence=f"SKU {key} has no item in SAP Business One.",
    )
    for posting in postings:
        GapBlock.objects.create(
            tenant=gap.tenant, gap=gap, posting=posting, currency=posting.currency, amount=posting.total
        )
    return gap


def make_document(posting: Posting, **values: object) -> Document:
    """Its A/R invoice, posted."""
    snapshot = Snapshot.objects.create(
        tenant=posting.tenant,
        store=posting.pipeline.store,
        record_kind="order",
        record_id=posting.record_id,
        hash=posting.record_id,
        body={},
    )
    plan = StoredPlan.objects.create(
        tenant=posting.tenant, posting=posting, snapshot=snapshot, outcome="ready", hash="h", body="{}"
    )
    plain: dict[str, object] = {"kind": "invoice", "state": "posted", "erp_number": f"9{posting.record_id}"}
    return Document.objects.create(
        tenant=posting.tenant,
        posting=posting,
        plan=plan,
        company=posting.company,
        reference=f"S1-{posting.record_id}-I",
        position=0,
        body="{}",
        hash="h",
        currency=posting.currency,
        total=posting.total,
        **{**plain, **values},
    )


def make_run(posting: Posting, what: str) -> Reprocess:
    """A run that touches one order."""
    run = Reprocess.objects.create(tenant=posting.tenant, by="olga", what=what, correlation_id="c" * 32)
    ReprocessItem.objects.create(tenant=posting.tenant, run=run, posting=posting, version=1)
    return run
