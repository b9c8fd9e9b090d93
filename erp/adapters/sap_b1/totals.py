"""What B1 will compute for a document, and how each line is entered so that it computes the store's figures.

B1 computes every sum itself, from what is entered:

* Net entry: the line's net is given; tax = net x rate, rounded half up to the currency's decimals.
* Gross entry: the line's gross is given; tax = gross x rate / (100 + rate), rounded; net = gross - tax.
* A company that groups lines in VAT calculation rounds the tax of net-entered lines once per tax code; the last
  line of the code takes the difference. Gross-entered lines and freight keep a tax of their own.
* With tax overrides, the tax is what was sent.

Placement: by convention (SDK help, "Document_Lines"); *Test connection* proves the gross entry with a preview, and
every receipt is compared with what was predicted here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from erp.adapters.sap_b1.settings import Settings, read_settings
from erp.contract.adapter import PredictedTotals
from erp.contract.documents import DocumentLine, SalesDocument
from erp.contract.facts import LedgerFacts

ZERO = Decimal(0)
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Decimals that apply to one document."""

    sums: int
    prices: int
    quantities: int

    def sum(self, value: Decimal) -> Decimal:
        """A sum in the document's currency, half up."""
        return half_up(value, self.sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """One line as it is entered, and what B1 makes of it. `unit_price` is set where it alone gives the exact amount."""

    line: DocumentLine
    gross: bool
    net: Decimal
    tax: Decimal
    unit_price: Decimal | None
    is_freight: bool = False
    overridden: bool = False


def half_up(value: Decimal, places: int) -> Decimal:
    """Rounded half away from zero, as B1 rounds."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP) + ZERO  # never a minus zero


def places_of(facts: LedgerFacts, currency: str) -> Places:
    """The company's decimals; sums have those of the currency as B1 has it."""
    return Places(
        sums=facts.currency_places.get(currency, facts.amount_places),
        prices=facts.price_places,
        quantities=facts.quantity_places,
    )


def predict(document: SalesDocument, facts: LedgerFacts) -> PredictedTotals:
    """Total and tax as B1 will compute them from what `enter` enters."""
    return _sum_up(enter(document, facts))


def enter(document: SalesDocument, facts: LedgerFacts) -> tuple[Entered, ...]:
    """How each line is entered: the first way that gives the document's own total and tax, else net.

    Net entry everywhere is tried first, then gross entry everywhere, then each line the way that fits its own tax.
    """
    settings = read_settings(facts.settings)
    places = places_of(facts, document.currency)
    override = document.tax_override and facts.allows_tax_override
    ways = _ways(settings, document.lines, facts, places)
    attempts = [_enter(document.lines, way, facts, places, override=override) for way in ways]
    for attempt in attempts:
        found = _sum_up(attempt)
        if (found.total, found.tax) == (document.total, document.tax):
            return attempt
    return attempts[0]


Way = Callable[[DocumentLine], bool]  # whether a line is entered gross


def _ways(
    settings: Settings, lines: Sequence[DocumentLine], facts: LedgerFacts, places: Places
) -> tuple[Way, ...]:
    def fitting(line: DocumentLine) -> bool:
        rate = rate_of(line, facts)
        return _net_tax(line, rate, places) != line.tax and _gross_tax(line, rate, places) == line.tax

    net, gross = (lambda _line: False), (lambda _line: True)
    if settings.price_entry == "net" or not settings.gross_is_kept:
        return (net,)
    if settings.price_entry == "gross":
        return (gross,)
    return (net, gross, fitting) if any(line.tax for line in lines) else (net,)


def carries_freight(lines: Sequence[DocumentLine]) -> bool:
    """Whether freight lines are carried as freight: B1 takes no document of freight alone, such as the credit memo of a
    refunded shipping charge; then they are lines of the service item.
    """
    return any(not line.freight_code for line in lines)


def rate_of(line: DocumentLine, facts: LedgerFacts) -> Decimal:
    """The percentage of the line's tax code; an unknown code has none (and is a problem elsewhere)."""
    code = facts.tax_codes.get(line.tax_code)
    return code.rate if code else ZERO


def _net_tax(line: DocumentLine, rate: Decimal, places: Places) -> Decimal:
    return places.sum(places.sum(line.net) * rate / HUNDRED)


def _gross_tax(line: DocumentLine, rate: Decimal, places: Places) -> Decimal:
    return places.sum(places.sum(line.net + line.tax) * rate / (HUNDRED + rate))


def _enter(
    lines: Sequence[DocumentLine], way: Way, facts: LedgerFacts, places: Places, *, override: bool
) -> tuple[Entered, ...]:
    freight = carries_freight(lines)
    entered = tuple(
        replace(
            _enter_line(line, way(line), facts, places, override=override),
            is_freight=freight and bool(line.freight_code),
        )
        for line in lines
    )
    return _regrouped(entered, facts, places) if facts.tax_rounding == "document" else entered


def _enter_line(
    line: DocumentLine, gross: bool, facts: LedgerFacts, places: Places, *, override: bool
) -> Entered:
    rate = rate_of(line, facts)
    if override:
        net, tax, amount = places.sum(line.net), places.sum(line.tax), places.sum(line.net)
        gross = False
    elif gross:
        amount = places.sum(line.net + line.tax)
        tax = _gross_tax(line, rate, places)
        net = amount - tax
    else:
        net = amount = places.sum(line.net)
        tax = _net_tax(line, rate, places)
    price = _exact_price(amount, line.quantity, places)
    return Entered(line=line, gross=gross, net=net, tax=tax, unit_price=price, overridden=override)


def _exact_price(amount: Decimal, quantity: Decimal, places: Places) -> Decimal | None:
    """The unit price in the company's price decimals that gives exactly `amount`, if there is one."""
    counted = half_up(quantity, places.quantities)
    if not counted:
        return None
    price = half_up(amount / counted, places.prices)
    return price if places.sum(price * counted) == amount else None


def _regrouped(entered: tuple[Entered, ...], facts: LedgerFacts, places: Places) -> tuple[Entered, ...]:
    """Tax rounded once per tax code: the code's last net-entered line takes the difference."""
    result = list(entered)
    groups: dict[str, list[int]] = {}
    for position, each in enumerate(entered):
        if not (each.gross or each.overridden or each.is_freight):
            groups.setdefault(each.line.tax_code, []).append(position)
    for positions in groups.values():
        exact = sum((result[p].net * rate_of(result[p].line, facts) / HUNDRED for p in positions), ZERO)
        difference = places.sum(exact) - sum((result[p].tax for p in positions), ZERO)
        last = result[positions[-1]]
        result[positions[-1]] = replace(last, tax=last.tax + difference)
    return tuple(result)


def _sum_up(entered: Sequence[Entered]) -> PredictedTotals:
    tax = sum((each.tax for each in entered), ZERO)
    net = sum((each.net for each in entered), ZERO)
    return PredictedTotals(total=net + tax, tax=tax, line_taxes={each.line.key: each.tax for each in entered})
