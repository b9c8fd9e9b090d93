"""Polls find what webhooks missed, ask for no more than that, and say what went wrong."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from erp.models import ErpConnection
from sandbox.bigcommerce import BigCommerce, Line, Shopping
from sandbox.bigcommerce import Store as SandboxStore
from sandbox.wire import serve
from storefront.models import Store
from sync import flows, polling
from sync.models import Flow, FlowKind, Pipeline, Posting
from sync.pipelines import save_pipeline

pytestmark = pytest.mark.django_db
HAT = Shopping(lines=(Line("SKU-1", "10.00"),))


@pytest.fixture
def bigcommerce() -> BigCommerce:
    return BigCommerce()


@pytest.fixture
def shop(pipeline: Pipeline, bigcommerce: BigCommerce) -> Iterator[SandboxStore]:
    """A store that really answers, behind the pipeline's."""
    sandbox = bigcommerce.add_store("abc1", client_secret="a-secret-of-the-sandbox", local_hooks=True)
    with serve(bigcommerce, port=0) as server:
        row = pipeline.store
        row.base_url, row.client_id, row.access_token = server.url, "sandbox-client", "sandbox-token"
        row.save()
        yield sandbox


def orders(pipeline: Pipeline) -> Flow:
    return Flow.objects.select_related("pipeline__store", "pipeline__company").get(
        pipeline=pipeline, kind=FlowKind.ORDERS
    )


def test_a_poll_wants_what_was_not_read_since_it_changed(pipeline: Pipeline, shop: SandboxStore) -> None:
    ids = [shop.place(HAT) for _ in range(2)]
    assert flows.run(orders(pipeline)) == 2

    assert set(Posting.objects.values_list("record_id", flat=True)) == {str(i) for i in ids}
    flow = orders(pipeline)
    assert flow.last_error == ""
    assert flow.polled_until is not None


def test_a_poll_finds_a_refund_that_is_no_change_of_its_order(pipeline: Pipeline, shop: SandboxStore) -> None:
    order_id = shop.place(HAT)
    shop.refund(order_id)
    record = shop._get(order_id)
    record["payloads"]["order"]["date_modified"] = "Mon, 02 Jan 2006 15:04:05 +0000"
    shop._save(record)

    assert flows.run(orders(pipeline)) == 1
    assert Posting.objects.get().record_id == str(order_id)


def read_now(record_id: int, shop: SandboxStore, *, later: timedelta) -> None:
    """As if a worker had read the order, so long after its last change."""
    modified = shop._get(record_id)["modified"].replace(microsecond=0)
    Posting.objects.filter(record_id=str(record_id)).update(
        read_at=modified + later, record_modified_at=modified, done_version=F("wanted_version"), due_at=None
    )


def wanted() -> list[int]:
    return list(Posting.objects.order_by("record_id").values_list("wanted_version", flat=True))


def test_a_change_that_was_read_is_not_read_again(pipeline: Pipeline, shop: SandboxStore) -> None:
    order_id = shop.place(HAT)
    flows.run(orders(pipeline))
    read_now(order_id, shop, later=timedelta(seconds=10))

    flows.run(orders(pipeline))
    assert wanted() == [1]

    read_now(order_id, shop, later=timedelta(seconds=0.5))  # a second change may share that second
    flows.run(orders(pipeline))
    assert wanted() == [2]


def test_a_reading_of_an_older_state_is_none_of_the_change(pipeline: Pipeline, shop: SandboxStore) -> None:
    order_id = shop.place(HAT)
    flows.run(orders(pipeline))
    read_now(order_id, shop, later=timedelta(hours=1))
    Posting.objects.update(record_modified_at=F("record_modified_at") - timedelta(seconds=1))

    flows.run(orders(pipeline))
    assert wanted() == [2]


def test_what_waits_to_be_read_is_not_hurried_by_a_poll(pipeline: Pipeline, shop: SandboxStore) -> None:
    shop.place(HAT)
    flows.run(orders(pipeline))
    later = timezone.now() + timedelta(minutes=20)
    Posting.objects.update(due_at=later)

    flows.run(orders(pipeline))
    assert (wanted(), Posting.objects.get().due_at) == ([1], later)

    Posting.objects.update(due_at=None)  # refused: only a change makes it due again
    flows.run(orders(pipeline))
    assert wanted() == [2]


@pytest.fixture
def second(pipeline: Pipeline) -> Pipeline:
    """Another pipeline of the same store."""
    rest = Pipeline(
        tenant=pipeline.tenant, key="second", name="Second", store=pipeline.store, company=pipeline.company,
        mapping_set=pipeline.mapping_set, mode="plan", environment="sandbox",
    )  # fmt: skip
    return save_pipeline(rest, by="test")


