"""What goes wrong during a run: each fault by name, what it does and what ends it; and a schedule of them by a seed."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from proof.world import World

# As `sync.steps.Step` names them. Of the worker, in the order of the journey.
STEPS = (
    "taken",
    "fetched",
    "snapshot",
    "planned",
    "shown",
    "intended",
    "looked_up",
    "sending",
    "answered",
    "bound",
    "carried",
    "finished",
    "failed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. It is on for `seconds`, then `end` is called.

    :ivar strike: begins it
    """

    name: str
    strike: Callable[[World], object]
    end: Callable[[World], object] = lambda world: None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault and after how many orders of the storm it begins."""

    after_orders: int
    fault: Fault


def schedule(random: Random, *, orders: int, faults: int) -> list[Struck]:
    """So many faults spread over so many orders: every kind in turn, in an order of the seed's."""
    kinds: list[Fault] = []
    while len(kinds) < faults:
        more = catalogue(random)
        random.shuffle(more)
        kinds += more
    moments = sorted(random.randrange(orders) for _ in range(faults))
    return [Struck(after_orders=at, fault=fault) for at, fault in zip(moments, kinds, strict=False)]


def catalogue(random: Random) -> list[Fault]:
    """One of each kind; where there is a choice (a step, a path), the seed's."""
    return [*_of_processes(random), *_of_servers(), *_of_the_erp(random), *_of_the_store()]


def _of_processes(random: Random) -> list[Fault]:
    step = random.choice(STEPS)
    return [
        Fault(name=f"kill -9 of the worker: {step}", strike=lambda world: world.set_trap(step)),
        Fault(name="kill -9 of the web process: received", strike=lambda world: world.set_trap("received")),
        Fault(name="kill -9 of beat: ticked", strike=lambda world: world.set_trap("ticked")),
        Fault(name="kill -9 of the worker", strike=lambda world: world.worker.kill()),
        Fault(name="kill -9 of web, master and all", strike=lambda world: world.web.kill()),
        Fault(
            name="worker frozen between its last check and its first byte",
            strike=lambda world: world.set_trap("sending", signal.SIGSTOP),
            end=lambda world: world.worker.thaw(),
            seconds=6,
        ),
        Fault(
            name="worker frozen anywhere",
            strike=lambda world: world.worker.freeze(),
            end=lambda world: world.worker.thaw(),
            seconds=5,
        ),
        Fault(
            name="web frozen",
            strike=lambda world: world.web.freeze(),
            end=lambda world: world.web.thaw(),
            seconds=2,
        ),
    ]


def _of_servers() -> list[Fault]:
    return [
        Fault(
            name="broker killed and emptied",
            strike=lambda world: world.kill_broker(),
            end=lambda world: world.valkey.start(),
            seconds=3,
        ),
        Fault(
            name="PostgreSQL restarted, immediate",
            strike=lambda world: world.restart_postgres(immediate=True),
        ),
        Fault(
            name="PostgreSQL restarted, fast", strike=lambda world: world.restart_postgres(immediate=False)
        ),
    ]


def _of_the_erp(random: Random) -> list[Fault]:
    path = random.choice(("/Invoices", "/IncomingPayments", "/BusinessPartners", "/CreditNotes"))

    def erp(kind: str, **how: object) -> Callable[[World], object]:
        return lambda world: world.b1.faults.add(kind, **how)

    page = {"status": 502, "body": "<html>Bad gateway</html>"}
    return [
        Fault(
            name=f"answers lost after the commit: {path}",
            strike=erp("drop", moment="after", method="POST", path=path, count=4),
        ),
        Fault(
            name=f"connections dropped before the commit: {path}",
            strike=erp("drop", moment="before", method="POST", path=path, count=4),
        ),
        Fault(
            name="502 from the proxy after the commit",
            strike=erp("answer", moment="after", method="POST", path="/Invoices", count=4, **page),
        ),
        Fault(name="ERP out", strike=erp("answer", status=503, count=None, seconds=6.0), seconds=6),
        Fault(name="ERP slow", strike=erp("slow", delay=0.7, count=25)),
        Fault(
            name="writes slower than their deadline",
            strike=erp("slow", moment="after", method="POST", path="/Invoices", delay=3.0, count=2),
        ),
        Fault(name="sessions lost", strike=lambda world: world.b1.sessions.lose()),
        Fault(
            name="session lost at a write, told as -5002",
            strike=erp("session_lost", method="POST", path=path, count=3, params={"shape": "-5002"}),
        ),
    ]


def _of_the_store() -> list[Fault]:
    def store(kind: str, **how: object) -> Callable[[World], object]:
        return lambda world: world.bigcommerce.faults.add(kind, **how)

    limits = {"X-Rate-Limit-Time-Reset-Ms": "800", "X-Retry-After": "1"}
    return [
        Fault(
            name="429 storm with headers",
            strike=store("answer", path="/orders", status=429, headers=limits, count=20),
        ),
        Fault(name="429 without headers", strike=store("overload", count=1)),
        Fault(name="store answers 500", strike=store("answer", path="/orders", status=500, count=5)),
        Fault(name="reads cut off", strike=store("drop", path="/orders", count=8)),
    ]
