"""The v3 API: transactions, refunds, customers, hooks, channels and the little of the catalog that names
need.

Source: BigCommerce "Orders V3", "Customers V3", "Webhooks V3", "Channels V3", "Catalog V3" specifications
(docs, 2026-04).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from werkzeug import Response

from sandbox.bigcommerce import fields
from sandbox.bigcommerce.api import Ask, Row, refusal
from sandbox.bigcommerce.hooks import HookRefused
from sandbox.bigcommerce.refunds import BY_QUANTITY, GiveBack, PayBack, Refund
from sandbox.wire import answer_json

# -- money ------------------------------------------------------------------------------------------


def list_transactions(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}/transactions; 204 when there are none."""
    rows = _payloads(ask, order_id)["transactions"]
    if not rows:
        return Response(status=204)
    pagination = {"total": len(rows), "count": len(rows), "per_page": 50, "current_page": 1, "total_pages": 1}
    return answer_json(
        {"data": rows, "meta": {"pagination": pagination | {"links": {"current": "?page=1&limit=50"}}}}
    )


def _payloads(ask: Ask, order_id: int) -> Row:
    record = ask.store.read(order_id)
    if record is None:
        raise ask.not_found()
    payloads: Row = record["payloads"]
    return payloads


def list_order_refunds(ask: Ask, order_id: int) -> Response:
    """GET /orders/{id}/payment_actions/refunds."""
    rows = _payloads(ask, order_id)["refunds"]
    return answer_json(
        {"data": [row for row in rows if _paid_by(row, ask.query.get("transaction_id"))], "meta": {}}
    )


def list_refunds(ask: Ask) -> Response:
    """GET /orders/payment_actions/refunds: of all orders, oldest first."""
    rows = [row for record in ask.store.records() for row in record["payloads"]["refunds"]]
    rows = [row for row in rows if _refund_wanted(row, ask.query)]
    return ask.v3_list(sorted(rows, key=lambda row: row["id"]))


def get_refund(ask: Ask, refund_id: int) -> Response:
    """GET /orders/payment_actions/refunds/{id}."""
    for record in ask.store.records():
        for row in record["payloads"]["refunds"]:
            if row["id"] == refund_id:
                return answer_json({"data": row, "meta": {}})
    raise ask.not_found()


def _refund_wanted(row: Row, asked: Any) -> bool:
    created = fields.moment(row["created"])
    return (
        row["order_id"] in asked.get("order_id:in", [row["order_id"]])
        and row["id"] in asked.get("id:in", [row["id"]])
        and asked.get("created:min", created) <= created <= asked.get("created:max", created)
        and _paid_by(row, asked.get("transaction_id"))
    )


def _paid_by(row: Row, transaction_id: str | None) -> bool:
    return transaction_id is None or any(pay["transaction_id"] == transaction_id for pay in row["payments"])


def post_refund(ask: Ask, order_id: int) -> Response:
    """POST /orders/{id}/payment_actions/refunds."""
    payloads = _payloads(ask, order_id)
    given = ask.body(fields.REFUND)
    if "tax_adjustment_amount" not in given and not (given.get("items") and given.get("payments")):
        raise refusal("v3", 422, "items and payments are required.")
    payments = [_checked(ask, pay, fields.REFUND_PAYMENT) for pay in given.get("payments", [])]
    override = given.get("merchant_calculated_override")
    try:
        refund = Refund(
            items=tuple(_give_back(ask, payloads, item) for item in given.get("items", [])),
            payments=tuple(PayBack(p["provider_id"], p["amount"], p.get("offline", False)) for p in payments),
            tax_adjustment=given.get("tax_adjustment_amount"),
            override=(override["total_amount"], override["total_tax"]) if override else None,
        )
        number = ask.store.refund(order_id, refund)
        _check_payments(ask, order_id)
    except (ValueError, KeyError, IndexError) as error:
        raise refusal("v3", 422, str(error)) from None
    row = next(row for row in _payloads(ask, order_id)["refunds"] if row["id"] == number)
    return answer_json({"data": row, "meta": {}}, 201)


def _check_payments(ask: Ask, order_id: int) -> None:
    """Payments must add up to the refund, say the documents; the ValueError undoes it."""
    row = _payloads(ask, order_id)["refunds"][-1]
    paid = sum((pay["amount"] for pay in row["payments"]), Decimal(0))
    if row["payments"] and paid != row["total_amount"]:
        raise ValueError(f"The payments are {paid}, the refund is {row['total_amount']}.")


