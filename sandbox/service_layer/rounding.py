"""Rounding and the writing of numbers: everything half up, everything exact."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

ZERO = Decimal(0)
HUNDRED = Decimal(100)
_WIDE = Context(prec=80)  # the largest product of two columns still fits


def half_up(value: Decimal, places: int) -> Decimal:
    """Round to `places` decimals, halves away from zero, as B1 does."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_WIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Decimals that apply to one document: those of the company, and of the document's currency for sums."""

    sums: int = 2
    prices: int = 4
    quantities: int = 3
    rates: int = 6
    percents: int = 4

    def sum(self, value: Decimal) -> Decimal:
        return half_up(value, self.sums)

    def price(self, value: Decimal) -> Decimal:
        return half_up(value, self.prices)

    def quantity(self, value: Decimal) -> Decimal:
        return half_up(value, self.quantities)

    def percent(self, value: Decimal) -> Decimal:
        return half_up(value, self.percents)
