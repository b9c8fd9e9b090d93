"""What BigCommerce delivers is recorded once and answered quickly; everything else leaves no more than a counter."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from sandbox.bigcommerce import BigCommerce, Line, Shopping
from sandbox.wire import serve
from storefront.models import SignatureFailure, Store
from storefront.verification import SHARED_SECRET_HEADER, standard_signature
from sync.measures import DELIVERIES
from sync.models import Event
from sync.receiver import LARGEST_BODY
from tenants.models import Tenant

pytestmark = pytest.mark.django_db
SECRET = "client-secret-of-the-api-account"


@pytest.fixture
def store() -> Store:
    tenant = Tenant.objects.create(slug="hats", name="Hats")
    return Store.objects.create(
        tenant=tenant, key="S1", name="Hats US", store_hash="abc123", client_secret=SECRET, access_token="t"
    )


def payload(**changes) -> bytes:
    content = {
        "scope": "store/order/created", "store_id": "1025646", "data": {"type": "order", "id": 250},
        "hash": "dd70c0976e06b67aaf671e73f49dcb79230ebf9d", "created_at": int(time.time()), "producer": "stores/abc123",
    }  # fmt: skip
    return json.dumps({**content, **changes}).encode()


def signed(
    body: bytes, *, delivery_id: str = "msg_1", at: float | None = None, secret: str = SECRET
) -> dict[str, str]:
    timestamp = str(int(at or time.time()))
    signature = standard_signature(secret, delivery_id=delivery_id, timestamp=timestamp, body=body)
    return {"webhook-id": delivery_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def deliver(key: str, body: bytes, headers: dict[str, str] | None = None) -> int:
    """The status of one delivery; whatever it is, the answer has no body."""
    answer = Client().post(
        f"/webhooks/bigcommerce/{key}/", body, content_type="application/json", headers=headers or {}
    )
    assert answer.content == b""
    return answer.status_code


def counted(outcome: str) -> float:
    return DELIVERIES.labels(outcome)._value.get()


def nothing_written() -> bool:
    return not Event.objects.exists() and not SignatureFailure.objects.exists()


def test_a_signed_delivery_is_one_event(store):
    body = payload()
    assert deliver(store.webhook_key, body, signed(body)) == 200
    event = Event.objects.get()
    assert (event.store, event.scope, event.record_kind, event.record_id) == (
        store, "store/order/created", "order", "250",
    )  # fmt: skip
    assert event.delivery_key == "id:msg_1"
    assert not event.is_stale
    assert len(event.correlation_id) == 32


def test_a_repeated_delivery_is_the_same_event(store):
    body = payload()
    assert [deliver(store.webhook_key, body, signed(body)) for _ in range(3)] == [200, 200, 200]
    assert Event.objects.get().repeats == 2


def test_a_stale_delivery_is_accepted_as_stale(store):
    body = payload()
    two_days_ago = time.time() - 48 * 3600
    assert deliver(store.webhook_key, body, signed(body, at=two_days_ago)) == 200
    assert Event.objects.get().is_stale


def test_the_store_id_is_learned_once_and_then_required(store):
    first, other = payload(), payload(store_id="666")
    assert deliver(store.webhook_key, first, signed(first)) == 200
    assert Store.objects.get().store_id == "1025646"
    assert deliver(store.webhook_key, other, signed(other, delivery_id="msg_2")) == 401
    assert SignatureFailure.objects.get().reason == "other_store"


def test_a_delivery_of_another_store_is_refused_although_the_secret_is_right(store):
    body = payload(producer="stores/other")
    assert deliver(store.webhook_key, body, signed(body)) == 401
    assert not Event.objects.exists()


def test_both_secrets_are_accepted_while_they_are_rotated(store):
    Store.objects.update(previous_client_secret=SECRET, client_secret="the new one")
    old, new = payload(), payload(data={"type": "order", "id": 251})
    assert deliver(store.webhook_key, old, signed(old)) == 200
    assert deliver(store.webhook_key, new, signed(new, delivery_id="msg_2", secret="the new one")) == 200


def test_forged_deliveries_are_counted_in_one_row_an_hour(store):
    body = payload()
    for number in range(5):
        headers = signed(body, delivery_id=f"msg_{number}", secret="guess")
        assert deliver(store.webhook_key, body, headers) == 401
    failure = SignatureFailure.objects.get()
    assert (failure.reason, failure.count, failure.tenant) == ("bad_signature", 5, store.tenant)
    assert timezone.now() - failure.last_at < timedelta(minutes=1)
    assert not Event.objects.exists()


def test_the_header_secret_counts_only_where_the_store_allows_it(store):
    body, headers = payload(), {SHARED_SECRET_HEADER: "hook secret"}
    Store.objects.update(webhook_header_secret="hook secret")
    assert deliver(store.webhook_key, body, headers) == 401
    Store.objects.update(allow_shared_secret=True)
    assert deliver(store.webhook_key, body, headers) == 200
    assert deliver(store.webhook_key, body, {SHARED_SECRET_HEADER: "another"}) == 401


def test_an_unknown_key_leaves_nothing_but_a_counter(store):
    body, before = payload(), counted("unknown_key")
    for key in ("x" * 43, "y" * 500, "%00", "ключ"):
        assert deliver(key, body, signed(body)) == 404
    assert counted("unknown_key") == before + 4
    assert nothing_written()


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b'{"scope": 1}', b"\x00", b"[" * 50_000])
def test_what_is_no_webhook_leaves_nothing_but_a_counter(store, body):
    before = counted("no_webhook")
    assert deliver(store.webhook_key, body, signed(body)) == 400
    assert counted("no_webhook") == before + 1
    assert nothing_written()


def test_a_body_above_256_kb_is_refused_even_if_it_is_signed(store):
    body = payload(padding="x" * LARGEST_BODY)
    before = counted("too_large")
    assert deliver(store.webhook_key, body, signed(body)) == 413
    assert counted("too_large") == before + 1
    assert nothing_written()


def test_a_body_of_just_256_kb_is_read(store):
    padding = LARGEST_BODY - len(payload(padding=""))
    body = payload(padding="x" * padding)
    assert len(body) == LARGEST_BODY
    assert deliver(store.webhook_key, body, signed(body)) == 200


def test_an_unknown_scope_is_recorded_and_answered_200(store):
    body = payload(scope="store/somethingNew/created", data={"what": "ever"})
    assert deliver(store.webhook_key, body, signed(body)) == 200
    event = Event.objects.get()
    assert (event.state, event.record_kind, event.record_id) == ("recorded", "", "")


def test_text_that_postgresql_cannot_hold_is_no_server_error(store):
    body = payload(store_id="a\u0000b", hash="\u0000", data={"type": "order", "id": "1\u0000"})
    assert deliver(store.webhook_key, body, signed(body)) == 200
    assert Event.objects.get().record_id == ""


def test_only_post_is_answered(store):
    assert Client().get(f"/webhooks/bigcommerce/{store.webhook_key}/").status_code == 405


def test_any_accept_header_will_do(store):
    body = payload()
    headers = {**signed(body), "Accept": "text/x-nothing-we-have"}
    assert deliver(store.webhook_key, body, headers) == 200


def test_a_forgery_costs_two_statements_and_no_line_in_the_log(store, django_assert_num_queries, caplog):
    body = payload()
    deliver(store.webhook_key, body, signed(body, secret="guess"))  # this process knows the store from now on
    with caplog.at_level("DEBUG"), django_assert_num_queries(2):
        assert deliver(store.webhook_key, body, signed(body, secret="guess")) == 401
    assert [line for line in caplog.messages if "webhooks" in line or "signature" in line] == []


def test_a_genuine_delivery_costs_two_statements(store, django_assert_num_queries):
    """Finding the store, and recording all of it at once."""
    body = payload()
    for delivery_id in ("learns", "knows"):  # the first one tells the store's own id, a change of its row
        assert deliver(store.webhook_key, body, signed(body, delivery_id=delivery_id)) == 200
    with django_assert_num_queries(2):
        assert deliver(store.webhook_key, body, signed(body)) == 200
    assert Event.objects.count() == 3


def test_a_changed_secret_counts_with_the_next_delivery(store):
    body = payload()
    assert deliver(store.webhook_key, body, signed(body)) == 200
    store.client_secret = "another one"
    store.save()
    assert deliver(store.webhook_key, body, signed(body)) == 401
    assert deliver(store.webhook_key, body, signed(body, secret="another one")) == 200


def test_an_answer_names_the_correlation_id_of_its_event(store):
    body = payload()
    answer = Client().post(
        f"/webhooks/bigcommerce/{store.webhook_key}/",
        body,
        content_type="application/json",
        headers=signed(body),
    )
    assert answer.headers["X-Correlation-Id"] == Event.objects.get().correlation_id
    assert answer.headers["Content-Length"] == "0"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_cannot_commit_is_a_503(store):
    """As during a failover, when the server that answers is still a read-only stand-by."""
    body = payload()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        try:
            assert deliver(store.webhook_key, body, signed(body)) == 503
        finally:
            cursor.execute("SET default_transaction_read_only = off")
    assert deliver(store.webhook_key, body, signed(body)) == 200


def test_a_paused_store_still_receives(store):
    Store.objects.update(paused_at=timezone.now(), pause_reason="The access token was refused.")
    body = payload()
    assert deliver(store.webhook_key, body, signed(body)) == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("signing", ["standard", "hex", "prefixed", "base64"])
def test_what_the_sandbox_store_signs_is_accepted_over_http(store, live_server, signing):
    bigcommerce = BigCommerce(local_hooks=True)
    with serve(bigcommerce, port=0):
        shop = bigcommerce.add_store("abc123", token="t", client_secret=SECRET, signing=[signing])
        shop.hooks.add(
            "store/order/*",
            f"http://127.0.0.1:{live_server.thread.port}/webhooks/bigcommerce/{store.webhook_key}/",
        )
        order_id = shop.place(Shopping(lines=(Line("HAT", "10.00"),)))
        bigcommerce.wait_until_delivered()
        statuses = [delivery["tries"] for delivery in shop.hooks.deliveries()]
    event = Event.objects.get()
    assert (event.scope, event.record_id) == ("store/order/created", str(order_id)), statuses