def _checked(ask: Ask, item: Any, table: Any) -> Row:
    try:
        return fields.body(item, table)
    except fields.BadValue as bad:
        raise refusal("v3", 422, f"The field '{bad}' is invalid.") from None


def _give_back(ask: Ask, payloads: Row, item: Any) -> GiveBack:
    item = _checked(ask, item, fields.REFUND_ITEM)
    kind = item["item_type"]
    places = {"PRODUCT": "products", "GIFT_WRAPPING": "products", "FEE": "fees"}
    ids = [row["id"] for row in payloads[places[kind]]] if kind in places else [item["item_id"]]
    if item["item_id"] not in ids or len(item.get("reason", "")) > 1000:
        raise ValueError("item_id or reason is invalid")
    adjustment = sum((Decimal(row["amount"]) for row in item.get("adjustments", [])), Decimal(0))
    return GiveBack(
        kind,
        ids.index(item["item_id"]),
        quantity=item["quantity"] if kind in BY_QUANTITY else 0,
        amount=Decimal(0) if kind in BY_QUANTITY else item["amount"],
        reason=item.get("reason", ""),
        adjustment=adjustment,
    )


def post_capture(ask: Ask, order_id: int) -> Response:
    """POST /orders/{id}/payment_actions/capture: asynchronous in the original, at once here."""
    return _act(ask, order_id, ask.store.capture)


def post_void(ask: Ask, order_id: int) -> Response:
    """POST /orders/{id}/payment_actions/void."""
    return _act(ask, order_id, ask.store.void)


def _act(ask: Ask, order_id: int, action: Any) -> Response:
    _payloads(ask, order_id)
    try:
        action(order_id)
    except LookupError as error:
        raise refusal("v3", 422, str(error)) from None
    return Response(status=201)


# -- customers --------------------------------------------------------------------------------------

CUSTOMER_PARTS = {"addresses": "addresses", "storecredit": "store_credit_amounts", "attributes": "attributes",
                  "formfields": "form_fields", "shopper_profile_id": "", "segment_ids": ""}  # fmt: skip


def list_customers(ask: Ask) -> Response:
    """GET /customers: parts only where ``include`` names them."""
    include = ask.query.get("include", [])
    if any(name not in CUSTOMER_PARTS for name in include):
        raise refusal("v3", 422, "The field 'include' is invalid.")
    hidden = {field for name, field in CUSTOMER_PARTS.items() if name not in include}
    rows = [
        row for row in ask.storage.rows(f"customers:{ask.store.hash}") if _customer_wanted(row, ask.query)
    ]
    shown = [{name: value for name, value in row.items() if name not in hidden} for row in _sorted(ask, rows)]
    return (
        ask.v3_cursor_list(shown) if "after" in ask.query or "page" not in ask.query else ask.v3_list(shown)
    )


def _sorted(ask: Ask, rows: list[Row]) -> list[Row]:
    """By id, unless ``sort`` says otherwise; not together with a cursor, which goes by id."""
    field, _, direction = ask.query.get("sort", "id:asc").partition(":")
    if field not in ("id", "date_created", "date_modified", "last_name") or direction not in ("asc", "desc"):
        raise refusal("v3", 422, "The field 'sort' is invalid.")
    return sorted(rows, key=lambda row: (row[field], row["id"]), reverse=direction == "desc")


def _customer_wanted(row: Row, asked: Any) -> bool:
    for name in ("id", "company", "customer_group_id", "phone"):
        if row[name] not in asked.get(f"{name}:in", [row[name]]):
            return False
    if "email:in" in asked and row["email"].casefold() not in {
        email.casefold() for email in asked["email:in"]
    }:
        return False
    for name in ("date_created", "date_modified"):
        mine = fields.moment(row[name])
        if not asked.get(f"{name}:min", mine) <= mine <= asked.get(f"{name}:max", mine):
            return False
    return True


def list_addresses(ask: Ask) -> Response:
    """GET /customers/addresses."""
    rows = [
        address for row in ask.storage.rows(f"customers:{ask.store.hash}") for address in row["addresses"]
    ]
    wanted = ask.query
    rows = [
        row for row in rows
        if row["customer_id"] in wanted.get("customer_id:in", [row["customer_id"]])
        and row["id"] in wanted.get("id:in", [row["id"]])
    ]  # fmt: skip
    if "formfields" not in wanted.get("include", []):
        rows = [{name: value for name, value in row.items() if name != "form_fields"} for row in rows]
    return ask.v3_list(rows)


# -- hooks ------------------------------------------------------------------------------------------


