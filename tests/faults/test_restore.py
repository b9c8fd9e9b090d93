"""An older backup is put back and the product runs on: nothing posts twice, nothing is missing."""

from __future__ import annotations

import pytest

from proof.world import World
from sandbox.bigcommerce import GiveBack, Refund
from tests.faults.shopping import hat, not_posted, orders_of_a_guest_and_a_new_customer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


def test_a_restored_backup_finds_what_was_posted_and_posts_what_was_not(world: World) -> None:
    store, company = world.acme.store, world.acme.company
    known = orders_of_a_guest_and_a_new_customer(world.acme)
    world.drain()
    backup = world.back_up()
    adopted_before = adopted(world)

    # What the backup does not know: posted orders, a new customer, a refund; and webhooks that were only acknowledged.
    posted_since = orders_of_a_guest_and_a_new_customer(world.acme)
    store.refund(known[0], Refund((GiveBack("PRODUCT", 0, quantity=1),)))
    world.drain()
    outage = world.b1.faults.add("answer", status=503, count=None)
    acknowledged_since = [store.place(hat(n)) for n in (1, 2)]
    assert world.bigcommerce.wait_until_delivered(timeout=60)
    counts = {name: len(list(company.rows(name))) for name in ("Invoices", "IncomingPayments", "CreditNotes")}

    world.restore(backup)
    assert not set(posted_since) & set(world.statuses(world.acme))
    world.b1.faults.remove(outage.id)
    for flow in ("orders", "customers"):
        world.manage("run_flows", world.acme.tenant, flow)
    world.drain()

    orders = [*known, *posted_since, *acknowledged_since]
    assert not_posted(world, world.acme, orders) == {}
    assert len(list(company.rows("Invoices"))) == counts["Invoices"] + len(acknowledged_since)
    assert len(list(company.rows("IncomingPayments"))) == counts["IncomingPayments"] + len(acknowledged_since)
    assert len(list(company.rows("CreditNotes"))) == counts["CreditNotes"]
    # Invoices and payments, the credit memo and its pay-out.
    assert adopted(world) == adopted_before + 2 * len(posted_since) + 2


def adopted(world: World) -> int:
    """How many documents were found in the ERP instead of created, partners left out."""
    [[number]] = world.rows("SELECT count(*) FROM sync_document WHERE adopted AND kind <> 'partner'")
    return int(str(number))
