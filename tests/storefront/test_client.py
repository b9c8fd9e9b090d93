"""Orders and customers are read whole, in one state, in few calls, and nothing but hooks is ever written."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import responses

from erp.contract.errors import Misconfigured, OutcomeUnknown, Refused, TryLater
from sandbox.bigcommerce import Coupon, GiveBack, Line, PayBack, Person, Refund, Shopping, Tax
from storefront.client import Wishes
from storefront.limits import Quota
from storefront.translation import translate_order
from storefront.transport import WRITES

TX = Tax("TX", "8.25")
HATS = Shopping(lines=(Line("HAT", "10.00", 3, (TX,), product_id=7),), shipping="5.00", shipping_taxes=(TX,))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def floats_in(value) -> list[float]:
    match value:
        case dict():
            return [f for v in value.values() for f in floats_in(v)]
        case list():
            return [f for v in value for f in floats_in(v)]
        case float():
            return [value]
    return []


def test_a_guest_order_with_one_tender_costs_six_calls(shop):
    order_id = shop.store.place(HATS)
    shop.client().read_order(str(order_id))
    assert shop.paths() == [
        "v2/orders/100/products?page=1&limit=250",
        "v2/orders/100/shipping_addresses?page=1&limit=250",
        "v2/orders/100/taxes?details=true&page=1&limit=250",
        "v2/orders/100?include=fees",
        "v2/orders/100?include=fees",
        "v3/orders/100/transactions",
    ]


def test_what_is_read_is_what_the_store_holds_without_a_float(shop):
    order_id = shop.store.place(HATS)
    body = shop.client().read_order(str(order_id))
    held = shop.store.order(order_id)
    for name in ("products", "taxes", "shipping_addresses"):
        assert body[name] == json.loads(json.dumps(held[name], default=str))
    assert body["order"]["total_inc_tax"] == "37.8900"
    assert body["transactions"][0]["amount"] == "37.89"
    assert (body["coupons"], body["refunds"], body["fees"], body["customer"]) == ([], [], [], None)
    assert floats_in(body) == []
    assert "url" not in json.dumps(body["order"])
    assert translate_order(body).total == Decimal("37.89")


def test_reading_twice_gives_the_same_snapshot(shop):
    order_id = shop.store.place(HATS)
    client = shop.client()
    assert client.read_order(str(order_id)) == client.read_order(str(order_id))


def test_an_order_that_the_store_does_not_know_is_none_after_one_call(shop):
    assert shop.client().read_order("4711") is None
    assert shop.paths() == ["v2/orders/4711?include=fees"]


def test_coupons_refunds_and_the_customer_are_read_where_there_are_any(shop):
    person = shop.store.add_customer(Person(email="b@example.com"))
    shopping = replace(HATS, person=person, coupons=(Coupon("TEN", 1, "10"),))
    order_id = shop.store.place(shopping)
    shop.store.refund(order_id, Refund((GiveBack("PRODUCT", 0, quantity=1),)))
    body = shop.client().read_order(str(order_id))
    assert [c["code"] for c in body["coupons"]] == ["TEN"]
    assert len(body["refunds"]) == 1
    assert body["customer"]["email"] == "b@example.com"
    assert len(shop.paths()) == 9


def test_a_declined_refund_is_found_although_the_order_s_status_does_not_tell_of_it(shop):
    order_id = shop.store.place(HATS)
    shop.store.refund(order_id, Refund((GiveBack("PRODUCT", 0, quantity=1),), (PayBack(declined=True),)))
    body = shop.client().read_order(str(order_id))
    assert body["order"]["payment_status"] == "captured"
    assert len(body["refunds"]) == 1


def test_an_order_of_two_hundred_lines_is_read_to_its_end(shop):
    lines = tuple(Line(f"SKU-{i}", "1.00", 1, (TX,)) for i in range(260))
    body = shop.client().read_order(str(shop.store.place(Shopping(lines=lines))))
    assert len(body["products"]) == 260
    assert len(body["taxes"]) == 260
    assert len({row["id"] for row in body["products"]}) == 260


def test_an_edit_during_the_read_makes_us_read_again(shop):
    order_id = shop.store.place(HATS)
    edited = replace(HATS, lines=(Line("MUG", "7.00", 1, (TX,)),))
    original, edits = shop.client().transport.get, []
    client = shop.client()

    def get(path, params=None):
        found = original(path, params)
        if path.endswith("/products") and not edits:
            shop.bigcommerce.clock.advance(2)
            edits.append(shop.store.edit(order_id, edited))
        return found

    client._get = get
    body = client.read_order(str(order_id))
    assert [row["sku"] for row in body["products"]] == ["MUG"]
    order = translate_order(body)
    assert sum(p.gross for p in (*order.lines, *order.charges)) == order.total


def test_an_order_that_never_rests_is_tried_later(shop):
    order_id = shop.store.place(HATS)
    client, original = shop.client(), shop.client().transport.get

    def get(path, params=None):
        if path.endswith("/products"):
            shop.bigcommerce.clock.advance(2)
            shop.store.update(order_id, staff_notes=str(shop.bigcommerce.clock.seconds()))
        return original(path, params)

    client._get = get
    with pytest.raises(TryLater, match="keeps changing"):
        client.read_order(str(order_id))


def test_an_order_that_is_not_readable_yet_is_none_first_and_there_later(shop):
    order_id = shop.store.place(HATS, unreadable_reads=2)
    client = shop.client()
    assert [client.read_order(str(order_id)) is None for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("record_id", ["", "../hooks", "1/../2", "100?x", "१००", "all"])
def test_only_numbers_become_part_of_an_address(shop, record_id):
    with pytest.raises(ValueError, match="is not an id of BigCommerce"):
        shop.client().read_order(record_id)
    assert shop.calls == []


def test_a_customer_comes_with_addresses_and_what_the_settings_name(shop):
    fields = [{"name": "ERP no.", "value": "C-77"}, {"name": "VAT", "value": "DE1"}]
    person = shop.store.add_customer(Person(email="b@example.com"), form_fields=fields)
    wishes = Wishes(erp_code_field="ERP no.", tax_number_field="VAT")
    body = shop.client(wishes=wishes).read_customer(str(person.customer_id))
    assert body["customer"]["addresses"][0]["city"] == "Austin"
    assert body["known_as"] == {"erp_code": "C-77", "tax_number": "DE1"}
    assert len(shop.paths()) == 1
    assert shop.client().read_customer("4711") is None


# -- headers, refusals, limits ------------------------------------------------------------------------


@responses.activate
def test_the_token_goes_into_its_own_header_and_into_nothing_else(shop):
    responses.get(f"{shop.url}/stores/abc123/v2/store", json={"name": "Hats"})
    client = shop.client()
    client.store_information()
    (call,) = responses.calls
    assert call.request.headers["X-Auth-Token"] == "token-of-the-api-account"
    assert "Authorization" not in call.request.headers
    assert call.request.headers["X-Correlation-Id"] == "c0ffee"
    assert "token-of" not in repr(client.transport.access) + call.request.url


def test_a_wrong_token_is_something_to_set_right(shop):
    with pytest.raises(Misconfigured, match="does not accept the access token of store S1") as refused:
        shop.client(token="wrong").read_order("100")
    assert refused.value.side == "store"
    assert len(shop.calls) == 1


def test_a_server_error_is_tried_again_after_a_minute_and_not_at_once(shop):
    order_id = shop.store.place(HATS)
    shop.bigcommerce.faults.add("answer", status=503, path=r".*/taxes")
    with pytest.raises(TryLater) as later:
        shop.client().read_order(str(order_id))
    assert later.value.after == timedelta(minutes=1)
    assert len([path for path in shop.paths() if "taxes" in path]) == 1


def test_a_connection_that_breaks_is_tried_again_at_once(shop):
    order_id = shop.store.place(HATS)
    shop.bigcommerce.faults.add("drop", path=r".*/transactions", count=2)
    body = shop.client().read_order(str(order_id))
    assert len(body["transactions"]) == 1
    assert len([path for path in shop.paths() if "transactions" in path]) == 3


def test_a_connection_that_stays_broken_is_given_up(shop):
    shop.bigcommerce.faults.add("drop", count=None)
    with pytest.raises(TryLater):
        shop.client().read_order("100")
    assert len(shop.calls) == 4


def test_a_page_of_html_is_tried_later_and_not_an_order(shop):
    shop.bigcommerce.faults.add("answer", status=200, body="<html>Maintenance</html>")
    with pytest.raises(TryLater, match="not JSON"):
        shop.client().read_order("100")


@responses.activate
def test_an_empty_answer_is_an_empty_list(shop):
    for status in (200, 204):
        responses.get(f"{shop.url}/stores/abc123/v2/orders", status=status, body=b"")
        assert shop.client().read_page("v2/orders", {}) == []


@responses.activate
def test_a_refusal_keeps_bigcommerce_s_own_words(shop):
    content = {"status": 422, "title": "Invalid filter", "errors": {"created:min": "not a date"}}
    responses.get(f"{shop.url}/stores/abc123/v3/customers", status=422, json=content)
    with pytest.raises(Refused, match="Invalid filter; created:min: not a date"):
        shop.client().read_page("v3/customers", {})


@responses.activate
def test_a_redirect_is_not_followed_with_our_token(shop):
    responses.get(
        f"{shop.url}/stores/abc123/v2/store", status=302, headers={"Location": "https://evil.example/"}
    )
    with pytest.raises(Misconfigured, match="leads elsewhere"):
        shop.client().store_information()
    assert len(responses.calls) == 1


def test_deleting_orders_cannot_be_asked_for(shop):
    client = shop.client()
    for method, path in (("DELETE", "v2/orders"), ("DELETE", "v2/orders/100"), ("PUT", "v2/orders/100"),
                         ("DELETE", "v3/hooks/1/../../v2/orders"), ("POST", "v3/hooks/"), ("DELETE", "v3/hooks/1\n")):  # fmt: skip
        with pytest.raises(ValueError, match="is not something we send"):
            client.transport.write(method, path)
    assert shop.calls == []
    assert {path.split("/")[1].split("\\")[0] for _, path in WRITES} == {"hooks"}


def test_a_write_that_got_no_answer_is_sent_once(shop):
    shop.bigcommerce.faults.add("drop", moment="after", method="POST", path=r".*/hooks")
    content = {"scope": "store/order/*", "destination": "http://127.0.0.1:1/x", "is_active": True}
    with pytest.raises(OutcomeUnknown) as unknown:
        shop.client().transport.write("POST", "v3/hooks", content)
    assert unknown.value.side == "store"
    assert len(shop.calls) == 1
    assert len(shop.store.hooks.listed()) == 1


def test_a_used_up_quota_stops_every_worker_without_a_call(shop):
    order_id = str(shop.store.place(HATS))
    shop.bigcommerce.faults.add("throttle")
    one, another = shop.client(), shop.client()
    with pytest.raises(TryLater) as later:
        one.read_order(order_id)
    assert timedelta(seconds=4) < later.value.after <= timedelta(seconds=30)
    shop.calls.clear()
    with pytest.raises(TryLater):
        another.read_order(order_id)
    assert shop.calls == []
    shop.bigcommerce.clock.advance(31)
    shop.cache.clear()  # its own clock has not moved
    assert another.read_order(order_id) is not None


def test_workers_stop_before_the_store_has_to_refuse_them(shop):
    order_id = str(shop.store.place(HATS))
    shop.store.change(quota=15)
    clients = [shop.client(), shop.client()]

    def read_on():
        for client in itertools.cycle(clients):
            client.read_order(order_id)

    with pytest.raises(TryLater):
        read_on()
    assert {call.status for call in shop.calls} == {200}
    assert len(shop.calls) <= 15


def test_a_count_that_outlived_its_window_does_not_stop_the_store_for_ever(shop):
    """What `incr` leaves behind when the key ends between its look and its count: found by `./tieout prove`."""
    order_id = str(shop.store.place(HATS))
    shop.store.change(quota=200)
    client = shop.client()
    shop.cache.set(f"bc:{shop.url}:left", -1, timeout=None)

    for _ in range(5):
        assert client.read_order(order_id) is not None


def test_background_work_leaves_live_calls_their_share_of_the_window(shop):
    shop.store.change(quota=100)
    shop.client().store_information()
    live = Quota(shop.cache, shop.url, clock=shop.bigcommerce.clock.seconds)
    background = Quota(shop.cache, shop.url, clock=shop.bigcommerce.clock.seconds, percent=25)

    for _ in range(94 - 75):  # 99 are left of 100, five are the shop's other apps', 75 are live work's
        background.take()
    with pytest.raises(TryLater) as refused:
        background.take()
    assert refused.value.after > timedelta(seconds=20)

    for _ in range(75):  # what it was refused is not used up
        live.take()
    with pytest.raises(TryLater):
        live.take()


def test_without_the_cache_the_store_s_own_429_stops_us(shop):
    class Away:
        def __getattr__(self, name):
            def fail(*args, **kwargs):
                raise ConnectionError("the cache is away")

            return fail

    shop.cache = Away()
    order_id = str(shop.store.place(HATS))
    assert shop.client().read_order(order_id) is not None
    shop.bigcommerce.faults.add("throttle")
    with pytest.raises(TryLater):
        shop.client().read_order(order_id)


def test_a_429_without_headers_makes_the_waits_grow(shop):
    waits = []
    for _ in range(3):
        shop.bigcommerce.faults.add("overload")
        with pytest.raises(TryLater) as later:
            shop.client().store_information()
        waits.append(round(later.value.after.total_seconds()))
        shop.bigcommerce.clock.advance(waits[-1] + 1)
    assert waits == [30, 60, 120]


def test_a_window_that_ends_in_a_moment_is_waited_for(shop):
    order_id = str(shop.store.place(HATS))
    headers = {"X-Rate-Limit-Time-Reset-Ms": "1500"}
    shop.bigcommerce.faults.add("answer", status=429, headers=headers, path=r"/orders/\d+\?")
    assert shop.client().read_order(order_id) is not None
    assert len(shop.slept) == 1
    assert 1.4 < shop.slept[0] < 2
