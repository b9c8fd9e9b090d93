"""Deliveries: signed as the documents say, retried, blocked, duplicated, out of order, and never lost by a restart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.bigcommerce import BigCommerce, Line, Shopping
from sandbox.bigcommerce.delivery import RETRY_AFTER, Blocklist, signatures
from sandbox.bigcommerce.hooks import matches
from sandbox.wire import Call, Clock, Server, Storage, serve

PLAIN = Shopping(lines=(Line("A", "10.00"),))


def hook(
    shop: Any, receiver: Server, scope: str = "store/order/*", path: str = "/in", **headers: str
) -> None:
    shop.store.hooks.add(scope, f"{receiver.url}{path}", headers or None)


def received(receiver: Server) -> list[Call]:
    return receiver.app.calls.select("POST")


def states(shop: Any) -> list[str]:
    return [row["state"] for row in shop.store.hooks.deliveries()]


def test_a_known_message_has_the_known_signature() -> None:
    """Numbers worked out with the reference library of Standard Webhooks and with openssl."""
    body = (
        b'{"scope":"store/order/created","store_id":"1025646","data":{"type":"order","id":250},'
        b'"hash":"dd70c0976e06b67aaf671e73f49dcb79230ebf9d","created_at":1561479335,"producer":"stores/abc123"}'
    )
    store = {
        "client_secret": "example_client_secret_0123456789abcdef", "signing": ["standard", "hex"],
        "fresh_timestamps": True,
    }  # fmt: skip
    headers = signatures(store, {"webhook_id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"}, body, 1674087231)
    assert headers == {
        "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        "webhook-timestamp": "1674087231",
        "webhook-signature": "v1,4Ejtry4e1/uXpvu6kZ1xZqyDJUfp6cU+kFSHbJfddeg=",
        "X-BC-Signature": "3c6dd8530a09b334e566f4a87ad81b6ba4afc98d646d4b9875178afaa8e05d2a",
    }


def test_an_order_is_announced_once_signed_with_the_hook_s_own_headers(shop: Any, receiver: Server) -> None:
    hook(shop, receiver, **{"X-Our-Secret": "open sesame"})
    order_id = shop.store.place(PLAIN)
    assert shop.app.wait_until_delivered()
    (call,) = received(receiver)
    told = json.loads(call.body)
    assert (told["scope"], told["data"]) == ("store/order/created", {"type": "order", "id": order_id})
    assert (told["producer"], told["store_id"]) == ("stores/abc123", "1025646")
    assert call.headers["X-Our-Secret"] == "open sesame"
    signed = f"{call.headers['Webhook-Id']}.{call.headers['Webhook-Timestamp']}.{call.body}".encode()
    code = base64.b64encode(hmac.new(b"s3cret", signed, hashlib.sha256).digest()).decode()
    assert call.headers["Webhook-Signature"] == f"v1,{code}"
    assert states(shop) == ["delivered"]


@pytest.mark.parametrize("form", ["hex", "prefixed", "base64"])
def test_the_other_signature_comes_in_three_forms(shop: Any, receiver: Server, form: str) -> None:
    shop.store.change(signing=[form])
    hook(shop, receiver)
    shop.store.place(PLAIN)
    assert shop.app.wait_until_delivered()
    (call,) = received(receiver)
    digest = hmac.new(b"s3cret", call.body.encode(), hashlib.sha256)
    expected = {
        "hex": digest.hexdigest(), "prefixed": f"sha256={digest.hexdigest()}",
        "base64": base64.b64encode(digest.digest()).decode(),
    }  # fmt: skip
    assert call.headers["X-Bc-Signature"] == expected[form]
    assert "Webhook-Signature" not in call.headers


def test_a_refused_message_is_tried_again_at_the_documented_times(shop: Any, receiver: Server) -> None:
    receiver.app.answers = [500, 401]
    hook(shop, receiver)
    shop.store.place(PLAIN)
    assert shop.app.wait_until_delivered()
    for seconds in RETRY_AFTER[:2]:
        before = len(received(receiver))
        shop.app.clock.advance(seconds - 1)
        assert len(received(receiver)) == before
        shop.app.clock.advance(1)
        assert receiver.app.calls.wait_for("POST", count=before + 1)
        assert shop.app.calls.wait_until_idle(quiet=0, also=shop.app.idle)
    assert shop.app.wait_until_delivered(retries=True)
    (row,) = shop.store.hooks.deliveries()
    assert [one["status"] for one in row["tries"]] == [500, 401, 200]
    first, second, third = received(receiver)
    assert first.body == second.body == third.body
    assert first.headers["Webhook-Id"] == third.headers["Webhook-Id"]
    assert int(third.headers["Webhook-Timestamp"]) - int(first.headers["Webhook-Timestamp"]) == 60 + 180


def test_a_retry_may_carry_its_first_timestamp(shop: Any, receiver: Server) -> None:
    shop.store.change(fresh_timestamps=False)
    receiver.app.answers = [500]
    hook(shop, receiver)
    shop.store.place(PLAIN)
    assert shop.app.wait_until_delivered()
    shop.app.clock.advance(60)
    assert shop.app.wait_until_delivered(retries=True)
    first, second = received(receiver)
    assert first.headers["Webhook-Signature"] == second.headers["Webhook-Signature"]


def test_retries_can_be_hurried_without_bending_the_clock(receiver: Server) -> None:
    receiver.app.answers = [500, 500]
    hurried = BigCommerce(local_hooks=True, hurry=600)  # 60 and 180 s become 0.1 and 0.3 s
    with serve(hurried):
        store = hurried.add_store("abc123")
        store.hooks.add("store/order/*", f"{receiver.url}/in")
        store.place(PLAIN)
        assert hurried.wait_until_delivered(retries=True)
    first, *_, last = received(receiver)
    assert len(received(receiver)) == 3
    assert int(last.headers["Webhook-Timestamp"]) - int(first.headers["Webhook-Timestamp"]) <= 30


def test_what_waits_is_tried_at_once_when_told_so_without_bending_the_clock(
    shop: Any, receiver: Server
) -> None:
    receiver.app.answers = [500]
    hook(shop, receiver)
    shop.store.place(PLAIN)
    assert shop.app.wait_until_delivered()
    shop.app.deliverer.blocklist.until[receiver.url.removeprefix("http://")] = shop.app.clock.seconds() + 180
    shop.app.deliverer.try_again()
    assert shop.app.wait_until_delivered(retries=True)
    first, second = received(receiver)
    assert int(second.headers["Webhook-Timestamp"]) - int(first.headers["Webhook-Timestamp"]) < 60


def test_one_store_s_messages_do_not_wait_behind_another_s(shop: Any, receiver: Server) -> None:
    hold = receiver.app.faults.add("hold", path="/flood", count=None)
    other = shop.app.add_store("def456")
    shop.store.hooks.add("store/order/*", f"{receiver.url}/flood")
    other.hooks.add("store/order/*", f"{receiver.url}/quiet")
    for _ in range(10):
        shop.store.place(PLAIN)
    assert receiver.app.faults.wait_for_hit(hold)
    other.place(PLAIN)
    assert receiver.app.calls.wait_for("POST", "/quiet")
    receiver.app.faults.remove(hold.id)
    receiver.app.faults.release(hold)


def test_a_hurried_store_blocks_a_domain_for_that_much_less() -> None:
    blocklist = Blocklist(hurry=120)
    assert any(blocklist.note("erp.example", 0, good=False) for _ in range(100))
    assert blocklist.blocked_until("erp.example", 1.4) == 1.5
    assert blocklist.blocked_until("erp.example", 1.5) is None


def test_after_the_last_try_the_hook_is_switched_off_and_a_mail_sent(shop: Any, receiver: Server) -> None:
    receiver.app.answers = [500] * (len(RETRY_AFTER) + 1)
    hook(shop, receiver)
    shop.store.place(PLAIN)
    for count, seconds in enumerate(RETRY_AFTER, start=1):
        assert receiver.app.calls.wait_for("POST", count=count)
        assert shop.app.calls.wait_until_idle(quiet=0, also=shop.app.idle)
        shop.app.clock.advance(seconds)
    assert shop.app.wait_until_delivered(retries=True)
    assert sum(RETRY_AFTER) == 173_040, "a little over 48 hours"
    assert states(shop) == ["failed"]
    assert [row["is_active"] for row in shop.store.hooks.listed()] == [False]
    assert len(shop.app.storage.rows("mails")) == 1
    shop.store.place(PLAIN)
    assert states(shop) == ["failed"], "what happens while the hook is off is lost"


def test_failures_are_told_to_another_destination(shop: Any, receiver: Server) -> None:
    receiver.app.answers = [500]
    hook(shop, receiver)
    with serve(type(receiver.app)()) as watcher:
        hook(shop, watcher, scope="store/hook/deliveryException")
        shop.store.place(PLAIN)
        assert watcher.app.calls.wait_for("POST")
        assert shop.app.wait_until_delivered()
        (told,) = [json.loads(call.body) for call in received(watcher)]
        assert told["data"]["error_code"] == 90001


def test_a_domain_under_ninety_percent_is_blocked_for_three_minutes_after_a_hundred_requests() -> None:
    blocklist = Blocklist()
    assert not any(blocklist.note("erp.example", 0, good=i > 10) for i in range(99))
    assert blocklist.blocked_until("erp.example", 0) is None
    assert blocklist.note("erp.example", 1, good=True), "the hundredth, with 89 of 100"
    assert blocklist.blocked_until("erp.example", 180) == 181
    assert blocklist.blocked_until("erp.example", 181) is None
    assert not any(blocklist.note("other.example", 130 * i, good=False) for i in range(200)), (
        "never 100 in 2 minutes"
    )


def test_a_blocked_domain_gets_nothing_until_the_block_is_over(shop: Any, receiver: Server) -> None:
    hook(shop, receiver)
    domain = receiver.url.removeprefix("http://")
    shop.app.deliverer.blocklist.until[domain] = shop.app.clock.seconds() + 180
    shop.store.place(PLAIN)
    (blocked,) = shop.get("/v3/hooks/admin").json()["data"]["blocked_domains"]
    assert (blocked["destination"], blocked["time_left"]) == (domain, 180)
    assert shop.app.calls.wait_until_idle(quiet=0.1, also=shop.app.idle)
    assert received(receiver) == []
    shop.app.clock.advance(181)
    assert receiver.app.calls.wait_for("POST")


def test_messages_come_twice_reversed_shuffled_or_never(shop: Any, receiver: Server) -> None:
    hook(shop, receiver)
    shop.store.change(copies=2)
    shop.app.deliverer.pause()
    first, second = shop.store.place(PLAIN), shop.store.place(PLAIN)
    shop.store.place(PLAIN, silent=True)
    shop.app.deliverer.release("reversed")
    assert shop.app.wait_until_delivered()
    assert [json.loads(call.body)["data"]["id"] for call in received(receiver)] == [
        second,
        second,
        first,
        first,
    ]
    assert len({call.headers["Webhook-Id"] for call in received(receiver)}) == 4


def test_scopes_with_an_asterisk_and_channels() -> None:
    assert matches("store/order/*", "store/order/refund/created")
    assert matches("store/*", "store/customer/created")
    assert not matches("store/order/*", "store/orders/created")
    assert matches("store/order/created", "store/order/created")
    assert not matches("store/order/created", "store/order/created/x")


def test_an_order_of_a_channel_is_announced_in_the_channel_s_scope_with_another_shape(
    shop: Any, receiver: Server
) -> None:
    hook(shop, receiver, scope="store/channel/1/order/*")
    order_id = shop.store.place(PLAIN)
    assert shop.app.wait_until_delivered()
    (call,) = received(receiver)
    assert json.loads(call.body)["data"] == {"order_id": order_id}


def test_any_payload_can_be_sent(shop: Any, receiver: Server) -> None:
    hook(shop, receiver, scope="store/*")
    shop.store.hooks.emit(
        "store/priceList/records/updated", [{"price_list_id": 5, "variant_id": 1, "currency": "usd"}]
    )
    assert shop.app.wait_until_delivered()
    assert json.loads(received(receiver)[0].body)["data"][0]["price_list_id"] == 5


def test_a_hook_that_heard_nothing_for_ninety_days_is_switched_off(shop: Any, receiver: Server) -> None:
    hook(shop, receiver)
    shop.app.clock.advance(91 * 86400)
    shop.store.place(PLAIN)
    assert states(shop) == []
    assert [row["is_active"] for row in shop.store.hooks.listed()] == [False]


def test_what_was_not_delivered_before_a_restart_is_delivered_after_it(
    tmp_path: Path, receiver: Server
) -> None:
    file = tmp_path / "bigcommerce.sqlite"
    before = BigCommerce(Storage(file), Clock(), local_hooks=True)  # never served: nothing is delivered
    store = before.add_store("abc123")
    store.hooks.add("store/order/*", f"{receiver.url}/in")
    order_id = store.place(PLAIN)
    before.storage.close()
    after = BigCommerce(Storage(file), Clock(), local_hooks=True)
    with serve(after):
        assert after.wait_until_delivered()
    assert json.loads(received(receiver)[0].body)["data"]["id"] == order_id
