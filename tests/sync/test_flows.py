"""Polls find what webhooks missed, ask for no more than that, and say what went wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from erp.models import ErpConnection
from sandbox.bigcommerce import BigCommerce, Line, Shopping
from sandbox.bigcommerce import Store as SandboxStore
from sandbox.wire import serve
from storefront.models import Store
from sync import flows
from sync.models import Flow, FlowKind, Pipeline, Posting, Snapshot

pytestmark = pytest.mark.django_db
HAT = Shopping(lines=(Line("SKU-1", "10.00"),))


@pytest.fixture
def shop(pipeline: Pipeline) -> Iterator[SandboxStore]:
    """A store that really answers, behind the pipeline's."""
    bigcommerce = BigCommerce()
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


def test_a_record_that_was_read_after_its_change_is_not_read_again(
    pipeline: Pipeline, shop: SandboxStore
) -> None:
    shop.place(HAT)
    flows.run(orders(pipeline))
    [posting] = Posting.objects.all()
    snapshot = Snapshot.objects.create(
        tenant=pipeline.tenant, store=pipeline.store, record_kind="order", record_id=posting.record_id,
        hash="5" * 64, body={},
    )  # fmt: skip
    Snapshot.objects.update(taken_at=timezone.now() + timedelta(minutes=5))
    Posting.objects.update(snapshot=snapshot)

    flows.run(orders(pipeline))
    assert Posting.objects.get().wanted_version == 1

    Snapshot.objects.update(taken_at=timezone.now() + timedelta(seconds=20))  # clocks may be that far apart
    flows.run(orders(pipeline))
    assert Posting.objects.get().wanted_version == 2


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
    assert flows._since(orders(pipeline)) == made - flows.OVERLAP

    Pipeline.objects.update(start_at=datetime(2026, 11, 10, tzinfo=UTC))
    assert flows._since(orders(pipeline)) == datetime(2026, 11, 10, tzinfo=UTC) - flows.OVERLAP
