"""The arithmetic of a marketing document, pure: from what was entered to net, tax, gross and total.

B1 computes everything itself, and so does this module:

* `Price` = `UnitPrice` less `DiscountPercent`, rounded to the price decimals; the line's net = `Quantity` x
  `Price`, rounded to the decimals of the document's currency.
* A given line total is kept and sets the price; with a unit price beside it, it sets the discount.
* Gross entry (`PriceAfterVAT`, `GrossPrice`, `GrossTotal`): gross = quantity x gross price, rounded; tax =
  gross x rate / (100 + rate), rounded; net = gross - tax. A company with `gross_by_net_price` instead derives
  the net unit price, rounds it, and goes on as above: then the gross may miss by cents, as older ones do.
* The document discount reduces the taxable amount of lines, not of freight.
* Tax is rounded per line, or once per tax code where the company groups lines (the code's last line takes the
  difference). Gross-entered and overridden lines keep their own tax; freight is always rounded on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sandbox.service_layer.rounding import HUNDRED, ZERO, Places


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEntry:
    """What was entered for one line, in the document's currency; absent values are None."""

    tax_code: str = ""
    tax_rate: Decimal = ZERO  # percent
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None
    discount_percent: Decimal | None = None
    line_total: Decimal | None = None
    gross_price: Decimal | None = None  # after the line's discount
    gross_total: Decimal | None = None
    tax_override: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResult:
    unit_price: Decimal
    discount_percent: Decimal
    price: Decimal  # net, after the line's discount
    net: Decimal
    tax: Decimal
    tax_code: str
    tax_rate: Decimal
    taxable: Decimal  # net less its share of the document discount, unrounded
    own_tax: bool  # entered gross or overridden: never regrouped

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


