"""Every payload that BigCommerce documents says which record to read again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.events import BadPayload, parse, store_event

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def body(scope, data, **changes):
    envelope = {
        "scope": scope,
        "store_id": "1025646",
        "data": data,
        "hash": "dd70c0976e06b67aaf671e73f49dcb79230ebf9d",
        "created_at": 1561479335,
        "producer": "stores/abc123",
    }
    return json.dumps({**envelope, **changes}).encode()


def event(scope, data, *, delivery_id="msg_1", now=NOW, **changes):
    return store_event(parse(body(scope, data, **changes)), delivery_id=delivery_id, stale=False, now=now)


@pytest.mark.parametrize(
    ("scope", "data", "expected"),
    [
        ("store/order/created", {"type": "order", "id": 250}, ("order", "250")),
        ("store/order/updated", {"type": "order", "id": 250}, ("order", "250")),
        ("store/order/archived", {"type": "order", "id": 250}, ("order", "250")),
        (
            "store/order/statusUpdated",
            {"type": "order", "id": 250, "status": {"previous_status_id": 0, "new_status_id": 11}},
            ("order", "250"),
        ),
        (
            "store/order/message/created",
            {"type": "order", "id": 250, "message": {"order_message_id": 3}},
            ("order", "250"),
        ),
        (
            "store/order/refund/created",
            {"type": "order", "id": 250, "refund": {"refund_id": 3}},
            ("order", "250"),
        ),
        (
            "store/order/transaction/created",
            {
                "type": "transaction",
                "order_id": "250",
                "transaction_id": "176342342",
                "transaction_type": "capture",
            },
            ("order", "250"),
        ),
        ("store/order/metafield/updated", {"metafield_id": 14, "resource_id": "270"}, ("order", "270")),
        ("store/channel/1/order/updated", {"order_id": 127}, ("order", "127")),
        ("store/channel/12/order/refund/created", {"order_id": 127}, ("order", "127")),
        ("store/shipment/created", {"type": "shipment", "id": 12, "orderId": 251}, ("order", "251")),
        ("store/cart/converted", {"type": "cart", "id": "d30016e2-23c0", "orderId": 252}, ("order", "252")),
        ("store/customer/updated", {"type": "customer", "id": 32}, ("customer", "32")),
        (
            "store/customer/payment/instrument/default/updated",
            {"type": "customer", "id": 32},
            ("customer", "32"),
        ),
        (
            "store/customer/channel/login/access/updated",
            {"customer_id": 22, "channel_ids": [1]},
            ("customer", "22"),
        ),
        (
            "store/customer/address/created",
            {"type": "customer", "id": 60, "address": {"customer_id": 32}},
            ("customer", "32"),
        ),
        (
            "store/product/updated",
            {"type": "product", "id": 205, "properties": ["warranty"]},
            ("product", "205"),
        ),
        (
            "store/product/inventory/updated",
            {
                "type": "product",
                "id": 167,
                "inventory": {"product_id": 167, "method": "absolute", "value": 5},
            },
            ("product", "167"),
        ),
        ("store/channel/1/product/assigned", {"product_id": 127}, ("product", "127")),
        (
            "store/sku/created",
            {"type": "sku", "id": 461, "sku": {"product_id": 206, "variant_id": 509}},
            ("sku", "461"),
        ),
        (
            "store/channel/*/inventory/product/stock_changed",
            {"variant_id": 127, "product_id": 113, "location_id": 2},
            ("stock", "127"),
        ),
        ("store/inventory/location/created", {"location_id": 2}, ("location", "2")),
        ("store/priceList/created", {"price_list_id": 5}, ("price_list", "5")),
        (
            "store/priceList/record/updated/",
            {"price_list_id": 1, "variant_id": 179, "currency": "USD"},
            ("price_list", "1"),
        ),
        ("store/priceList/records/created", [{"price_list_id": 1}, {"price_list_id": 2}], ("price_list", "")),
        ("store/priceLists/deleted", {"price_list_ids": [5]}, ("", "")),
        ("store/company/created", {"company_id": 1234}, ("company", "1234")),
        ("store/company/user/created", {"company_id": 123456, "user_id": 321}, ("company", "123456")),
        ("store/quote/created", {"quote_id": 1234, "quote_uuid": "1a2b3c4d"}, ("quote", "1234")),
        ("store/superadmin/created", {"user_id": 1234}, ("superadmin", "1234")),
        ("store/cart/created", {"type": "cart", "id": "09346904-4175-44fd"}, ("cart", "09346904-4175-44fd")),
        (
            "store/hook/deliveryException",
            {"type": "webhook", "id": 123, "error_code": 90001},
            ("hook", "123"),
        ),
        ("store/information/updated", {"type": "store"}, ("", "")),
        ("store/app/uninstalled", None, ("", "")),
        ("store/somethingNew/created", {"type": "new", "id": 1}, ("", "")),
    ],
)
def test_each_documented_payload_names_its_record(scope, data, expected):
    found = event(scope, data)
    assert (found.record_kind, found.record_id) == expected
    assert found.scope == scope.rstrip("/")
    assert found.created_at == datetime(2019, 6, 25, 16, 15, 35, tzinfo=UTC)
    assert (found.producer, found.store_id) == ("stores/abc123", "1025646")


@pytest.mark.parametrize("record_id", [0, -1, True, None, 1.5, "", "12a", "1\u0000", [250], "9" * 30])
def test_an_id_that_no_order_has_leads_to_no_reading(record_id):
    found = event("store/order/created", {"type": "order", "id": record_id})
    assert (found.record_kind, found.record_id) == ("", "")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'"store/order/created"',
        b"{}",
        b'{"scope": 7}',
        b'{"scope": "store/\\u0000"}',
        b'{"scope": "orders"}',
        b'{"scope": "store/order/created", "created_at": NaN}',
        b'{"scope": "store/order/created", "created_at": 1e9999999999999999999}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"scope": "store/" + "a" * 200}).encode(),
    ],
)
def test_what_has_not_the_form_of_a_webhook_is_refused(raw):
    with pytest.raises(BadPayload):
        parse(raw)


def test_repeats_of_one_delivery_have_one_key():
    first = event("store/order/updated", {"type": "order", "id": 250})
    assert first.delivery_key == "id:msg_1"
    assert first.is_identified
    later = event("store/order/updated", {"type": "order", "id": 250}, now=NOW + timedelta(days=1))
    assert later.delivery_key == first.delivery_key


def test_a_delivery_without_an_id_is_known_by_its_content_for_a_while():
    def key(**changes):
        return event(
            "store/order/updated", {"type": "order", "id": 250}, delivery_id="", **changes
        ).delivery_key

    assert key() == key(now=NOW + timedelta(minutes=14))
    assert key() != key(now=NOW + timedelta(minutes=16))
    assert key() != key(created_at=1561479336)
    assert not event("store/order/updated", {}, delivery_id="").is_identified


def test_the_hash_alone_never_makes_two_events_one():
    """BigCommerce's own examples carry one hash for created, updated and archived of order 250."""
    keys = {
        event(f"store/order/{what}", {"type": "order", "id": order}, delivery_id="").delivery_key
        for what in ("created", "updated", "archived")
        for order in (250, 251)
    }
    assert len(keys) == 6


