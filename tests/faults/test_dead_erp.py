"""An ERP that is dead for an hour, with our own waits moved and not waited for; clocks that go wrong; a document that crashes us."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from erp.models import Breaker
from sync.failures import MOST_CRASHES
from sync.models import Document, Event, Posting
from tests.e2e.world import World, open_world
from tests.faults.shopping import hat

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

HOUR = 3600
TICK = 30  # simulated seconds between two sweeps


@pytest.fixture
def e2e(process_environment: dict[str, str], tmp_path: Path) -> Iterator[World]:
    with open_world(process_environment, tmp_path) as found:
        yield found


@pytest.fixture
def advance(settings: Any, tmp_path: Path) -> Callable[[int], None]:
    """Puts our own waits ahead by so many more seconds."""
    file, ahead = tmp_path / "ahead", 0
    file.write_text("0")
    settings.TIEOUT_WAITS_AHEAD = str(file)

    def move(seconds: int) -> None:
        nonlocal ahead
        ahead += seconds
        file.write_text(str(ahead))

    return move


def an_hour_passes(e2e: World, advance: Callable[[int], None]) -> None:
    for _ in range(HOUR // TICK):
        advance(TICK)
        e2e.work_off()


def calls(e2e: World) -> int:
    return len(e2e.b1.calls.select())


def test_a_thousand_waiting_documents_ask_a_dead_erp_no_more_often_than_one(
    e2e: World, advance: Callable[[int], None]
) -> None:
    outage = e2e.b1.faults.add("answer", moment="before", status=503, count=None)
    orders = [e2e.store.place(hat(1 + n % 5), silent=True) for n in range(1000)]
    for order_id in orders:
        e2e.notice(order_id)

    an_hour_passes(e2e, advance)

    # Five failures open the breaker. Then probes: after 15 s, 30 s, 60 s, 120 s, 240 s, and every five minutes.
    probes = 5 + (HOUR - 465) // 300 + 1
    assert 5 + probes - 2 <= calls(e2e) <= 5 + probes + 1
    assert e2e.company.documents("Invoices") == []
    assert set(Posting.objects.values_list("status", flat=True)) == {"waiting"}

    e2e.b1.faults.remove(outage.id)
    advance(HOUR // 2)
    e2e.work_off(rounds=20)
    assert Breaker.objects.get().state == "closed"
    assert Posting.objects.filter(status="posted").count() == 20


def test_an_erp_that_was_dead_for_an_hour_drains_completely_by_itself(
    e2e: World, advance: Callable[[int], None]
) -> None:
    outage = e2e.b1.faults.add("answer", moment="before", status=503, count=None)
    orders = [e2e.store.place(hat(1 + n % 5), silent=True) for n in range(40)]
    for order_id in orders:
        e2e.notice(order_id)
    an_hour_passes(e2e, advance)

    e2e.b1.faults.remove(outage.id)
    for _ in range(HOUR // TICK):
        advance(TICK)
        e2e.work_off(rounds=100)
        if not Posting.objects.exclude(due_at=None).exists():
            break

    assert {e2e.posting(order).status for order in orders} == {"posted"}
    assert len(e2e.documents("Invoices")) == len(orders)


def test_a_storm_of_429_without_headers_is_asked_a_growing_while_apart(e2e: World) -> None:
    storm = e2e.bigcommerce.faults.add("overload", count=None)
    order_id = e2e.store.place(hat(), silent=True)
    e2e.notice(order_id)
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False) as clock:
        for _ in range(600):  # ten minutes in steps of a second
            clock.shift(timedelta(seconds=1))
            Posting.objects.exclude(due_at=None).update(
                due_at=now - timedelta(hours=1)
            )  # nobody waits but the quota
            e2e.work_off(rounds=1)
        asked = len(e2e.bigcommerce.calls.select("GET"))
        e2e.bigcommerce.faults.remove(storm.id)
        clock.shift(timedelta(minutes=11))
        Posting.objects.exclude(due_at=None).update(due_at=now - timedelta(hours=1))
        e2e.work_off()

    # Waits of 30, 60, 120, 240 s, and so on: four or five times within ten minutes, each at most a few parallel reads.
    assert asked <= 5 * 8
    assert e2e.posting(order_id).status == "posted"


@pytest.mark.parametrize("by", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=-400)], ids=str)
def test_a_worker_whose_clock_is_wrong_posts_once_and_takes_no_work_from_another(
    e2e: World, by: timedelta
) -> None:
    order_id = e2e.store.place(hat(), silent=True)
    e2e.notice(order_id)
    with time_machine.travel(datetime.now(UTC) + by):
        e2e.work_off()
        assert e2e.posting(order_id).status == "posted"
        e2e.notice(order_id)
        e2e.work_off()
    e2e.notice(order_id)
    e2e.work_off()

    assert e2e.posting(order_id).status == "posted"
    assert len(e2e.documents("Invoices")) == 1


def test_a_store_whose_clock_is_set_back_is_still_heard(e2e: World) -> None:
    e2e.register_hooks()
    e2e.bigcommerce.clock.advance(-HOUR)
    order_id = e2e.store.place(hat())
    e2e.bigcommerce.wait_until_delivered(timeout=30)
    e2e.work_off()

    assert {t["status"] for d in e2e.store.hooks.deliveries() for t in d["tries"]} == {200}
    assert Event.objects.get(record_id=str(order_id), scope="store/order/created").is_stale
    assert e2e.posting(order_id).status == "posted"


def test_what_crashes_us_is_held_as_our_bug_after_three_times_and_the_others_go_on(
    e2e: World,
) -> None:
    poison, *others = [e2e.store.place(hat(n), silent=True) for n in (1, 2, 3)]
    assert e2e.post(poison).status == "posted"
    Document.objects.update(body='{"_": "of a form that nothing reads"}')
    e2e.notice(poison)
    for _ in range(MOST_CRASHES):
        with pytest.raises(ValueError, match="not a contract value"):
            e2e.work_off()
        Posting.objects.update(lease_until=datetime.now(UTC) - timedelta(hours=1))  # its lease runs out
    for order_id in others:
        e2e.notice(order_id)
    e2e.work_off()

    assert {e2e.posting(order).status for order in others} == {"posted"}
    posting = e2e.posting(poison)
    assert posting.reason_code == "our_bug"
    assert posting.correlation_id in posting.reason
    assert len(e2e.documents("Invoices")) == 3  # its own was there before
