"""The v2 API: store, orders and what belongs to them.

Source: BigCommerce "Orders V2", "Store Information V2", "Currencies V2", "Customers V2" specifications
(docs, 2026-04).
An empty collection is 204 without a body; refusals are arrays of ``status`` and ``message``.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from werkzeug import Response

from sandbox.bigcommerce import fields
from sandbox.bigcommerce.api import Ask, Row, refusal
from sandbox.bigcommerce.payloads import STATUSES, tax_summary
from sandbox.bigcommerce.shopping import places
from sandbox.wire import answer_json

SORTS = ("id", "customer_id", "date_created", "date_modified", "status_id", "channel_id", "external_id")
INCLUDES = ("consignments", "consignments.line_items", "fees")


def get_store(ask: Ask) -> Response:
    """GET /store."""
    settings = ask.store.settings
    about = {
        "id": ask.store.hash, "domain": f"{ask.store.hash}.example", "status": "live",
        "name": settings["name"],
        "secure_url": f"https://{ask.store.hash}.example", "admin_email": settings["email"],
        "country": "United States", "country_code": "US", "language": "en",
        "currency": settings["currency"], "currency_symbol": settings["currency"],
        "decimal_places": places(settings["currency"]),
        "is_price_entered_with_tax": settings["tax_inclusive"],
        "timezone": {"name": settings["time_zone"], "raw_offset": 0, "dst_offset": 0},
        "store_id": int(settings["store_id"]), "default_channel_id": 1,
        "plan_name": "Enterprise", "plan_level": "Enterprise", "features": {"multi_storefront_enabled": True},
    }  # fmt: skip
    return answer_json(about)


def get_time(ask: Ask) -> Response:
    """GET /time."""
    return answer_json({"time": int(ask.clock.seconds())})


# -- orders -----------------------------------------------------------------------------------------


def list_orders(ask: Ask) -> Response:
    """GET /orders: filtered, sorted (id by default), paged."""
    rows = ask.store.records(_wanted(ask))
    field, _, direction = ask.query.get("sort", "id").partition(":")
    if field not in SORTS or direction not in ("", "asc", "desc"):
        raise refusal("v2", 400, "The field 'sort' is invalid.")
    rows.sort(key=_sort_key(field), reverse=direction == "desc")
    page = ask.page_of(rows)
    return answer_json([_order(ask, row) for row in page]) if page else Response(status=204)


def _sort_key(field: str) -> Callable[[Row], Any]:
    stored = {"date_modified": "modified", "date_created": "created"}.get(field)
    if stored:  # whole seconds: ties are real
        return lambda row: (row[stored].replace(microsecond=0), row["id"])
    return lambda row: (row["payloads"]["order"][field] or 0, row["id"])


def _wanted(ask: Ask) -> Callable[[Row], bool]:
    asked = {name: value for name, value in ask.query.items() if name in fields.ORDER_FILTERS}

    with_archived = ask.store.settings["lists_archived"]

    def wanted(row: Row) -> bool:
        if row["payloads"]["order"]["is_deleted"] and not with_archived:
            return False
        return all(_passes(row, name, value) for name, value in asked.items())

    return wanted


def _passes(row: Row, name: str, value: Any) -> bool:
    order = row["payloads"]["order"]
    bound, _, field = name.partition("_")
    if bound in ("min", "max"):
        mine = {
            "id": row["id"], "total": Decimal(order["total_inc_tax"]), "date_created": row["created"],
            "date_modified": row["modified"],
        }[field]  # fmt: skip
        if field.startswith("date"):
            mine = mine.replace(microsecond=0)
        return bool(mine >= value if bound == "min" else mine <= value)
    if name == "email":
        return bool(order["billing_address"]["email"].casefold() == value.casefold())
    return bool(order[name] == value)


def get_order(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}, with ``include`` of fees and consignments."""
    return answer_json(_order(ask, _record(ask, order_id)))


def _record(ask: Ask, order_id: int) -> Row:
    record = ask.store.read(order_id)
    if record is None:
        raise ask.not_found()
    return record


def _order(ask: Ask, record: Row) -> Row:
    include = ask.query.get("include", [])
    if any(name not in INCLUDES for name in include):
        raise refusal("v2", 400, "The field 'include' is invalid.")
    order: Row = record["payloads"]["order"]
    path = f"/orders/{record['id']}"
    base = f"{ask.request.host_url}stores/{ask.store.hash}/v2"
    for name in ("products", "shipping_addresses", "coupons"):
        printed = name.replace("_", "")  # the link prints another name than the path has
        order[name] = _link(base, f"{path}/{printed}")
    for name in ("fees", "consignments"):
        order[name] = _link(base, f"{path}/{name}")
    if "fees" in include:
        order["fees"] = record["payloads"]["fees"]
    if "consignments" in include or "consignments.line_items" in include:
        if ask.query.get("consignment_structure") != "object":
            raise refusal("v2", 400, "The field 'consignment_structure' is invalid.")
        order["consignments"] = _consignments(record, lines="consignments.line_items" in include, base=base)
    return order


def _link(base: str, path: str) -> Row:
    return {"url": f"{base}{path}", "resource": path}


