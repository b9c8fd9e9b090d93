"""What was given back and what was paid out, with tax by the order as it was, not by today's rates.

PRODUCT and GIFT_WRAPPING go by quantity, the others by amount; ORDER carries no tax; a merchant override
replaces total and tax; a tax adjustment has no items (BigCommerce docs, "Refunds" and "Orders V3", 2026-02).
Parts of a line are rounded cumulatively over all refunds of the order, so that together they give back the
line and no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from erp.contract.money import quantum, rounded
from erp.contract.order import (
    Charge,
    OrderLine,
    Refund,
    RefundLine,
    RefundPart,
    RefundPayment,
    Tender,
    TenderKind,
)
from storefront.translation.reading import ZERO, Complaints, Row, identifier, is_true, moment, rows, text

_PARTS = {
    "PRODUCT": RefundPart.PRODUCT,
    "GIFT_WRAPPING": RefundPart.WRAPPING,
    "SHIPPING": RefundPart.SHIPPING,
    "HANDLING": RefundPart.HANDLING,
    "FEE": RefundPart.FEE,
    "ORDER": RefundPart.ORDER,
    "TAX": RefundPart.TAX,
}
_BY_QUANTITY = (RefundPart.PRODUCT, RefundPart.WRAPPING)
_PROVIDERS = {
    "storecredit": TenderKind.STORE_CREDIT,
    "store_credit": TenderKind.STORE_CREDIT,
    "giftcertificate": TenderKind.GIFT_CERTIFICATE,
    "gift_certificate": TenderKind.GIFT_CERTIFICATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What was paid for one part of the order."""

    id: str
    gross: Decimal
    tax: Decimal
    quantity: Decimal = Decimal(1)


