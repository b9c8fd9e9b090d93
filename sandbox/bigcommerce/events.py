"""The ``data`` of every kind of webhook BigCommerce documents: shapes differ from scope to scope.

Source: BigCommerce "Webhook events", with channels, inventory locations and B2B Edition (docs, 2026-04).
``store.hooks.emit(scope, DATA[scope])`` sends one. Ids are those of the documents' examples where they are printed.
"""

from __future__ import annotations

from typing import Any

_ORDER = {"type": "order", "id": 250}
_STATUS = {"previous_status_id": 0, "new_status_id": 11}
_CUSTOMER = {"type": "customer", "id": 32}
_ADDRESS = {"type": "customer", "id": 60, "address": {"customer_id": 32}}
_SHIPMENT = {"type": "shipment", "id": 12, "orderId": 251}
_TRANSACTION = {
    "type": "transaction", "order_id": "250", "transaction_id": "176342342", "transaction_status": "complete",
    "transaction_type": "capture", "result": {"code": "00", "message": "Transaction Approved", "type": "success"},
    "platform_transaction_id": "1234567890", "provider_transaction_id": "0987654321",
}  # fmt: skip
_METAFIELD = {"metafield_id": 14, "resource_id": "270"}
_CHANNEL_ORDER = {"order_id": 127}
_CHANNEL_STATUS = {"order_id": 127, "status": _STATUS}
_STOCK = {"product_id": 167, "method": "absolute", "value": 100000000}
_SKU = {"type": "sku", "id": 461, "sku": {"product_id": 206, "variant_id": 509}}
_SKU_STOCK = {"type": "sku", "id": 461, "inventory": {**_STOCK, "variant_id": 509}}
_PRODUCT_STOCK = {"type": "product", "id": 167, "inventory": _STOCK}
_PLACE = {"variant_id": 127, "product_id": 113, "location_id": 2}
_PRICE = {"price_list_id": 5, "variant_id": 1, "currency": "usd"}
_ASSIGNMENT = {"price_list_id": 5, "channel_id": 1, "customer_group_id": 2}
_COMPANY = {"company_id": 1234}
_QUOTE = {"quote_id": 1234, "quote_uuid": "1a2b3c4d"}


def _each(start: str, names: str, data: Any) -> dict[str, Any]:
    return {f"{start}/{name}": data for name in names.split()}


DATA: dict[str, Any] = {
    **_each("store/order", "created updated archived", _ORDER),
    "store/order/statusUpdated": {**_ORDER, "status": _STATUS},
    "store/order/message/created": {**_ORDER, "message": {"order_message_id": 3}},
    "store/order/refund/created": {**_ORDER, "refund": {"refund_id": 3}},
    **_each("store/order/transaction", "created updated", _TRANSACTION),
    **_each("store/order/metafield", "created updated deleted", _METAFIELD),
    **_each(
        "store/channel/1/order", "created updated archived message/created refund/created", _CHANNEL_ORDER
    ),
    "store/channel/1/order/statusUpdated": _CHANNEL_STATUS,
    **_each("store/shipment", "created updated deleted", _SHIPMENT),
    **_each("store/customer", "created updated deleted payment/instrument/default/updated", _CUSTOMER),
    **_each("store/customer/address", "created updated deleted", _ADDRESS),
    **_each("store/product", "created deleted", {"type": "product", "id": 205}),
    "store/product/updated": {
        "type": "product",
        "id": 205,
        "properties": ["name"],
        "context": {"channel_id": 1, "locale": "en"},
    },
    **_each("store/product/inventory", "updated order/updated", _PRODUCT_STOCK),
    **_each("store/sku", "created updated deleted", _SKU),
    **_each("store/sku/inventory", "updated order/updated", _SKU_STOCK),
    **_each(
        "store/channel/*/inventory/product", "stock_changed low_stock_reached out_of_stock_reached", _PLACE
    ),
    **_each("store/inventory/location", "created updated", {"location_id": 2}),
    **_each("store/priceList", "created updated activated deactivated deleted", {"price_list_id": 5}),
    "store/priceLists/deleted": {"price_list_ids": [5]},
    **_each("store/priceList/record", "created updated deleted", _PRICE),
    **_each("store/priceList/records", "created updated deleted", [_PRICE]),
    **_each("store/priceList/assignment", "updated deleted", _ASSIGNMENT),
    **_each("store/company", "created updated deleted statusUpdated superadmin/assignmentUpdated", _COMPANY),
    **_each("store/company/user", "created updated deleted", {**_COMPANY, "user_id": 5}),
    **_each("store/company/address", "created updated deleted", {**_COMPANY, "address_id": 7}),
    **_each("store/quote", "created updated statusUpdated deleted", _QUOTE),
    **_each("store/superadmin", "created updated deleted", {"user_id": 5}),
    "store/information/updated": {"type": "store"},
    "store/cart/converted": {"type": "cart", "id": "09346904-4175-44fd-be53-f7e598531b6c", "orderId": 252},
}
