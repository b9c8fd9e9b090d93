"""The two APIs over real HTTP: what a client of BigCommerce has to live with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox.bigcommerce import Line, Person, Shopping, Tax, Tender
from sandbox.scenarios import CASES
from sandbox.wire import loads

PLAIN = Shopping(lines=(Line("A", "10.00", 2, (Tax("TX", "8.25"),)),))


def test_the_token_is_asked_for_and_a_bearer_token_is_not_taken(shop: Any) -> None:
    url = f"{shop.server.url}/stores/abc123"
    for headers in ({}, {"Authorization": "Bearer secret-token"}, {"X-Auth-Token": "wrong"}):
        v2, v3 = (
            requests.get(url + path, headers=headers, timeout=10) for path in ("/v2/store", "/v3/hooks")
        )
        assert (v2.status_code, v3.status_code) == (401, 401)
        assert v2.json()[0]["status"] == 401
        assert v3.json()["title"].startswith("Unauthorized")
        assert "X-Rate-Limit-Requests-Left" not in v2.headers
    other = requests.get(
        f"{shop.server.url}/stores/other/v2/store", headers={"X-Auth-Token": "secret-token"}, timeout=10
    )
    assert other.status_code == 401


def test_an_empty_v2_collection_is_204_without_a_body(shop: Any) -> None:
    answer = shop.get("/v2/orders")
    assert (answer.status_code, answer.content) == (204, b"")
    order_id = shop.store.place(PLAIN)
    for part in ("coupons", "shipments"):
        answer = shop.get(f"/v2/orders/{order_id}/{part}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert shop.get("/v3/customers").json()["meta"]["pagination"]["total"] == 0


def test_unknown_parameters_fields_and_types_are_refused_in_each_version_s_shape(shop: Any) -> None:
    order_id = shop.store.place(PLAIN)
    refused = [
        (shop.get("/v2/orders", colour="red"), 400),
        (shop.get("/v2/orders", min_id="x"), 400),
        (shop.get("/v2/orders", sort="colour"), 400),
        (shop.get("/v2/orders", min_date_modified="yesterday"), 400),
        (shop.get("/v2/orders", limit=251), 413),
        (shop.get(f"/v2/orders/{order_id}", include="consignments"), 400),
        (shop.call("PUT", f"/v2/orders/{order_id}", json={"colour": "red"}), 400),
        (shop.call("PUT", f"/v2/orders/{order_id}", json={"status_id": "11"}), 400),
        (shop.call("PUT", f"/v2/orders/{order_id}", json={"status_id": True}), 400),
        (shop.call("PUT", f"/v2/orders/{order_id}", json={"external_merchant_id": "1"}), 400),
        (shop.call("PUT", f"/v2/orders/{order_id}", data="{}"), 415),
        (shop.call("POST", "/v2/store"), 405),
        (shop.get("/v2/nothing"), 404),
    ]
    for answer, status in refused:
        assert answer.status_code == status, answer.url
        assert answer.json()[0]["status"] == status
    answer = shop.get("/v3/customers", colour="red")
    assert (answer.status_code, answer.json()["status"]) == (422, 422)
    assert set(answer.json()) == {"status", "title", "type", "errors"}


def test_orders_are_filtered_sorted_and_paged(shop: Any) -> None:
    ids = [shop.store.place(PLAIN) for _ in range(7)]
    shop.app.clock.advance(60)
    shop.store.set_status(ids[2], 10)
    assert [row["id"] for row in shop.get("/v2/orders", limit=3, page=2).json()] == ids[3:6]
    assert [row["id"] for row in shop.get("/v2/orders", limit=3, page=3).json()] == ids[6:]
    assert shop.get("/v2/orders", limit=3, page=4).status_code == 204
    assert [row["id"] for row in shop.get("/v2/orders", status_id=10).json()] == [ids[2]]
    since = (shop.app.clock.now() - timedelta(seconds=30)).isoformat()
    assert [row["id"] for row in shop.get("/v2/orders", min_date_modified=since).json()] == [ids[2]]
    newest = shop.get("/v2/orders", sort="date_modified:desc", limit=1).json()
    assert [row["id"] for row in newest] == [ids[2]]
    assert [row["id"] for row in shop.get("/v2/orders", min_id=ids[5]).json()] == ids[5:]
    assert shop.get("/v2/orders/count").json()["count"] == 7


def test_fifty_lines_are_a_page(shop: Any) -> None:
    order_id = shop.store.place(CASES["more_than_fifty_lines"].shopping)
    path = f"/v2/orders/{order_id}/products"
    assert [len(shop.get(path, page=page).json()) for page in (1, 2)] == [50, 7]
    assert shop.get(path, page=3).status_code == 204
    assert len(shop.get(path, limit=250).json()) == 57


def test_one_call_can_bring_lines_addresses_and_fees(shop: Any) -> None:
    order_id = shop.store.place(CASES["all_charges_with_tax"].shopping)
    order = shop.get(
        f"/v2/orders/{order_id}",
        include="consignments,consignments.line_items,fees", consignment_structure="object",
    ).json()  # fmt: skip
    said = shop.store.order(order_id)
    (shipping,) = order["consignments"]["shipping"]
    assert shipping["line_items"] == said["products"]
    assert order["fees"] == said["fees"]
    assert shipping["cost_inc_tax"] == 12.99, "numbers here, text elsewhere"
    plain = shop.get(f"/v2/orders/{order_id}").json()
    assert plain["fees"] == {
        "url": f"{shop.server.url}/stores/abc123/v2/orders/{order_id}/fees",
        "resource": f"/orders/{order_id}/fees",
    }
    assert plain["shipping_addresses"]["resource"] == f"/orders/{order_id}/shippingaddresses"


def test_taxes_come_summed_or_in_detail(shop: Any) -> None:
    order_id = shop.store.place(CASES["several_lines_with_rounding"].shopping)
    (summed,) = shop.get(f"/v2/orders/{order_id}/taxes").json()
    detailed = shop.get(f"/v2/orders/{order_id}/taxes", details="true").json()
    assert [row["line_item_type"] for row in detailed] == ["item", "item", "shipping"]
    assert "order_product_id" not in summed
    assert Decimal(summed["line_amount"]) == sum(Decimal(row["line_amount"]) for row in detailed)


def test_amounts_are_exact_in_the_answer(shop: Any) -> None:
    order_id = shop.store.place(replace(PLAIN, currency="KWD", lines=(Line("A", "0.105"),)))
    answer = shop.get(f"/v3/orders/{order_id}/transactions")
    assert '"amount":0.105,' in answer.text
    assert loads(answer.content)["data"][0]["amount"] == Decimal("0.105")
    silent = shop.store.place(replace(PLAIN, tenders=(Tender("offline_silent"),)))
    assert shop.get(f"/v3/orders/{silent}/transactions").status_code == 204


def test_an_update_writes_the_external_id_and_announces_itself(shop: Any) -> None:
    order_id = shop.store.place(PLAIN)
    answer = shop.call("PUT", f"/v2/orders/{order_id}", json={"external_order_id": "4711", "status_id": 10})
    assert (answer.json()["external_order_id"], answer.json()["status"]) == ("4711", "Completed")
    assert [row["id"] for row in shop.get("/v2/orders", external_order_id="4711").json()] == [order_id]


def test_an_order_can_be_unreadable_at_first(shop: Any) -> None:
    order_id = shop.store.place(PLAIN, unreadable_reads=2)
    assert shop.get("/v2/orders").status_code == 204
    seen = [shop.get(f"/v2/orders/{order_id}").status_code for _ in range(3)]
    assert seen == [404, 404, 200]


def test_deleting_all_orders_archives_them_so_that_a_test_would_notice(shop: Any) -> None:
    ids = [shop.store.place(PLAIN) for _ in range(3)]
    assert shop.call("DELETE", f"/v2/orders/{ids[0]}").status_code == 204
    assert [shop.store.order(order_id)["order"]["is_deleted"] for order_id in ids] == [True, False, False]
    assert shop.call("DELETE", "/v2/orders").status_code == 204
    assert all(shop.store.order(order_id)["order"]["is_deleted"] for order_id in ids)


def test_whether_archived_orders_are_listed_and_refunds_touch_the_order_are_settings(shop: Any) -> None:
    archived, refunded = shop.store.place(PLAIN), shop.store.place(PLAIN)
    shop.store.archive(archived)
    before = shop.store.order(refunded)["order"]["date_modified"]
    shop.app.clock.advance(60)
    shop.store.change(lists_archived=False, parts_touch_order=False)
    shop.store.refund(refunded)
    assert [row["id"] for row in shop.get("/v2/orders").json()] == [refunded]
    assert shop.store.order(refunded)["order"]["date_modified"] == before
    shop.store.change(lists_archived=True, parts_touch_order=True)
    assert len(shop.get("/v2/orders").json()) == 2


# -- limits -------------------------------------------------------------------------------------------


def test_the_quota_is_counted_per_window_and_told_in_headers(shop: Any) -> None:
    shop.store.change(quota=3)
    answers = [shop.get("/v2/time") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["X-Rate-Limit-Requests-Left"] for answer in answers] == ["2", "1", "0", "0"]
    refused = answers[-1]
    assert refused.headers["X-Rate-Limit-Time-Reset-Ms"] == "30000"
    assert refused.headers["X-Rate-Limit-Time-Window-Ms"] == "30000"
    assert refused.headers["X-Rate-Limit-Requests-Quota"] == "3"
    assert refused.headers["X-Retry-After"] == "30"
    assert refused.json()[0]["status"] == 429
    shop.app.clock.advance(30)
    assert shop.get("/v2/time").status_code == 200


def test_429_comes_with_and_without_headers(shop: Any) -> None:
    shop.app.faults.add("overload", path="/v3/")
    bare = shop.get("/v3/hooks")
    assert bare.status_code == 429
    assert not [name for name in bare.headers if name.lower().startswith("x-r")]
    shop.app.faults.add("throttle")
    assert "X-Retry-After" in shop.get("/v3/hooks").headers


def test_a_500_after_an_update_has_updated(shop: Any) -> None:
    order_id = shop.store.place(PLAIN)
    shop.app.faults.add("answer", status=500, moment="after", method="PUT")
    assert shop.call("PUT", f"/v2/orders/{order_id}", json={"staff_notes": "x"}).status_code == 500
    assert shop.store.order(order_id)["order"]["staff_notes"] == "x"


# -- refunds, customers, hooks ----------------------------------------------------------------------------


def test_a_refund_over_the_api_is_the_refund_of_the_store(shop: Any) -> None:
    order_id = shop.store.place(PLAIN)
    line = shop.store.order(order_id)["products"][0]["id"]
    item = {"item_type": "PRODUCT", "item_id": line, "quantity": 1, "reason": "Broken"}
    wrong = {"items": [item], "payments": [{"provider_id": "braintree", "amount": 1.0, "offline": False}]}
    path = f"/v3/orders/{order_id}/payment_actions/refunds"
    assert shop.call("POST", path, json=wrong).status_code == 422
    right = {"items": [item], "payments": [{"provider_id": "braintree", "amount": 10.83, "offline": False}]}
    answer = shop.call("POST", path, json=right)
    assert answer.status_code == 201
    assert (answer.json()["data"]["total_amount"], answer.json()["data"]["total_tax"]) == (10.83, 0.83)
    credit = {
        "items": [item],
        "payments": [{"provider_id": "storecredit", "amount": 10.82, "offline": False}],
    }
    guest = shop.call("POST", path, json=credit)
    assert (guest.status_code, guest.json()["title"]) == (
        422,
        "Unable to provide store credit for a guest customer.",
    )
    assert [row["total_amount"] for row in shop.get(path).json()["data"]] == [10.83]
    since = shop.app.clock.now().replace(microsecond=0).isoformat()
    assert len(shop.get("/v3/orders/payment_actions/refunds", created__min=since).json()["data"]) == 1
    shop.app.clock.advance(60)
    later = shop.app.clock.now().isoformat()
    assert shop.get("/v3/orders/payment_actions/refunds", created__min=later).json()["data"] == []


def test_customers_show_their_parts_only_when_asked(shop: Any) -> None:
    person = shop.store.add_customer(Person(email="Ana@Example.com"), customer_group_id=3)
    (row,) = shop.get("/v3/customers", email__in="ana@example.com").json()["data"]
    assert (row["id"], row["customer_group_id"], "addresses" in row) == (person.customer_id, 3, False)
    included = shop.get("/v3/customers", id__in=person.customer_id, include="addresses,formfields").json()
    (row,) = included["data"]
    assert row["addresses"][0]["city"] == "Austin"
    assert row["form_fields"] == []
    assert (
        shop.get("/v3/customers/addresses", customer_id__in=person.customer_id).json()["data"][0]["id"] == 11
    )


def test_the_catalog_tells_names_barcodes_and_categories(shop: Any) -> None:
    shop.app.add_product("abc123", 7, "HAT", "A hat", upc="4006381333931", price="19.99", categories=(3, 4))
    shop.app.add_product("abc123", 8, "MUG", "A mug")
    (hat,) = shop.get("/v3/catalog/products", id__in="7,9", include_fields="categories").json()["data"]
    assert hat == {"id": 7, "categories": [3, 4]}
    (hat,) = shop.get("/v3/catalog/products", sku="HAT", include="variants").json()["data"]
    assert (hat["price"], hat["variants"][0]["upc"]) == (19.99, "4006381333931")
    (mug,) = shop.get("/v3/catalog/variants", product_id__in="8").json()["data"]
    assert mug["sku"] == "MUG"


def test_who_orders_as_a_customer_has_an_account(shop: Any) -> None:
    shop.store.place(replace(PLAIN, person=Person(email="old@example.com", customer_id=2)))
    assert shop.get("/v3/customers", id__in="2").json()["data"][0]["email"] == "old@example.com"
    assert [shop.store.add_customer(Person()).customer_id for _ in range(2)] == [1, 3]


def test_hooks_are_managed_and_bad_destinations_refused(shop: Any) -> None:
    def post(**body: Any) -> requests.Response:
        answer: requests.Response = shop.call("POST", "/v3/hooks", json=body)
        return answer

    made = post(scope="store/order/*", destination="https://erp.example/x", headers={"X-S": "1"})
    assert made.status_code == 200
    hook = made.json()["data"]
    assert (hook["is_active"], hook["headers"]) == (True, {"X-S": "1"})
    assert post(scope="store/order/*", destination="https://erp.example/x").status_code == 422, (
        "exactly one each"
    )
    for bad in (
        "http://erp.example/x",
        "https://erp.example:8443/x",
        "ftp://erp.example",
        "http://10.0.0.1:80/",
    ):
        assert post(scope="store/order/*", destination=bad).status_code == 422
    assert post(scope="store/order/*").status_code == 422
    for number in range(9):
        assert post(scope="store/order/*", destination=f"https://erp.example/{number}").status_code == 200
    assert post(scope="store/order/*", destination="https://erp.example/11").status_code == 422, (
        "ten per scope"
    )
    path = f"/v3/hooks/{hook['id']}"
    assert shop.call("PUT", path, json={"is_active": False}).json()["data"]["is_active"] is False
    inactive = shop.get("/v3/hooks/admin", is_active="false").json()["data"]["hooks_list"]
    assert [row["status"] for row in inactive] == ["deactivated"]
    assert shop.call("DELETE", path).json()["data"]["id"] == hook["id"]
    assert shop.call("GET", path).status_code == 404
    shop.store.change(local_hooks=False)
    assert post(scope="store/*", destination="http://127.0.0.1:80/").status_code == 422


@pytest.mark.parametrize(
    "path", ["/v2/store", "/v2/time", "/v2/order_statuses", "/v2/currencies", "/v3/channels"]
)
def test_the_rest_answers(shop: Any, path: str) -> None:
    assert shop.get(path).status_code == 200


def test_orders_can_be_placed_and_changed_over_the_control_api(shop: Any) -> None:
    control = f"{shop.server.url}/_control/stores/abc123"
    lines = [{"sku": "A", "price": "10.00", "quantity": 2, "taxes": [{"name": "TX", "rate": "8.25"}]}]
    tenders = [{"way": "authorized"}]
    order_id = requests.post(f"{control}/place", json={"lines": lines, "tenders": tenders}, timeout=10).json()
    assert shop.get(f"/v2/orders/{order_id}").json()["total_inc_tax"] == "21.6500"
    requests.post(f"{control}/capture", json={"order_id": order_id}, timeout=10)
    refund = {"order_id": order_id, "items": [{"kind": "PRODUCT", "line": 0, "quantity": 1}]}
    requests.post(f"{control}/refund", json=refund, timeout=10)
    assert [row["event"] for row in shop.store.order(order_id)["transactions"]] == [
        "authorization",
        "capture",
        "refund",
    ]
    wrong = requests.post(f"{control}/place", json={"lines": [], "colour": "red"}, timeout=10)
    assert (wrong.status_code, "no 'colour'" in wrong.json()["error"]) == (400, True)
