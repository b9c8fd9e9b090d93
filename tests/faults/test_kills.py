"""kill -9 of web, worker and beat at every step of the journey, and processes that stand still and wake up."""

from __future__ import annotations

import signal

import pytest

from proof.processes import Process, worker
from proof.world import World
from sync.steps import Step
from tests.faults.shopping import not_posted, orders_of_a_guest_and_a_new_customer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

OF_THE_WORKER = [step for step in Step if step not in (Step.RECEIVED, Step.TICKED, Step.FAILED)]


def wait_for_the_trap(world: World, step: Step) -> None:
    world.wait_until(
        lambda: not (world.traps / step).exists(), what=f"a process reached the step {step}", seconds=60
    )


@pytest.mark.parametrize("step", OF_THE_WORKER)
def test_a_worker_killed_at_any_step_leaves_every_order_posted_once(world: World, step: Step) -> None:
    starts = world.worker.starts
    world.set_trap(step)

    orders = orders_of_a_guest_and_a_new_customer(world.acme)
    wait_for_the_trap(world, step)
    world.drain()

    assert world.worker.starts > starts
    assert not_posted(world, world.acme, orders) == {}


def test_a_worker_killed_when_it_has_written_down_a_failure_tries_again(world: World) -> None:
    world.b1.faults.add("drop", moment="after", method="POST", path="/Invoices")
    world.set_trap(Step.FAILED)

    orders = orders_of_a_guest_and_a_new_customer(world.acme)
    wait_for_the_trap(world, Step.FAILED)
    world.drain()

    assert not_posted(world, world.acme, orders) == {}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("path", ["/BusinessPartners", "/Invoices", "/IncomingPayments"])
def test_a_worker_killed_while_its_bytes_are_under_way_posts_once(
    world: World, path: str, moment: str
) -> None:
    hold = world.b1.faults.add("hold", moment=moment, method="POST", path=path)
    orders = orders_of_a_guest_and_a_new_customer(world.acme)
    world.wait_until(lambda: hold.hits == 1, what=f"a POST to {path} is held")

    world.worker.kill()
    world.b1.faults.release(hold)  # whether the ERP takes it now or had taken it: nobody hears the answer
    world.drain()

    assert not_posted(world, world.acme, orders) == {}


def test_a_web_process_killed_between_commit_and_answer_is_told_again_and_nothing_is_read_as_new(
    world: World,
) -> None:
    world.set_trap(Step.RECEIVED)

    orders = orders_of_a_guest_and_a_new_customer(world.acme)
    wait_for_the_trap(world, Step.RECEIVED)
    world.drain()

    assert not_posted(world, world.acme, orders) == {}
    [[repeated]] = world.rows("SELECT count(*) FROM sync_event WHERE repeats > 0")
    assert repeated >= 1


def test_beat_killed_after_a_tick_sweeps_again_and_finds_what_nobody_rang_for(world: World) -> None:
    starts = world.beat.starts
    world.set_trap(Step.TICKED)
    wait_for_the_trap(world, Step.TICKED)
    world.wait_until(lambda: world.beat.starts > starts, what="beat was started again")

    world.kill_broker()  # the ring is lost
    orders = orders_of_a_guest_and_a_new_customer(world.acme)
    world.wait_until(lambda: set(orders) <= set(world.statuses(world.acme)), what="the webhooks are there")
    world.valkey.start()
    world.wait_until(world.is_drained, what="beat swept", seconds=90)  # no ring of the test's own

    assert not_posted(world, world.acme, orders) == {}


def test_everything_killed_at_once_as_by_a_power_cut_goes_on_where_it_was(world: World) -> None:
    hold = world.b1.faults.add("hold", moment="after", method="POST", path="/Invoices")
    orders = [order for _ in range(4) for order in orders_of_a_guest_and_a_new_customer(world.acme)]
    world.wait_until(lambda: hold.hits == 1, what="an invoice is under way")

    for process in world.processes:
        process.kill()
    world.kill_broker()
    world.restart_postgres(immediate=True)
    world.valkey.start()
    world.b1.faults.release(hold)
    world.drain()

    assert not_posted(world, world.acme, orders) == {}


def test_a_worker_frozen_between_its_last_check_and_its_first_byte_sends_nothing_when_it_wakes(
    world: World,
) -> None:
    world.set_trap(Step.SENDING, signal.SIGSTOP)
    orders = orders_of_a_guest_and_a_new_customer(world.acme)
    world.wait_until(lambda: world.worker.is_frozen, what="the worker stands still before sending")

    other = Process("other-worker", worker(4), world.env, world.folder).start()
    try:
        world.drain()  # the other one took over, and posted
        invoices = len(list(world.acme.company.rows("Invoices")))
        world.worker.thaw()
        world.wait_until(
            lambda: "lease_lost" in world.worker.last_lines(20_000), what="it found itself overtaken"
        )
    finally:
        other.stop()

    assert not_posted(world, world.acme, orders) == {}
    assert len(list(world.acme.company.rows("Invoices"))) == invoices


def test_a_frozen_web_process_and_a_frozen_beat_lose_nothing(world: World) -> None:
    world.beat.freeze()
    world.web.freeze()
    orders = orders_of_a_guest_and_a_new_customer(world.acme)
    world.web.thaw()
    world.beat.thaw()
    world.drain()

    assert not_posted(world, world.acme, orders) == {}
