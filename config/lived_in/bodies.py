"""One real plan and one real snapshot, encrypted once: every order that still has its bodies carries these."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from audit.encryption import encrypt
from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    DocumentLine,
    MoneyDocument,
    Origin,
    SalesDocument,
    Use,
)
from erp.contract.order import Address
from erp.contract.plan import Outcome, Plan, TieOut, canonical_json
from tenants.fields import EncryptedJSONField

_ADDRESS = Address(
    first_name="Ada", last_name="Example", street="1 Example Way", city="Austin", zip_code="78701"
)
_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Encrypted bodies as the columns hold them."""

    snapshot: bytes
    plan: bytes
    invoice: bytes
    payment: bytes
    empty: bytes


def tokens() -> Tokens:
    """Bodies of an order of five lines with one tender."""
    invoice, payment = _invoice(), _payment()
    plan = Plan(outcome=Outcome.READY, documents=(invoice, payment), tie_out=_tie_out(invoice))
    snapshot = {"order": {"id": 1, "billing_address": {}}, "padding": "x" * 6000}
    return Tokens(
        snapshot=encrypt(EncryptedJSONField().to_plain(snapshot).encode()),
        plan=encrypt(plan.canonical().encode()),
        invoice=_token(invoice),
        payment=_token(payment),
        empty=encrypt(b""),
    )


def _token(document: AnyDocument) -> bytes:
    return encrypt(canonical_json(document).encode())


def _invoice() -> SalesDocument:
    lines = tuple(_line(number) for number in range(1, _LINES + 1))
    return SalesDocument(
        kind=DocumentKind.INVOICE,
        reference="S1-1-I",
        partner="WEBGUEST",
        currency="USD",
        posting_date=date(2026, 1, 2),
        document_date=date(2026, 1, 2),
        due_date=date(2026, 1, 2),
        lines=lines,
        total=sum((line.net + line.tax for line in lines), Decimal(0)),
        tax=sum((line.tax for line in lines), Decimal(0)),
        billing=_ADDRESS,
        shipping=_ADDRESS,
    )


def _line(number: int) -> DocumentLine:
    return DocumentLine(
        key=f"line:{number}",
        use=Use.GOODS,
        text=f"Blue hat, size {number}",
        quantity=Decimal(1),
        net=Decimal("20.00"),
        tax=Decimal("1.65"),
        item=f"A{1000 + number}",
        tax_code="TX",
        origins=(Origin(field=f"products[{number}].total_inc_tax", value="21.65", rule="sku:HAT-BLUE v3"),),
    )


def _payment() -> MoneyDocument:
    return MoneyDocument(
        kind=DocumentKind.PAYMENT,
        reference="S1-1-P",
        partner="WEBGUEST",
        currency="USD",
        amount=Decimal("108.25"),
        account="111000",
        posting_date=date(2026, 1, 2),
        settles="S1-1-I",
        method="credit_card",
    )


def _tie_out(invoice: SalesDocument) -> TieOut:
    return TieOut(
        currency=invoice.currency,
        store_total=invoice.total,
        store_tax=invoice.tax,
        planned_total=invoice.total,
        planned_tax=invoice.tax,
        rounding=Decimal(0),
    )
