"""What changes while an order is on its way: in the store, in the ERP, or by a person's hand. Never two documents, never a stuck row."""

import json
from decimal import Decimal
from typing import Any

import pytest

from erp.models import Breaker, ErpConnection
from mappings.models import MappingSet
from sandbox.bigcommerce import Line, Person, Shopping, Tax
from sandbox.service_layer import cancellation
from sandbox.service_layer.documents import post_draft
from storefront.models import Store
from sync import inbox
from sync.models import Attempt, Document, DocumentState, Pipeline, Posting
from sync.pipelines import save_pipeline
from sync.reprocess import reprocess
from tests.e2e.world import World

TEXAS = Tax("Texas", "8.25")
CANCELLED = 5  # BigCommerce's order status

pytestmark = pytest.mark.django_db(transaction=True)


def hat(quantity: int = 2, **more: Any) -> Shopping:
    return Shopping(lines=(Line("SKU-1", "19.99", quantity, taxes=(TEXAS,)),), **more)


def invoice_of(order_id: int) -> Document:
    return Document.objects.get(reference=f"S1-{order_id}-I")


def test_an_order_edited_while_its_invoice_is_unknown_still_learns_what_became_of_it(world: World) -> None:
    world.b1.faults.add("drop", moment="after", method="POST", path="/Invoices")
    order_id = world.store.place(hat(2))
    assert world.post(order_id).status == "unknown"

    world.store.edit(order_id, hat(3))
    world.post(order_id)

    assert invoice_of(order_id).state == DocumentState.POSTED
    assert (world.posting(order_id).status, world.posting(order_id).reason_code) == (
        "held",
        "edited_after_posting",
    )
    assert len(world.documents("Invoices")) == 1


@pytest.mark.parametrize("written", ["1e999999999", "NaN", "9" * 5000])
def test_an_order_with_a_number_that_no_amount_is_waits_for_a_person_and_names_the_field(
    world: World, written: str
) -> None:
    order_id = world.store.place(hat())
    told = json.dumps(world.store.order(order_id)["order"], default=str)
    absurd = told.replace('"subtotal_tax": ', f'"subtotal_tax": {written}, "was": ').replace(
        '"total_tax": ', f'"total_tax": {written}, "too": '
    )
    assert absurd.count(written) == 2
    world.bigcommerce.faults.add(
        "answer", status=200, body=absurd, path=rf"/v2/orders/{order_id}\?", count=None
    )
    posting = world.post(order_id)
    assert (posting.status, posting.reason_code, posting.crashes) == ("held", "inconsistent", 0)
    assert posting.reason == f"order.total_tax is '{written[:40]}', which is not an amount."
    assert world.documents("Invoices") == []


def test_an_order_cancelled_while_its_invoice_never_arrived_leaves_nothing_in_the_erp(world: World) -> None:
    world.b1.faults.add("drop", moment="before", method="POST", path="/Invoices")
    order_id = world.store.place(hat())
    assert world.post(order_id).status == "unknown"

    world.store.set_status(order_id, CANCELLED)
    world.settle()

    assert world.documents("Invoices") == []
    assert world.documents("CreditNotes") == []
    assert invoice_of(order_id).state == DocumentState.INTENDED
    assert "absent" in Attempt.objects.values_list("outcome", flat=True)


def test_a_draft_is_one_draft_whatever_happens_until_it_is_approved(world: World) -> None:
    world.post(
        world.store.place(hat(1))
    )  # the company's set-up is read, and says that nothing needs approval
    world.company.switches.approvals = {"Invoices"}
    orders = [world.store.place(hat(2)) for _ in range(6)]
    for order_id in orders:
        assert world.post(order_id).status == "waiting"

    assert {invoice_of(o).state for o in orders} == {DocumentState.UNKNOWN}
    assert all(invoice_of(o).is_draft for o in orders)
    assert not Breaker.objects.exclude(state="closed").exists()  # the ERP is well
    for draft in list(world.company.documents("Drafts")):
        post_draft(world.company, draft["DocEntry"])
    world.company.switches.approvals = set()
    world.settle()

    assert {world.posting(o).status for o in orders} == {"posted"}
    assert len(world.company.documents("Drafts")) == 6
    assert len(world.documents("Invoices")) == 7


def test_a_draft_that_was_thrown_away_is_a_persons_business(world: World) -> None:
    world.company.switches.approvals = {"Invoices"}
    order_id = world.store.place(hat())
    world.post(order_id)
    for draft in list(world.company.documents("Drafts")):
        del world.company.tables["Drafts"][draft["DocEntry"],]
    world.company.switches.approvals = set()

    posting = world.post(order_id)
    assert posting.status == "refused"
    assert "no longer in the ERP" in posting.reason

    reprocess([posting], by="olga", what="once more")
    world.settle()
    assert world.posting(order_id).status == "posted"
    assert len(world.documents("Invoices")) == 1


def test_a_difference_that_was_corrected_in_the_erp_is_seen(world: World) -> None:
    order_id = world.store.place(hat())
    posting = world.post(order_id)
    Document.objects.filter(pk=invoice_of(order_id).pk).update(erp_tax=Decimal("1.00"))

    reprocess([posting], by="olga", what="corrected")
    world.work_off()

    assert world.posting(order_id).status == "posted"
    assert invoice_of(order_id).erp_tax == invoice_of(order_id).tax


