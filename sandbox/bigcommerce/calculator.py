"""The store's arithmetic: what a shopper does -> amounts. An independent second opinion on other people's
money.

Everything is ``Decimal``; commercial rounding (half up) to the places of the transactional currency. Sources:
BigCommerce "Orders V2" specification and its example orders 100, 113, 218, 247 (docs, 2026-04); what the
documents leave open is marked [assumed].

1.  A line's *entered* amount is ``round(price * quantity)``. In a tax-inclusive store entered amounts
    contain tax, else they do not. The same goes for shipping, handling, wrapping, fees and every discount.
2.  Discounts come off the entered amounts one after the other: line, order, then coupons in their order.
    Amounts for the whole order are spread over the lines in proportion, to the minor unit. Gift
    certificates sold take no discount.
3.  Tax is computed on what is left. Exclusive: ``tax = net * rate``. Inclusive: ``tax = gross - gross / (1
    + rate)``. Taxes of a higher priority are charged on net plus the lower ones. It is rounded per line
    (default), per unit (unit tax rounded, times the quantity), or per document (items: summed unrounded
    per tax, rounded once; every charge is rounded on its own [assumed]).
4.  ``total_inc_tax = subtotal_inc + shipping_inc + handling_inc + wrapping_inc - discount_amount -
    coupon_discount`` (4 of 4 examples) ``+ fees`` [assumed: no example has fees inside the total;
    ``fees_in_total=False`` is the other reading]; ``total_ex_tax + total_tax = total_inc_tax`` (4 of 4).
5.  ``total_tax = subtotal_tax + shipping_tax + handling_tax + wrapping_tax`` ``+ fee tax``: the ``*_tax``
    amounts are after discounts, while ``*_inc_tax - *_ex_tax`` is before (order 218).
6.  For 4 and 5 to hold together, discounts are shown *with* the tax they save. In tax-exclusive stores
    there is a second reading (``discounts_shown="after"``): ``inc = ex + tax after discounts``, discounts
    shown as entered. Both tie.
7.  ``discounted_total_inc_tax`` of a line is what the shopper paid for it, all discounts inside; the lines
    add up to the subtotal less all discounts on lines (rounding per document: up to the rounding of each
    tax).
8.  Gift certificate and store credit are tenders: they do not change the total [assumed].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from itertools import pairwise

from sandbox.bigcommerce.shopping import Coupon, Line, Shopping, Tax, exact

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """An amount of money with its tax: ``ex + tax == inc``."""

    ex: Decimal
    tax: Decimal
    inc: Decimal

    def __add__(self, other: Amount) -> Amount:
        return Amount(ex=self.ex + other.ex, tax=self.tax + other.tax, inc=self.inc + other.inc)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(ex=self.ex - other.ex, tax=self.tax - other.tax, inc=self.inc - other.inc)


NOTHING = Amount(ex=ZERO, tax=ZERO, inc=ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """One discount, in the order they are taken: who gave it and what it takes off each position, as entered.

    :ivar coupon: index of the coupon it comes from; None for a discount of the line or the order
    """

    id: str
    name: str
    code: str | None
    target: str
    coupon: int | None
    off_lines: tuple[Decimal, ...]
    off_shipping: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A line or charge, priced.

    :ivar before: before discounts; :ivar paid: after all of them
    :ivar taxes: each tax with its amount on what was paid
    :ivar saved: what each reduction took off, as the store shows it (see 6.)
    """

    before: Amount
    paid: Amount
    taxes: tuple[tuple[Tax, Decimal], ...]
    saved: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """All amounts of an order."""

    lines: tuple[Position, ...]
    wrappings: tuple[Position, ...]
    shipping: Position
    handling: Position
    fees: tuple[Position, ...]
    reductions: tuple[Reduction, ...]
    subtotal: Amount  # before discounts
    subtotal_paid: Amount  # after discounts on lines
    saved: tuple[Decimal, ...]  # per reduction, as shown
    total: Amount

    @property
    def discount_amount(self) -> Decimal:
        """Line and order discounts, as shown."""
        return sum((s for s, r in zip(self.saved, self.reductions, strict=True) if r.coupon is None), ZERO)

    @property
    def coupon_discount(self) -> Decimal:
        """All coupons, as shown."""
        return sum(
            (s for s, r in zip(self.saved, self.reductions, strict=True) if r.coupon is not None), ZERO
        )

    def coupon_money(self, index: int) -> Decimal:
        """What one coupon saved, as shown."""
        pairs = zip(self.saved, self.reductions, strict=True)
        return sum((saved for saved, reduction in pairs if reduction.coupon == index), ZERO)


