"""Registered customers: one business partner each, brought up to date by their own events."""

import pytest

from sandbox.bigcommerce import Line, Person, Shopping, Tax
from storefront.models import Store
from sync import inbox
from sync.models import Document
from tests.e2e.world import World

TEXAS = Tax("Texas", "8.25")

pytestmark = pytest.mark.django_db(transaction=True)


def bought_by(person: Person, quantity: int = 1) -> Shopping:
    return Shopping(lines=(Line("SKU-1", "10.00", quantity, taxes=(TEXAS,)),), person=person)


def partners(world: World) -> list[str]:
    return [
        row["CardCode"] for row in world.company.rows("BusinessPartners") if row["CardCode"].startswith("S1-")
    ]


def test_two_orders_of_one_new_customer_at_once_make_one_partner(world: World) -> None:
    ana = world.store.add_customer(Person("Ana", "Lima", "ana@example.com"))
    orders = [world.store.place(bought_by(ana, n)) for n in (1, 2)]
    for order_id in orders:
        world.notice(order_id)
    world.product.start_worker(threads=4)
    for order_id in orders:
        world.wait_for(order_id, "posted", seconds=60)

    assert partners(world) == [f"S1-{ana.customer_id}-C"]
    assert Document.objects.filter(kind="partner").count() == 1
    assert {row["CardCode"] for row in world.documents("Invoices")} == {f"S1-{ana.customer_id}-C"}


def test_a_guest_is_posted_to_the_one_time_partner(world: World) -> None:
    world.post(world.store.place(bought_by(Person("Gus", "Guest", "gus@example.com"))))

    assert partners(world) == []
    assert {row["CardCode"] for row in world.documents("Invoices")} == {"WEBGUEST"}


def test_a_changed_address_reaches_the_partner_without_an_order(world: World) -> None:
    ana = world.store.add_customer(Person("Ana", "Lima", "ana@example.com", phone="5125550100"))
    world.post(world.store.place(bought_by(ana)))

    world.store.change_customer(ana.customer_id, phone="5125550199")
    inbox.want(
        store=Store.objects.get(),
        record_kind="customer",
        record_id=str(ana.customer_id),
        correlation_id="c" * 32,
    )
    world.work_off()

    assert len(partners(world)) == 1
    [partner] = [
        r for r in world.company.rows("BusinessPartners") if r["CardCode"] == f"S1-{ana.customer_id}-C"
    ]
    assert partner["Phone1"] == "5125550199"
