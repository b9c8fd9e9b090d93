"""What breaks in between: each of these ends with the order posted once, or waiting for a person, and nothing lost."""

from decimal import Decimal
from pathlib import Path

import pytest
import requests

from erp.models import ErpConnection
from sandbox.bigcommerce import Line, Shopping, Tax
from storefront.models import SignatureFailure
from sync.models import Attempt, Document, Event, Posting
from tests.e2e.world import World
from tests.waiting import wait_until

TEXAS = Tax("Texas", "8.25")

pytestmark = pytest.mark.django_db(transaction=True)


def hat(quantity: int = 2) -> Shopping:
    return Shopping(
        lines=(Line("SKU-1", "19.99", quantity, taxes=(TEXAS,)),), shipping="9.95", shipping_taxes=(TEXAS,)
    )


def assert_posted_once(world: World, order_id: int) -> None:
    """One invoice and one payment, with the store's own total and tax."""
    order = world.store.order(order_id)["order"]
    [invoice] = [d for d in world.documents("Invoices") if d["NumAtCard"] == f"S1-{order_id}-I"]
    assert (invoice["DocTotal"], invoice["VatSum"]) == (
        Decimal(order["total_inc_tax"]),
        Decimal(order["total_tax"]),
    )
    payments = [
        p
        for p in world.documents("IncomingPayments")
        if p["PaymentInvoices"][0]["DocEntry"] == invoice["DocEntry"]
    ]
    assert [p["TransferSum"] for p in payments] == [Decimal(order["total_inc_tax"])]


def test_a_worker_killed_between_sent_and_recorded_leaves_one_invoice(world: World) -> None:
    hold = world.b1.faults.add("hold", moment="after", method="POST", path="/Invoices")
    order_id = world.store.place(hat())
    world.notice(order_id)
    worker = world.product.start_worker()
    wait_until(lambda: hold.hits == 1, seconds=40, say=world.product.logs, meanwhile=world.ring)

    worker.kill()  # the ERP has committed, nobody heard the answer
    world.b1.faults.release(hold)
    assert Document.objects.get(reference=f"S1-{order_id}-I").state == "sending"
    world.product.start_worker()
    world.wait_for(order_id, "posted", seconds=60)

    assert_posted_once(world, order_id)
    outcomes = list(
        Attempt.objects.filter(document__kind="invoice").order_by("number").values_list("outcome", flat=True)
    )
    assert outcomes == ["", "adopted"]


def test_a_worker_that_was_stopped_and_overtaken_posts_nothing_more(world: World) -> None:
    hold = world.b1.faults.add("hold", moment="before", method="GET", path="/Invoices")
    order_id = world.store.place(hat())
    world.notice(order_id)
    frozen = world.product.start_worker()
    wait_until(lambda: hold.hits == 1, seconds=40, say=world.product.logs, meanwhile=world.ring)

    frozen.freeze()
    world.b1.faults.release(hold)
    Posting.objects.update(
        lease_until=Posting.objects.get(record_kind="order").created_at
    )  # its lease runs out
    world.product.start_worker()
    world.wait_for(order_id, "posted", seconds=60)
    frozen.thaw()
    wait_until(lambda: "lease_lost" in world.product.logs(), seconds=30, say=world.product.logs)

    assert_posted_once(world, order_id)