@dataclass(frozen=True, slots=True, kw_only=True)
class FreightEntry:
    tax_rate: Decimal = ZERO
    net: Decimal | None = None
    gross: Decimal | None = None
    tax_override: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreightResult:
    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    lines: tuple[LineResult, ...]
    freights: tuple[FreightResult, ...]
    discount_percent: Decimal
    discount: Decimal
    tax: Decimal
    rounding: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How this company computes."""

    places: Places
    by_tax_code: bool = False
    gross_by_net_price: bool = False


def price_line(entry: LineEntry, method: Method) -> LineResult:
    """Net, tax and prices of one line, before any document discount."""
    places = method.places
    if entry.gross_total is not None or entry.gross_price is not None:
        return _from_gross(entry, method)
    if entry.line_total is not None:
        return _from_line_total(entry, places)
    unit_price = places.price(entry.unit_price or ZERO)
    discount = places.percent(entry.discount_percent or ZERO)
    price = places.price(unit_price * (HUNDRED - discount) / HUNDRED)
    return _line(
        entry, places, unit_price=unit_price, discount=discount, price=price, net=entry.quantity * price
    )


def _from_line_total(entry: LineEntry, places: Places) -> LineResult:
    net = places.sum(entry.line_total or ZERO)
    price = places.price(net / entry.quantity) if entry.quantity else ZERO
    unit_price = price
    discount = ZERO
    if entry.unit_price:
        unit_price = places.price(entry.unit_price)
        discount = places.percent((1 - price / unit_price) * HUNDRED) if unit_price else ZERO
    return _line(entry, places, unit_price=unit_price, discount=discount, price=price, net=net)


def _from_gross(entry: LineEntry, method: Method) -> LineResult:
    places = method.places
    if entry.gross_total is not None:
        gross = places.sum(entry.gross_total)
    else:
        gross = places.sum(entry.quantity * places.price(entry.gross_price or ZERO))
    if method.gross_by_net_price:
        each = (
            gross / entry.quantity
            if entry.gross_price is None and entry.quantity
            else entry.gross_price or ZERO
        )
        net_price = places.price(each * HUNDRED / (HUNDRED + entry.tax_rate))
        plain = replace(
            entry, unit_price=net_price, gross_price=None, gross_total=None, discount_percent=None
        )
        return price_line(plain, method)
    tax = places.sum(gross * entry.tax_rate / (HUNDRED + entry.tax_rate))
    if entry.tax_override is not None:
        tax = places.sum(entry.tax_override)
    net = gross - tax
    price = places.price(net / entry.quantity) if entry.quantity else ZERO
    made = _line(entry, places, unit_price=price, discount=ZERO, price=price, net=net)
    return replace(made, tax=tax, own_tax=True)


def _line(
    entry: LineEntry, places: Places, *, unit_price: Decimal, discount: Decimal, price: Decimal, net: Decimal
) -> LineResult:
    net = places.sum(net)
    tax = net * entry.tax_rate / HUNDRED if entry.tax_override is None else entry.tax_override
    return LineResult(
        unit_price=unit_price,
        discount_percent=discount,
        price=price,
        net=net,
        tax=places.sum(tax),
        tax_code=entry.tax_code,
        tax_rate=entry.tax_rate,
        taxable=net,
        own_tax=entry.tax_override is not None,
    )


def price_freight(entry: FreightEntry, places: Places) -> FreightResult:
    """Net and tax of one freight row."""
    if entry.gross is not None and entry.net is None:
        gross = places.sum(entry.gross)
        tax = places.sum(gross * entry.tax_rate / (HUNDRED + entry.tax_rate))
        if entry.tax_override is not None:
            tax = places.sum(entry.tax_override)
        return FreightResult(net=gross - tax, tax=tax)
    net = places.sum(entry.net or ZERO)
    tax = net * entry.tax_rate / HUNDRED if entry.tax_override is None else entry.tax_override
    return FreightResult(net=net, tax=places.sum(tax))


def total_up(
    lines: Sequence[LineEntry],
    freights: Sequence[FreightEntry],
    method: Method,
    *,
    discount_percent: Decimal = ZERO,
    rounding: Decimal = ZERO,
) -> Totals:
    """Price every row and add them up. `rounding` is the document's rounding amount, already allowed."""
    places = method.places
    percent = places.percent(discount_percent)
    priced = [_discounted(price_line(line, method), percent, places) for line in lines]
    if method.by_tax_code:
        priced = _regroup(priced, places)
    carried = [price_freight(freight, places) for freight in freights]
    net = sum((line.net for line in priced), ZERO)
    discount = places.sum(net * percent / HUNDRED)
    tax = sum((line.tax for line in priced), ZERO) + sum((row.tax for row in carried), ZERO)
    freight = sum((row.net for row in carried), ZERO)
    extra = places.sum(rounding)
    return Totals(
        lines=tuple(priced),
        freights=tuple(carried),
        discount_percent=percent,
        discount=discount,
        tax=tax,
        rounding=extra,
        total=net - discount + freight + tax + extra,
    )


def _discounted(line: LineResult, percent: Decimal, places: Places) -> LineResult:
    if not percent:
        return line
    share = (HUNDRED - percent) / HUNDRED
    taxable = line.net * share
    tax = line.tax * share if line.own_tax else taxable * line.tax_rate / HUNDRED
    return replace(line, taxable=taxable, tax=places.sum(tax))


def _regroup(lines: list[LineResult], places: Places) -> list[LineResult]:
    """Round the tax once per tax code; the code's last line takes the difference."""
    grouped: dict[str, list[int]] = {}
    for position, line in enumerate(lines):
        if not line.own_tax:
            grouped.setdefault(line.tax_code, []).append(position)
    result = list(lines)
    for positions in grouped.values():
        wanted = places.sum(sum((lines[p].taxable * lines[p].tax_rate / HUNDRED for p in positions), ZERO))
        found = sum((lines[p].tax for p in positions), ZERO)
        last = positions[-1]
        result[last] = replace(lines[last], tax=lines[last].tax + wanted - found)
    return result
