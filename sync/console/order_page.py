"""What the page of one order shows: its status, its plan, its documents and every attempt."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from erp.contract.documents import (
    AnyDocument,
    DocumentLine,
    MoneyDocument,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
)
from erp.contract.money import Money
from erp.contract.plan import Plan
from erp.contract.reading import read_plan
from sync import trail
from sync.models import Document, Posting
from sync.planning import SETTINGS

TITLES = {
    "partner": "Business partner",
    "invoice": "A/R invoice",
    "sales_order": "Sales order",
    "down_payment": "A/R down payment",
    "payment": "Incoming payment",
    "credit_memo": "Credit memo",
    "payout": "Outgoing payment",
    "settlement": "Payment applied to an invoice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    text: str
    place: str  # item, account, freight, cost center
    tax_code: str
    quantity: str
    net: Money
    tax: Money
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDocument:
    """One document of the plan beside what became of it."""

    title: str
    reference: str
    about: str
    net: Money | None
    total: Money | None
    tax: Money | None
    lines: tuple[LineRow, ...]
    fields: tuple[tuple[str, str], ...]  # what field rules write
    row: Document | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    posting: Posting
    subject: str
    plan: Plan | None
    policies: list[tuple[str, str]]
    documents: tuple[PlannedDocument, ...]
    others: tuple[Document, ...]  # in the ERP, but not part of the newest plan


def order_page(posting: Posting) -> OrderPage:
    """Everything the page needs, in a handful of queries."""
    plan = read_plan(posting.plan.body) if posting.plan and posting.plan.body else None
    rows = _rows(posting, [d.reference for d in plan.documents] if plan else [])
    planned = tuple(_planned(d, rows.get(d.reference)) for d in plan.documents) if plan else ()
    others = tuple(row for reference, row in rows.items() if reference not in {p.reference for p in planned})
    return OrderPage(
        posting=posting,
        subject=trail.subject(posting),
        plan=plan,
        policies=policies(plan) if plan else [],
        documents=planned,
        others=others,
    )


def _rows(posting: Posting, references: list[str]) -> dict[str, Document]:
    """The posting's documents, and those of the plan that belong to another: an order's business partner is its customer's."""
    mine = Document.objects.filter(Q(posting=posting) | Q(company=posting.company, reference__in=references))
    return {row.reference: row for row in mine.prefetch_related("attempts").order_by("position", "pk")}


def policies(plan: Plan) -> list[tuple[str, str]]:
    """The policies in force, in the words of their form."""
    specs = {spec.name: spec for spec in SETTINGS}
    shown = []
    for name, value in plan.policies:
        spec = specs.get(name)
        shown.append((spec.label if spec else name, dict(spec.choices).get(value, value) if spec else value))
    return shown


def _planned(document: AnyDocument, row: Document | None) -> PlannedDocument:
    total, tax, lines = None, None, ()
    if isinstance(document, SalesDocument):
        total, tax = Money(document.total, document.currency), Money(document.tax, document.currency)
        lines = tuple(_line(line, document.currency) for line in document.lines)
    elif isinstance(document, MoneyDocument | SettlementDocument):
        total = Money(document.amount, document.currency)
    return PlannedDocument(
        title=TITLES[document.kind],
        reference=document.reference,
        about=_about(document),
        net=total - tax if total and tax else None,
        total=total,
        tax=tax,
        lines=lines,
        fields=document.fields,
        row=row,
    )


def _about(document: AnyDocument) -> str:
    match document:
        case PartnerDocument():
            return f"{document.code} {document.name}"
        case MoneyDocument():
            settles = f", settles {document.settles}" if document.settles else ", on account"
            method = document.method.replace("_", " ").capitalize()
            return f"{method} on account {document.account}, posting date {document.posting_date}{settles}"
        case SettlementDocument():
            return f"{document.money} applied to invoice {document.invoice_number} on {document.posting_date}"
        case SalesDocument():
            corrects = f", corrects {document.corrects}" if document.corrects else ""
            return f"Business partner {document.partner}, posting date {document.posting_date}{corrects}"
    raise TypeError(type(document).__name__)


def _line(line: DocumentLine, currency: str) -> LineRow:
    places = (
        line.item,
        line.account,
        line.freight_code and f"freight {line.freight_code}",
        line.cost_center,
        line.warehouse,
    )
    return LineRow(
        text=line.text,
        place=" · ".join(p for p in places if p),
        tax_code=line.tax_code,
        quantity=_quantity(line.quantity),
        net=Money(line.net, currency),
        tax=Money(line.tax, currency),
        why=tuple(
            " ".join(part for part in (o.field, o.value and f"= {o.value}", o.rule and f"→ {o.rule}") if part)
            for o in line.origins
        ),
    )


def _quantity(quantity: Decimal) -> str:
    return format(quantity.normalize(), "f")
