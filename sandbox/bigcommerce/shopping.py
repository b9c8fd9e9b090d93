"""What shoppers, merchants and tax offices do, as plain data. The calculator turns it into amounts.

Money, prices and rates are ``Decimal``; text and whole numbers are converted, floats are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "XAF"}
)
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def places(currency: str) -> int:
    """Decimal places of a currency (ISO 4217)."""
    return 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2


def exact(value: Decimal | int | str) -> Decimal:
    """The value as ``Decimal``; TypeError for a float."""
    if isinstance(value, float):
        raise TypeError("money is never a float")
    return Decimal(value)


def exact_fields(record: Any, *names: str) -> None:
    """Turn these fields of a frozen record into ``Decimal``."""
    for name in names:
        value = getattr(record, name)
        if value is not None and not isinstance(value, Decimal):
            object.__setattr__(record, name, exact(value))


# Given as Decimal, int or text; a Decimal once the record exists.
Number = Any


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax. Taxes of a higher priority are charged on the price *and* the taxes of lower priorities
    (compound).

    :ivar rate: per cent
    """

    name: str
    rate: Number
    priority: int = 0
    tax_class: str = "Default Tax Class"
    class_id: int = 0

    def __post_init__(self) -> None:
        exact_fields(self, "rate")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the cart.

    :ivar price: for one unit, as the merchant entered it: with tax in a tax-inclusive store, else without
    :ivar discount: taken off this line by hand or by a product promotion, in the same terms as the price
    :ivar wrapping: gift wrapping for the whole line, in the same terms
    :ivar parent: index of the bundle line this one belongs to
    """

    sku: str
    price: Number
    quantity: int = 1
    taxes: tuple[Tax, ...] = ()
    name: str = ""
    kind: str = "physical"
    discount: Number = Decimal(0)
    wrapping: Number = Decimal(0)
    wrapping_taxes: tuple[Tax, ...] = ()
    parent: int | None = None
    product_id: int = 0
    variant_id: int = 0
    options: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        exact_fields(self, "price", "discount", "wrapping")


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon of BigCommerce's six types.

    :ivar type: 0 per item, 1 per cent, 2 per total, 3 shipping, 4 free shipping, 5 promotion
    :ivar amount: the face number: money or per cent
    :ivar cost_is_zero: free shipping only: True shows a shipping cost of zero, False shows the cost and a
        discount
    """

    code: str
    type: int
    amount: Number
    cost_is_zero: bool = True

    def __post_init__(self) -> None:
        exact_fields(self, "amount")


@dataclass(frozen=True, slots=True)
class Fee:
    """A custom fee, in the terms of the store's prices."""

    name: str
    cost: Number
    taxes: tuple[Tax, ...] = ()

    def __post_init__(self) -> None:
        exact_fields(self, "cost")


@dataclass(frozen=True, slots=True)
class Tender:
    """How money came, or is to come.

    :ivar way: purchase, authorized, captured (authorisation and capture), parts (several captures, see
        ``parts``), settled (capture and settlement), voided, pending, declined, offline (with a transaction),
        offline_silent (without one)
    :ivar amount: None: what is still owed
    """

    way: str = "purchase"
    amount: Number | None = None
    method: str = "credit_card"
    gateway: str = "braintree"
    name: str = "Credit Card"
    parts: tuple[Number, ...] = ()

    def __post_init__(self) -> None:
        exact_fields(self, "amount")
        object.__setattr__(self, "parts", tuple(exact(part) for part in self.parts))


@dataclass(frozen=True, slots=True)
class Person:
    """Who buys, and where to. ``customer_id`` 0 is a guest."""

    first_name: str = "Jane"
    last_name: str = "Doe"
    email: str = "jane.doe@example.com"
    company: str = ""
    street_1: str = "555 East Street"
    street_2: str = ""
    city: str = "Austin"
    state: str = "Texas"
    zip: str = "78108"
    country: str = "United States"
    country_iso2: str = "US"
    phone: str = "5125550100"
    customer_id: int = 0


@dataclass(frozen=True, slots=True)
class Shopping:
    """One order as it came about. Everything has a default: ``Shopping(lines=(Line("HAT", "10.00"),))`` is
    one.

    :ivar tax_inclusive: the store's prices contain tax
    :ivar rounding: tax is rounded per ``line``, per ``unit`` or per ``document``
    :ivar discounts_shown: tax-exclusive stores only. ``before``: line and subtotal show the tax before
        discounts and discounts are shown with the tax they save; ``after``: they show the tax after
        discounts, discounts as entered
    :ivar discounted_totals: False: BigCommerce answers null for ``discounted_total_inc_tax``
    :ivar money_in_transactions: False: gift certificate and store credit are told by the order alone
    :ivar before_success: attempts that came to nothing first: "error", "test"
    :ivar tamper: order field -> what is added to it in the payload, to make an order that does not tie
    """

    lines: tuple[Line, ...]
    currency: str = "USD"
    tax_inclusive: bool = False
    rounding: str = "line"
    order_discount: Number = Decimal(0)
    coupons: tuple[Coupon, ...] = ()
    shipping: Number = Decimal(0)
    shipping_taxes: tuple[Tax, ...] = ()
    shipping_method: str = "Ship by Weight"
    handling: Number = Decimal(0)
    handling_taxes: tuple[Tax, ...] = ()
    fees: tuple[Fee, ...] = ()
    fees_in_total: bool = True
    gift_certificate: Number = Decimal(0)
    store_credit: Number = Decimal(0)
    money_in_transactions: bool = True
    tenders: tuple[Tender, ...] = (Tender(),)
    before_success: tuple[str, ...] = ()
    person: Person = Person()
    ship_to: Person | None = None
    placed_at: datetime | None = None
    status_id: int | None = None
    channel_id: int = 1
    store_currency: str = ""
    store_rate: Number = Decimal(1)
    display_currency: str = ""
    display_rate: Number = Decimal(1)
    discounts_shown: str = "before"
    discounted_totals: bool = True
    automatic_tax: bool = False
    is_invoice_order: bool = False
    is_archived: bool = False
    customer_message: str = ""
    staff_notes: str = ""
    external_source: str | None = None
    tamper: dict[str, Number] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = ("order_discount", "shipping", "handling", "gift_certificate", "store_credit")
        exact_fields(self, *numbers, "store_rate", "display_rate")
        _one_of(self.rounding, "line", "unit", "document")
        _one_of(self.discounts_shown, "before", "after")

    @property
    def places(self) -> int:
        """Decimal places of the transactional currency."""
        return places(self.currency)


def _one_of(value: str, *allowed: str) -> None:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")


def from_plain(kind: type[Any], data: dict[str, Any]) -> Any:
    """A shopping (or a part of one) from JSON data, for orders placed over HTTP; TypeError: unknown name."""
    parts = {
        "lines": Line, "coupons": Coupon, "fees": Fee, "tenders": Tender, "taxes": Tax, "wrapping_taxes": Tax,
        "shipping_taxes": Tax, "handling_taxes": Tax,
    }  # fmt: skip
    known = {item.name for item in fields(kind)}
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in known:
            raise TypeError(f"{kind.__name__} has no {name!r}; it has {', '.join(sorted(known))}")
        if name in parts:
            value = tuple(from_plain(parts[name], item) for item in value)
        elif name in ("person", "ship_to") and value is not None:
            value = from_plain(Person, value)
        elif name == "placed_at" and value is not None:
            value = datetime.fromisoformat(value)
        elif isinstance(value, list):
            value = tuple(tuple(item) if isinstance(item, list) else item for item in value)
        values[name] = value
    return kind(**values)