def test_webhooks_are_taken_while_the_broker_is_gone_and_worked_off_when_it_is_back(
    world: World, tmp_path: Path
) -> None:
    world.product.environment |= {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"}
    world.register_hooks()

    orders = [world.store.place(hat(n)) for n in (1, 2, 3)]
    world.bigcommerce.wait_until_delivered(timeout=30)

    assert Event.objects.filter(record_kind="order").count() == 3
    assert {t["status"] for d in world.store.hooks.deliveries() for t in d["tries"]} == {200}
    world.work_off()
    for order_id in orders:
        assert_posted_once(world, order_id)


def test_duplicated_and_shuffled_webhooks_post_once(world: World) -> None:
    world.store.change(copies=3)
    world.register_hooks()
    orders = [world.store.place(hat(n)) for n in (1, 2, 3)]
    for order_id in reversed(orders):
        world.store.update(order_id, staff_notes="packed")
    world.bigcommerce.wait_until_delivered(timeout=30)

    world.work_off()

    for order_id in orders:
        assert_posted_once(world, order_id)
    assert Event.objects.count() == 18  # two events an order, each delivered three times


def test_an_answer_lost_after_the_commit_is_looked_up_and_adopted(world: World) -> None:
    for path in ("/Invoices", "/IncomingPayments"):
        world.b1.faults.add("drop", moment="after", method="POST", path=path)
    order_id = world.store.place(hat())

    world.post(order_id)
    assert world.posting(order_id).status == "unknown"
    world.settle()

    assert_posted_once(world, order_id)
    assert world.posting(order_id).status == "posted"


def test_a_proxy_error_after_the_commit_posts_once(world: World) -> None:
    world.b1.faults.add(
        "answer", moment="after", method="POST", path="/Invoices", status=502, body="<html>Bad gateway</html>"
    )
    order_id = world.store.place(hat())

    world.post(order_id)
    world.settle()

    assert_posted_once(world, order_id)


def test_a_request_that_never_arrived_is_sent_again_after_the_settling_time(world: World) -> None:
    world.b1.faults.add("drop", moment="before", method="POST", path="/Invoices")
    order_id = world.store.place(hat())

    world.post(order_id)
    world.settle()

    assert_posted_once(world, order_id)


@pytest.mark.parametrize("shape", ["401", "-5002"])
def test_a_session_lost_in_the_middle_of_an_order_is_renewed(world: World, shape: str) -> None:
    world.b1.faults.add("session_lost", method="POST", path="/Invoices", params={"shape": shape})
    order_id = world.store.place(hat())

    posting = world.post(order_id)

    assert posting.status == "posted"
    assert_posted_once(world, order_id)


def test_an_edit_between_fetch_and_post_is_not_lost(world: World) -> None:
    hold = world.b1.faults.add("hold", moment="before", method="POST", path="/Invoices")
    order_id = world.store.place(hat(2))
    world.notice(order_id)
    world.product.start_worker()
    wait_until(lambda: hold.hits == 1, seconds=40, say=world.product.logs, meanwhile=world.ring)

    world.store.edit(order_id, hat(3))
    world.notice(order_id)
    world.b1.faults.release(hold)
    posting = world.wait_for(order_id, "held", seconds=40)

    assert posting.done_version == posting.wanted_version
    assert (
        len(world.documents("Invoices")) == 1
    )  # the version that was fetched; the edit waits for a person, by policy
    assert posting.reason == f"The order was edited in the store after S1-{order_id}-I was posted."


def test_an_outage_heals_by_itself(world: World) -> None:
    outage = world.b1.faults.add("answer", moment="before", status=503, count=None)
    orders = [world.store.place(hat(n)) for n in (1, 2, 3)]
    for order_id in orders:
        world.notice(order_id)
    world.work_off()
    assert {world.posting(o).status for o in orders} == {"waiting"}

    world.b1.faults.remove(outage.id)
    world.settle()

    for order_id in orders:
        assert_posted_once(world, order_id)


def test_a_webhook_before_the_order_is_readable_waits_for_it(world: World) -> None:
    order_id = world.store.place(hat(), unreadable_reads=1)

    world.post(order_id)
    assert world.posting(order_id).status == "waiting"
    world.settle()

    assert_posted_once(world, order_id)


def test_a_wrong_password_pauses_the_company_once_and_everything_waits(world: World) -> None:
    ErpConnection.objects.update(credentials={"password": "wrong"})
    orders = [world.store.place(hat(n)) for n in (1, 2)]
    for order_id in orders:
        world.notice(order_id)

    world.work_off()

    company = ErpConnection.objects.get()
    assert company.paused_at is not None
    assert len(world.b1.calls.select("POST", "/Login")) == 1  # B1 locks users after a few wrong passwords
    assert {world.posting(o).status for o in orders} == {"waiting"}


def test_a_forged_webhook_is_refused_and_shown(world: World) -> None:
    world.product.start_web()
    body = b'{"scope":"store/order/created","store_id":"1","data":{"type":"order","id":250},"hash":"","created_at":1,"producer":"stores/e2e1"}'

    answer = requests.post(
        world.webhook_url,
        data=body,
        headers={"Content-Type": "application/json", "X-BC-Signature": "00" * 32},
        timeout=10,
    )

    assert answer.status_code == 401
    assert not Event.objects.exists()
    assert SignatureFailure.objects.get().count == 1


def test_replaying_a_posted_order_posts_nothing(world: World) -> None:
    order_id = world.store.place(hat())
    world.post(order_id)
    writes = len(world.b1.calls.select("POST"))

    world.post(order_id)
    world.post(order_id)

    assert len(world.b1.calls.select("POST")) == writes
    assert_posted_once(world, order_id)


def test_a_guest_order_with_one_tender_costs_six_store_calls_and_five_erp_calls(world: World) -> None:
    world.post(world.store.place(hat()))  # signs in, reads the company
    before = len(world.bigcommerce.calls.select()), len(world.b1.calls.select())

    world.post(world.store.place(hat()))

    after = len(world.bigcommerce.calls.select()), len(world.b1.calls.select())
    assert after[0] - before[0] <= 6
    assert after[1] - before[1] <= 5
