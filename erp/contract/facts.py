"""Ledger facts: what an ERP company is like, as far as one plan needs to know. Versioned by the hash of their content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCode:
    code: str
    name: str
    rate: Decimal  # percent
    active: bool = True
    for_sales: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of the ERP. `available` is None where stock is not managed or not asked."""

    code: str
    name: str
    active: bool = True
    sellable: bool = True
    stocked: bool = True
    managed_by: str = ""  # "" | "batch" | "serial"
    barcode: str = ""
    available: Mapping[str, Decimal] = field(default_factory=dict)  # warehouse -> in stock


def item_details(item: Item) -> dict[str, str]:
    """What a plan must know of an item besides code, name and barcode, as a reference value keeps it."""
    return {
        "is_active": "yes" if item.active else "no",
        "sellable": "yes" if item.sellable else "no",
        "stocked": "yes" if item.stocked else "no",
        "managed_by": item.managed_by,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    code: str
    name: str
    active: bool = True
    postable: bool = True
    currency: str = ""  # "" or "##": any


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Anything else with a code: freight, warehouse, cost center, price list."""

    code: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    first: date
    last: date
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnInvoice:
    """An invoice that the ERP made of our sales order, directly or through a delivery. Amounts are in its currency."""

    key: str
    number: str
    currency: str
    total: Decimal
    posted_on: date
    cancelled: bool = False
    open: Decimal = Decimal(0)  # what nothing has paid yet
    drawn: Mapping[str, Decimal] = field(
        default_factory=dict
    )  # down payment's key -> drawn here, with its tax


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoicing:
    """What the ERP made of one sales order of ours. `invoices` in the order they were made, cancelled ones too.

    `money` says by the key of each payment that was asked for what of it settles nothing yet, in its currency.
    """

    order: str
    invoices: tuple[DrawnInvoice, ...] = ()
    money: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def standing(self) -> tuple[DrawnInvoice, ...]:
        return tuple(invoice for invoice in self.invoices if not invoice.cancelled)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """Enough of a company to predict what it will compute. Codes that were asked for and not found are absent from the mappings."""

    company: str
    local_currency: str
    time_zone: str
    amount_places: int
    price_places: int
    quantity_places: int
    currency_places: Mapping[str, int] = field(
        default_factory=dict
    )  # the ERP's own decimals per currency it knows
    tax_rounding: str = "line"  # "line" | "document": where the ERP rounds tax
    blocks_negative_stock: bool = False
    allows_tax_override: bool = False  # proved by Test connection
    tax_codes: Mapping[str, TaxCode] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    freights: Mapping[str, Named] = field(default_factory=dict)
    warehouses: Mapping[str, Named] = field(default_factory=dict)
    cost_centers: Mapping[str, Named] = field(default_factory=dict)
    partners: Mapping[str, Named] = field(default_factory=dict)
    periods: tuple[Period, ...] = ()
    rates: Mapping[tuple[str, date], Decimal] = field(default_factory=dict)  # local units per foreign unit
    tells_rates: bool = True  # False: its own rate of the day cannot be read, only used by sending none
    invoicing: Invoicing | None = None  # of the sales order that was asked for
    settings: Mapping[str, str] = field(
        default_factory=dict
    )  # the connection's own settings a translator reads (service item, branch, ...)
    version: str = ""

    def open_period(self, day: date) -> bool:
        """Whether the company lets a document be posted on that day; without any known period, yes."""
        return not self.periods or any(p.open and p.first <= day <= p.last for p in self.periods)

    def next_open_day(self, day: date) -> date | None:
        """The first day on or after `day` in an open period."""
        days = [max(day, p.first) for p in self.periods if p.open and p.last >= day]
        return min(days, default=None) if self.periods else day


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsNeeded:
    """What a plan will look up: the loader asks the ERP for no more than this."""

    items: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    rates: frozenset[tuple[str, date]] = frozenset()
    sales_order: str = ""  # the ERP's key of a sales order whose invoices are asked for
    payments: frozenset[str] = frozenset()  # keys of the payments on account for it
    company: bool = (
        True  # False: only the rows named above are read, everything about the company itself stays empty
    )

    @property
    def names_rows(self) -> bool:
        """Whether it asks for more than the company itself."""
        return bool(self.items or self.partners or self.rates or self.sales_order)
