"""The store's tax rows, by what they are on.

`/taxes?details=true` has a row per line or charge and tax ("Orders V2", 2026-01). The key that is mapped to a
tax code of the ERP is the tax's name; where a store leaves it empty, its class or id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp.contract.money import rounded
from erp.contract.order import TaxShare
from storefront.translation.reading import ZERO, Complaints, Row, identifier, rows, shared_out, text

ITEM, SHIPPING, HANDLING, WRAPPING = "item", "shipping", "handling", "gift-wrapping"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRow:
    """One tax on one line or charge, with as many places as the store shows."""

    on: str  # ITEM, SHIPPING, HANDLING or WRAPPING
    product: str  # order product id, "" where it is not said
    address: str
    class_id: str
    key: str
    name: str
    rate: Decimal | None
    amount: Decimal

    @property
    def tax(self) -> tuple[str, str, Decimal | None]:
        """What makes two rows the same tax."""
        return self.key, self.class_id, self.rate


def tax_rows(body: Row, complaints: Complaints) -> list[TaxRow]:
    """All tax rows of an order."""
    return [_row(row, f"taxes[{i}]", complaints) for i, row in enumerate(rows(body, "taxes"))]


def _row(row: Row, place: str, complaints: Complaints) -> TaxRow:
    name = text(row.get("name"))
    line_amount = complaints.optional_amount(row, "line_amount", of=place)
    return TaxRow(
        on=text(row.get("line_item_type")) or ITEM,
        product=identifier(row.get("order_product_id")),
        address=identifier(row.get("order_address_id")),
        class_id=identifier(row.get("tax_class_id")),
        key=name or text(row.get("class")) or text(row.get("sales_tax_id")) or "Tax",
        name=name,
        rate=complaints.optional_amount(row, "rate", of=place),
        amount=complaints.amount(row, "priority_amount", of=place) if line_amount is None else line_amount,
    )


def on(taxes: Iterable[TaxRow], kind: str, *, product: str = "", address: str = "") -> list[TaxRow]:
    """The rows on one kind of thing; with `product` or `address`, those that name it."""
    return [
        row
        for row in taxes
        if row.on == kind and product in ("", row.product) and address in ("", row.address)
    ]


def total(taxes: Iterable[TaxRow]) -> Decimal:
    """The sum of the rows, with all their places."""
    return sum((row.amount for row in taxes), ZERO)


def shares(taxes: Sequence[TaxRow], amount: Decimal, currency: str) -> tuple[TaxShare, ...]:
    """The tax `amount` of one line or charge by tax, in proportion to its rows; without rows its rate is not known."""
    if not taxes:
        return (TaxShare(key="Tax", name="Tax", rate=None, amount=amount),) if amount else ()
    parts = [rounded(row.amount, currency) for row in taxes]
    if sum(parts, ZERO) != amount:
        parts = shared_out(amount, parts, currency)
    return shares_of(taxes, parts)


def shares_of(taxes: Sequence[TaxRow], amounts: Sequence[Decimal]) -> tuple[TaxShare, ...]:
    """One share for each row, with the amount that was worked out for it."""
    return tuple(
        TaxShare(key=row.key, name=row.name or row.key, rate=row.rate, amount=amount)
        for row, amount in zip(taxes, amounts, strict=False)
    )
