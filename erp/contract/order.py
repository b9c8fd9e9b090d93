"""An order as the store tells it, in words that are no store's and no ERP's.

All amounts are `Decimal` in the order's one (transactional) currency, in that currency's own places. `net + tax == gross` holds for every
line and charge. Times are aware. Identifiers are strings.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class LineKind(StrEnum):
    GOODS = "goods"
    GIFT_CERTIFICATE = "gift_certificate"  # sold: a liability, not revenue


class ChargeKind(StrEnum):
    SHIPPING = "shipping"
    HANDLING = "handling"
    WRAPPING = "wrapping"
    FEE = "fee"


class TenderKind(StrEnum):
    """How money arrived. Each has its own clearing account, refined by the payment method's name."""

    TRANSACTION = "transaction"  # card, wallet, offsite, ...: `method` tells
    GIFT_CERTIFICATE = "gift_certificate"
    STORE_CREDIT = "store_credit"
    OFFLINE = "offline"


class RefundPart(StrEnum):
    PRODUCT = "product"
    WRAPPING = "wrapping"
    SHIPPING = "shipping"
    HANDLING = "handling"
    FEE = "fee"
    ORDER = "order"  # an amount that no line explains
    TAX = "tax"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxShare:
    """One tax on one line: `key` is what is mapped to an ERP tax code (the store's tax class or rate name)."""

    key: str
    name: str
    rate: Decimal | None  # percent: Decimal("8.25"); None where the store does not say
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """What one promotion, coupon or hand took off a line or charge, in the store's own (net or gross) prices."""

    source: str  # "coupon", "promotion", "manual", "order", "allocated"
    name: str
    amount: Decimal
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """A line as the shopper paid for it: all discounts are inside `net`, `tax` and `gross`."""

    id: str
    kind: LineKind
    sku: str
    name: str
    quantity: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    list_net: Decimal  # before discounts
    taxes: tuple[TaxShare, ...] = ()
    discounts: tuple[Discount, ...] = ()
    product_id: str = ""
    variant_id: str = ""
    category_ids: tuple[str, ...] = ()
    parent_id: str = ""  # the bundle line this one belongs to
    options: tuple[str, ...] = ()
    source: str = ""  # where it stands in the store's payload: "products[0]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Shipping, handling, wrapping or a fee, as paid."""

    id: str
    kind: ChargeKind
    name: str  # the shipping method or the fee's name: the key that is mapped
    net: Decimal
    tax: Decimal
    gross: Decimal
    taxes: tuple[TaxShare, ...] = ()
    discounts: tuple[Discount, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """Money that was captured, once. Authorisations are not money and are not here."""

    id: str  # the store's transaction id, or "giftcertificate"/"storecredit"/"offline" where only the order knows of it
    kind: TenderKind
    method: str  # the payment method as the store names it: the key of the clearing account
    amount: Decimal
    captured_at: datetime
    gateway: str = ""
    gateway_reference: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """One thing given back. Amounts are positive; `tax` comes from the order-time snapshot."""

    part: RefundPart
    of: str  # id of the order line or charge, "" for the order itself
    quantity: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Money that went back. Declined payments are not money and are not here."""

    method: str
    kind: TenderKind
    amount: Decimal
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund of the store: what was given back (`lines`) and what was paid out (`payments`). `tax` may be negative."""

    id: str
    created_at: datetime
    total: Decimal
    tax: Decimal
    lines: tuple[RefundLine, ...]
    payments: tuple[RefundPayment, ...]
    pending: bool = False  # some payment is neither paid nor declined yet
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    street: str = ""
    street_2: str = ""
    city: str = ""
    state: str = ""
    zip_code: str = ""
    country_code: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A registered account of the store; also a unit of work of its own."""

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    phone: str = ""
    tax_number: str = ""
    erp_code: str = ""  # what the store holds as the ERP's own number for this account
    group_id: str = ""
    group_name: str = ""
    addresses: tuple[Address, ...] = ()
    modified_at: datetime | None = None


class OrderState(StrEnum):
    """What the store's status means for posting. The status id itself stays in `status_id`."""

    INCOMPLETE = "incomplete"
    OPEN = "open"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order with everything a plan needs; a pure function of one snapshot.

    `total` and `tax` are the store's own. `complaints` are sentences about what does not add up in the store's data: they make a hold.
    """

    id: str
    currency: str
    prices_include_tax: bool
    total: Decimal
    tax: Decimal
    lines: tuple[OrderLine, ...]
    charges: tuple[Charge, ...]
    tenders: tuple[Tender, ...]
    refunds: tuple[Refund, ...]
    state: OrderState
    status_id: str
    payment_status: str
    created_at: datetime
    modified_at: datetime
    shipped_at: datetime | None = None
    authorised: Decimal = Decimal(0)  # authorised and not captured: shown, never posted
    customer: Customer | None = None  # None for a guest
    billing: Address = field(default_factory=Address)
    shipping: tuple[Address, ...] = ()
    channel_id: str = ""
    payment_method: str = ""
    is_archived: bool = False
    is_invoice_order: bool = False  # the payment of an ERP invoice in the buyer portal: cash, not a sale
    store_currency: str = ""
    store_rate: Decimal | None = None  # store default currency -> transactional currency
    purchase_order: str = ""
    message: str = ""
    external_order_id: str = ""
    complaints: tuple[str, ...] = ()
    raw_fields: tuple[
        tuple[str, str], ...
    ] = ()  # flat store fields ("order.staff_notes", "...") that field rules may read
