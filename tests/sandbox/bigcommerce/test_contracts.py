"""The sandbox's field tables, answers and webhook shapes against BigCommerce's published contracts."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator

from sandbox.bigcommerce import BigCommerce, GiveBack, Person, Refund, Tender, fields
from sandbox.bigcommerce.app import ROUTES
from sandbox.bigcommerce.events import DATA
from sandbox.scenarios import CASES
from sandbox.wire import dumps

FOUND = (
    Path(os.environ.get("TIEOUT_CONTRACTS") or "absent") / "bigcommerce",
    Path(__file__).resolve().parents[4] / "shared" / "contracts" / "bigcommerce",
)
CONTRACTS = next((path for path in FOUND if path.is_dir()), None)
pytestmark = [
    pytest.mark.public_contract,
    pytest.mark.skipif(CONTRACTS is None, reason="contracts ABSENT: bigcommerce"),
]

SPECIFIED_IN = {
    "/v2/store": "store_information.v2", "/v2/time": "store_information.v2", "/v2/orders": "orders.v2.oas2",
    "/v2/order_statuses": "orders.v2.oas2", "/v2/customer_groups": "customers.v2", "/v2/currencies": "currencies.v2",
    "/v3/orders": "orders.v3", "/v3/customers": "customers.v3", "/v3/hooks": "webhooks.v3",
    "/v3/channels": "channels.v3", "/v3/catalog/products": "catalog/products_catalog.v3",
    "/v3/catalog/variants": "catalog/product-variants_catalog.v3",
}  # fmt: skip
# In BigCommerce's own example answers, though its schemas do not have them.
ONLY_IN_EXAMPLES = {"credit_card_type", "custom_status"}
# A request may refund TAX, but the schema of the answer has no such kind: we show it as it was asked for. An empty
# list of discount rules fits both of the schema's alternatives, of which only one may.
QUIRKS = ("'TAX' is not one of", "discount_rules: [] is valid under each of")


@cache
def contract(name: str) -> dict[str, Any]:
    assert CONTRACTS is not None
    document: dict[str, Any] = yaml.safe_load((CONTRACTS / "reference" / f"{name}.yml").read_text())
    return document


@cache
def validator(name: str, schema: str) -> OAS30Validator:
    components = contract(name)["components"]
    return OAS30Validator({"$ref": f"#/components/schemas/{schema}", "components": components})


def properties(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """All properties of a schema, with those of what it refers to."""
    if "$ref" in schema:
        schema = contract(name)["components"]["schemas"][schema["$ref"].split("/")[-1]]
    found: dict[str, Any] = {}
    for kind in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(kind, []):
            found |= properties(name, part)
    return found | schema.get("properties", {})


def complaints(name: str, schema: str, row: Any) -> list[str]:
    """What the contract says about a row of ours, as it goes over the wire."""
    errors = validator(name, schema).iter_errors(json.loads(dumps(row)))
    said = [f"{'.'.join(map(str, error.path))}: {error.message[:200]}" for error in errors]
    return [sentence for sentence in said if not any(quirk in sentence for quirk in QUIRKS)]


def unknown(name: str, schema: str, row: dict[str, Any]) -> set[str]:
    return set(row) - set(properties(name, {"$ref": f"/{schema}"}))


def specified(key: str) -> dict[str, Any]:
    """The operation of the contract for one of our routes."""
    method, path = key.split()
    name = next(SPECIFIED_IN[start] for start in sorted(SPECIFIED_IN, reverse=True) if path.startswith(start))
    short = path.removeprefix("/v2").removeprefix("/v3")
    paths = contract(name)["paths"]
    item = paths.get(short) or paths.get(short.removeprefix("/catalog")) or paths[f"/catalog{short}"]
    operation = item[method.lower()]
    given = [*item.get("parameters", []), *operation.get("parameters", [])]
    parameters = [
        contract(name)["components"]["parameters"][p["$ref"].split("/")[-1]] if "$ref" in p else p
        for p in given
    ]
    return {
        "query": {p["name"]: p for p in parameters if p["in"] == "query"},
        "operation": operation,
        "name": name,
    }


@pytest.mark.parametrize("key", sorted(ROUTES))
def test_every_route_and_each_query_parameter_it_takes_is_in_the_contract(key: str) -> None:
    assert set(fields.QUERIES[key]) <= set(specified(key)["query"]) | _paging_of(key)


def _paging_of(key: str) -> set[str]:
    """Every collection pages, says the introduction; these two specifications forget to list it."""
    return {"page", "limit"} if key in ("GET /v2/customer_groups", "GET /v3/channels") else set()


def test_the_list_of_orders_takes_every_filter_of_the_contract() -> None:
    assert set(fields.QUERIES["GET /v2/orders"]) == set(specified("GET /v2/orders")["query"])
    assert set(fields.QUERIES["GET /v2/orders/count"]) == set(specified("GET /v2/orders/count")["query"])


def test_the_fields_of_an_order_update_are_those_of_the_contract() -> None:
    known = set(properties("orders.v2.oas2", {"$ref": "/order_Put"}))
    ours = set(fields.ORDER_UPDATE) | fields.ORDER_UPDATE_NOT_PLAYED
    assert ours - known == {"is_deleted"}, "archiving by PUT stands in the guide, not in the schema"
    assert known - ours == {"external_id", "external_merchant_id"}, "read-only, and refused in a PUT"


def test_the_fields_of_hooks_and_refunds_are_those_of_the_contract() -> None:
    assert set(fields.HOOK) == set(properties("webhooks.v3", {"$ref": "/webhook_Base"}))
    assert set(fields.REFUND) == set(properties("orders.v3", {"$ref": "/RefundRequest_Post"}))
    assert set(fields.REFUND_PAYMENT) == set(properties("orders.v3", {"$ref": "/PaymentRequest"}))
    assert set(fields.REFUND_ITEM) == set(properties("orders.v3", {"$ref": "/ItemsRefund"}))


@pytest.mark.parametrize("case", sorted(CASES))
def test_what_is_answered_about_an_order_fits_the_contract(case: str) -> None:
    said = CASES[case].payloads()
    v2 = {
        "products": "orderProducts", "taxes": "orderTaxes_Base", "coupons": "orderCoupons_Base",
        "shipping_addresses": "orderShippingAddress", "fees": "orderFees_Resp",
    }  # fmt: skip
    for part, schema in v2.items():
        for row in said[part]:
            row = {name: value for name, value in row.items() if value is not None}
            assert complaints("orders.v2.oas2", schema, row) == []
            assert unknown("orders.v2.oas2", schema, row) == set()
    for part, schema in {"transactions": "Transaction", "refunds": "Refund"}.items():
        for row in said[part]:
            row = {name: value for name, value in row.items() if value is not None}
            assert complaints("orders.v3", schema, row) == []
            assert unknown("orders.v3", schema, row) == set()
    extra = {"isInvoiceOrder"} if case == "invoice_order" else set()
    assert unknown("orders.v2.oas2", "order_Resp", said["order"]) - ONLY_IN_EXAMPLES == extra


def test_an_order_is_complete() -> None:
    said = CASES["all_charges_with_tax"].payloads()
    for part, schema in {
        "products": "orderProducts",
        "taxes": "orderTaxes_Base",
        "fees": "orderFees_Resp",
    }.items():
        assert set(properties("orders.v2.oas2", {"$ref": f"/{schema}"})) == set(said[part][0])
    links = {
        "products",
        "shipping_addresses",
        "coupons",
        "fees",
        "consignments",
    }  # added where it is asked for
    assert set(properties("orders.v2.oas2", {"$ref": "/order_Resp"})) - set(said["order"]) == links


def test_a_customer_fits_the_contract() -> None:
    bigcommerce = BigCommerce()
    bigcommerce.add_store("x").add_customer(Person())
    (row,) = bigcommerce.storage.rows("customers:x")
    assert complaints("customers.v3", "customer_Full", row) == []
    assert unknown("customers.v3", "customer_Full", row) == set()
    assert set(properties("customers.v3", {"$ref": "/address_Full"})) == set(row["addresses"][0])


@pytest.mark.parametrize(
    ("path", "name", "schema"),
    [
        ("/v2/store", "store_information.v2", "StoreInformation"),
        ("/v2/currencies", "currencies.v2", "currency_Full"),
        ("/v2/customer_groups", "customers.v2", "customerGroup_Full"),
        ("/v2/order_statuses", "orders.v2.oas2", "orderStatus_Base"),
        ("/v3/hooks", "webhooks.v3", "webhook_Full"),
    ],
)
def test_the_other_answers_fit_the_contract(shop: Any, path: str, name: str, schema: str) -> None:
    shop.app.add_group("abc123", 1, "Wholesale")
    shop.store.hooks.add("store/order/*", "https://erp.example/in", {"X-Secret": "1"})
    answer = shop.get(path).json()
    row = answer["data"][0] if path.startswith("/v3") else answer[0] if isinstance(answer, list) else answer
    assert complaints(name, schema, row) == []
    assert unknown(name, schema, row) - {"order"} == set()


# -- webhooks -------------------------------------------------------------------------------------------


@cache
def events() -> dict[str, Any]:
    assert CONTRACTS is not None
    told: dict[str, Any] = json.loads((CONTRACTS / "webhooks" / "webhook_events.derived.json").read_text())[
        "events"
    ]
    return told


def shape(value: Any) -> Any:
    """Names and types, without values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def everything_told() -> dict[str, dict[str, Any]]:
    """One message of every scope that the sandbox's stores send by themselves."""
    bigcommerce = BigCommerce(local_hooks=True)
    store = bigcommerce.add_store("x")
    store.hooks.add("store/*", "http://127.0.0.1:9/")
    case = CASES["authorized_only"]
    order_id = store.place(case.shopping)
    store.capture(order_id)
    store.refund(order_id, Refund((GiveBack("SHIPPING", amount="1"),)))
    store.ship(order_id)
    store.archive(order_id)
    store.pay(order_id, Decimal("1.00"), Tender())
    person = store.add_customer(Person())
    store.change_customer(person.customer_id, company="New")
    store.change_address(person.customer_id, person.customer_id * 10 + 1, city="Berlin")
    return {row["scope"]: json.loads(row["body"]) for row in store.hooks.deliveries()}