def test_one_poll_serves_all_pipelines_of_the_store(
    pipeline: Pipeline, second: Pipeline, shop: SandboxStore
) -> None:
    shop.place(HAT)
    assert flows.run(orders(pipeline), scheduled=True) == 1
    assert set(Posting.objects.values_list("pipeline__key", flat=True)) == {"main", "second"}
    assert flows.run(orders(second), scheduled=True) == 0  # it was polled a moment ago
    assert flows.run(orders(second)) == 1  # unless a person asks


def test_a_pipeline_that_joins_later_gets_what_was_before_it(
    pipeline: Pipeline, shop: SandboxStore, second: Pipeline
) -> None:
    Flow.objects.filter(pipeline=second).update(enabled=False)
    order_id = shop.place(HAT)
    flows.run(orders(pipeline))
    read_now(order_id, shop, later=timedelta(minutes=1))
    Flow.objects.filter(pipeline=second).update(enabled=True)

    flows.run(orders(pipeline))

    assert Posting.objects.get(pipeline=second).record_id == str(order_id)
    assert Posting.objects.get(pipeline=pipeline).wanted_version == 1


def test_a_run_under_way_is_not_run_beside_and_a_dead_one_is_taken_over(
    pipeline: Pipeline, shop: SandboxStore
) -> None:
    shop.place(HAT)
    Flow.objects.update(running_until=timezone.now() + timedelta(minutes=1))
    assert flows.run(orders(pipeline)) == 0
    Flow.objects.update(running_until=timezone.now() - timedelta(seconds=1))
    assert flows.run(orders(pipeline)) == 1
    assert orders(pipeline).running_until is None


def test_a_poll_that_breaks_off_goes_on_from_its_last_page(
    pipeline: Pipeline, shop: SandboxStore, bigcommerce: BigCommerce
) -> None:
    at = datetime(2026, 11, 3, tzinfo=UTC)
    pipeline.versions.update(at=at)
    for minute in range(260):
        shop.place(replace(HAT, placed_at=at + timedelta(minutes=minute)))
    bigcommerce.faults.add("drop", path=r"v2/orders\?", skip=1, count=4)

    assert flows.run(orders(pipeline)) == 0
    flow = orders(pipeline)
    assert flow.last_error != ""
    assert flow.polled_until == at + timedelta(minutes=249)
    assert Posting.objects.count() == 250

    flows.run(flow)
    assert Posting.objects.count() == 260
    assert orders(pipeline).polled_until == at + timedelta(minutes=259)


def test_a_failure_is_kept_on_the_flow_in_a_sentence_and_the_next_poll_starts_where_this_one_did(
    pipeline: Pipeline, shop: SandboxStore
) -> None:
    Store.objects.update(base_url="http://127.0.0.1:1")

    assert flows.run(orders(pipeline)) == 0

    flow = orders(pipeline)
    assert flow.last_error.endswith(".")
    assert flow.last_run_at is not None
    assert (flow.polled_until, flow.last_success_at) == (None, None)


@pytest.mark.parametrize("what", ["off", "disabled", "pipeline paused", "store paused"])
def test_nothing_is_asked_while_it_is_off_or_waits_for_a_person(
    pipeline: Pipeline, shop: SandboxStore, what: str
) -> None:
    shop.place(HAT)
    match what:
        case "off":
            Pipeline.objects.update(mode="off")
        case "disabled":
            Flow.objects.update(enabled=False)
        case "pipeline paused":
            Pipeline.objects.update(paused_at=timezone.now())
        case "store paused":
            Store.objects.update(paused_at=timezone.now())

    assert flows.run(orders(pipeline)) == 0
    assert orders(pipeline).last_run_at is None


def test_a_paused_company_is_not_signed_in_to_for_reference_values(pipeline: Pipeline) -> None:
    ErpConnection.objects.update(paused_at=timezone.now())
    flow = Flow.objects.select_related("pipeline__company").get(kind=FlowKind.REFERENCE_VALUES)
    assert flows.run(flow) == 0
    assert Flow.objects.get(pk=flow.pk).last_run_at is None


def test_the_first_poll_looks_back_to_go_live_or_to_when_the_pipeline_was_made(pipeline: Pipeline) -> None:
    made = datetime(2026, 11, 1, tzinfo=UTC)
    pipeline.versions.update(at=made)
    assert polling._since([orders(pipeline)], "polled_until") == made - polling.OVERLAP

    Pipeline.objects.update(start_at=datetime(2026, 11, 10, tzinfo=UTC))
    assert (
        polling._since([orders(pipeline)], "polled_until")
        == datetime(2026, 11, 10, tzinfo=UTC) - polling.OVERLAP
    )
