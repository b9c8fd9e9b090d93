"""The documents an ERP is asked to hold. Values only; how each ERP writes them down is its adapter's `translate`.

Amounts are positive in every kind: the kind says which way they go. Links between documents are references (symbolic) until the ERP has
given keys. All amounts of a document are in its `currency`, in that currency's places.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from erp.contract.order import Address


class DocumentKind(StrEnum):
    PARTNER = "partner"
    INVOICE = "invoice"
    SALES_ORDER = "sales_order"
    DOWN_PAYMENT = "down_payment"
    PAYMENT = "payment"
    CREDIT_MEMO = "credit_memo"
    PAYOUT = "payout"
    SETTLEMENT = "settlement"


class Use(StrEnum):
    """What a document line stands for: decides which mapping gives its account and how the ERP carries it."""

    GOODS = "goods"
    GIFT_CERTIFICATE = "gift_certificate"
    SHIPPING = "shipping"
    HANDLING = "handling"
    WRAPPING = "wrapping"
    FEE = "fee"
    DISCOUNT = "discount"
    TAX_LIABILITY = "tax_liability"
    UNATTRIBUTED_REFUND = "unattributed_refund"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Why a figure is what it is: the store field it came from and the mapping rule that placed it."""

    field: str  # "products[0].discounted_total_inc_tax"
    value: str = ""
    rule: str = ""  # "sku:HAT-BLUE v12", "default shipping account v3"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """One line. `net` is the line's total without tax (all discounts inside), `tax` what the store took.

    `net` may be negative for discounts and rounding. `quantity` is positive.
    """

    key: str  # stable inside the document: "line:12", "shipping:7", "rounding"
    use: Use
    text: str
    quantity: Decimal
    net: Decimal
    tax: Decimal
    item: str = ""  # ERP item code; empty: an account line
    account: str = ""  # overrides the item's own account; required for account lines
    cost_center: str = ""
    warehouse: str = ""
    tax_code: str = ""
    freight_code: str = ""  # carried as freight/additional expense where the ERP has it
    list_net: Decimal | None = None  # before discounts, for the ERP's discount column where wanted
    base_line: str = ""  # key of the line of the corrected document
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerDocument:
    """A customer account in the ERP. `code` is deterministic; `match` are the values it may be found by."""

    reference: str
    code: str
    name: str
    email: str = ""
    phone: str = ""
    tax_number: str = ""
    group: str = ""
    currency: str = ""  # "" or "##": all currencies
    billing: Address = field(default_factory=Address)
    shipping: tuple[Address, ...] = ()
    match_by: str = "code"  # code | marker | email | tax_number | phone
    fields: tuple[tuple[str, str], ...] = ()
    origins: tuple[Origin, ...] = ()

    @property
    def kind(self) -> DocumentKind:
        return DocumentKind.PARTNER


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesDocument:
    """A/R invoice, sales order or credit memo. `total == sum(net + tax of lines)` and `tax == sum(tax of lines)`."""

    kind: DocumentKind
    reference: str
    partner: str  # the partner's code in the ERP, or the reference of the PartnerDocument in the same plan
    currency: str
    posting_date: date
    document_date: date
    due_date: date
    lines: tuple[DocumentLine, ...]
    total: Decimal
    tax: Decimal
    rate: Decimal | None = None  # only where a stored rate is used; None: the ERP's own for the date
    billing: Address = field(default_factory=Address)
    shipping: Address = field(default_factory=Address)
    memo: str = ""
    store_order: str = ""  # the store's order id, for user fields
    corrects: str = ""  # reference of the invoice a credit memo corrects
    replaces: str = ""  # reference of the document this one replaces
    tax_override: bool = False  # send the store's tax amounts instead of letting the ERP compute
    fields: tuple[tuple[str, str], ...] = ()  # field rules: (ERP field, value)
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyDocument:
    """Incoming payment, down payment or outgoing payment (the pay-out of a refund) on one clearing account.

    Links and accounts are shared with the adapter's `translate`; `settles` is the reference of the invoice or credit memo, empty: on account.
    """

    kind: DocumentKind
    reference: str
    partner: str
    currency: str
    amount: Decimal
    account: str
    posting_date: date
    settles: str = ""
    method: str = ""
    tender: str = ""  # the gateway's own reference, for matching bank statements
    rate: Decimal | None = None
    memo: str = ""
    store_order: str = ""
    replaces: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementDocument:
    """A payment on account applied to an invoice that the ERP made of our sales order. It moves no money.

    The invoice is the ERP's own: it is named by the ERP's key and number, never by a reference of ours. At most one of these
    is made for a payment and an invoice.
    """

    reference: str
    partner: str
    currency: str
    amount: Decimal
    posting_date: date
    money: str  # reference of the payment
    invoice: str  # the ERP's key of the invoice
    invoice_number: str
    store_order: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    origins: tuple[Origin, ...] = ()

    @property
    def kind(self) -> DocumentKind:
        return DocumentKind.SETTLEMENT


AnyDocument = PartnerDocument | SalesDocument | MoneyDocument | SettlementDocument