def _consignments(record: Row, *, lines: bool, base: str) -> Row:
    """The order by where its lines go; numbers here are numbers, not text (as specified)."""
    payloads = record["payloads"]
    order_path = f"/orders/{record['id']}"

    def of(kind: str) -> list[Row]:
        rows = [row for row in payloads["products"] if row["type"] == kind]
        return rows if lines else [_link(base, f"{order_path}/products/{row['id']}") for row in rows]

    shipping = [
        {name: _as_number(name, value) for name, value in address.items() if name != "order_id"}
        | {"line_items": of("physical")}
        for address in payloads["shipping_addresses"]
    ]
    email = payloads["order"]["billing_address"]["email"]
    downloads = [{"recipient_email": email, "line_items": of("digital")}] if of("digital") else []
    certificates = (
        [{"recipient_email": email, "line_items": of("giftcertificate")}] if of("giftcertificate") else []
    )
    return {
        "pickups": [],
        "shipping": shipping,
        "downloads": downloads,
        "email": {"gift_certificates": certificates},
    }


def _as_number(name: str, value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) and "cost" in name else value


def put_order(ask: Ask, order_id: int) -> Response:
    """PUT /orders/{id}: status, external order id, notes."""
    _record(ask, order_id)
    given = ask.json()
    if isinstance(given, dict):
        for name in given:
            if name in fields.ORDER_UPDATE_NOT_PLAYED:
                raise refusal("v2", 501, f"The sandbox does not play an update of '{name}'.")
    changes = dict(ask.body(fields.ORDER_UPDATE))
    if "status_id" in changes and changes["status_id"] not in STATUSES:
        raise refusal("v2", 400, "The field 'status_id' is invalid.")
    if len(changes.get("external_order_id") or "") > 255:
        raise refusal("v2", 400, "The field 'external_order_id' is invalid.")
    ask.store.update(order_id, **changes)
    return get_order(ask, order_id)


def delete_order(ask: Ask, order_id: int) -> Response:
    """DELETE /orders/{id}: archives it."""
    _record(ask, order_id)
    ask.store.archive(order_id)
    return Response(status=204)


def delete_orders(ask: Ask) -> Response:
    """DELETE /orders: archives *all* orders. Here so that a test can prove that nobody calls it."""
    for record in ask.store.records():
        ask.store.archive(record["id"])
    return Response(status=204)


def count_orders(ask: Ask) -> Response:
    """GET /orders/count: by status and in all."""
    rows = ask.store.records(_wanted(ask))
    statuses = [
        _status(status_id)
        | {
            "count": sum(row["payloads"]["order"]["status_id"] == status_id for row in rows),
            "sort_order": place,
        }
        for place, status_id in enumerate(STATUSES)
    ]
    return answer_json({"statuses": statuses, "count": len(rows)})


def list_statuses(ask: Ask) -> Response:
    """GET /order_statuses."""
    return answer_json([_status(status_id) | {"order": place} for place, status_id in enumerate(STATUSES)])


def _status(status_id: int) -> Row:
    name = STATUSES[status_id]
    return {
        "id": status_id,
        "name": name,
        "system_label": name,
        "custom_label": name,
        "system_description": name,
    }


# -- parts of an order ------------------------------------------------------------------------------


def list_products(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}/products: 50 per page by default."""
    return ask.v2_list(_record(ask, order_id)["payloads"]["products"])


def get_product(ask: Ask, order_id: int, product_id: int) -> Response:
    """GET /orders/{id}/products/{id}."""
    for row in _record(ask, order_id)["payloads"]["products"]:
        if row["id"] == product_id:
            return answer_json(row)
    raise ask.not_found()


def list_shipping_addresses(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}/shipping_addresses."""
    return ask.v2_list(_record(ask, order_id)["payloads"]["shipping_addresses"])


def list_coupons(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}/coupons."""
    return ask.v2_list(_record(ask, order_id)["payloads"]["coupons"])


def list_taxes(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}/taxes: one row per tax and address, or with ``details=true`` per line or charge."""
    rows = _record(ask, order_id)["payloads"]["taxes"]
    return ask.v2_list(rows if ask.query.get("details") else tax_summary(rows))


def list_fees(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}/fees: an object with the list, as the example shows."""
    return answer_json({"fees": _record(ask, order_id)["payloads"]["fees"]})


def list_consignments(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}/consignments."""
    base = f"{ask.request.host_url}stores/{ask.store.hash}/v2"
    return answer_json(
        _consignments(_record(ask, order_id), lines="line_items" in ask.query.get("include", []), base=base)
    )


def list_shipments(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}/shipments."""
    return ask.v2_list(_record(ask, order_id)["shipments"])


# -- the rest ---------------------------------------------------------------------------------------


def list_customer_groups(ask: Ask) -> Response:
    """GET /customer_groups."""
    rows = ask.storage.rows(f"groups:{ask.store.hash}")
    wanted = {name: value for name, value in ask.query.items() if name in ("name", "is_default")}
    return ask.v2_list([row for row in rows if all(row[name] == value for name, value in wanted.items())])


def get_customer_group(ask: Ask, group_id: int) -> Response:
    """GET /customer_groups/{id}."""
    row = ask.storage.get(f"groups:{ask.store.hash}", group_id)
    if row is None:
        raise ask.not_found()
    return answer_json(row)


def list_currencies(ask: Ask) -> Response:
    """GET /currencies."""
    settings = ask.store.settings
    fixed = {
        "country_iso2": "US", "currency_exchange_rate": "1.0000000000", "auto_update": False,
        "token_location": "left", "decimal_token": ".", "thousands_token": ",", "enabled": True,
        "is_transactional": True, "last_updated": "Tue, 03 Mar 2026 00:00:00 +0000",
        "default_for_country_codes": [], "use_default_name": True,
    }  # fmt: skip
    rows = [
        {"id": i, "is_default": code == settings["currency"], "currency_code": code, "token": code,
         "name": code, "decimal_places": places(code)} | fixed
        for i, code in enumerate(settings["currencies"], start=1)
    ]  # fmt: skip
    return ask.v2_list(rows)
