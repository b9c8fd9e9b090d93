"""Shipping, handling, wrapping and fees, as paid.

An order shows shipping *before* its coupons and their money in `coupon_discount` (identity of the totals in
BigCommerce's examples): the charge is what is left. Whether fees are inside `total_inc_tax` the
documentation does not say (its one example has them outside), so the order's own total decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from erp.contract.money import rounded
from erp.contract.order import Charge, ChargeKind, Discount
from storefront.translation import taxes
from storefront.translation.reading import ZERO, Complaints, Row, identifier, rows, text
from storefront.translation.taxes import HANDLING, SHIPPING, WRAPPING, TaxRow

_SHIPPING_COUPONS = ("3", "4")  # shipping discount, free shipping


def shipping_coupons(body: Row, complaints: Complaints) -> list[Discount]:
    """What coupons took off shipping, as the store shows it."""
    found = [
        Discount(
            source="coupon",
            name=text(row.get("code")),
            amount=complaints.amount(row, "discount", of=f"coupons[{i}]"),
            code=text(row.get("code")),
        )
        for i, row in enumerate(rows(body, "coupons"))
        if text(row.get("type")) in _SHIPPING_COUPONS
    ]
    return [discount for discount in found if discount.amount]


@dataclass(frozen=True, slots=True)
class _Cost:
    """Where one kind of cost stands in an order, in its addresses and in its taxes."""

    kind: ChargeKind
    in_order: str
    in_address: str
    taxed_as: str


_SHIPPING = _Cost(ChargeKind.SHIPPING, "shipping_cost", "cost", SHIPPING)
_HANDLING = _Cost(ChargeKind.HANDLING, "handling_cost", "handling_cost", HANDLING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A charge with the places the store shows, before it is brought to the currency's."""

    id: str
    kind: ChargeKind
    name: str
    gross: Decimal
    tax: Decimal
    taxes: Sequence[TaxRow] = ()
    discounts: tuple[Discount, ...] = ()
    place: str

    def charge(self, currency: str, *, inclusive: bool) -> Charge:
        """The contract's charge; the reliable side (gross with inclusive prices, else net) is kept."""
        tax = rounded(self.tax, currency)
        gross = rounded(self.gross, currency) if inclusive else rounded(self.gross - self.tax, currency) + tax
        return Charge(
            id=self.id,
            kind=self.kind,
            name=self.name,
            net=gross - tax,
            tax=tax,
            gross=gross,
            taxes=taxes.shares(self.taxes, tax, currency),
            discounts=self.discounts,
            source=self.place,
        )


def shipping(body: Row, tax_rows: Sequence[TaxRow], complaints: Complaints) -> list[Shown]:
    """Shipping, before its coupons."""
    return _by_address(body, _SHIPPING, tax_rows, complaints)


def handling(body: Row, tax_rows: Sequence[TaxRow], complaints: Complaints) -> list[Shown]:
    """Handling."""
    return _by_address(body, _HANDLING, tax_rows, complaints)


def _by_address(body: Row, cost: _Cost, tax_rows: Sequence[TaxRow], complaints: Complaints) -> list[Shown]:
    """A charge per shipping address where the addresses add up to the order, else one for the order."""
    order = body["order"]
    addresses = [
        _at_address(row, f"shipping_addresses[{i}]", cost, complaints)
        for i, row in enumerate(rows(body, "shipping_addresses"))
    ]
    own = taxes.on(tax_rows, cost.taxed_as)
    whole = Shown(
        id=addresses[0].id if addresses else cost.kind.value,
        kind=cost.kind,
        name=addresses[0].name if addresses else cost.kind.value.capitalize(),
        gross=complaints.amount(order, f"{cost.in_order}_inc_tax", of="order"),
        tax=taxes.total(own) if own else complaints.amount(order, f"{cost.in_order}_tax", of="order"),
        taxes=own,
        place=f"order.{cost.in_order}_inc_tax",
    )
    several = [shown for shown in addresses if shown.gross or shown.tax]
    if len(several) > 1 and sum((shown.gross for shown in several), ZERO) == whole.gross:
        return [replace(shown, taxes=_of_address(own, shown)) for shown in several]
    return [whole] if whole.gross or whole.tax else []


