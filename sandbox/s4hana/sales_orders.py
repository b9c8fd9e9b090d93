"""Sales orders: priced by their manual conditions, taxed by the classification of the material, rejected item by item."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.s4hana import company, odata
from sandbox.wire import Storage

Row = dict[str, Any]
ORDERS, ITEMS = "A_SalesOrder", "A_SalesOrderItem"
FIRST_NUMBER = 10
PRICES = ("PPR0", "PMP0")
REQUIRED = "SalesOrderType SalesOrganization DistributionChannel OrganizationDivision SoldToParty PurchaseOrderByCustomer".split()
TEXTS = {
    "SalesOrderType": 4,
    "SalesOrganization": 4,
    "DistributionChannel": 2,
    "OrganizationDivision": 2,
    "SoldToParty": 10,
    "PurchaseOrderByCustomer": 35,
    "TransactionCurrency": 5,
}
DATES = ("CustomerPurchaseOrderDate", "SalesOrderDate", "PricingDate")


def create(storage: Storage, body: Row, now: datetime) -> Row:
    """Make a sales order from a deep insert.

    :raises sandbox.wire.Refusal: for what SAP would not take
    """
    unknown = sorted(set(body) - {*TEXTS, *DATES, "to_Item"})
    if unknown:
        raise odata.refusal(400, "/IWCOR/CX_OD_EP_EDM_EXCEPTION", f"Property {unknown[0]} is invalid")
    missing = [name for name in REQUIRED if not body.get(name)]
    if missing:
        raise odata.refusal(400, "V1/046", f"Enter {missing[0]}")
    sold_to = company.padded(body["SoldToParty"])
    if not storage.rows(company.CUSTOMERS, lambda row: row["Customer"] == sold_to):
        raise odata.refusal(
            400, "VP/199", f"Sold-to party {body['SoldToParty']} not maintained for sales area"
        )
    number = str(storage.next_number("sales orders", FIRST_NUMBER)).zfill(10)
    items = [
        _item(storage, number, place, each, body.get("TransactionCurrency", ""))
        for place, each in enumerate(odata.nested(body.get("to_Item")), start=1)
    ]
    row = {
        **{name: body.get(name, "") for name in TEXTS},
        **{name: _moment(body[name]) for name in DATES if body.get(name)},
        "SoldToParty": sold_to,
        "SalesOrder": number,
        "TotalNetAmount": sum((item["NetAmount"] for item in items), Decimal(0)),
        "OverallSDDocumentRejectionSts": "A",
        "LastChangeDateTime": now,
        "to_Item": items,
    }
    storage.put(ORDERS, number, row)
    return row


def _item(storage: Storage, order: str, place: int, body: Row, currency: str) -> Row:
    product = storage.get(company.PRODUCTS, body.get("Material", ""))
    if product is None:
        raise odata.refusal(400, "V1/302", f"Material {body.get('Material')} is not defined for sales org.")
    quantity = _decimal(body.get("RequestedQuantity"))
    [price] = odata.nested(body.get("to_PricingElement")) or [{}]
    if price.get("ConditionType") not in PRICES:
        raise odata.refusal(
            400, "V1/801", f"Condition type {price.get('ConditionType')} is not defined for manual entry"
        )
    per = _decimal(price.get("ConditionQuantity") or "1")
    if per != per.to_integral_value() or per > 99_999:
        raise odata.refusal(
            400, "/IWCOR/CX_DS_EP_FACET_ERROR", "ConditionQuantity has five digits and no decimals"
        )
    smallest = Decimal(1) if currency == "JPY" else Decimal("0.01")
    net = (_decimal(price.get("ConditionRateValue")) * quantity / per).quantize(smallest, ROUND_HALF_UP)
    percent = Decimal(storage.get(company.TAX_CLASSES, product["Product"])["percent"])
    return {
        "SalesOrder": order,
        "SalesOrderItem": str(place * 10).zfill(6),
        "Material": product["Product"],
        "SalesOrderItemText": body.get("SalesOrderItemText", ""),
        "RequestedQuantity": quantity,
        "NetAmount": net,
        "TaxAmount": (net * percent / 100).quantize(smallest, ROUND_HALF_UP),
        "SalesDocumentRjcnReason": "",
    }


def items(storage: Storage) -> list[Row]:
    """The items of all orders."""
    return [item for order in storage.rows(ORDERS) for item in order["to_Item"]]


def change_item(storage: Storage, keys: Row, body: Row, tag: str) -> None:
    """Reject an item.

    :raises sandbox.wire.Refusal: 404, 428 without an ETag
    """
    if not tag:
        raise odata.refusal(428, "/IWFND/CM_MGW/549", "Precondition required: send If-Match")
    order = storage.get(ORDERS, keys["SalesOrder"])
    found = [
        item for item in (order or {}).get("to_Item", []) if item["SalesOrderItem"] == keys["SalesOrderItem"]
    ]
    if order is None or not found:
        raise odata.refusal(404, "/IWBEP/CM_MGW_RT/020", "Resource not found")
    found[0].update(body)
    rejected = [bool(item["SalesDocumentRjcnReason"]) for item in order["to_Item"]]
    order["OverallSDDocumentRejectionSts"] = "C" if all(rejected) else "B" if any(rejected) else "A"
    storage.put(ORDERS, order["SalesOrder"], order)


def _decimal(text: Any) -> Decimal:
    if not isinstance(text, str):
        raise odata.refusal(400, "/IWCOR/CX_DS_EDM_TYPE", "A decimal is text in V2")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise odata.refusal(400, "/IWCOR/CX_DS_EDM_TYPE", f"{text!r} is no decimal") from error


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text.removeprefix("/Date(").removesuffix(")/")) // 1000, tz=UTC)