def test_a_differing_document_that_was_cancelled_in_the_erp_is_posted_again_under_a_new_revision(
    world: World,
) -> None:
    order_id = world.store.place(hat())
    posting = world.post(order_id)
    [wrong] = world.documents("Invoices")
    wrong_row = world.company.get("Invoices", wrong["DocEntry"])
    assert wrong_row is not None
    wrong_row["PaidToDate"] = Decimal(0)  # as if its payment had been cancelled first
    cancellation.cancel(world.company, "Invoices", wrong_row)
    Document.objects.filter(pk=invoice_of(order_id).pk).update(erp_tax=Decimal("1.00"))

    reprocess([posting], by="olga", what="cancelled")
    world.work_off()

    assert invoice_of(order_id).state == DocumentState.CANCELLED
    assert Document.objects.get(reference=f"S1-{order_id}-I1").state == DocumentState.POSTED


def test_a_customer_whose_change_was_seen_first_by_an_order_is_still_changed_in_the_erp(world: World) -> None:
    ana = world.store.add_customer(Person("Ana", "Lima", "ana@example.com", phone="5125550100"))
    world.post(world.store.place(hat(1, person=ana)))
    world.store.change_customer(ana.customer_id, phone="5125550199")
    world.post(world.store.place(hat(2, person=ana)))  # reads the customer as it is now, writes no partner

    notice_customer(ana)
    world.work_off()

    [partner] = [r for r in world.company.rows("BusinessPartners") if r["CardCode"].startswith("S1-")]
    assert partner["Phone1"] == "5125550199"


def test_a_partner_that_an_order_found_gets_what_the_customers_record_says(world: World) -> None:
    ana = world.store.add_customer(Person("Ana", "Lima", "ana@example.com", phone="5125550100"))
    world.post(world.store.place(hat(1, person=ana)))
    Document.objects.filter(kind="partner").delete()  # a restored backup does not know of the partner
    [partner] = [r for r in world.company.rows("BusinessPartners") if r["CardCode"].startswith("S1-")]
    partner["Phone1"] = "old"
    world.post(world.store.place(hat(2, person=ana)))

    notice_customer(ana)
    world.work_off()

    [partner] = [r for r in world.company.rows("BusinessPartners") if r["CardCode"].startswith("S1-")]
    assert partner["Phone1"] == "5125550100"


def test_two_pipelines_into_one_company_share_a_customers_partner(world: World) -> None:
    only(Pipeline.objects.get(), currencies=["USD"])
    second = second_pipeline(currencies=["EUR"])
    ana = world.store.add_customer(Person("Ana", "Lima", "ana@example.com"))
    order_id = world.store.place(hat(1, person=ana))
    world.notice(order_id)
    world.work_off()
    Pipeline.objects.filter(pk=second.pk).update(currencies=["USD"])
    only(Pipeline.objects.get(key="main"), currencies=["EUR"])

    other_id = world.store.place(hat(2, person=ana))
    world.notice(other_id)
    notice_customer(ana)
    world.work_off()

    assert (
        Posting.objects.get(pipeline=second, record_id=str(other_id), record_kind="order").status == "posted"
    )
    assert {p.status for p in Posting.objects.filter(record_kind="customer")} == {"posted"}
    assert Document.objects.filter(kind="partner").count() == 1


def test_an_order_stays_with_the_pipeline_that_posted_it(world: World) -> None:
    order_id = world.store.place(hat())
    assert world.post(order_id).status == "posted"
    second = second_pipeline(currencies=["USD"])
    only(
        Pipeline.objects.get(key="main"), currencies=["EUR"]
    )  # as if the customer had moved to another group

    world.notice(order_id)
    world.work_off()

    here, there = (
        Posting.objects.get(pipeline__key=key, record_id=str(order_id)) for key in ("main", second.key)
    )
    assert (here.status, there.status, there.reason_code) == ("posted", "excluded", "other_pipeline")
    assert len(world.documents("Invoices")) == 1


def test_what_was_only_planned_is_posted_when_the_pipeline_posts(world: World) -> None:
    pipeline = Pipeline.objects.get()
    pipeline.mode = "plan"
    save_pipeline(pipeline, by="arno")
    order_id = world.store.place(hat())
    assert world.post(order_id).reason_code == "plan_only"

    pipeline.mode = "post"
    save_pipeline(pipeline, by="arno")
    world.work_off()

    assert world.posting(order_id).status == "posted"


def test_work_of_a_pipeline_that_is_switched_off_waits_for_it(world: World) -> None:
    order_id = world.store.place(hat())
    world.notice(order_id)
    pipeline = Pipeline.objects.get()
    pipeline.mode = "off"
    save_pipeline(pipeline, by="arno")
    world.work_off()
    assert world.posting(order_id).status == "waiting"

    pipeline.mode = "post"
    save_pipeline(pipeline, by="arno")
    world.work_off()
    assert world.posting(order_id).status == "posted"


def notice_customer(person: Person) -> None:
    inbox.want(
        store=Store.objects.get(),
        record_kind="customer",
        record_id=str(person.customer_id),
        correlation_id="c" * 32,
    )


def only(pipeline: Pipeline, **columns: Any) -> None:
    Pipeline.objects.filter(pk=pipeline.pk).update(**columns)


def second_pipeline(**columns: Any) -> Pipeline:
    first = Pipeline.objects.get(key="main")
    only(first, currencies=["GBP"])
    second = Pipeline(
        tenant=first.tenant,
        key="second",
        name="Second",
        store=first.store,
        company=ErpConnection.objects.get(),
        mapping_set=MappingSet.objects.get(),
        mode="post",
        environment="sandbox",
        start_at=first.start_at,
        settings=first.settings,
        **columns,
    )
    saved = save_pipeline(second, by="arno")
    only(first, currencies=first.currencies)
    return saved