def test_webhooks_have_the_shapes_of_the_documents() -> None:
    told = everything_told()
    assert len(told) >= 13
    for scope, body in told.items():
        known = events()[scope.replace("store/channel/1/", "store/channel/{channel_id}/")]
        example = known.get("example_payload")
        if example is None:
            continue
        assert set(example) <= set(body), scope
        assert shape(body["data"]) == shape(example["data"]), scope
        assert (type(body["store_id"]), type(body["created_at"]), len(body["hash"])) == (str, int, 40)


# -- arithmetic -----------------------------------------------------------------------------------------


def test_the_identities_hold_for_bigcommerce_s_own_examples() -> None:
    examples = contract("orders.v2.oas2")["components"]["responses"]["order_Resp"]["content"][
        "application/json"
    ]
    checked = 0
    for example in examples["examples"].values():
        order = example["value"]
        groups = ("subtotal", "shipping_cost", "handling_cost", "wrapping_cost")
        parts = sum((Decimal(order[f"{group}_inc_tax"]) for group in groups), Decimal(0))
        reductions = Decimal(order["discount_amount"]) + Decimal(order["coupon_discount"])
        assert parts - reductions == Decimal(order["total_inc_tax"]), order["id"]
        assert Decimal(order["total_ex_tax"]) + Decimal(order["total_tax"]) == Decimal(order["total_inc_tax"])
        checked += 1
    assert checked >= 2


@pytest.mark.parametrize("scope", sorted(DATA))
def test_the_data_of_every_scope_has_the_documented_shape(scope: str) -> None:
    known = events().get(scope) or events().get(scope.replace("/channel/1/", "/channel/{channel_id}/"))
    assert known is not None, f"{scope} is not documented"
    example = known.get("example_payload")
    if isinstance(example, dict) and "data" in example:
        assert shape(DATA[scope]) == shape(example["data"])
