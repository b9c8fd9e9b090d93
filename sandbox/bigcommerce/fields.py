"""What requests may contain, field by field: a request no real BigCommerce would take is refused here too.

Own tables, written from BigCommerce's "Orders V2", "Orders V3", "Customers V3", "Webhooks V3", "Store
Information" and
"Currencies" specifications (docs, 2026-04); a test compares them with the published contracts where those
are found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any


class BadValue(ValueError):
    """A field that does not exist, or a value it cannot take. The message is the field's name."""


def whole(value: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"-?\d{1,18}", value):
        raise BadValue(value)
    return int(value)


def number(value: str) -> Decimal:
    """A number."""
    try:
        return Decimal(value)
    except InvalidOperation:
        raise BadValue(value) from None


def text(value: str) -> str:
    """Any text."""
    return value


def flag(value: str) -> bool:
    """true or false."""
    if value not in ("true", "false", "1", "0"):
        raise BadValue(value)
    return value in ("true", "1")


def moment(value: str) -> datetime:
    """A time in RFC 2822 or ISO 8601; one without a zone is taken as UTC (the documents do not say)."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            raise BadValue(value) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def wholes(value: str) -> list[int]:
    """Whole numbers, separated by commas."""
    return [whole(part) for part in value.split(",")]


def texts(value: str) -> list[str]:
    """Texts, separated by commas."""
    return value.split(",")


Table = dict[str, Callable[[str], Any]]

PAGING: Table = {"page": whole, "limit": whole}
ORDER_FILTERS: Table = {
    "min_id": whole, "max_id": whole, "min_total": number, "max_total": number, "customer_id": whole,
    "email": text, "status_id": whole, "cart_id": text, "payment_method": text, "min_date_created": moment,
    "max_date_created": moment, "min_date_modified": moment, "max_date_modified": moment, "channel_id": whole,
    "external_order_id": text,
}  # fmt: skip
INCLUDES: Table = {"include": texts, "consignment_structure": text}

REFUND_FILTERS: Table = {
    "order_id:in": wholes, "id:in": wholes, "created:min": moment, "created:max": moment, "transaction_id": text,
}  # fmt: skip
CUSTOMER_FILTERS: Table = {
    "id:in": wholes, "company:in": texts, "customer_group_id:in": wholes, "email:in": texts, "name:in": texts,
    "name:like": text, "phone:in": texts, "registration_ip_address:in": texts, "date_created": moment,
    "date_created:max": moment, "date_created:min": moment, "date_modified": moment,
    "date_modified:min": moment, "date_modified:max": moment, "include": texts, "sort": text, "after": text,
    "before": text,
}  # fmt: skip
ADDRESS_FILTERS: Table = {
    "company:in": texts, "name:in": texts, "customer_id:in": wholes, "include": texts, "id:in": wholes,
}  # fmt: skip
CHANNEL_FILTERS: Table = {"available": flag, "status:in": texts, "type:in": texts, "platform:in": texts}
PRODUCT_FILTERS: Table = {
    "id:in": wholes, "sku": text, "sku:in": texts, "upc": text, "include": texts, "date_modified:min": moment,
    "include_fields": texts, "exclude_fields": texts,
}  # fmt: skip

# Query parameters by path of the specification (below /stores/{hash}).
QUERIES: dict[str, Table] = {
    "GET /v2/store": {},
    "GET /v2/time": {},
    "GET /v2/orders": ORDER_FILTERS | PAGING | INCLUDES | {"sort": text},
    "DELETE /v2/orders": {"limit": whole},
    "GET /v2/orders/count": ORDER_FILTERS,
    "GET /v2/orders/{order_id}": INCLUDES,
    "PUT /v2/orders/{order_id}": {},
    "DELETE /v2/orders/{order_id}": {},
    "GET /v2/orders/{order_id}/products": PAGING,
    "GET /v2/orders/{order_id}/products/{product_id}": {},
    "GET /v2/orders/{order_id}/shipping_addresses": PAGING,
    "GET /v2/orders/{order_id}/coupons": PAGING,
    "GET /v2/orders/{order_id}/taxes": PAGING | {"details": flag},
    "GET /v2/orders/{order_id}/fees": {},
    "GET /v2/orders/{order_id}/consignments": {"include": texts},
    "GET /v2/orders/{order_id}/shipments": PAGING,
    "GET /v2/order_statuses": {},
    "GET /v2/customer_groups": PAGING | {"name": text, "is_default": flag},
    "GET /v2/customer_groups/{customer_group_id}": {},
    "GET /v2/currencies": PAGING,
    "GET /v3/orders/{order_id}/transactions": {},
    "GET /v3/orders/{order_id}/payment_actions/refunds": {"transaction_id": text},
    "POST /v3/orders/{order_id}/payment_actions/refunds": {"transaction_id": text},
    "POST /v3/orders/{order_id}/payment_actions/capture": {},
    "POST /v3/orders/{order_id}/payment_actions/void": {},
    "GET /v3/orders/payment_actions/refunds": REFUND_FILTERS | PAGING,
    "GET /v3/orders/payment_actions/refunds/{refund_id}": {},
    "GET /v3/customers": CUSTOMER_FILTERS | PAGING,
    "GET /v3/customers/addresses": ADDRESS_FILTERS | PAGING,
    "GET /v3/hooks": PAGING | {"is_active": flag, "scope": text, "destination": text},
    "POST /v3/hooks": {},
    "GET /v3/hooks/{webhook_id}": {},
    "PUT /v3/hooks/{webhook_id}": {},
    "DELETE /v3/hooks/{webhook_id}": {},
    "GET /v3/hooks/admin": {"is_active": flag},
    "PUT /v3/hooks/admin": {},
    "GET /v3/channels": CHANNEL_FILTERS | PAGING,
    "GET /v3/catalog/products": PRODUCT_FILTERS | PAGING,
    "GET /v3/catalog/variants": {"id": whole, "sku": text, "upc": text, "product_id:in": wholes} | PAGING,
}

TEXT, NUMBER, BOOL, LIST, OBJECT = (str,), (int, Decimal), (bool,), (list,), (dict,)

# Body fields of PUT /v2/orders/{order_id}: those the sandbox acts on, and those that exist but are not played.
ORDER_UPDATE: dict[str, tuple[type, ...]] = {
    "status_id": (int,), "external_order_id": (str, type(None)), "staff_notes": TEXT,
    "customer_message": TEXT, "customer_id": (int,), "is_deleted": BOOL,
}  # fmt: skip
ORDER_UPDATE_NOT_PLAYED = frozenset({
    "base_handling_cost", "base_shipping_cost", "base_wrapping_cost", "billing_address", "channel_id",
    "consignments", "date_created", "discount_amount", "order_source", "ebay_order_id", "external_source",
    "geoip_country", "geoip_country_iso2", "handling_cost_ex_tax", "handling_cost_inc_tax", "ip_address",
    "ip_address_v6", "items_shipped", "items_total", "order_is_digital", "payment_method",
    "payment_provider_id", "products", "refunded_amount", "shipping_cost_ex_tax", "shipping_cost_inc_tax",
    "shipping_addresses", "subtotal_ex_tax", "subtotal_inc_tax", "tax_provider_id", "customer_locale",
    "total_ex_tax", "total_inc_tax", "wrapping_cost_ex_tax", "wrapping_cost_inc_tax", "fees",
    "default_currency_code",
})  # fmt: skip
HOOK: dict[str, tuple[type, ...]] = {
    "scope": TEXT, "destination": TEXT, "is_active": BOOL, "headers": (dict, type(None)),
}  # fmt: skip
HOOKS_ADMIN: dict[str, tuple[type, ...]] = {"emails": LIST}
REFUND: dict[str, tuple[type, ...]] = {
    "items": LIST, "payments": LIST, "merchant_calculated_override": OBJECT, "tax_adjustment_amount": NUMBER,
}  # fmt: skip
REFUND_ITEM: dict[str, tuple[type, ...]] = {
    "item_type": TEXT, "item_id": (int,), "quantity": (int,), "amount": NUMBER, "reason": TEXT,
    "adjustments": LIST,
}  # fmt: skip
REFUND_PAYMENT: dict[str, tuple[type, ...]] = {"provider_id": TEXT, "amount": NUMBER, "offline": BOOL}


def query(given: Mapping[str, str], table: Table) -> dict[str, Any]:
    """The query parameters, converted.

    :raises BadValue: a parameter that does not exist or a value it cannot take; the message is its name
    """
    values = {}
    for name, value in given.items():
        if name not in table:
            raise BadValue(name)
        try:
            values[name] = table[name](value)
        except BadValue:
            raise BadValue(name) from None
    return values


def body(given: Any, table: Mapping[str, tuple[type, ...]]) -> dict[str, Any]:
    """The body, if it is an object whose fields exist and have the right types.

    :raises BadValue: otherwise; the message is the field's name
    """
    if not isinstance(given, dict):
        raise BadValue("body")
    for name, value in given.items():
        allowed = table.get(name, ())
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise BadValue(name)
    return given