def _at_address(row: Row, place: str, cost: _Cost, complaints: Complaints) -> Shown:
    method = text(row.get("shipping_method"))
    address_id = identifier(row.get("id"))
    return Shown(
        id=f"{cost.kind.value}:{address_id}",
        kind=cost.kind,
        name=(method if cost is _SHIPPING else "") or cost.kind.value.capitalize(),
        gross=complaints.amount(row, f"{cost.in_address}_inc_tax", of=place),
        tax=complaints.amount(row, f"{cost.in_address}_tax", of=place),
        place=f"{place}.{cost.in_address}_inc_tax",
    )


def _of_address(own: Sequence[TaxRow], shown: Shown) -> list[TaxRow]:
    """The rows of one address; automatic tax does not say which is whose, then all of them, in proportion."""
    address_id = shown.id.partition(":")[2]
    return [row for row in own if row.address == address_id] or [row for row in own if not row.address]


def wrappings(body: Row, tax_rows: Sequence[TaxRow], complaints: Complaints) -> list[Shown]:
    """Gift wrapping, a charge for each line that has it."""
    found = []
    for i, row in enumerate(rows(body, "products")):
        place, line_id = f"products[{i}]", identifier(row.get("id"))
        gross = complaints.amount(row, "wrapping_cost_inc_tax", of=place)
        tax = complaints.amount(row, "wrapping_cost_tax", of=place)
        if gross or tax:
            own = taxes.on(tax_rows, WRAPPING, product=line_id) or taxes.on(tax_rows, WRAPPING)
            name = text(row.get("wrapping_name")) or "Gift wrapping"
            found.append(
                Shown(
                    id=f"wrapping:{line_id}",
                    kind=ChargeKind.WRAPPING,
                    name=name,
                    gross=gross,
                    tax=tax,
                    taxes=own,
                    place=f"{place}.wrapping_cost_inc_tax",
                )
            )
    return found


def fees(body: Row, tax_rows: Sequence[TaxRow], complaints: Complaints) -> list[Shown]:
    """Fees. Their taxes have no rows of their own: a tax of the same class lends its name and rate."""
    found = []
    for i, row in enumerate(rows(body, "fees")):
        place = f"fees[{i}]"
        found.append(
            Shown(
                id=f"fee:{identifier(row.get('id'))}",
                kind=ChargeKind.FEE,
                name=text(row.get("display_name_merchant"))
                or text(row.get("display_name_customer"))
                or "Fee",
                gross=complaints.amount(row, "cost_inc_tax", of=place),
                tax=complaints.amount(row, "cost_tax", of=place),
                taxes=_of_class(tax_rows, identifier(row.get("tax_class_id"))),
                place=f"{place}.cost_inc_tax",
            )
        )
    return [shown for shown in found if shown.gross or shown.tax]


def _of_class(tax_rows: Sequence[TaxRow], class_id: str) -> list[TaxRow]:
    """One row for each tax of a class, of the first thing that has them all."""
    of_class: dict[object, TaxRow] = {}
    for row in tax_rows:
        if row.class_id == class_id:
            of_class.setdefault(row.tax, row)
    return list(of_class.values())


def less_coupons(charges: Sequence[Shown], coupons: Sequence[Discount]) -> list[Shown]:
    """Shipping charges after their coupons, in proportion to what they cost."""
    off = sum((coupon.amount for coupon in coupons), ZERO)
    whole = sum((shown.gross for shown in charges), ZERO)
    if not off or not whole:
        return list(charges)
    return [
        replace(shown, gross=shown.gross - off * shown.gross / whole, discounts=tuple(coupons))
        for shown in charges
    ]
