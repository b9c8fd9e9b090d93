"""Sales orders that the ERP invoices: the money that waited on account is applied there, once, whatever breaks."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from sandbox.bigcommerce import Line, Shopping, Tax, Tender
from sandbox.service_layer import cancellation, people, reconciliation
from sync import flows
from sync.models import Attempt, Document, Flow, Pipeline
from tests.e2e.world import World
from tests.waiting import wait_until

TEXAS = Tax("Texas", "8.25")
D = Decimal
RECONCILIATIONS = "/InternalReconciliations$"

pytestmark = pytest.mark.django_db(transaction=True)


def hats(quantity: int = 4, **more: Any) -> Shopping:
    return Shopping(lines=(Line("SKU-1", "25.00", quantity, taxes=(TEXAS,)),), **more)


def in_sales_orders(money: str = "on_account", **more: str) -> None:
    pipeline = Pipeline.objects.get()
    pipeline.settings |= {"posting_style": "sales_order", "sales_order_money": money, **more}
    pipeline.save()


def place(world: World, shopping: Shopping, money: str = "on_account") -> tuple[int, int]:
    """A posted sales order: its id in the store, and its DocEntry."""
    in_sales_orders(money)
    order_id = world.store.place(shopping)
    assert world.post(order_id).status == "posted"
    [order] = world.company.documents("Orders", NumAtCard=f"S1-{order_id}-O")
    return order_id, order["DocEntry"]


def follow(world: World) -> int:
    """The scheduled flow, and whatever it makes due."""
    found = flows.run(Flow.objects.get(kind="invoiced_orders"))
    world.work_off()
    return found


def reconciled(world: World) -> list[tuple[int, Decimal]]:
    """Standing reconciliations: the invoice, and over how much."""
    return [
        (each["SrcObjAbs"], each["ReconcileAmount"])
        for row in world.company.rows("InternalReconciliations")
        if not row["CancelAbs"]
        for each in row["InternalReconciliationRows"]
        if each["SrcObjTyp"] == "13"
    ]


def left_on_account(world: World) -> list[Decimal]:
    """What each incoming payment has left."""
    asked = {"CardOrAccount": "coaCard", "InternalReconciliationBPs": [{"BPCode": "WEBGUEST"}]}
    rows = reconciliation.open_transactions(world.company, asked)["InternalReconciliationOpenTransRows"]
    return [row["ReconcileAmount"] for row in rows if row["SrcObjTyp"] == "24"]


def test_the_money_is_applied_when_the_ERP_invoiced_the_whole_order(world: World) -> None:
    order_id, entry = place(world, hats())
    invoice = people.invoice_order(world.company, entry)

    assert follow(world) == 1

    posting = world.posting(order_id)
    assert posting.status == "posted"
    assert reconciled(world) == [(invoice["DocEntry"], D("108.25"))]
    assert left_on_account(world) == []
    assert world.company.get("Invoices", invoice["DocEntry"])["DocumentStatus"] == "bost_Close"
    settlement = posting.documents.get(kind="settlement")
    assert (settlement.state, settlement.erp_number, settlement.total) == ("posted", "1", D("108.25"))


def test_partial_invoices_take_the_money_as_they_come_also_through_deliveries(world: World) -> None:
    order_id, entry = place(world, hats(4))
    first = people.invoice_order(world.company, entry, quantities={0: D(1)})
    assert follow(world) == 1
    assert reconciled(world) == [(first["DocEntry"], D("27.06"))]

    delivery = people.deliver_order(world.company, entry, quantities={0: D(2)})
    second = people.invoice_delivery(world.company, delivery["DocEntry"])
    third = people.invoice_order(world.company, entry)
    assert follow(world) == 1

    assert reconciled(world) == [
        (first["DocEntry"], D("27.06")),
        (second["DocEntry"], D("54.13")),
        (third["DocEntry"], D("27.06")),
    ]
    assert world.posting(order_id).status == "posted"
    assert sum((i["DocTotal"] - i["PaidToDate"] for i in world.documents("Invoices")), D(0)) == 0


def test_two_captures_pay_one_invoice_in_their_order(world: World) -> None:
    tenders = (Tender(amount="60.00"), Tender(amount="48.25"))
    order_id, entry = place(world, hats(4, tenders=tenders))
    invoice = people.invoice_order(world.company, entry, quantities={0: D(3)})

    follow(world)

    assert reconciled(world) == [(invoice["DocEntry"], D("60.00")), (invoice["DocEntry"], D("21.19"))]
    assert left_on_account(world) == [D("27.06")]
    posting = world.posting(order_id)
    assert posting.status == "posted"
    assert "27.06 USD of" in posting.plan.body


def test_a_second_poll_and_replays_apply_nothing_twice(world: World) -> None:
    order_id, entry = place(world, hats())
    people.invoice_order(world.company, entry)
    follow(world)
    writes = len(world.b1.calls.select("POST", RECONCILIATIONS))

    assert follow(world) == 0
    world.post(order_id)
    world.post(order_id)

    assert len(world.b1.calls.select("POST", RECONCILIATIONS)) == writes == 1
    assert len(reconciled(world)) == 1


def test_an_answer_lost_after_the_commit_is_looked_up_and_adopted(world: World) -> None:
    order_id, entry = place(world, hats())
    people.invoice_order(world.company, entry, quantities={0: D(2)})
    world.b1.faults.add("drop", moment="after", method="POST", path=RECONCILIATIONS)

    follow(world)
    assert world.posting(order_id).status == "unknown"
    world.settle()

    assert world.posting(order_id).status == "posted"
    assert [amount for _, amount in reconciled(world)] == [D("54.13")]
    assert left_on_account(world) == [D("54.12")]
    assert len(world.b1.calls.select("POST", RECONCILIATIONS)) == 1


def test_a_worker_killed_between_sent_and_recorded_leaves_one_reconciliation(world: World) -> None:
    order_id, entry = place(world, hats())
    people.invoice_order(world.company, entry, quantities={0: D(2)})
    hold = world.b1.faults.add("hold", moment="after", method="POST", path=RECONCILIATIONS)
    flows.run(Flow.objects.get(kind="invoiced_orders"))
    worker = world.product.start_worker()
    wait_until(lambda: hold.hits == 1, seconds=40, say=world.product.logs, meanwhile=world.ring)

    worker.kill()
    world.b1.faults.release(hold)
    assert Document.objects.get(kind="settlement").state == "sending"
    world.product.start_worker()
    world.wait_for(order_id, "posted", seconds=60)

    assert [amount for _, amount in reconciled(world)] == [D("54.13")]
    outcomes = Attempt.objects.filter(document__kind="settlement").order_by("number")
    assert list(outcomes.values_list("outcome", flat=True)) == ["", "adopted"]


def test_a_request_that_never_arrived_is_sent_again(world: World) -> None:
    order_id, entry = place(world, hats())
    people.invoice_order(world.company, entry)
    world.b1.faults.add("drop", moment="before", method="POST", path=RECONCILIATIONS)

    follow(world)
    assert world.posting(order_id).status == "unknown"
    Document.objects.update(sent_at=F("sent_at") - timedelta(minutes=5))  # the settling time is over
    world.settle()

    assert world.posting(order_id).status == "posted"
    assert [amount for _, amount in reconciled(world)] == [D("108.25")]


def test_an_invoice_cancelled_afterwards_frees_the_money_and_the_next_one_gets_it(world: World) -> None:
    order_id, entry = place(world, hats())
    first = people.invoice_order(world.company, entry)
    follow(world)

    [standing] = list(world.company.rows("InternalReconciliations"))
    reconciliation.cancel(world.company, standing)
    world.post(order_id)  # somebody works on the order before the invoice is cancelled
    posting = world.posting(order_id)
    assert (posting.status, posting.reason_code) == ("held", "application_taken_back")
    assert f"applied to invoice {first['DocNum']} before" in posting.reason
    assert reconciled(world) == []

    cancellation.cancel(world.company, "Invoices", first)
    assert follow(world) == 1
    assert world.posting(order_id).status == "posted"
    assert left_on_account(world) == [D("108.25")]

    second = people.invoice_order(world.company, entry)
    assert follow(world) == 1
    assert reconciled(world) == [(second["DocEntry"], D("108.25"))]
    states = posting.documents.filter(kind="settlement").order_by("pk").values_list("state", flat=True)
    assert list(states) == ["cancelled", "posted"]


def test_what_a_person_applied_by_hand_is_left_alone(world: World) -> None:
    order_id, entry = place(world, hats())
    people.invoice_order(world.company, entry)
    asked = {"CardOrAccount": "coaCard", "InternalReconciliationBPs": [{"BPCode": "WEBGUEST"}]}
    rows = reconciliation.open_transactions(world.company, asked)["InternalReconciliationOpenTransRows"]
    picked = [
        {k: r[k] for k in ("TransId", "TransRowId", "ReconcileAmount")} | {"Selected": "tYES"} for r in rows
    ]
    reconciliation.post(world.company, {"InternalReconciliationOpenTransRows": picked})

    follow(world)

    assert world.posting(order_id).status == "posted"
    assert not Document.objects.filter(kind="settlement").exists()
    assert len(reconciled(world)) == 1


def test_a_down_payment_that_was_drawn_needs_nobody(world: World) -> None:
    order_id, entry = place(world, hats(), "down_payment")
    [down] = world.documents("DownPayments")
    invoice = people.invoice_order(world.company, entry, draw={down["DocEntry"]: None})
    assert invoice["DocTotal"] == 0

    follow(world)

    assert world.posting(order_id).status == "posted"
    assert reconciled(world) == []


def test_a_down_payment_that_was_not_drawn_is_for_a_person_until_it_is(world: World) -> None:
    order_id, entry = place(world, hats(), "down_payment")
    [down] = world.documents("DownPayments")
    invoice = people.invoice_order(world.company, entry)

    follow(world)

    posting = world.posting(order_id)
    assert (posting.status, posting.reason_code) == ("held", "down_payment_not_drawn")
    assert posting.reason == (
        f"Invoice {invoice['DocNum']} was made from the sales order without drawing A/R down payment {down['DocNum']}: "
        "108.25 USD of it are open, and the invoice too."
    )
    cancellation.cancel(world.company, "Invoices", invoice)
    people.invoice_order(world.company, entry, draw={down["DocEntry"]: None})
    follow(world)
    assert world.posting(order_id).status == "posted"


def test_a_partial_invoice_draws_its_part_of_the_down_payment(world: World) -> None:
    order_id, entry = place(world, hats(), "down_payment")
    [down] = world.documents("DownPayments")
    part = people.invoice_order(
        world.company, entry, quantities={0: D(1)}, draw={down["DocEntry"]: D("27.06")}
    )
    assert part["DocTotal"] == 0
    follow(world)
    assert world.posting(order_id).status == "posted"


def test_the_same_in_a_foreign_currency_at_one_rate(world: World) -> None:
    world.company.set_rate("EUR", "1.10")
    order_id, entry = place(world, hats(currency="EUR"))
    people.invoice_order(world.company, entry, quantities={0: D(2)})
    people.invoice_order(world.company, entry)

    follow(world)

    assert world.posting(order_id).status == "posted"
    settled = Document.objects.filter(kind="settlement").order_by("pk")
    assert [(d.total, d.currency) for d in settled] == [(D("54.13"), "EUR"), (D("54.12"), "EUR")]
    first, second = world.documents("Invoices")
    assert first["DocumentStatus"] == "bost_Close"
    assert second["DocTotalFc"] - second["PaidToDateFC"] == D(
        "0.01"
    )  # the ERP rounds the tax of each invoice
    assert f"0.01 EUR of invoice {second['DocNum']} stay open" in world.posting(order_id).plan.body


def test_another_exchange_rate_on_the_invoice_is_for_a_person(world: World) -> None:
    world.company.set_rate("EUR", "1.10")
    order_id, entry = place(world, hats(currency="EUR"))
    world.company.set_rate("EUR", "1.20")
    people.invoice_order(world.company, entry)

    follow(world)

    posting = world.posting(order_id)
    assert posting.status == "refused"
    assert "119.08 USD in the payment and 129.90 USD in invoice" in posting.reason
    assert reconciled(world) == []


def test_money_captured_after_the_invoice_is_applied_at_once_also_with_down_payments(world: World) -> None:
    in_sales_orders("down_payment")
    order_id = world.store.place(hats(tenders=(Tender(amount="50.00"),)))
    world.post(order_id)
    [order] = world.company.documents("Orders", NumAtCard=f"S1-{order_id}-O")
    [down] = world.documents("DownPayments")
    invoice = people.invoice_order(world.company, order["DocEntry"], draw={down["DocEntry"]: None})
    world.store.pay(order_id, D("58.25"))

    posting = world.post(order_id)

    assert posting.status == "posted", posting.reason
    assert reconciled(world) == [(invoice["DocEntry"], D("58.25"))]
    assert len(world.documents("DownPayments")) == 1


def test_no_sales_order_no_call(world: World) -> None:
    world.post(world.store.place(hats()))
    before = len(world.b1.calls.select())

    assert follow(world) == 0

    assert len(world.b1.calls.select()) == before
