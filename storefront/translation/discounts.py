"""Discounts that the order shows and no line does.

`discount_amount` and `coupon_discount` of the order are separate ("Orders V2", example 218: both are
subtracted). Normally each line's `discounted_total_inc_tax` contains its share. Where lines add up to more
than the order by exactly what they do not show, that rest is shared out over the lines in proportion, as a
discount named so.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from erp.contract.money import quantum
from erp.contract.order import Discount
from storefront.translation.charges import Shown
from storefront.translation.lines import Draft, is_gift_certificate
from storefront.translation.reading import ZERO, Row, amount_of, shared_out

ALLOCATED = "allocated"


def allocate(order: Row, drafts: Sequence[Draft], charges: Sequence[Shown], currency: str) -> None:
    """Take a discount of the order that no line shows off the lines; nothing where that does not tie exactly."""
    rest = excess(order, drafts, charges)
    tolerance = quantum(currency) * (len(drafts) + len(charges)) / 2
    if rest <= tolerance or abs(rest - _not_shown(order, drafts, charges)) > tolerance:
        return
    takers = [d for d in drafts if d.gross > 0 and not is_gift_certificate(d)]
    for draft, share in zip(takers, shared_out(rest, [d.gross for d in takers], currency), strict=True):
        if share:
            draft.gross -= share
            draft.discounts += (Discount(source=ALLOCATED, name="Order discount", amount=share),)


def excess(order: Row, drafts: Sequence[Draft], charges: Sequence[Shown]) -> Decimal:
    """By how much lines and charges exceed the order's total."""
    parts = sum((d.gross for d in drafts), ZERO) + sum((c.gross for c in charges), ZERO)
    return parts - amount_of(order, "total_inc_tax")


def _not_shown(order: Row, drafts: Sequence[Draft], charges: Sequence[Shown]) -> Decimal:
    """What the order took off and its lines and charges do not show."""
    shown = sum((d.saved for d in drafts), ZERO)
    on_charges = sum({d: d.amount for c in charges for d in c.discounts}.values(), ZERO)
    names = ("discount_amount", "coupon_discount")
    return sum((amount_of(order, name) for name in names), ZERO) - shown - on_charges