@given(st.text(min_size=1))
def test_every_key_fits_its_column(delivery_id):
    key = event("store/order/updated", {"type": "order", "id": 250}, delivery_id=delivery_id).delivery_key
    assert len(key) <= 200
    assert key.isprintable()


# Scopes that lead to reading an order or a customer again.
READ_AGAIN = ("order", "shipment", "customer")


@pytest.mark.public_contract
def test_every_published_example_is_understood(contracts):
    """BigCommerce's own example payloads: whatever is about an order or a customer names it."""
    published = json.loads((contracts / "bigcommerce/webhooks/webhook_events.derived.json").read_text())[
        "events"
    ]
    examples = {
        scope: entry["example_payload"] for scope, entry in published.items() if "example_payload" in entry
    }
    assert len(examples) > 40
    for scope, example in examples.items():
        found = store_event(parse(json.dumps(example).encode()), delivery_id="msg_1", stale=False, now=NOW)
        path = [
            part
            for part in scope.removeprefix("store/").split("/")
            if not part.isdigit() and part != "channel"
        ]
        if path[0] in READ_AGAIN:
            assert found.record_kind in ("order", "customer"), scope
            assert found.record_id.isdigit(), scope


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.sampled_from(
        ["store/order/created", "store/customer/address/updated", "store/x", "store/sku/created"]
    ),
    json_values,
)
def test_no_payload_breaks_the_reading(scope, data):
    found = event(scope, data)
    assert len(found.record_id) <= 64
