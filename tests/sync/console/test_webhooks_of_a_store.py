"""A store's webhooks in the console: seen as the store has them, registered, repaired, deleted."""

from collections.abc import Iterator

import pytest
from django.test import Client

from sandbox.bigcommerce import BigCommerce
from sandbox.bigcommerce import Store as OtherSide
from sandbox.wire import serve
from storefront.hooks import SCOPES
from storefront.models import Store
from tenants.roles import Role
from tests.sync.console.making import make_person

HOME = "http://127.0.0.1:8000"


@pytest.fixture
def other_side(store: Store) -> Iterator[OtherSide]:
    bigcommerce = BigCommerce()
    other = bigcommerce.add_store(store.store_hash, client_secret="s" * 32, local_hooks=True)
    with serve(bigcommerce, port=0) as server:
        store.base_url, store.webhook_base_url = server.url, HOME
        store.access_token = other.settings["token"]
        store.save()
        yield other


@pytest.fixture
def administrator(store: Store) -> Client:
    client = Client()
    client.force_login(make_person(store.tenant, Role.ADMINISTRATOR))
    return client


def page(client: Client, store: Store) -> str:
    response = client.get(f"/admin/storefront/store/{store.pk}/webhooks/")
    assert response.status_code == 200
    return response.content.decode()


def press(client: Client, store: Store, what: str) -> str:
    response = client.post(
        f"/admin/storefront/store/{store.pk}/webhooks/{what}/", {"confirmed": "1"}, follow=True
    )
    return response.content.decode()


def test_what_is_missing_is_said_and_registered(
    store: Store, other_side: OtherSide, administrator: Client
) -> None:
    assert "There is no webhook for store/order/*." in page(administrator, store)

    said = press(administrator, store, "repair")

    assert f"Webhooks: {len(SCOPES)} created" in said
    assert "All webhooks are in place" in said
    assert f"{HOME}/webhooks/bigcommerce/{store.webhook_key}/" in said


def test_all_are_deleted_when_that_is_confirmed(
    store: Store, other_side: OtherSide, administrator: Client
) -> None:
    press(administrator, store, "repair")

    asked = administrator.get(f"/admin/storefront/store/{store.pk}/webhooks/delete/").content.decode()
    assert "tells us nothing any more" in asked
    assert "All webhooks are in place" in page(administrator, store)

    assert f"Webhooks: {len(SCOPES)} deleted" in press(administrator, store, "delete")
    assert "No webhook is known." in page(administrator, store)


def test_a_store_that_refuses_its_token_says_so(
    store: Store, other_side: OtherSide, administrator: Client
) -> None:
    store.access_token = "another"
    store.save()

    assert "The webhooks cannot be read now" in page(administrator, store)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.ACCOUNTANT])
def test_only_administrators_reach_them(store: Store, role: Role) -> None:
    client = Client()
    client.force_login(make_person(store.tenant, role))

    base = f"/admin/storefront/store/{store.pk}/webhooks/"
    assert client.get(base).status_code == 403
    for what in ("repair", "delete"):
        assert client.post(f"{base}{what}/", {"confirmed": "1"}).status_code == 403
