"""An order: the full set of payloads of one store order becomes the contract's `Order`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from erp.contract.money import quantum
from erp.contract.order import Address, Charge, Customer, Order, OrderLine, OrderState
from storefront.translation import charges as charging
from storefront.translation.charges import Shown
from storefront.translation.customers import translate_customer
from storefront.translation.discounts import allocate, excess
from storefront.translation.lines import Draft, draft_lines, order_line, settle
from storefront.translation.people import order_address
from storefront.translation.reading import (
    ZERO,
    Complaints,
    Row,
    identifier,
    is_true,
    moment,
    rows,
    text,
)
from storefront.translation.refunds import refunds_of
from storefront.translation.taxes import TaxRow, tax_rows
from storefront.translation.tenders import money_of

# BigCommerce "Order status" (2026-04): labels can be renamed by the merchant, ids cannot. All others are
# open.
_STATES = {
    "0": OrderState.INCOMPLETE,
    "2": OrderState.SHIPPED,
    "4": OrderState.REFUNDED,
    "5": OrderState.CANCELLED,
    "6": OrderState.DECLINED,
    "10": OrderState.COMPLETED,
    "13": OrderState.DISPUTED,
}
PARTIALLY_REFUNDED = "14"


def translate_order(body: Row) -> Order:
    """The contract's order from a snapshot of one.

    Lines and charges add up to the order's total, and their taxes to its tax, within half a minor unit for
    each of them; nothing is moved to make them do so. What does not add up in itself is in `complaints`.

    :param body: what `BigCommerceClient.read_order` returned
    """
    order: Row = body["order"]
    complaints = Complaints()
    currency = _currency(order, complaints)
    inclusive = is_true(order.get("is_tax_inclusive_pricing"))
    created_at = complaints.moment(order, "date_created", of="order")
    lines, charges = _parts(body, currency, inclusive, complaints)
    money = money_of(body, currency=currency, placed_at=created_at, complaints=complaints)
    refunds = refunds_of(
        body, lines=lines, charges=charges, tenders=money.tenders, currency=currency, complaints=complaints
    )
    _check_totals(order, currency, complaints)
    return Order(
        id=identifier(order.get("id")),
        currency=currency,
        prices_include_tax=inclusive,
        total=complaints.money(order, "total_inc_tax", currency, of="order"),
        tax=complaints.money(order, "total_tax", currency, of="order"),
        lines=lines,
        charges=charges,
        tenders=money.tenders,
        refunds=refunds,
        state=_state(order),
        status_id=text(order.get("status_id")),
        payment_status=text(order.get("payment_status")),
        created_at=created_at,
        modified_at=moment(order.get("date_modified")) or created_at,
        shipped_at=moment(order.get("date_shipped")),
        authorised=money.authorised,
        customer=_customer(body),
        billing=_billing(order),
        shipping=tuple(order_address(row) for row in rows(body, "shipping_addresses")),
        channel_id=identifier(order.get("channel_id")),
        payment_method=text(order.get("payment_method")),
        is_archived=is_true(order.get("is_deleted")),
        is_invoice_order=is_true(order.get("isInvoiceOrder")) or is_true(order.get("is_invoice_order")),
        store_currency=text(order.get("store_default_currency_code")),
        store_rate=complaints.optional_amount(
            order, "store_default_to_transactional_exchange_rate", of="order"
        )
        or None,
        purchase_order=text(order.get("poNumber")),
        message=text(order.get("customer_message")),
        external_order_id=text(order.get("external_order_id")),
        complaints=tuple(complaints.sentences),
        raw_fields=tuple(_raw_fields(body)),
    )


def _currency(order: Row, complaints: Complaints) -> str:
    """The transactional currency: `default_currency_code`, a misleading name; `currency_code` is display only."""
    code = text(order.get("default_currency_code"))
    if len(code) == 3 and code.isascii() and code.isalpha():
        return code.upper()
    complaints.add(f"order.default_currency_code is {code[:40]!r}, which is not a currency.")
    return "XXX"  # ISO 4217: no currency


def _parts(
    body: Row, currency: str, inclusive: bool, complaints: Complaints
) -> tuple[tuple[OrderLine, ...], tuple[Charge, ...]]:
    """Lines and charges, as paid."""
    order: Row = body["order"]
    taxed = tax_rows(body, complaints)
    drafts = draft_lines(body, taxed, complaints)
    shown = _charges(body, taxed, drafts, currency, complaints)
    allocate(order, drafts, shown, currency)
    settled = settle(drafts, currency=currency, inclusive=inclusive)
    categories: Row = body.get("categories") or {}
    lines = tuple(
        order_line(draft, gross=gross, tax=tax, parts=parts, currency=currency, categories=categories)
        for draft, (gross, tax, parts) in zip(drafts, settled, strict=True)
    )
    return lines, tuple(one.charge(currency, inclusive=inclusive) for one in shown)


def _charges(
    body: Row, taxed: Sequence[TaxRow], drafts: Sequence[Draft], currency: str, complaints: Complaints
) -> list[Shown]:
    """The charges in the reading that ties: shipping before or after its coupons, fees inside the total or
    beside it.

    Where none does, shipping is less its coupons and fees are inside; the plan then shows the difference.
    """
    order: Row = body["order"]
    tolerance = quantum(currency) * (len(drafts) + len(rows(body, "fees")) + 4) / 2
    fixed = [
        *charging.handling(body, taxed, complaints),
        *charging.wrappings(body, taxed, complaints),
    ]
    before = charging.shipping(body, taxed, complaints)
    after = charging.less_coupons(before, charging.shipping_coupons(body, complaints))
    fees = charging.fees(body, taxed, complaints)
    readings = [[*after, *fixed, *fees], [*after, *fixed], [*before, *fixed, *fees], [*before, *fixed]]
    for reading in readings:
        if abs(excess(order, drafts, reading)) <= tolerance:
            return reading
    return readings[0]


def _check_totals(order: Row, currency: str, complaints: Complaints) -> None:
    """`total_ex_tax + total_tax = total_inc_tax` holds in every example of BigCommerce, whatever the pricing."""
    ex, tax, inc = (
        complaints.amount(order, name, of="order") for name in ("total_ex_tax", "total_tax", "total_inc_tax")
    )
    if abs(ex + tax - inc) > quantum(currency):
        complaints.add(
            f"The order's total without tax {ex:f} and its tax {tax:f} are {ex + tax:f}, not {inc:f}."
        )
    for name, amount in (("total", inc), ("tax", tax)):
        if amount < ZERO:
            complaints.add(f"The order's {name} is negative: {amount:f} {currency}.")


def _state(order: Row) -> OrderState:
    status = text(order.get("status_id"))
    if status == PARTIALLY_REFUNDED and moment(order.get("date_shipped")):
        return OrderState.SHIPPED
    return _STATES.get(status, OrderState.OPEN)


def _billing(order: Row) -> Address:
    billing = order.get("billing_address")
    return order_address(billing) if isinstance(billing, dict) else Address()


def _customer(body: Row) -> Customer | None:
    """The registered customer; one that the store no longer has is known by the order alone."""
    order: Row = body["order"]
    customer_id = identifier(order.get("customer_id"))
    if not customer_id:
        return None
    if body.get("customer"):
        return translate_customer(body)
    billing = _billing(order)
    return Customer(
        id=customer_id,
        email=billing.email,
        first_name=billing.first_name,
        last_name=billing.last_name,
        company=billing.company,
        phone=billing.phone,
    )


def _raw_fields(body: Row) -> Iterator[tuple[str, str]]:
    """Flat fields for field rules: order.*, billing_address.*, shipping_address.* (the first) and their form fields."""
    order: Row = body["order"]
    yield from _flat("order", order)
    billing = order.get("billing_address")
    if isinstance(billing, dict):
        yield from _flat("billing_address", billing)
    for row in rows(body, "shipping_addresses")[:1]:
        yield from _flat("shipping_address", row)


def _flat(prefix: str, row: Row) -> Iterator[tuple[str, str]]:
    for name in sorted(row):
        value = row[name]
        if isinstance(value, bool):
            yield f"{prefix}.{name}", "true" if value else "false"
        elif isinstance(value, (str, int, Decimal)):
            yield f"{prefix}.{name}", str(value)
    for entry in rows(row, "form_fields"):
        yield f"{prefix}.form_fields.{text(entry.get('name'))}", text(entry.get("value"))
