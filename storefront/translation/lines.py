"""Order lines as the shopper paid for them.

`discounted_total_inc_tax` is what was paid for a line, with tax and after all discounts ("Orders V2", order
product, 2026-01); where it is null, it is `total_inc_tax` less the line's `applied_discounts`. Its tax is the
sum of its rows in `/taxes`. In a store that rounds tax per document these have four places: they are brought
to the currency's places so that they add up to the rounded sum of each tax.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from erp.contract.money import rounded
from erp.contract.order import Discount, LineKind, OrderLine
from storefront.translation import taxes
from storefront.translation.reading import (
    ZERO,
    Complaints,
    Row,
    amount_of,
    apportioned,
    identifier,
    rows,
    text,
)
from storefront.translation.taxes import ITEM, TaxRow


@dataclass(slots=True, kw_only=True)
class Draft:
    """A line with all the places the store shows."""

    row: Row
    place: str
    gross: Decimal
    before: Decimal  # with tax, before discounts
    taxes: list[TaxRow]
    tax: Decimal
    discounts: tuple[Discount, ...]

    @property
    def saved(self) -> Decimal:
        """What the discounts on this line took off, as the store shows it."""
        return self.before - self.gross


def draft_lines(body: Row, tax_rows: Sequence[TaxRow], complaints: Complaints) -> list[Draft]:
    """The lines as they stand in the payload, not yet in the currency's places."""
    drafts = [
        _draft(row, f"products[{i}]", tax_rows, complaints) for i, row in enumerate(rows(body, "products"))
    ]
    if not any(row.on == ITEM and row.product for row in tax_rows):
        _tax_from_lines(drafts, body["order"], tax_rows, complaints)
    return drafts


def settle(
    drafts: Sequence[Draft], *, currency: str, inclusive: bool
) -> list[tuple[Decimal, Decimal, list[Decimal]]]:
    """Gross, tax and the tax per row of each line in the currency's places.

    The side the store calls reliable is kept (`is_tax_inclusive_pricing`): gross with inclusive prices, else
    net.
    """
    parts = _round_taxes(drafts, currency)
    line_taxes = [sum(part, ZERO) for part in parts]
    reliable = [d.gross if inclusive else d.gross - d.tax for d in drafts]
    fitted = apportioned(reliable, currency)
    gross = fitted if inclusive else [net + tax for net, tax in zip(fitted, line_taxes, strict=True)]
    return list(zip(gross, line_taxes, parts, strict=True))


def order_line(
    draft: Draft, *, gross: Decimal, tax: Decimal, parts: Sequence[Decimal], currency: str, categories: Row
) -> OrderLine:
    """The contract's line."""
    row = draft.row
    product_id = identifier(row.get("product_id"))
    found = categories.get(product_id, ())
    return OrderLine(
        id=identifier(row.get("id")),
        kind=LineKind.GIFT_CERTIFICATE if row.get("type") == "giftcertificate" else LineKind.GOODS,
        sku=text(row.get("sku")),
        name=text(row.get("name")),
        quantity=amount_of(row, "quantity"),
        net=gross - tax,
        tax=tax,
        gross=gross,
        list_net=rounded(amount_of(row, "total_ex_tax"), currency),
        taxes=taxes.shares_of(draft.taxes, parts) or taxes.shares((), tax, currency),
        discounts=draft.discounts,
        product_id=product_id,
        variant_id=identifier(row.get("variant_id")),
        category_ids=tuple(str(category) for category in found),
        parent_id=identifier(row.get("parent_order_product_id")),
        options=_options(row),
        source=draft.place,
    )


def _draft(row: Row, place: str, tax_rows: Sequence[TaxRow], complaints: Complaints) -> Draft:
    discounts = _discounts(row, place, complaints)
    before = complaints.amount(row, "total_inc_tax", of=place)
    paid = complaints.optional_amount(row, "discounted_total_inc_tax", of=place)
    if paid is None:
        paid = before - sum((d.amount for d in discounts), ZERO)
    own = taxes.on(tax_rows, ITEM, product=identifier(row.get("id")) or "?")
    _check_quantity(row, place, complaints)
    return Draft(
        row=row, place=place, gross=paid, before=before, taxes=own, tax=taxes.total(own), discounts=discounts
    )


def _check_quantity(row: Row, place: str, complaints: Complaints) -> None:
    if complaints.amount(row, "quantity", of=place) <= 0:
        complaints.add(
            f"{place}.quantity is {text(row.get('quantity')) or 'missing'}: a line needs a positive one."
        )


def _tax_from_lines(
    drafts: Sequence[Draft], order: Row, tax_rows: Sequence[TaxRow], complaints: Complaints
) -> None:
    """Where no row names its line the lines' own `total_tax` is all there is.

    It is before or after discounts, whichever ties; and it has a name if the order's items have but one tax.
    """
    wanted = complaints.amount(order, "subtotal_tax", of="order")
    if not complaints.amount(order, "total_tax", of="order"):
        return  # "API Tax Override": the order was made without tax, whatever its lines say
    after = [complaints.amount(d.row, "total_tax", of=d.place) for d in drafts]
    before = [tax * d.gross / d.before if d.before else ZERO for tax, d in zip(after, drafts, strict=True)]
    of_items = {row.tax: row for row in tax_rows if row.on == ITEM}
    named = list(of_items.values()) if len(of_items) == 1 else []
    chosen = min((after, before), key=lambda found: abs(sum(found, ZERO) - wanted))
    for draft, tax in zip(drafts, chosen, strict=True):
        draft.tax = tax
        draft.taxes = [replace(row, amount=tax) for row in named] if tax else []


def _round_taxes(drafts: Sequence[Draft], currency: str) -> list[list[Decimal]]:
    """The amount of each tax row in the currency's places: per tax they add up to the tax's rounded sum."""
    by_tax: dict[object, list[tuple[int, int, Decimal]]] = defaultdict(list)
    for i, draft in enumerate(drafts):
        named: list[tuple[object, Decimal]] = [(row.tax, row.amount) for row in draft.taxes]
        for j, (tax, amount) in enumerate(named or [(None, draft.tax)]):
            by_tax[tax].append((i, j, amount))
    parts = [[ZERO] * max(1, len(draft.taxes)) for draft in drafts]
    for found in by_tax.values():
        fitted = apportioned([amount for _, _, amount in found], currency)
        for (i, j, _), amount in zip(found, fitted, strict=True):
            parts[i][j] = amount
    return parts


def _discounts(row: Row, place: str, complaints: Complaints) -> tuple[Discount, ...]:
    return tuple(
        Discount(
            source=_source(entry),
            name=text(entry.get("name")),
            amount=complaints.amount(entry, "amount", of=f"{place}.applied_discounts[{i}]"),
            code=text(entry.get("code")),
        )
        for i, entry in enumerate(rows(row, "applied_discounts"))
    )


def _source(entry: Row) -> str:
    if text(entry.get("code")):
        return "coupon"
    if text(entry.get("name")).lower().startswith("manual") or text(entry.get("id")).startswith("manual"):
        return "manual"
    return "order" if entry.get("target") == "order" else "promotion"


def _options(row: Row) -> tuple[str, ...]:
    return tuple(
        f"{text(option.get('display_name'))}: {text(option.get('display_value'))}"
        for option in rows(row, "product_options")
    )


def is_gift_certificate(draft: Draft) -> bool:
    """Whether the line sells a gift certificate: these take no discount."""
    return draft.row.get("type") == "giftcertificate"