def rounded(value: Decimal, places: int) -> Decimal:
    """Half up to so many places."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def price(shopping: Shopping) -> Priced:
    """All amounts of a shopping."""
    reductions = _reductions(shopping)
    entered = [_entered(shopping, line) for line in shopping.lines]
    lines = tuple(
        _position(shopping, amount, line.taxes, [r.off_lines[i] for r in reductions], line.quantity)
        for i, (line, amount) in enumerate(zip(shopping.lines, entered, strict=True))
    )
    shipping_cost = ZERO if _shipping_is_free(shopping) else shopping.shipping
    shipping = _charge(shopping, shipping_cost, shopping.shipping_taxes, [r.off_shipping for r in reductions])
    wrappings = tuple(_charge(shopping, line.wrapping, line.wrapping_taxes) for line in shopping.lines)
    handling = _charge(shopping, shopping.handling, shopping.handling_taxes)
    fees = tuple(_charge(shopping, fee.cost, fee.taxes) for fee in shopping.fees)
    stages = _subtotals(shopping, reductions, entered)
    saved = tuple(
        shown + off
        for shown, off in zip(_saved_on_lines(shopping, stages, reductions), shipping.saved, strict=True)
    )
    charges = [shipping, handling, *wrappings, *(fees if shopping.fees_in_total else ())]
    return Priced(
        lines=lines, wrappings=wrappings, shipping=shipping, handling=handling, fees=fees,
        reductions=reductions, subtotal=_shown_before(shopping, stages[0], stages[-1]),
        subtotal_paid=stages[-1], saved=saved, total=sum((charge.paid for charge in charges), stages[-1]),
    )  # fmt: skip


# -- 1. and 2.: entered amounts and discounts -----------------------------------------------------


def _entered(shopping: Shopping, line: Line) -> Decimal:
    return rounded(line.price * line.quantity, shopping.places)


def _shipping_is_free(shopping: Shopping) -> bool:
    return any(coupon.type == 4 and coupon.cost_is_zero for coupon in shopping.coupons)


def _reductions(shopping: Shopping) -> tuple[Reduction, ...]:
    """Every discount in the order it is taken; none takes more than is left."""
    left = [ZERO if line.kind == "giftcertificate" else _entered(shopping, line) for line in shopping.lines]
    shipping_left = ZERO if _shipping_is_free(shopping) else shopping.shipping
    taken: list[Reduction] = []

    def take(offs: Sequence[Decimal], shipping: Decimal = ZERO, **who: object) -> None:
        for i, off in enumerate(offs):
            left[i] -= off
        taken.append(Reduction(off_lines=tuple(offs), off_shipping=shipping, **who))  # type: ignore[arg-type]

    by_line = [min(line.discount, rest) for line, rest in zip(shopping.lines, left, strict=True)]
    if any(by_line):
        take(by_line, id="product-discount", name="Line discount", code=None, target="product", coupon=None)
    if shopping.order_discount:
        offs = spread(min(shopping.order_discount, sum(left, ZERO)), left, shopping.places)
        take(offs, id="manual-discount", name="Manual Discount", code=None, target="order", coupon=None)
    for index, coupon in enumerate(shopping.coupons):
        offs = _coupon_offs(shopping, coupon, left)
        off_shipping = _coupon_off_shipping(coupon, shipping_left)
        shipping_left -= off_shipping
        target = "product" if coupon.type == 0 else "order"
        take(offs, off_shipping, id="coupon", name=coupon.code, code=coupon.code, target=target, coupon=index)
    return tuple(taken)


def _coupon_offs(shopping: Shopping, coupon: Coupon, left: Sequence[Decimal]) -> list[Decimal]:
    match coupon.type:
        case 0:
            wanted = (coupon.amount * line.quantity for line in shopping.lines)
            return [min(rounded(off, shopping.places), rest) for off, rest in zip(wanted, left, strict=True)]
        case 1:
            return [rounded(rest * coupon.amount / 100, shopping.places) for rest in left]
        case 2 | 5:
            return spread(min(coupon.amount, sum(left, ZERO)), left, shopping.places)
    return [ZERO for _ in left]


def _coupon_off_shipping(coupon: Coupon, left: Decimal) -> Decimal:
    match coupon.type:
        case 3:
            return min(exact(coupon.amount), left)
        case 4:
            return left
    return ZERO


def spread(amount: Decimal, over: Sequence[Decimal], places: int) -> list[Decimal]:
    """Split an amount in proportion to ``over``, to the minor unit; no part is above its own."""
    whole = sum(over, ZERO)
    if not whole or not amount:
        return [ZERO for _ in over]
    unit = Decimal(1).scaleb(-places)
    shares = [(amount * part / whole).quantize(unit, ROUND_DOWN) for part in over]
    missing = amount - sum(shares, ZERO)
    for i in sorted(range(len(over)), key=lambda i: (shares[i] - amount * over[i] / whole, i)):
        step = min(unit, missing, over[i] - shares[i])
        shares[i] += step
        missing -= step
    for i in range(len(over)):  # what a minor unit each could not take
        step = min(missing, over[i] - shares[i])
        shares[i] += step
        missing -= step
    return shares


# -- 3.: tax ----------------------------------------------------------------------------------------


def shares(net: Decimal, taxes: Iterable[Tax]) -> list[tuple[Tax, Decimal]]:
    """Each tax on a net amount, unrounded; a higher priority is charged on the lower ones too."""
    result: list[tuple[Tax, Decimal]] = []
    base, priority, pending = net, None, ZERO
    for tax in sorted(taxes, key=lambda tax: tax.priority):
        if tax.priority != priority:
            base, priority, pending = base + pending, tax.priority, ZERO
        amount = base * tax.rate / 100
        result.append((tax, amount))
        pending += amount
    return result


def factor(taxes: Iterable[Tax]) -> Decimal:
    """The combined rate: what the taxes are together on a net amount of one."""
    return sum((amount for _, amount in shares(Decimal(1), taxes)), ZERO)


def _exact_shares(entered: Decimal, taxes: Sequence[Tax], inclusive: bool) -> list[tuple[Tax, Decimal]]:
    return shares(entered / (1 + factor(taxes)) if inclusive else entered, taxes)


def _rounded_shares(
    entered: Decimal, taxes: Sequence[Tax], inclusive: bool, places: int
) -> list[tuple[Tax, Decimal]]:
    """Each tax rounded. Inclusive: the rounded whole is what counts, the last tax takes the difference."""
    parts = [(tax, rounded(amount, places)) for tax, amount in _exact_shares(entered, taxes, inclusive)]
    if inclusive and len(parts) > 1:
        whole = rounded(entered - entered / (1 + factor(taxes)), places)
        others = sum((amount for _, amount in parts[:-1]), ZERO)
        parts[-1] = (parts[-1][0], whole - others)
    return parts


def _taxed(
    shopping: Shopping, entered: Decimal, taxes: Sequence[Tax], quantity: int = 1
) -> list[tuple[Tax, Decimal]]:
    """The taxes of a line or charge as its own rows show them: rounded, or to four places per document."""
    inclusive = shopping.tax_inclusive
    if shopping.rounding == "unit":
        unit = _rounded_shares(entered / quantity, taxes, inclusive, shopping.places)
        return [(tax, amount * quantity) for tax, amount in unit]
    if shopping.rounding == "document":
        return _rounded_shares(entered, taxes, inclusive, 4)
    return _rounded_shares(entered, taxes, inclusive, shopping.places)


def _amount(shopping: Shopping, entered: Decimal, tax: Decimal) -> Amount:
    if shopping.tax_inclusive:
        return Amount(ex=entered - tax, tax=tax, inc=entered)
    return Amount(ex=entered, tax=tax, inc=entered + tax)


def _position(
    shopping: Shopping, entered: Decimal, taxes: Sequence[Tax], offs: Sequence[Decimal], quantity: int
) -> Position:
    stages = [_stage(shopping, entered, taxes, quantity)]
    for off in offs:
        entered -= off
        stages.append(_stage(shopping, entered, taxes, quantity))
    before, paid = stages[0], stages[-1]
    saved = [earlier.inc - later.inc for earlier, later in pairwise(stages)]
    if _shows_after(shopping):
        saved = list(offs)
    return Position(
        before=_shown_before(shopping, before, paid),
        paid=paid,
        taxes=tuple(_taxed(shopping, entered, taxes, quantity)),
        saved=tuple(saved),
    )


def _stage(shopping: Shopping, entered: Decimal, taxes: Sequence[Tax], quantity: int) -> Amount:
    tax = sum((amount for _, amount in _taxed(shopping, entered, taxes, quantity)), ZERO)
    return _amount(shopping, entered, tax)


def _charge(
    shopping: Shopping, cost: Decimal, taxes: Sequence[Tax], offs: Sequence[Decimal] = ()
) -> Position:
    """Shipping, handling, wrapping or a fee: rounded on its own, whatever the store does with lines."""
    return _position(replace(shopping, rounding="line"), cost, taxes, offs, 1)


# -- 4. to 6.: totals as shown ----------------------------------------------------------------------


def _shows_after(shopping: Shopping) -> bool:
    return not shopping.tax_inclusive and shopping.discounts_shown == "after"


def _shown_before(shopping: Shopping, before: Amount, paid: Amount) -> Amount:
    """What is shown as the amount before discounts (see 6.)."""
    return Amount(ex=before.ex, tax=paid.tax, inc=before.ex + paid.tax) if _shows_after(shopping) else before


def _subtotals(
    shopping: Shopping, reductions: Sequence[Reduction], entered: Sequence[Decimal]
) -> list[Amount]:
    """The lines' sum before discounts and after each of them."""
    left = list(entered)
    stages = [_subtotal(shopping, left)]
    for reduction in reductions:
        left = [amount - off for amount, off in zip(left, reduction.off_lines, strict=True)]
        stages.append(_subtotal(shopping, left))
    return stages


def _subtotal(shopping: Shopping, entered: Sequence[Decimal]) -> Amount:
    lines = list(zip(shopping.lines, entered, strict=True))
    if shopping.rounding != "document":
        return sum((_stage(shopping, amount, line.taxes, line.quantity) for line, amount in lines), NOTHING)
    by_tax: dict[Tax, Decimal] = {}
    for line, amount in lines:
        for tax, share in _exact_shares(amount, line.taxes, shopping.tax_inclusive):
            by_tax[tax] = by_tax.get(tax, ZERO) + share
    taxes = sum((rounded(share, shopping.places) for share in by_tax.values()), ZERO)
    return _amount(shopping, sum(entered, ZERO), taxes)


def _saved_on_lines(
    shopping: Shopping, stages: Sequence[Amount], reductions: Sequence[Reduction]
) -> list[Decimal]:
    if _shows_after(shopping):
        return [sum(reduction.off_lines, ZERO) for reduction in reductions]
    return [earlier.inc - later.inc for earlier, later in pairwise(stages)]
