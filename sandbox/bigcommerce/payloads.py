"""From a priced order to the JSON BigCommerce answers: field names, shapes and number formats.

Source: BigCommerce "Orders V2" and "Orders V3" specifications and examples (docs, 2026-04). v2 amounts are
text with
four decimals, v3 amounts are numbers, dates of v2 are RFC 2822 in UTC.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from sandbox.bigcommerce.calculator import ZERO, Amount, Position, Priced, factor, price, rounded
from sandbox.bigcommerce.shopping import Line, Person, Shopping, Tax
from sandbox.bigcommerce.tenders import Paid, pay

Row = dict[str, Any]

STATUSES = {
    0: "Incomplete", 1: "Pending", 2: "Shipped", 3: "Partially Shipped", 4: "Refunded", 5: "Cancelled",
    6: "Declined", 7: "Awaiting Payment", 8: "Awaiting Pickup", 9: "Awaiting Shipment", 10: "Completed",
    11: "Awaiting Fulfillment", 12: "Manual Verification Required", 13: "Disputed", 14: "Partially Refunded",
}  # fmt: skip


def order_payloads(
    shopping: Shopping, *, order_id: int, at: datetime, earlier: list[Row] | None = None
) -> dict[str, Any]:
    """Everything BigCommerce can be asked about one order, as plain JSON data.

    :param earlier: the product rows of the same order before an edit: their lines keep their ids
    :returns: order, products, taxes (the detailed rows), coupons, shipping_addresses, fees, transactions,
        refunds
    """
    at = shopping.placed_at or at
    priced = price(shopping)
    paid = pay(shopping, priced.total.inc, order_id=order_id, at=at)
    line_ids = _line_ids(shopping, order_id, earlier or [])
    address_id = order_id * 10 + 1 if _is_shipped(shopping) else 0
    products = [
        _product(shopping, priced, index, line_ids, order_id, address_id)
        for index in range(len(shopping.lines))
    ]
    return {
        "order": _order(shopping, priced, paid, order_id, at),
        "products": products,
        "taxes": _taxes(shopping, priced, line_ids, order_id, address_id),
        "coupons": _coupons(shopping, priced, order_id),
        "shipping_addresses": [_address(shopping, priced, order_id, address_id)] if address_id else [],
        "fees": _fees(shopping, priced, order_id),
        "transactions": paid.transactions,
        "refunds": [],
    }


def text(amount: Decimal) -> str:
    """An amount as v2 writes it."""
    return format(rounded(amount, 4), "f")


def rfc2822(at: datetime | None) -> str:
    """A time as v2 writes it; empty when there is none."""
    return format_datetime(at.replace(microsecond=0)) if at else ""


def tax_summary(rows: list[Row]) -> list[Row]:
    """The answer of /taxes without ``details=true``: one row per tax and address."""
    summed: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        row = {key: value for key, value in row.items() if key not in ("order_product_id", "line_item_type")}
        key = (row.get("order_address_id"), row["name"], row["rate"], row["class"], row["priority"])
        if key in summed:
            for amount in ("priority_amount", "line_amount"):
                summed[key][amount] = text(Decimal(summed[key][amount]) + Decimal(row[amount]))
        else:
            summed[key] = row
    return list(summed.values())


# -- the order --------------------------------------------------------------------------------------


def _order(shopping: Shopping, priced: Priced, paid: Paid, order_id: int, at: datetime) -> Row:
    status_id = paid.status_id if shopping.status_id is None else shopping.status_id
    order = {
        "id": order_id,
        "customer_id": shopping.person.customer_id,
        "date_created": rfc2822(at),
        "date_modified": rfc2822(at),
        "date_shipped": "",
        "status_id": status_id,
        "status": STATUSES[status_id],
        **_totals(shopping, priced),
        "is_tax_inclusive_pricing": shopping.tax_inclusive,
        "items_total": sum(line.quantity for line in shopping.lines),
        "items_shipped": 0,
        "payment_method": paid.payment_method,
        "payment_provider_id": "",
        "payment_status": paid.payment_status,
        "refunded_amount": "0.0000",  # "always returns 0"
        "order_is_digital": not _is_shipped(shopping),
        "store_credit_amount": text(paid.store_credit),
        "gift_certificate_amount": text(paid.gift_certificate),
        **_currencies(shopping),
        **_circumstances(shopping, order_id),
    }
    if shopping.is_invoice_order:  # a field of the B2B Edition's order, shown here as an unknown extra
        order["isInvoiceOrder"] = 1
    for name, added in shopping.tamper.items():
        order[name] = text(Decimal(order[name]) + Decimal(added))
    return order


def _totals(shopping: Shopping, priced: Priced) -> Row:
    wrapping = [position.paid for position in priced.wrappings]
    return {
        **_group("subtotal", priced.subtotal, priced.subtotal_paid.tax),
        "base_shipping_cost": text(shopping.shipping),
        **_group("shipping_cost", priced.shipping.before, priced.shipping.paid.tax),
        "shipping_cost_tax_class_id": _class_id(shopping.shipping_taxes),
        "base_handling_cost": text(shopping.handling),
        **_group("handling_cost", priced.handling.paid, priced.handling.paid.tax),
        "handling_cost_tax_class_id": _class_id(shopping.handling_taxes),
        "base_wrapping_cost": text(sum((line.wrapping for line in shopping.lines), ZERO)),
        **_group("wrapping_cost", _sum(wrapping), _sum(wrapping).tax),
        "wrapping_cost_tax_class_id": _class_id(shopping.lines[0].wrapping_taxes) if shopping.lines else 0,
        "total_ex_tax": text(priced.total.ex),
        "total_inc_tax": text(priced.total.inc),
        "total_tax": text(priced.total.tax),
        "discount_amount": text(priced.discount_amount),
        "coupon_discount": text(priced.coupon_discount),
    }


def _group(name: str, shown: Amount, tax: Decimal) -> Row:
    return {f"{name}_ex_tax": text(shown.ex), f"{name}_inc_tax": text(shown.inc), f"{name}_tax": text(tax)}


def _sum(amounts: list[Amount]) -> Amount:
    return sum(amounts, Amount(ex=ZERO, tax=ZERO, inc=ZERO))


def _currencies(shopping: Shopping) -> Row:
    """``default_*`` is the transactional currency, ``currency_*`` only what the shopper saw."""
    return {
        "currency_id": 1,
        "currency_code": shopping.display_currency or shopping.currency,
        "currency_exchange_rate": format(rounded(shopping.display_rate, 10), "f"),
        "default_currency_id": 1,
        "default_currency_code": shopping.currency,
        "store_default_currency_code": shopping.store_currency,
        "store_default_to_transactional_exchange_rate": format(rounded(shopping.store_rate, 10), "f"),
    }


def _circumstances(shopping: Shopping, order_id: int) -> Row:
    return {
        "ip_address": "192.0.2.10",
        "ip_address_v6": "",
        "geoip_country": shopping.person.country,
        "geoip_country_iso2": shopping.person.country_iso2,
        "staff_notes": shopping.staff_notes,
        "customer_message": shopping.customer_message,
        "shipping_address_count": int(_is_shipped(shopping)),
        "is_deleted": shopping.is_archived,
        "ebay_order_id": "0",
        "cart_id": f"00000000-0000-4000-8000-{order_id:012d}",
        "billing_address": {**_who(shopping.person), "form_fields": []},
        "is_email_opt_in": False,
        "credit_card_type": None,
        "order_source": "www",
        "channel_id": shopping.channel_id,
        "external_source": shopping.external_source,
        "external_id": None,
        "external_merchant_id": None,
        "external_order_id": "",
        "tax_provider_id": "" if shopping.automatic_tax else "BasicTaxProvider",
        "customer_locale": "en",
        "custom_status": "",
    }


def _who(person: Person) -> Row:
    return {key: value for key, value in asdict(person).items() if key != "customer_id"}


def _is_shipped(shopping: Shopping) -> bool:
    return any(line.kind == "physical" for line in shopping.lines)


def _class_id(taxes: tuple[Tax, ...]) -> int:
    return taxes[0].class_id if taxes else 0


# -- its parts --------------------------------------------------------------------------------------


def _line_ids(shopping: Shopping, order_id: int, earlier: list[Row]) -> list[int]:
    """A line keeps its id through an edit (same SKU, same occurrence of it); a new one gets a new id."""
    known: dict[tuple[str, int], int] = {}
    seen: Counter[str] = Counter()
    for row in earlier:
        known[row["sku"], seen[row["sku"]]] = row["id"]
        seen[row["sku"]] += 1
    last = max(known.values(), default=order_id * 1000)
    ids = []
    seen = Counter()
    for line in shopping.lines:
        number = known.get((line.sku, seen[line.sku]))
        if number is None:
            last += 1
            number = last
        seen[line.sku] += 1
        ids.append(number)
    return ids


def _product(
    shopping: Shopping, priced: Priced, index: int, line_ids: list[int], order_id: int, address_id: int
) -> Row:
    line, position = shopping.lines[index], priced.lines[index]
    wrapping = priced.wrappings[index].paid
    name = line.name or line.sku
    return {
        "id": line_ids[index],
        "order_id": order_id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "order_pickup_method_id": 0,
        "order_address_id": address_id if line.kind == "physical" else 0,
        "name": name, "name_customer": name, "name_merchant": name,
        "sku": line.sku, "upc": "",
        "type": line.kind,
        **_prices(shopping, line, position),
        "quantity": line.quantity,
        "base_cost_price": "0.0000", "cost_price_inc_tax": "0.0000", "cost_price_ex_tax": "0.0000",
        "cost_price_tax": "0.0000",
        "weight": "1.0000", "width": "0.0000", "height": "0.0000", "depth": "0.0000",
        "is_refunded": False, "quantity_refunded": 0, "refund_amount": "0.0000", "return_id": 0,
        "wrapping_id": int(bool(line.wrapping)), "wrapping_name": "Gift wrapping" if line.wrapping else "",
        "base_wrapping_cost": text(line.wrapping),
        **_group("wrapping_cost", wrapping, wrapping.tax),
        "wrapping_message": "",
        "quantity_shipped": 0, "event_name": None, "event_date": None, "fixed_shipping_cost": "0.0000",
        "ebay_item_id": "", "ebay_transaction_id": "", "option_set_id": None,
        "parent_order_product_id": None if line.parent is None else line_ids[line.parent],
        "is_bundled_product": line.parent is not None,
        "bin_picking_number": "", "external_id": None, "brand": "",
        "applied_discounts": _applied_discounts(priced, position),
        "product_options": _options(line, line_ids[index]),
        "configurable_fields": [],
        "gift_certificate_id": line_ids[index] if line.kind == "giftcertificate" else None,
        "discounted_total_inc_tax": text(position.paid.inc) if shopping.discounted_totals else None,
    }  # fmt: skip


def _prices(shopping: Shopping, line: Line, position: Position) -> Row:
    combined = factor(line.taxes)
    if shopping.tax_inclusive:
        inc, ex = line.price, rounded(line.price / (1 + combined), 4)
    else:
        ex, inc = line.price, rounded(line.price * (1 + combined), 4)
    entered = position.before.inc if shopping.tax_inclusive else position.before.ex
    return {
        "base_price": text(line.price), "base_total": text(entered),
        "price_ex_tax": text(ex), "price_inc_tax": text(inc), "price_tax": text(inc - ex),
        **_group("total", position.before, position.before.tax),
    }  # fmt: skip


def _applied_discounts(priced: Priced, position: Position) -> list[Row]:
    return [
        {"id": reduction.id, "amount": text(saved), "name": reduction.name, "code": reduction.code,
         "target": reduction.target}
        for reduction, saved in zip(priced.reductions, position.saved, strict=True)
        if saved
    ]  # fmt: skip


def _options(line: Line, line_id: int) -> list[Row]:
    return [
        {"id": line_id * 10 + i, "option_id": i, "order_product_id": line_id, "product_option_id": 100 + i,
         "display_name": name, "display_name_customer": name, "display_name_merchant": name,
         "display_value": value, "display_value_customer": value, "display_value_merchant": value,
         "value": value, "type": "Multiple choice", "name": name, "display_style": ""}
        for i, (name, value) in enumerate(line.options, start=1)
    ]  # fmt: skip


def _taxes(
    shopping: Shopping, priced: Priced, line_ids: list[int], order_id: int, address_id: int
) -> list[Row]:
    """One row per line or charge and tax; a fee's tax stands in /fees only (no kind for it is specified)."""
    wanted = [
        *(("item", line_id, line) for line_id, line in zip(line_ids, priced.lines, strict=True)),
        *(("gift-wrapping", line_id, wrap) for line_id, wrap in zip(line_ids, priced.wrappings, strict=True)),
        ("shipping", None, priced.shipping),
        ("handling", None, priced.handling),
    ]
    rows: list[Row] = []
    for kind, line_id, position in wanted:
        if kind != "item" and not position.before.inc:
            continue
        for tax, amount in position.taxes:
            rows.append(_tax_row(shopping, order_id * 1000 + len(rows) + 1, tax, amount))
            rows[-1] |= {
                "order_product_id": None if line_id is None else str(line_id),
                "line_item_type": kind,
            }
            if not shopping.automatic_tax:  # "with automatic tax, order_id/order_address_id may be absent"
                rows[-1] |= {"order_id": order_id, "order_address_id": address_id}
    return rows


