"""Contract documents as journal entries: one balanced entry for one document, before it is written in SAP's words.

A debit is positive, a credit negative: SAP goes by the sign (facts of public payloads; `DebitCreditCode` only repeats it).

- a sale debits the customer with its total and credits revenue, shipping, fees, liabilities and tax;
- a refund is the same with the signs turned round, on the accounts of the sale it corrects;
- a captured payment debits the clearing account of its method and credits the customer; a pay-out the other way round.

The store's tax is carried, never computed: one tax row for each tax code, with its base. Which payment clears which sale is
decided in SAP by its own clearing; both carry the order's number as assignment, which automatic clearing goes by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erp.adapters.sap_s4.settings import Settings
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind, DocumentLine, MoneyDocument, SalesDocument, Use
from erp.contract.order import Address

ZERO = Decimal(0)
ASSIGNMENT = 18  # characters
# Header fields that field rules may fill, with their lengths in the WSDL; after `Reference1InDocumentHeader`, in this order.
HEADER_FIELDS: Mapping[str, int] = {
    "Reference2InDocumentHeader": 20,
    "JrnlEntryCntrySpecificRef1": 80,
    "JrnlEntryCntrySpecificRef2": 25,
    "JrnlEntryCntrySpecificRef3": 25,
    "JrnlEntryCntrySpecificRef4": 50,
    "JrnlEntryCntrySpecificRef5": 50,
}
HEADER_TEXT_FIELD, HEADER_TEXT = "DocumentHeaderText", 25
JOURNAL = (DocumentKind.INVOICE, DocumentKind.CREDIT_MEMO, DocumentKind.PAYMENT, DocumentKind.PAYOUT)
# Liabilities: a balance sheet account takes no tax code where nothing is taxed.
WITHOUT_TAX_CODE = (Use.GIFT_CERTIFICATE, Use.TAX_LIABILITY)


class Unbalanced(ValueError):
    """Our own bug: an entry whose rows do not add up to nothing is never sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row on a G/L account. `amount`: debit positive."""

    account: str
    amount: Decimal
    text: str = ""
    tax_code: str = ""
    cost_center: str = ""
    assignment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRow:
    """The tax of one code, with what it was taken on; both have the sign of what they belong to."""

    code: str
    amount: Decimal
    base: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A balanced journal entry. `customer_amount`: debit positive; zero where nothing is owed."""

    document_type: str
    reference: str
    currency: str
    document_date: date
    posting_date: date
    header_text: str
    order: str
    customer: str
    customer_amount: Decimal
    customer_text: str
    rows: tuple[Row, ...]
    taxes: tuple[TaxRow, ...] = ()
    due_date: date | None = None
    rate: Decimal | None = None
    payment_reference: str = ""
    fields: tuple[tuple[str, str], ...] = ()  # header fields that field rules fill
    guest: Address | None = None  # who it is, where the customer is an account for one time

    def __post_init__(self) -> None:
        amounts = [*(row.amount for row in self.rows), *(tax.amount for tax in self.taxes)]
        rest = self.customer_amount + sum(amounts, ZERO)
        if rest:
            raise Unbalanced(f"{self.reference} does not balance by {rest} {self.currency}")


@dataclass(frozen=True, slots=True)
class Posted:
    """A journal entry's own key. As one text: document (10), company code (4), fiscal year (4), as SAP joins them."""

    NAMES = ("AccountingDocument", "CompanyCode", "FiscalYear")  # as SAP calls the three

    document: str
    company: str
    year: str

    @property
    def key(self) -> str:
        return f"{self.document.zfill(10)}{self.company:<4}{self.year}"

    @property
    def number(self) -> str:
        """As people say it: numbers begin anew each year."""
        return f"{self.document.lstrip('0')}-{self.year}"

    @classmethod
    def from_key(cls, key: str) -> Posted:
        """The entry that `key` names."""
        return cls(document=key[:10], company=key[10:14].strip(), year=key[14:])


