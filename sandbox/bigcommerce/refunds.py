"""What a refund gives back: amounts and tax by the tax of the order, not by today's rates.

Sources: BigCommerce "Orders V3" specification and the guide "Refunds" (docs, 2026-04). PRODUCT and GIFT_WRAPPING
go by quantity, SHIPPING, HANDLING, FEE, ORDER and TAX by amount; ORDER carries no tax; a merchant override replaces
total and tax; a tax adjustment has no items. [assumed]: amounts are with tax in every store, ``requested_amount``
is what the item gives back, and part quantities are rounded cumulatively so that all parts together give back the
line exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.bigcommerce.calculator import ZERO, Position, Priced, rounded
from sandbox.bigcommerce.shopping import Number, Shopping, exact_fields

Row = dict[str, Any]
BY_QUANTITY = ("PRODUCT", "GIFT_WRAPPING")


@dataclass(frozen=True, slots=True)
class GiveBack:
    """One thing given back.

    :ivar kind: PRODUCT, GIFT_WRAPPING (by quantity), SHIPPING, HANDLING, FEE, ORDER or TAX (by amount)
    :ivar line: index of the line or fee
    :ivar adjustment: zero or negative: held back from a PRODUCT (a restocking fee)
    """

    kind: str
    line: int = 0
    quantity: int = 0
    amount: Number = ZERO
    reason: str = ""
    adjustment: Number = ZERO

    def __post_init__(self) -> None:
        exact_fields(self, "amount", "adjustment")


@dataclass(frozen=True, slots=True)
class PayBack:
    """Money that goes back. ``amount`` None: the whole refund. Store credit is provider ``storecredit``."""

    provider_id: str = "braintree"
    amount: Number | None = None
    offline: bool = False
    declined: bool = False

    def __post_init__(self) -> None:
        exact_fields(self, "amount")


@dataclass(frozen=True, slots=True)
class Refund:
    """What a merchant refunds. Without items and adjustment: everything that has not been refunded yet.

    :ivar tax_adjustment: gives tax back alone (there are no items then); may be negative
    :ivar override: (total, tax) as the merchant computed them; the tax may be negative
    """

    items: tuple[GiveBack, ...] = ()
    payments: tuple[PayBack, ...] = (PayBack(),)
    tax_adjustment: Number | None = None
    override: tuple[Number, Number] | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        exact_fields(self, "tax_adjustment")


def facts(shopping: Shopping, priced: Priced, line_ids: Iterable[int], order_id: int) -> Row:
    """What refunds have to know about an order later: the paid amounts of its parts, at order time."""
    counted = [
        {"id": line_id, "quantity": line.quantity}
        for line_id, line in zip(line_ids, shopping.lines, strict=True)
    ]
    return {
        "places": shopping.places,
        "currency": shopping.currency,
        "total": _pair(priced.total.inc, priced.total.tax),
        "PRODUCT": [row | _paid(line) for row, line in zip(counted, priced.lines, strict=True)],
        "GIFT_WRAPPING": [row | _paid(part) for row, part in zip(counted, priced.wrappings, strict=True)],
        "SHIPPING": [{"id": order_id * 10 + 1} | _paid(priced.shipping)],
        "HANDLING": [{"id": order_id * 10 + 1} | _paid(priced.handling)],
        "FEE": [{"id": order_id * 100 + i + 1} | _paid(fee) for i, fee in enumerate(priced.fees)],
        "ORDER": [{"id": order_id} | _pair(priced.total.inc, ZERO)],
        "TAX": [{"id": order_id} | _pair(priced.total.tax, priced.total.tax)],
        "fees_in_total": shopping.fees_in_total,
    }


def _pair(inc: Decimal, tax: Decimal) -> Row:
    return {"inc": inc, "tax": tax}


def _paid(position: Position) -> Row:
    return _pair(position.paid.inc, position.paid.tax)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The amounts of a refund."""

    total: Decimal
    tax: Decimal
    items: list[Row]


