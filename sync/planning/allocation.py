"""Splitting an amount in proportion, to the minor unit, so that the parts add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal


def allocate(amount: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """The parts of `amount` in proportion to `weights`, each a multiple of `unit`; the largest remainders get what is left.

    Weights that add up to nothing count as equal. The amount may be negative; it must be a multiple of `unit`.
    """
    whole = sum(weights, Decimal(0))
    shares = [weight / whole for weight in weights] if whole else [Decimal(1) / len(weights)] * len(weights)
    exact = [amount * share for share in shares]
    parts = [(value / unit).to_integral_value(rounding=ROUND_FLOOR) * unit for value in exact]
    left = int((amount - sum(parts, Decimal(0))) / unit)
    neediest = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in neediest[:left]:
        parts[i] += unit
    return parts