def entry_of(
    document: SalesDocument | MoneyDocument, settings: Settings, links: Mapping[str, Receipt]
) -> Entry:
    """The journal entry of a sale, refund, payment or pay-out.

    :raises Unbalanced: if the document's lines are not its total
    """
    customer = customer_of(document.partner, links)
    if isinstance(document, MoneyDocument):
        return _of_money(document, settings, customer)
    return _of_sale(document, settings, customer)


def customer_of(partner: str, links: Mapping[str, Receipt]) -> str:
    """The customer's number: what S/4HANA gave for its reference in this plan, else the code itself."""
    found = links.get(partner)
    return found.key if found else partner


def guest_of(partner: str, address: Address, settings: Settings) -> Address | None:
    """Who a row on a one-time account is for. A code of SAP's is a guest's account: references of ours have hyphens."""
    return address if settings.one_time_account and partner.isalnum() else None


def tax_code_of(line: DocumentLine, settings: Settings) -> str:
    """The tax code a line carries; untaxed lines of liability accounts carry none."""
    if line.use in WITHOUT_TAX_CODE and not line.tax:
        return ""
    return line.tax_code or settings.exempt_tax_code


def _of_sale(document: SalesDocument, settings: Settings, customer: str) -> Entry:
    is_sale = document.kind is DocumentKind.INVOICE
    sign = -1 if is_sale else 1  # of what stands against the customer
    return Entry(
        document_type=settings.sale_type if is_sale else settings.refund_type,
        reference=document.reference,
        currency=document.currency,
        document_date=document.document_date,
        posting_date=document.posting_date,
        header_text=document.memo,
        order=document.store_order,
        customer=customer,
        customer_amount=_turned(document.total, -sign),
        customer_text=document.memo,
        rows=tuple(_rows(document, settings, sign)),
        taxes=tuple(_taxes(document, settings, sign)),
        due_date=document.due_date if is_sale else None,
        guest=guest_of(document.partner, document.billing, settings),
        rate=document.rate,
        fields=document.fields,
    )


def _rows(document: SalesDocument, settings: Settings, sign: int) -> Iterator[Row]:
    """A row for each line; SAP takes none over nothing."""
    for line in document.lines:
        if line.net:
            yield Row(
                account=line.account,
                amount=_turned(line.net, sign),
                text=line.text,
                tax_code=tax_code_of(line, settings),
                cost_center=line.cost_center,
                assignment=document.store_order,
            )


def _taxes(document: SalesDocument, settings: Settings, sign: int) -> Iterator[TaxRow]:
    """One row for each tax code that a row carries, exempt ones too: the tax return wants their base."""
    amounts: dict[str, list[Decimal]] = {}
    for line in document.lines:
        code = tax_code_of(line, settings)
        if code and (line.net or line.tax):
            sums = amounts.setdefault(code, [ZERO, ZERO])
            sums[0] += line.tax
            sums[1] += line.net
    for code, (tax, base) in sorted(amounts.items()):
        yield TaxRow(code=code, amount=_turned(tax, sign), base=_turned(base, sign))


def _of_money(document: MoneyDocument, settings: Settings, customer: str) -> Entry:
    sign = 1 if document.kind is DocumentKind.PAYMENT else -1  # of the clearing account
    text = " ".join(filter(None, (document.method, document.tender)))
    row = Row(
        account=document.account,
        amount=_turned(document.amount, sign),
        text=text,
        assignment=document.tender if 0 < len(document.tender) <= ASSIGNMENT else document.store_order,
    )
    return Entry(
        document_type=settings.payment_type,
        reference=document.reference,
        currency=document.currency,
        document_date=document.posting_date,
        posting_date=document.posting_date,
        header_text=document.memo,
        order=document.store_order,
        customer=customer,
        customer_amount=_turned(document.amount, -sign),
        customer_text=text,
        rows=(row,),
        guest=guest_of(document.partner, Address(), settings),
        rate=document.rate,
        fields=document.fields,
        payment_reference=document.tender,
    )


def _turned(amount: Decimal, sign: int) -> Decimal:
    """The amount on its side; nothing stays nothing, never `-0.00`."""
    return -amount if sign < 0 else amount
