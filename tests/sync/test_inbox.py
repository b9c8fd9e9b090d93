"""Recording deliveries: once each, durable, and every accepted one makes its record wanted again."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from storefront.events import StoreEvent
from storefront.models import Store
from sync.inbox import accept
from sync.models import Event, EventState, Flow, FlowKind, Pipeline, Posting, Status

ORDER_EVENT = StoreEvent(
    scope="store/order/updated",
    delivery_key="id:msg_1",
    record_kind="order",
    record_id="250",
    created_at=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
    stale=False,
    is_identified=True,
    producer="stores/abc1",
    store_id="1025646",
)

pytestmark = pytest.mark.django_db


def test_one_delivery_is_one_event_and_one_wanted_version(store: Store, pipeline: Pipeline) -> None:
    accept(store=store, event=ORDER_EVENT)

    [posting] = Posting.objects.all()
    assert (posting.record_kind, posting.record_id, posting.wanted_version) == ("order", "250", 1)
    assert posting.due_at is not None
    assert Event.objects.get().state == EventState.QUEUED


def test_a_repeated_delivery_is_counted_and_not_read_again(store: Store, pipeline: Pipeline) -> None:
    for _ in range(3):
        accept(store=store, event=ORDER_EVENT)

    assert Event.objects.get().repeats == 2
    assert Posting.objects.get().wanted_version == 1


def test_a_repeat_that_the_store_did_not_name_is_read_again(store: Store, pipeline: Pipeline) -> None:
    for _ in range(2):
        accept(store=store, event=replace(ORDER_EVENT, is_identified=False))

    assert Event.objects.count() == 1
    assert Posting.objects.get().wanted_version == 2


def test_every_further_event_raises_the_wanted_version(store: Store, pipeline: Pipeline) -> None:
    accept(store=store, event=ORDER_EVENT)
    Posting.objects.update(due_at=None, done_version=1, status=Status.POSTED)

    accept(store=store, event=replace(ORDER_EVENT, delivery_key="id:msg_2"))

    posting = Posting.objects.get()
    assert (posting.wanted_version, posting.done_version) == (2, 1)
    assert posting.due_at is not None


def test_an_order_excluded_by_hand_is_not_due_again(store: Store, pipeline: Pipeline) -> None:
    accept(store=store, event=ORDER_EVENT)
    Posting.objects.update(due_at=None, status=Status.EXCLUDED, reason_code="by_hand")

    accept(store=store, event=replace(ORDER_EVENT, delivery_key="id:msg_2"))

    assert Posting.objects.get().due_at is None
    assert Event.objects.count() == 2


def test_a_scope_that_no_flow_follows_is_recorded_and_nothing_more(store: Store, pipeline: Pipeline) -> None:
    accept(store=store, event=replace(ORDER_EVENT, scope="store/product/updated", record_kind="product"))

    assert Event.objects.get().state == EventState.RECORDED
    assert not Posting.objects.exists()


@pytest.mark.parametrize("off", ["pipeline", "flow"])
def test_nothing_is_due_for_a_pipeline_or_flow_that_is_off(
    store: Store, pipeline: Pipeline, off: str
) -> None:
    if off == "pipeline":
        Pipeline.objects.update(mode="off")
    else:
        Flow.objects.filter(kind=FlowKind.ORDERS).update(enabled=False)

    accept(store=store, event=ORDER_EVENT)

    assert Event.objects.count() == 1
    assert not Posting.objects.exists()
