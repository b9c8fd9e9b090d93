"""A burst of guest orders with one tender, a tenth of the deliveries twice: from the first webhook to the last payment."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from config.local.bench.deliveries import Outcome, at_once, delivery
from config.local.bench.meters import BUSY, Meter, percentiles
from config.local.bench.options import Options
from config.local.bench.world import FIRST_ORDER, PRODUCT, World, world
from config.local.installation import ask

REPEATED = 0.1
LONGEST_SECONDS = 120
LOOK_SECONDS = 0.1
# One after the other, whatever runs beside them: the order, its parts, the order again; the items' stock, the look-up
# and the invoice, the look-up and the payment.
CHAIN_OF_A_GUEST_ORDER = 8
WARM_UP = 4  # orders of each company before the clock starts: logins, the company's facts, imports


def run(options: Options) -> Iterator[dict[str, Any]]:
    """One line per latency."""
    each = -(-options.orders // options.connections)
    options = replace(options, orders=each * options.connections)
    with world(options, orders=WARM_UP + each * len(options.latencies)) as made:
        _post(made, range(FIRST_ORDER, FIRST_ORDER + WARM_UP))
        for turn, latency in enumerate(options.latencies):
            made.be_slow(latency)
            first = FIRST_ORDER + WARM_UP + turn * each
            yield _burst(made, range(first, first + each), latency)


def _burst(made: World, order_ids: range, latency: int) -> dict[str, Any]:
    options = made.options
    posted_before, calls_before = _posted(made), made.calls()
    meter = made.meter().start()
    began = time.perf_counter()
    outcome = _deliver(made, order_ids)
    wanted = posted_before + options.orders
    is_complete = _wait_for(made, wanted)
    took = time.perf_counter() - began
    meter.stop()
    store_calls, erp_calls = (
        after - before for after, before in zip(made.calls(), calls_before, strict=True)
    )
    return {
        "latency_ms": latency,
        "orders": options.orders,
        "posted": _posted(made) - posted_before,
        "complete": is_complete,
        "posted_twice": _doubles(made),
        "orders_per_second": round(options.orders / took, 1),
        **_limit(options, latency, options.orders / took),
        "store_calls_per_order": round(store_calls / options.orders, 2),
        "erp_calls_per_order": round(erp_calls / options.orders, 2),
        **_cost(meter, options.orders),
        **_acceptance(outcome),
    }


def _post(made: World, order_ids: range) -> None:
    """Have these orders of every store posted, to the last."""
    wanted = _posted(made) + len(order_ids) * made.options.connections
    _deliver(made, order_ids)
    if not _wait_for(made, wanted):
        raise RuntimeError("The warm-up's orders were not posted in time; see the lines of the worker above.")


def _deliver(made: World, order_ids: range) -> Outcome:
    """All webhooks of these orders of every store, a tenth of them twice."""
    chosen = random.Random(1)  # noqa: S311 - the same burst every time
    hooks, requests = made.hooks(), []
    for order_id in order_ids:
        for hook in hooks:
            request = delivery(hook, order_id=order_id, delivery_id=f"{hook.store_hash}-{order_id}")
            requests += [request] * (2 if chosen.random() < REPEATED else 1)
    return at_once(made.address, requests, connections=8)


def _posted(made: World) -> int:
    return made.count("SELECT count(*) FROM sync_posting WHERE status = 'posted'")


def _wait_for(made: World, posted: int) -> bool:
    with made.database() as connection:

        def is_there() -> bool:
            row = connection.execute("SELECT count(*) FROM sync_posting WHERE status = 'posted'").fetchone()
            return bool(row and row[0] >= posted)

        return made.installation.supervisor.wait_until(is_there, timeout=LONGEST_SECONDS)


def _doubles(made: World) -> int:
    """Documents in the ERP beyond one for each reference."""
    more = 0
    for number in range(made.options.connections):
        for entity_set, column in (("Invoices", "NumAtCard"), ("IncomingPayments", "U_TieoutRef")):
            rows = ask(
                f"{made.erp_url}/_control/rows", {"company": f"BENCH{number}", "set": entity_set, "where": {}}
            )
            more += len(rows) - len({row[column] for row in rows})
    return more


def _limit(options: Options, latency: int, reached: float) -> dict[str, Any]:
    """What latency alone would allow: parallel orders / (dependent calls x latency)."""
    if not latency:
        return {}
    parallel = options.connections * options.parallel
    limit = parallel / (CHAIN_OF_A_GUEST_ORDER * latency / 1000)
    return {
        "parallel_orders": parallel,
        "chain_of_calls": CHAIN_OF_A_GUEST_ORDER,
        "limit_per_second": round(limit, 1),
        "of_limit": round(reached / limit, 2),
    }


def _cost(meter: Meter, orders: int) -> dict[str, Any]:
    per_order = {name: round(seconds * 1000 / orders, 1) for name, seconds in meter.cpu.items()}
    product = sum(seconds for name, seconds in meter.cpu.items() if name in PRODUCT)
    memory = {name: round(size, 1) for name, size in (meter.memory or {}).items() if name in PRODUCT}
    return {
        "cpu_ms_per_order": round(product * 1000 / orders, 1),
        "cpu_ms_per_order_of": per_order,
        "peak_memory_mb": round(sum(memory.values()), 1) if memory else "not available on this system",
        "peak_memory_mb_of": memory,
        "busy": round(meter.busy, 2),
        "bound_by_cpu": meter.busy >= BUSY,
        "load_average": round(meter.load, 1),
    }


def _acceptance(outcome: Outcome) -> dict[str, Any]:
    return {
        "deliveries": len(outcome.seconds),
        "accepted": round(outcome.accepted, 4),
        "deliveries_per_second": round(len(outcome.seconds) / outcome.took, 1),
        "delivery": percentiles(outcome.seconds),
    }