@dataclass(slots=True, kw_only=True)
class Giving:
    """The order-time amounts that refunds draw on, and how much of each part earlier refunds gave back."""

    parts: dict[tuple[RefundPart, str], Paid]
    currency: str
    given: dict[tuple[RefundPart, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    unattributed: Decimal = ZERO  # given back by earlier refunds and of no line or charge

    def find(self, part: RefundPart, item_id: str) -> Paid | None:
        """The part an item names; a single shipping or handling cost is meant even if the id is another's."""
        found = self.parts.get((part, item_id))
        of_kind = [paid for (kind, _), paid in self.parts.items() if kind is part]
        if found is None and part in (RefundPart.SHIPPING, RefundPart.HANDLING) and len(of_kind) == 1:
            return of_kind[0]
        return found

    def share(self, part: RefundPart, paid: Paid, whole: Decimal, count: Decimal, of: Decimal) -> Decimal:
        """The rounded part of `whole` that is `count` of `of`, after what was given back before."""
        if not of:
            return ZERO
        begin = self.given[part, paid.id]
        upto, before = whole * (begin + count) / of, whole * begin / of
        return rounded(upto, self.currency) - rounded(before, self.currency)


def refunds_of(
    body: Row,
    *,
    lines: Sequence[OrderLine],
    charges: Sequence[Charge],
    tenders: Sequence[Tender],
    currency: str,
    complaints: Complaints,
) -> tuple[Refund, ...]:
    """The refunds of an order, oldest first."""
    giving = Giving(parts=_parts(lines, charges), currency=currency)
    found = sorted(enumerate(rows(body, "refunds")), key=lambda pair: _age(pair[1]))
    return tuple(_refund(row, f"refunds[{i}]", giving, tenders, complaints) for i, row in found)


def _age(row: Row) -> tuple[str, int]:
    created = moment(row.get("created"))
    number = identifier(row.get("id"))
    return (created.isoformat() if created else "", int(number) if number.isdecimal() else 0)


def _parts(lines: Sequence[OrderLine], charges: Sequence[Charge]) -> dict[tuple[RefundPart, str], Paid]:
    parts = {
        (RefundPart.PRODUCT, line.id): Paid(
            id=line.id, gross=line.gross, tax=line.tax, quantity=line.quantity
        )
        for line in lines
    }
    quantities = {line.id: line.quantity for line in lines}
    for charge in charges:
        of = charge.id.partition(":")[2]
        paid = Paid(id=charge.id, gross=charge.gross, tax=charge.tax, quantity=quantities.get(of, Decimal(1)))
        parts[RefundPart(charge.kind.value), of] = paid
    return parts


def _refund(
    row: Row, place: str, giving: Giving, tenders: Sequence[Tender], complaints: Complaints
) -> Refund:
    currency = giving.currency
    total = complaints.money(row, "total_amount", currency, of=place)
    tax = complaints.money(row, "total_tax", currency, of=place)
    items = [
        _item(item, f"{place}.items[{i}]", giving, complaints) for i, item in enumerate(rows(row, "items"))
    ]
    fitted = _fit(items, total)
    is_override = is_true(row.get("uses_merchant_override_values"))
    lines, is_explained = _explain(fitted, total, tax, giving)
    if not (is_explained or is_override):
        complaints.add(_does_not_add_up(fitted, total, tax, currency, place))
    payments = rows(row, "payments")
    return Refund(
        id=identifier(row.get("id")),
        created_at=complaints.moment(row, "created", of=place),
        total=total,
        tax=tax,
        lines=tuple(lines),
        payments=_payments(payments, place, tenders, currency, complaints),
        pending=any(p.get("is_declined") is None for p in payments),
        reason=text(row.get("reason")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    line: RefundLine
    adjustment: Decimal


def _item(row: Row, place: str, giving: Giving, complaints: Complaints) -> _Item:
    part = _PARTS.get(text(row.get("item_type")))
    if part is None:
        complaints.add(f"{place}.item_type is {text(row.get('item_type'))!r}, which we do not know.")
        part = RefundPart.ORDER
    item_id = identifier(row.get("item_id"))
    adjustment = sum(
        (complaints.amount(a, "amount", of=f"{place}.adjustments") for a in rows(row, "adjustments")), ZERO
    )
    requested = complaints.optional_amount(row, "requested_amount", of=place)
    if requested is not None:  # stores may show four places; what that leaves is rounding (see _explain)
        requested = rounded(requested, giving.currency)
    if part in (RefundPart.ORDER, RefundPart.TAX):
        amount = requested or ZERO
        return _Item(
            line=_line(part, "", amount, amount if part is RefundPart.TAX else ZERO, row), adjustment=ZERO
        )
    paid = giving.find(part, item_id)
    if paid is None:
        if part in _BY_QUANTITY:
            what = f"{text(row.get('item_type'))} {item_id}"
            complaints.add(f"{place} gives back {what}, which the order does not have.")
        # An amount "of shipping" where none was charged is an amount that nothing in the order explains.
        return _Item(line=_line(RefundPart.ORDER, "", requested or ZERO, ZERO, row), adjustment=adjustment)
    line = _of_paid(part, paid, requested, adjustment, row, giving, complaints)
    return _Item(line=line, adjustment=adjustment)


def _of_paid(
    part: RefundPart,
    paid: Paid,
    requested: Decimal | None,
    adjustment: Decimal,
    row: Row,
    giving: Giving,
    complaints: Complaints,
) -> RefundLine:
    if part in _BY_QUANTITY:
        count, of = complaints.amount(row, "quantity", of="refund item") or Decimal(1), paid.quantity
        gross = requested
        if gross is None:
            gross = giving.share(part, paid, paid.gross, count, of) + adjustment
    else:
        gross = paid.gross if requested is None else requested
        count, of = gross, paid.gross
    tax = giving.share(part, paid, paid.tax, count, of)
    giving.given[part, paid.id] += count
    return _line(part, paid.id, gross, tax, row, quantity=count if part in _BY_QUANTITY else Decimal(1))


def _line(
    part: RefundPart, of: str, gross: Decimal, tax: Decimal, row: Row, *, quantity: Decimal = Decimal(1)
) -> RefundLine:
    reason = text(row.get("reason"))
    return RefundLine(
        part=part, of=of, quantity=quantity, net=gross - tax, tax=tax, gross=gross, reason=reason
    )


def _fit(items: Sequence[_Item], total: Decimal) -> list[RefundLine]:
    """The lines in the reading of `requested_amount` that adds up to the total: as it stands, less adjustments, or net."""
    as_is = [item.line for item in items]
    adjusted = [_with_gross(item.line, item.line.gross + item.adjustment) for item in items]
    from_net = [_with_gross(item.line, item.line.gross + item.line.tax) for item in items]
    for lines in (as_is, adjusted, from_net):
        if lines and sum((line.gross for line in lines), ZERO) == total:
            return lines
    return as_is


def _with_gross(line: RefundLine, gross: Decimal) -> RefundLine:
    return replace(line, gross=gross, net=gross - line.tax)


def _explain(
    lines: list[RefundLine], total: Decimal, tax: Decimal, giving: Giving
) -> tuple[list[RefundLine], bool]:
    """The lines, with what they leave of total and tax as a line of its own, and whether that is accounted
    for.

    It is where there are no items, where less goes back than the items because earlier refunds gave back
    amounts of no item, and where it is no more than rounding: half a minor unit for each item and the total.
    The lines returned add up to total and tax exactly.
    """
    lines = _fit_tax(lines, tax, giving.currency)
    rest = total - sum((line.gross for line in lines), ZERO)
    rest_tax = tax - sum((line.tax for line in lines), ZERO)
    rounding = quantum(giving.currency) * (len(lines) + 1) / 2
    is_explained = not lines or max(abs(rest), abs(rest_tax)) <= rounding or -giving.unattributed <= rest < 0
    if rest or rest_tax:
        part = RefundPart.TAX if rest == rest_tax or not rest else RefundPart.ORDER
        lines = [*lines, _line(part, "", rest, rest_tax, {})]
    giving.unattributed += sum((line.gross for line in lines if not line.of), ZERO)
    return lines, is_explained


def _does_not_add_up(
    lines: Sequence[RefundLine], total: Decimal, tax: Decimal, currency: str, place: str
) -> str:
    gross = rounded(sum((line.gross for line in lines), ZERO), currency)
    own_tax = rounded(sum((line.tax for line in lines), ZERO), currency)
    return (
        f"{place}: its items come to {gross:f} {currency} with {own_tax:f} tax, "
        f"it says {total:f} with {tax:f} tax."
    )


def _fit_tax(lines: list[RefundLine], tax: Decimal, currency: str) -> list[RefundLine]:
    """Let the lines' taxes add up to the refund's where rounding alone makes the difference: a minor unit a line."""
    rest = tax - sum((line.tax for line in lines), ZERO)
    taxed = [i for i, line in enumerate(lines) if line.tax]
    if not rest or abs(rest) > quantum(currency) * len(taxed):
        return lines
    most = max(taxed, key=lambda i: (lines[i].tax, -i))
    line = lines[most]
    lines[most] = replace(line, tax=line.tax + rest, net=line.net - rest)
    return lines


def _payments(
    payments: Sequence[Row], place: str, tenders: Sequence[Tender], currency: str, complaints: Complaints
) -> tuple[RefundPayment, ...]:
    """The money that went back; declined payments are none."""
    return tuple(
        RefundPayment(
            method=_method(row, tenders),
            kind=_kind(row),
            amount=complaints.money(row, "amount", currency, of=f"{place}.payments[{i}]"),
            offline=is_true(row.get("offline")),
        )
        for i, row in enumerate(payments)
        if not is_true(row.get("is_declined"))
    )


def _kind(row: Row) -> TenderKind:
    kind = _PROVIDERS.get(text(row.get("provider_id")).lower())
    return kind or (TenderKind.OFFLINE if is_true(row.get("offline")) else TenderKind.TRANSACTION)


def _method(row: Row, tenders: Sequence[Tender]) -> str:
    """The method money came by through the same provider: its clearing account is the one it leaves again."""
    provider = text(row.get("provider_id"))
    kind = _PROVIDERS.get(provider.lower())
    if kind is not None:
        return kind.value
    return next((t.method for t in tenders if provider in (t.gateway, t.method)), provider or "offline")