def _tax_row(shopping: Shopping, number: int, tax: Tax, amount: Decimal) -> Row:
    return {
        "id": number, "tax_rate_id": 1, "sales_tax_id": f"tax-{tax.class_id}", "tax_class_id": tax.class_id,
        "name": tax.name, "class": "Automatic Tax" if shopping.automatic_tax else tax.tax_class,
        "rate": text(tax.rate), "priority": tax.priority, "priority_amount": text(amount),
        "line_amount": text(amount), "order_pickup_method_id": 0,
    }  # fmt: skip


def _coupons(shopping: Shopping, priced: Priced, order_id: int) -> list[Row]:
    return [
        {"id": order_id * 100 + i + 1, "coupon_id": i + 1, "order_id": order_id, "code": coupon.code,
         "amount": text(coupon.amount), "type": coupon.type, "discount": priced.coupon_money(i)}
        for i, coupon in enumerate(shopping.coupons)
    ]  # fmt: skip


def _address(shopping: Shopping, priced: Priced, order_id: int, address_id: int) -> Row:
    shipping, handling = priced.shipping, priced.handling
    items = sum(line.quantity for line in shopping.lines if line.kind == "physical")
    path = f"/orders/{order_id}/shippingaddresses/{address_id}/shippingquotes"
    return {
        "id": address_id, "order_id": order_id, **_who(shopping.ship_to or shopping.person),
        "items_total": items, "items_shipped": 0, "shipping_method": shopping.shipping_method,
        "base_cost": text(shopping.shipping), **_group("cost", shipping.before, shipping.paid.tax),
        "cost_tax_class_id": _class_id(shopping.shipping_taxes),
        "base_handling_cost": text(shopping.handling),
        **_group("handling_cost", handling.paid, handling.paid.tax),
        "handling_cost_tax_class_id": _class_id(shopping.handling_taxes),
        "shipping_zone_id": 1, "shipping_zone_name": "World",
        "shipping_quotes": {"url": "", "resource": path}, "form_fields": [],
    }  # fmt: skip


def _fees(shopping: Shopping, priced: Priced, order_id: int) -> list[Row]:
    return [
        {"id": order_id * 100 + i + 1, "type": "custom_fee", "display_name_customer": fee.name,
         "display_name_merchant": fee.name, "source": "AA", "base_cost": text(fee.cost),
         **_group("cost", position.paid, position.paid.tax), "tax_class_id": _class_id(fee.taxes) or None}
        for i, (fee, position) in enumerate(zip(shopping.fees, priced.fees, strict=True))
    ]  # fmt: skip
