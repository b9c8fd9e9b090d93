"""The receiver on its worst day: workers saturated, the ERP dead, then the broker gone; forgeries; and flat out.

100 deliveries a second are sent whether or not earlier ones are answered, and a delivery's time counts from the moment it
was due.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

from config.local.bench.deliveries import Hook, Outcome, at_once, at_rate, delivery
from config.local.bench.meters import Meter, percentiles
from config.local.bench.options import Options
from config.local.bench.world import FIRST_ORDER, World, world
from config.local.installation import ask

PER_SECOND = 100
BROKER_DIES_AFTER = 0.5  # of the run at that rate
JUST_AFTER_SECONDS = 2.0
CONNECTIONS = 16
WEB_PROCESSES = 2  # gunicorn's default; `./tieout serve` has one unless it is told otherwise
GUESS = "a guess"


def run(options: Options) -> Iterator[dict[str, Any]]:
    """One line for each part of the day."""
    seconds = 6 if options.is_quick else 20
    flood = 1000 if options.is_quick else 5000
    with world(options, orders=options.orders, env={"TIEOUT_WEB_PROCESSES": str(WEB_PROCESSES)}) as made:
        hooks = made.hooks()
        _kill_the_erp(made)
        _saturate_the_workers(made, hooks)
        yield {"part": "broker dies", **_with_the_broker_dying(made, hooks, seconds)}
        yield {"part": "flat out", **_flat_out(made, _genuine(hooks, flood, "flat"))}
        yield {"part": "forged", **_flat_out(made, _forged(hooks, flood))}
        yield {"part": "unknown address", **_flat_out(made, _unknown(made, flood))}


def _kill_the_erp(made: World) -> None:
    """Every connection to the ERP is cut without an answer."""
    ask(f"{made.erp_url}/_control/faults", {"kind": "drop", "count": None})


def _saturate_the_workers(made: World, hooks: list[Hook]) -> None:
    """More due orders than they can work off while the run lasts."""
    ids = range(FIRST_ORDER, FIRST_ORDER + made.options.orders)
    at_once(
        made.address,
        [
            delivery(hook, order_id=number, delivery_id=f"{hook.store_hash}-{number}")
            for number in ids
            for hook in hooks
        ][: made.options.orders],
        connections=CONNECTIONS,
    )


def _with_the_broker_dying(made: World, hooks: list[Hook], seconds: int) -> dict[str, Any]:
    requests = _genuine(hooks, PER_SECOND * seconds, "rate")
    dies_at = seconds * BROKER_DIES_AFTER
    broker = made.installation.valkey
    if broker is not None and broker.process is not None:
        threading.Timer(dies_at, os.kill, [broker.pid, signal.SIGKILL]).start()
    meter = made.meter().start()
    outcome = at_rate(made.address, requests, per_second=PER_SECOND)
    meter.stop()
    # Each delivery's number says when it was due; outcomes are kept in the order of numbers.
    first, last = int(dies_at * PER_SECOND), int((dies_at + JUST_AFTER_SECONDS) * PER_SECOND)
    return {
        "per_second": PER_SECOND,
        **_told(outcome, meter),
        "after_the_broker_died": percentiles(outcome.seconds[first:last])
        if broker
        else "the broker was given",
    }


def _flat_out(made: World, requests: list[bytes]) -> dict[str, Any]:
    meter = made.meter().start()
    outcome = at_once(made.address, requests, connections=CONNECTIONS)
    meter.stop()
    return {"per_second": round(len(requests) / outcome.took, 1), **_told(outcome, meter)}


def _told(outcome: Outcome, meter: Meter) -> dict[str, Any]:
    count = len(outcome.seconds)
    return {
        "deliveries": count,
        "accepted": round(outcome.accepted, 4),
        "statuses": {str(status): number for status, number in sorted(outcome.statuses.items())},
        "delivery": percentiles(outcome.seconds),
        "cpu_ms_each_of": {
            name: round(meter.cpu[name] * 1000 / count, 2)
            for name in ("web", "database")
            if name in meter.cpu
        },
        "busy": round(meter.busy, 2),
        "load_average": round(meter.load, 1),
    }


def _genuine(hooks: list[Hook], count: int, name: str) -> list[bytes]:
    return [
        delivery(hooks[n % len(hooks)], order_id=1_000_000 + n, delivery_id=f"{name}-{n}")
        for n in range(count)
    ]


def _forged(hooks: list[Hook], count: int) -> list[bytes]:
    """The right address and form, signed by somebody who does not know the secret."""
    guesses = [Hook(url=hook.url, store_hash=hook.store_hash, secret=GUESS) for hook in hooks]
    return _genuine(guesses, count, "forged")


def _unknown(made: World, count: int) -> list[bytes]:
    nobody = Hook(url=f"{made.address}/webhooks/bigcommerce/{'x' * 43}/", store_hash="bench0", secret=GUESS)
    return _genuine([nobody], count, "unknown")