def list_hooks(ask: Ask) -> Response:
    """GET /hooks."""
    asked = {name: value for name, value in ask.query.items() if name not in ("page", "limit")}
    return ask.v3_list(
        [hook for hook in ask.store.hooks.listed() if all(hook[n] == v for n, v in asked.items())]
    )


def post_hook(ask: Ask) -> Response:
    """POST /hooks."""
    given = ask.body(fields.HOOK)
    if "scope" not in given or "destination" not in given:
        raise refusal("v3", 422, "scope and destination are required.")
    return _hook(lambda: ask.store.hooks.add(
        given["scope"], given["destination"], given.get("headers"), given.get("is_active", True)
    ))  # fmt: skip


def put_hook(ask: Ask, hook_id: int) -> Response:
    """PUT /hooks/{id}."""
    given = ask.body(fields.HOOK)
    if ask.store.hooks.get(hook_id) is None:
        raise ask.not_found()
    return _hook(lambda: ask.store.hooks.change(hook_id, **given))


def _hook(change: Any) -> Response:
    try:
        return answer_json({"data": change(), "meta": {}})
    except HookRefused as error:
        raise refusal("v3", 422, str(error)) from None


def get_hook(ask: Ask, hook_id: int) -> Response:
    """GET /hooks/{id}."""
    hook = ask.store.hooks.get(hook_id)
    if hook is None:
        raise ask.not_found()
    return answer_json({"data": hook, "meta": {}})


def delete_hook(ask: Ask, hook_id: int) -> Response:
    """DELETE /hooks/{id}: answers what was deleted."""
    answer = get_hook(ask, hook_id)
    ask.store.hooks.remove(hook_id)
    return answer


def get_hooks_admin(ask: Ask, blocked: list[Row]) -> Response:
    """GET /hooks/admin: mails, hooks with their status, blocked domains."""
    wanted = ask.query.get("is_active")
    hooks = [hook for hook in ask.store.hooks.listed() if wanted in (None, hook["is_active"])]
    rows = [hook | {"status": "active" if hook["is_active"] else "deactivated"} for hook in hooks]
    emails = ask.store.settings["hook_emails"]
    return answer_json(
        {"data": {"emails": emails, "hooks_list": rows, "blocked_domains": blocked}, "meta": {}}
    )


def put_hooks_admin(ask: Ask) -> Response:
    """PUT /hooks/admin: the addresses that are told."""
    given = ask.body(fields.HOOKS_ADMIN)
    ask.store.change(hook_emails=given.get("emails", []))
    return Response(status=204)


# -- the rest ---------------------------------------------------------------------------------------


def list_channels(ask: Ask) -> Response:
    """GET /channels."""
    rows = [
        {"id": number, "name": name, "platform": "bigcommerce", "type": "storefront", "status": "active",
         "is_listable_from_ui": True, "is_visible": True, "is_enabled": True, "external_id": "",
         "icon_url": "", "date_created": "2026-01-01T00:00:00Z", "date_modified": "2026-01-01T00:00:00Z"}
        for number, name in ask.store.settings["channels"]
    ]  # fmt: skip
    return ask.v3_list(rows)


def list_catalog_products(ask: Ask) -> Response:
    """GET /catalog/products: names, SKUs and barcodes."""
    rows = ask.storage.rows(f"products:{ask.store.hash}")
    asked = ask.query
    rows = [
        row for row in rows
        if row["sku"] in asked.get("sku:in", [asked.get("sku", row["sku"])])
        and row["upc"] == asked.get("upc", row["upc"])
        and row["id"] in asked.get("id:in", [row["id"]])
    ]  # fmt: skip
    hidden = {
        *asked.get("exclude_fields", []),
        *(() if "variants" in asked.get("include", []) else ("variants",)),
    }
    shown = {"id", *asked["include_fields"]} if "include_fields" in asked else None
    return ask.v3_list([_only(row, shown, hidden) for row in rows])


def _only(row: Row, shown: set[str] | None, hidden: set[str]) -> Row:
    return {
        name: value for name, value in row.items() if name not in hidden and (shown is None or name in shown)
    }


def list_catalog_variants(ask: Ask) -> Response:
    """GET /catalog/variants."""
    rows = [variant for row in ask.storage.rows(f"products:{ask.store.hash}") for variant in row["variants"]]
    products = ask.query.get("product_id:in")
    asked = {name: value for name, value in ask.query.items() if name in ("id", "sku", "upc")}
    rows = [row for row in rows if products is None or row["product_id"] in products]
    return ask.v3_list([row for row in rows if all(row[name] == value for name, value in asked.items())])