def give_back(order: Row, earlier: list[Row], refund: Refund) -> Given:
    """Compute a refund of an order with these :func:`facts` after these earlier refunds.

    :raises ValueError: when more would go back than was paid
    """
    whole = not refund.items and refund.tax_adjustment is None and refund.override is None
    items = tuple(_everything_left(order, earlier)) if whole else refund.items
    rows: list[Row] = []
    taxes = ZERO
    for item in items:
        row, tax = _item(order, [*earlier, {"items": rows}], item)
        rows.append(row)
        taxes += tax
    total = sum((row["requested_amount"] for row in rows), ZERO)
    if refund.tax_adjustment is not None:
        total, taxes = total + refund.tax_adjustment, taxes + refund.tax_adjustment
    if refund.override is not None:
        total, taxes = (Decimal(number) for number in refund.override)
    if whole:
        total = order["total"]["inc"] - sum((row["total_amount"] for row in earlier), ZERO)
        taxes = order["total"]["tax"] - sum((row["total_tax"] for row in earlier), ZERO)
    _check(order, earlier, total)
    return Given(
        total=total, tax=taxes, items=[row for row in rows if row["item_type"] != "TAX" or not whole]
    )


def _everything_left(order: Row, earlier: list[Row]) -> Iterable[GiveBack]:
    for kind in BY_QUANTITY:
        for index, part in enumerate(order[kind]):
            left = part["quantity"] - _given(earlier, kind, part["id"], "quantity")
            if left and (part["inc"] or kind == "PRODUCT"):
                yield GiveBack(kind, index, quantity=int(left))
    for kind in ("SHIPPING", "HANDLING", *(("FEE",) if order["fees_in_total"] else ())):
        for index, part in enumerate(order[kind]):
            left = part["inc"] - _given(earlier, kind, part["id"], "requested_amount")
            if left > 0:
                yield GiveBack(kind, index, amount=left)


def _given(refunds: list[Row], kind: str, part_id: int, what: str) -> Decimal:
    rows = (row for refund in refunds for row in refund["items"])
    return sum(
        (Decimal(row[what] or 0) for row in rows if (row["item_type"], row["item_id"]) == (kind, part_id)),
        ZERO,
    )


def _item(order: Row, earlier: list[Row], item: GiveBack) -> tuple[Row, Decimal]:
    """The row of one item and the tax in it."""
    part = order[item.kind][item.line]
    places = order["places"]
    if item.kind in BY_QUANTITY:
        begin = _given(earlier, item.kind, part["id"], "quantity")
        if item.quantity < 1 or begin + item.quantity > part["quantity"]:
            raise ValueError(f"only {part['quantity'] - begin} of item {part['id']} can be refunded")
        amount, tax = (
            _between(part[name], begin, item.quantity, part["quantity"], places) for name in ("inc", "tax")
        )
        amount += item.adjustment
    else:
        amount = item.amount
        left = part["inc"] - _given(earlier, item.kind, part["id"], "requested_amount")
        if amount > left:
            raise ValueError(f"only {left} of {item.kind} can be refunded")
        tax = rounded(amount * part["tax"] / part["inc"], places) if part["inc"] else ZERO
    row = {
        "item_type": item.kind, "item_id": part["id"], "reason": item.reason,
        "quantity": item.quantity or 1, "requested_amount": amount,
        "adjustments": [{"amount": item.adjustment, "description": "held back"}] if item.adjustment else [],
    }  # fmt: skip
    return row, tax


def _between(whole: Decimal, begin: Decimal, count: int, of: int, places: int) -> Decimal:
    """The part of ``count`` units after the first ``begin``; rounded so that all parts make the whole."""
    return rounded(whole * (begin + count) / of, places) - rounded(whole * begin / of, places)


def _check(order: Row, earlier: list[Row], total: Decimal) -> None:
    left = order["total"]["inc"] - sum((row["total_amount"] for row in earlier), ZERO)
    if total > left:
        raise ValueError(f"{total} is more than the {left} that can still be refunded")
