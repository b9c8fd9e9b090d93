"""A store's client is opened with what the store's row says, and every call of it is in the audit trail."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.calls import body_of
from audit.models import AuditEntry
from erp.contract.errors import Misconfigured, TryLater
from sandbox.bigcommerce import Line, Person, Shopping
from storefront.models import Store
from storefront.opening import open_client
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(shop) -> Store:
    tenant = Tenant.objects.create(slug="hats", name="Hats")
    return Store.objects.create(
        tenant=tenant,
        key="S1",
        name="Hats US",
        store_hash="abc123",
        base_url=shop.url,
        access_token="token-of-the-api-account",
    )


def test_each_call_of_an_order_is_in_the_trail_under_one_correlation_id(shop, store):
    order_id = str(shop.store.place(Shopping(lines=(Line("HAT", "10.00"),))))
    with open_client(store, correlation_id="c0ffee00", subject=f"order:S1/{order_id}") as client:
        body = client.read_order(order_id)
    entries = AuditEntry.objects.filter(action="call.made", correlation_id="c0ffee00")
    assert entries.count() == 6
    assert {entry.tenant_id for entry in entries} == {store.tenant_id}
    assert all(f"order:S1/{order_id}" in entry.subjects for entry in entries)
    transactions = entries.get(details__url__endswith=f"/v3/orders/{order_id}/transactions")
    kept = body_of(transactions.details["received_sha256"], tenant_id=store.tenant_id)
    assert body["transactions"][0]["gateway_transaction_id"].encode() in kept
    assert "token-of-the-api-account" not in str([entry.details for entry in entries])


def test_a_call_that_failed_is_in_the_trail_too(shop, store):
    Store.objects.update(access_token="wrong")
    store.refresh_from_db()
    with pytest.raises(Misconfigured), open_client(store, correlation_id="c0ffee01") as client:
        client.read_order("100")
    entry = AuditEntry.objects.get(correlation_id="c0ffee01")
    assert entry.details["status"] == 401


def test_the_wait_for_an_overloaded_store_is_on_the_clock_of_our_own_waits(shop, store, settings, tmp_path):
    shop.bigcommerce.faults.add("overload", count=1)
    order_id = str(shop.store.place(Shopping(lines=(Line("HAT", "10.00"),))))
    ahead = tmp_path / "ahead"
    settings.TIEOUT_WAITS_AHEAD = str(ahead)
    for seconds in ("0", "25"):  # 30 seconds are waited
        ahead.write_text(seconds)
        with pytest.raises(TryLater), open_client(store) as client:
            client.read_order(order_id)
    ahead.write_text("31")
    with open_client(store) as client:
        assert client.read_order(order_id)["order"]["id"] == int(order_id)


def test_what_the_store_s_settings_name_is_read(shop, store):
    fields = [{"name": "ERP no.", "value": "C-77"}]
    person = shop.store.add_customer(Person(email="b@example.com"), form_fields=fields)
    store.erp_code_field = "ERP no."
    with open_client(store) as client:
        assert client.read_customer(str(person.customer_id))["known_as"]["erp_code"] == "C-77"


def test_a_paused_store_and_one_without_a_token_are_not_called(shop, store):
    store.access_token = ""
    with pytest.raises(Misconfigured, match="Store S1 has no access token"), open_client(store):
        pass
    store.paused_at, store.pause_reason = timezone.now(), "The access token was refused."
    with (
        pytest.raises(Misconfigured, match="Store S1 is paused: The access token was refused"),
        open_client(store),
    ):
        pass
