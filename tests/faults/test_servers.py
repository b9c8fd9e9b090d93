"""The broker, the database, the log's disk and both other sides fail while orders come in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof import processes
from proof.processes import Process
from proof.world import World
from tests.faults.shopping import hat, not_posted, orders_of_a_guest_and_a_new_customer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

FULL_DISK = Path("/dev/full")


@contextlib.contextmanager
def in_place_of(world: World, **others: Process) -> Iterator[None]:
    """Other processes run instead of the world's web, worker or beat."""
    usual = {name: getattr(world, name) for name in others}
    for name, other in others.items():
        usual[name].stop()
        setattr(world, name, other.start())
    try:
        world.wait_until(world.is_ready, what="the other web process is ready", seconds=90)
        yield
    finally:
        for name, other in others.items():
            other.stop()
            setattr(world, name, usual[name].start())


def test_a_broker_that_is_killed_and_emptied_costs_nothing_but_a_sweep(world: World) -> None:
    starts = world.worker.starts
    slow = world.b1.faults.add("slow", method="POST", path="/Invoices", delay=0.5, count=8)
    orders = orders_of_a_guest_and_a_new_customer(world.acme)
    world.wait_until(lambda: slow.hits > 0, what="the worker has something in hand")
    world.kill_broker()
    orders += [world.acme.store.place(hat(n)) for n in (1, 2, 3)]
    assert world.bigcommerce.wait_until_delivered(timeout=40)
    told = [
        delivery for delivery in world.history().deliveries if delivery.record == ("order", str(orders[-1]))
    ]
    assert [one.acknowledged_at is not None for one in told] == [True]  # before the broker is back

    world.valkey.start()
    world.drain()
    assert not_posted(world, world.acme, orders) == {}
    assert world.worker.starts == starts  # it waited for the broker


@pytest.mark.parametrize("immediate", [False, True], ids=["fast", "immediate"])
def test_a_restarted_database_keeps_every_acknowledged_webhook(world: World, immediate: bool) -> None:
    beats = world.beat.starts
    hold = world.b1.faults.add("hold", moment="after", method="POST", path="/Invoices")
    orders = [order for _ in range(3) for order in orders_of_a_guest_and_a_new_customer(world.acme)]
    world.wait_until(lambda: hold.hits == 1, what="an invoice is under way")

    world.restart_postgres(immediate=immediate)
    world.b1.faults.release(hold)
    orders += orders_of_a_guest_and_a_new_customer(world.acme)
    world.drain()

    assert not_posted(world, world.acme, orders) == {}
    assert world.beat.starts == beats  # it waited for the database


def test_an_exhausted_pool_makes_waiting_and_nothing_worse(world: World) -> None:
    env = {**world.env, "TIEOUT_DB_POOL": "1"}
    with in_place_of(
        world,
        web=Process("web-of-one", processes.WEB, env, world.folder),
        worker=Process("worker-of-one", processes.worker(8), env, world.folder),
    ):
        orders = [world.acme.store.place(hat(1 + n % 4)) for n in range(25)]
        world.drain(seconds=150)

    assert not_posted(world, world.acme, orders) == {}


@pytest.mark.skipif(not FULL_DISK.exists(), reason="only Linux has /dev/full, a disk that is always full")
def test_a_full_log_disk_stops_no_work(world: World) -> None:
    env = {**world.env, "TIEOUT_LOG_LEVEL": "INFO"}
    starts = {"web": processes.WEB, "worker": processes.worker(4), "beat": processes.BEAT}
    others = {
        name: Process(name, command, env, world.folder, output=FULL_DISK) for name, command in starts.items()
    }
    with in_place_of(world, **others):
        world.b1.faults.add("drop", moment="after", method="POST", path="/Invoices")  # gives something to log
        orders = orders_of_a_guest_and_a_new_customer(world.acme)
        world.drain()
        assert {name: other.starts for name, other in others.items()} == {"web": 1, "worker": 1, "beat": 1}

    assert not_posted(world, world.acme, orders) == {}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "answer"])
def test_an_erp_that_breaks_off_every_kind_of_write_posts_each_once(
    world: World, kind: str, moment: str
) -> None:
    for path in ("/BusinessPartners", "/Invoices", "/IncomingPayments", "/CreditNotes", "/VendorPayments"):
        world.b1.faults.add(kind, moment=moment, method="POST", path=path, status=502, body="<html>", count=2)
    orders = [order for _ in range(2) for order in orders_of_a_guest_and_a_new_customer(world.acme)]
    world.acme.store.refund(orders[0])
    world.drain(seconds=120)

    assert not_posted(world, world.acme, orders) == {}


@pytest.mark.parametrize("shape", ["401", "-5002"])
def test_sessions_lost_in_the_middle_of_orders_are_renewed(world: World, shape: str) -> None:
    for path in ("/Invoices", "/IncomingPayments", "/BusinessPartners"):
        world.b1.faults.add("session_lost", method="POST", path=path, count=2, params={"shape": shape})
    world.b1.sessions.lose()
    orders = [order for _ in range(2) for order in orders_of_a_guest_and_a_new_customer(world.acme)]
    world.drain()

    assert not_posted(world, world.acme, orders) == {}


def test_a_storm_of_429_with_headers_is_waited_out(world: World) -> None:
    storm = world.bigcommerce.faults.add(
        "answer",
        path="/v2/orders/|/v3/orders",
        status=429,
        count=12,
        headers={"X-Rate-Limit-Time-Reset-Ms": "700", "X-Retry-After": "1"},
    )
    orders = [order for _ in range(3) for order in orders_of_a_guest_and_a_new_customer(world.acme)]
    world.drain()

    assert storm.over
    assert not_posted(world, world.acme, orders) == {}


def test_one_tenants_flood_does_not_queue_up_before_another_tenant(world: World) -> None:
    """Not a timing: when the last order of the quiet tenant is posted, most of the flood still waits."""
    slow = world.b1.faults.add("slow", method="POST", path="/Invoices", delay=0.3, count=None)
    flood = [world.acme.store.place(hat(1 + n % 4)) for n in range(60)]
    world.wait_until(lambda: slow.hits > 2, what="the flood is being worked off")

    few = [world.quiet.store.place(hat(n)) for n in (1, 2, 3)]
    world.wait_until(
        lambda: not not_posted(world, world.quiet, few), what="the quiet tenant's orders", seconds=60
    )

    assert len(not_posted(world, world.acme, flood)) > len(flood) // 2
    world.b1.faults.clear()
    world.drain(seconds=120)
    assert not_posted(world, world.acme, flood) == {}
