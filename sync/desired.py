"""From a snapshot to the plan: the pure translation and planning, given what the database and the ERP know."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import connection
from django.utils import timezone

from audit.collecting import step
from erp.contract.adapter import Adapter, Receipt
from erp.contract.documents import DocumentKind
from erp.contract.facts import LedgerFacts
from erp.contract.order import Customer, Order
from erp.contract.plan import Outcome, Plan, PlanVersions, Problem
from erp.contract.reading import read_document
from erp.facts import load as load_facts
from erp.registry import SPECS
from mappings.rules import rules_for
from storefront.translation import translate_customer, translate_order
from sync import planning, trail
from sync.models import Document, DocumentState, Mode, Pipeline, Posting, RecordKind, Snapshot, StoredPlan
from tenants.inserting import insert_new


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWork:
    """A plan with what it was made from; `record` is the translated order or customer."""

    snapshot: Snapshot
    record: Order | Customer
    plan: Plan
    stored: StoredPlan
    facts: LedgerFacts


def plan_for(posting: Posting, snapshot: Snapshot, erp: Adapter, rows: Sequence[Document]) -> PlannedWork:
    """Translate, plan and keep the plan. The same inputs give the same plan, and the same row.

    :param rows: the posting's documents as they are now, in their order
    """
    pipeline = posting.pipeline
    settings = planning.parse_settings(pipeline.settings)
    rules = rules_for(pipeline.mapping_set)
    inputs = {
        "store_key": pipeline.store.key,
        "rules": rules,
        "settings": settings,
        "posted": posted_documents(rows),
    }
    if posting.record_kind == RecordKind.ORDER:
        record: Order | Customer = translate_order(snapshot.body)
        needed = planning.needs(record, now=timezone.now(), **inputs)
    else:
        record = translate_customer(snapshot.body)
        needed = planning.needs_of_customer(record, **inputs)
    facts = load_facts(pipeline.company, needed, erp)
    inputs |= {"facts": facts, "translator": SPECS[pipeline.company.system].translator}
    versions = PlanVersions(
        snapshot=snapshot.hash,
        mapping=rules.version,
        settings=str(pipeline.settings_version),
        facts=facts.version,
    )
    if isinstance(record, Order) and not is_owner(posting, record):
        plan = elsewhere(pipeline)
    elif isinstance(record, Order):
        plan = planning.plan_order(record, go_live=pipeline.start_at, now=timezone.now(), **inputs)
    else:
        plan = planning.plan_customer(record, **inputs)
    plan = replace(plan, versions=versions)
    return PlannedWork(
        snapshot=snapshot, record=record, plan=plan, stored=keep(posting, snapshot, plan), facts=facts
    )


def is_owner(posting: Posting, order: Order) -> bool:
    """Whether this pipeline is the one for the order: by its channel, currency and customer group, until it is posted.

    A customer may move to another group later; the order stays where its documents are.
    """
    pipeline = posting.pipeline
    owners = _owners(pipeline.store_id, posting)
    if pipeline.pk in owners:
        return True
    if owners and pipeline.mode == Mode.POST:
        return False
    group = order.customer.group_id if order.customer else ""
    return pipeline.owns(channel=order.channel_id, currency=order.currency, customer_group=group)


def _owners(store_id: int, posting: Posting) -> set[int]:
    """The pipelines of the store in whose ERP company something of this record is, or may be. Written out: it is asked for every order."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT posting.pipeline_id
            FROM sync_pipeline pipeline
            JOIN sync_posting posting ON posting.pipeline_id = pipeline.id
                AND posting.record_kind = %s AND posting.record_id = %s
            JOIN sync_document document ON document.posting_id = posting.id AND document.state <> ALL(%s)
            WHERE pipeline.store_id = %s
            """,
            [posting.record_kind, posting.record_id, [*_NEVER_SENT, DocumentState.CANCELLED], store_id],
        )
        return {pipeline_id for (pipeline_id,) in cursor.fetchall()}


def elsewhere(pipeline: Pipeline) -> Plan:
    """The plan for an order that another pipeline of the store takes care of."""
    sentence = f"Its channel, currency or customer group is not one of pipeline {pipeline.name}."
    return Plan(outcome=Outcome.NOTHING, problems=(Problem(code="other_pipeline", sentence=sentence),))


# Nothing was ever sent under these: the newest plan says what they are.
_NEVER_SENT = (DocumentState.INTENDED, DocumentState.REFUSED)


def posted_documents(rows: Sequence[Document]) -> tuple[planning.PostedDocument, ...]:
    """What a posting has in the ERP, or may have: a plan keeps these as they are."""
    return tuple(
        planning.PostedDocument(
            reference=row.reference,
            kind=DocumentKind(row.kind),
            document_hash=row.hash,
            document=read_document(row.body),
            receipt=receipt_of(row),
            cancelled=row.state == DocumentState.CANCELLED,
        )
        for row in rows
        if row.state not in _NEVER_SENT
    )


def receipt_of(row: Document) -> Receipt | None:
    """The ERP's own keys of a posted document."""
    if row.state != DocumentState.POSTED:
        return None
    return Receipt(
        key=row.erp_key,
        number=row.erp_number,
        total=row.erp_total,
        tax=row.erp_tax,
        currency=row.currency,
        adopted=row.adopted,
    )


def keep(posting: Posting, snapshot: Snapshot, plan: Plan) -> StoredPlan:
    """The plan's row; a plan that was made before is the same row again."""
    versions, body = plan.versions, plan.canonical()
    stored = StoredPlan(
        tenant_id=posting.tenant_id,
        posting=posting,
        snapshot=snapshot,
        outcome=plan.outcome,
        hash=hashlib.sha256(body.encode()).hexdigest(),
        body=body,
        mapping_version=versions.mapping if versions else "",
        settings_version=versions.settings if versions else "",
        facts_version=versions.facts if versions else "",
    )
    with step():
        if not insert_new(stored, unique=("posting", "hash")):
            stored = StoredPlan.objects.get(posting=posting, hash=stored.hash)
            if stored.body is not None:
                return stored
            # Cleared, and made again from the same content.
            stored.body, stored.made_at, stored.cleared_at, stored.cleared_by = body, timezone.now(), None, ""
            stored.save(update_fields=["body", "made_at", "cleared_at", "cleared_by"])
        trail.plan_made(stored, posting)
    return stored
