"""The long run: five rounds of calm, storm and calm, then a flood; and at the end the whole history is read."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from statistics import quantiles

from proof.checker import Violation, check
from proof.faults import Struck, schedule
from proof.history import History
from proof.merchants import Merchant
from proof.world import World
from sandbox.bigcommerce import Line, Shopping
from sandbox.scenarios import CASES
from sandbox.scenarios.varied import varied

ROUNDS = 5
PHASES = 3
FEWEST_ORDERS = ROUNDS * PHASES
ORDERS_PER_FAULT = 6  # in a storm
MOST_FAULTS = 40  # in a storm
SECONDS_BETWEEN_ORDERS = 0.08  # in a storm
DRAIN_SECONDS = 1800
QUIET_ORDERS = 20
SAY_EVERY = 5.0  # seconds

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round: orders per second before the storm and after it has healed, and what the storm was."""

    orders: int
    before: float
    after: float
    faults: tuple[str, ...]
    storm_seconds: float
    drain_seconds: float

    @property
    def ratio(self) -> float:
        return self.after / self.before


@dataclass(slots=True, kw_only=True)
class Result:
    """What a run was and what it found."""

    seed: int
    orders: int
    rounds: list[Round] = field(default_factory=list)
    solo_p95: float = 0.0
    flooded_p95: float = 0.0
    flood: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    documents: Counter[str] = field(default_factory=Counter)
    webhooks: int = 0
    repeats: int = 0
    starts: dict[str, int] = field(default_factory=dict)
    ahead_seconds: int = 0
    seconds: float = 0.0
    crashed: int = 0
    violations: list[Violation] = field(default_factory=list)
    history: History = field(default_factory=History)


class Run:
    """One run in one world. The same seed places the same orders and strikes with the same faults after the same orders."""

    def __init__(self, world: World, *, orders: int, seed: int, say: Say) -> None:
        self.world, self.say = world, say
        self.random = Random(seed)
        self.cases = varied(CASES, Random(seed), world.acme.shoppers)
        self.result = Result(seed=seed, orders=orders)

    def all(self) -> Result:
        """Everything, from the first order to the reading of the history.

        :raises proof.world.NotInTime: something is stuck
        """
        began = time.monotonic()
        self.world.acme.store.change(copies=2)  # BigCommerce delivers more than once
        for number, size in enumerate(_shares(self.result.orders), start=1):
            self._round(number, size)
        self._flood()
        self._read()
        self.result.seconds = time.monotonic() - began
        return self.result

    def _round(self, number: int, size: int) -> None:
        name = f"round {number} of {ROUNDS}"
        calm, rest = size // PHASES, size - 2 * (size // PHASES)
        before = self._calm(calm, f"{name}, before")
        storm = schedule(self.random, orders=rest, faults=min(MOST_FAULTS, max(3, rest // ORDERS_PER_FAULT)))
        began = time.monotonic()
        self._storm(rest, storm, f"{name}, storm")
        self.world.heal()
        healed = time.monotonic()
        self.world.poll(self.world.acme)
        self._drain(f"{name}, draining")
        drained = time.monotonic()
        after = self._calm(calm, f"{name}, after")
        done = Round(
            orders=size,
            before=before,
            after=after,
            faults=tuple(struck.fault.name for struck in storm),
            storm_seconds=healed - began,
            drain_seconds=drained - healed,
        )
        self.result.rounds.append(done)
        self.say(f"{name}: {before:.1f} orders/s before, {after:.1f} after; {len(storm)} faults")

    def _calm(self, orders: int, name: str) -> float:
        """Orders per second, from the first one placed to the last one done."""
        began = time.monotonic()
        for _ in range(orders):
            self._place()
        self._drain(name)
        return orders / (time.monotonic() - began)

    def _storm(self, orders: int, storm: list[Struck], name: str) -> None:
        waiting, on, said = list(storm), [], 0.0
        for placed in range(orders):
            self._place(in_storm=True)
            while waiting and waiting[0].after_orders <= placed:
                fault = waiting.pop(0).fault
                fault.strike(self.world)
                on.append((time.monotonic() + fault.seconds, fault))
            self._end_faults(on)
            self.world.keep_running()
            time.sleep(SECONDS_BETWEEN_ORDERS)
            if time.monotonic() - said > SAY_EVERY:
                said = time.monotonic()
                self.say(f"{name}: {placed + 1} of {orders} placed, {len(storm) - len(waiting)} faults")
        while on:
            self._end_faults(on)
            time.sleep(0.1)

    def _end_faults(self, on: list[tuple[float, object]]) -> None:
        for until, fault in [one for one in on if one[0] <= time.monotonic()]:
            on.remove((until, fault))
            fault.end(self.world)

    def _place(self, *, in_storm: bool = False) -> int:
        """One more order, with what happens to it later. In a storm some webhooks never come, some come too early."""
        _, case = next(self.cases)
        store = self.world.acme.store
        is_silent = in_storm and not case.then and not self.random.randrange(25)
        early = self.random.randrange(3) if in_storm and not self.random.randrange(12) else 0
        order_id = store.place(case.shopping, silent=is_silent, unreadable_reads=early)
        for step in case.then:
            step(store, order_id)
        return order_id

    def _drain(self, name: str) -> None:
        """Until nothing is under way; beat sweeps by itself, only our own waits are put ahead."""
        self.world.drain(
            seconds=DRAIN_SECONDS,
            rings=False,
            say=lambda left: self.say(f"{name}: {left}"),
            every=SAY_EVERY,
        )

    # -- one tenant floods the other ----------------------------------------------------------------

    def _flood(self) -> None:
        self.say("a quiet tenant alone, then beside a flood")
        self.result.solo_p95 = _p95(self._quiet_orders())
        self.result.flood = max(60, self.result.orders // 10)
        for _ in range(self.result.flood):
            self._place()
        self.result.flooded_p95 = _p95(self._quiet_orders())
        self._drain("the flood")

    def _quiet_orders(self) -> list[float]:
        """Seconds from checkout to the last document in the ERP, for some orders one after the other."""
        placed: dict[int, float] = {}
        for number in range(QUIET_ORDERS):
            shopping = Shopping(lines=(Line("SKU-1", "19.99", 1 + number % 5),))
            placed[self.world.quiet.store.place(shopping)] = time.time()
            time.sleep(0.2)
        self.world.wait_until(
            lambda: not set(placed) - set(self._posted_at(self.world.quiet)),
            seconds=DRAIN_SECONDS,
            what="the quiet tenant's orders are posted",
        )
        posted = self._posted_at(self.world.quiet)
        return [posted[order] - at for order, at in placed.items()]

    def _posted_at(self, merchant: Merchant) -> dict[int, float]:
        query = """SELECT p.record_id::bigint, extract(epoch FROM max(d.posted_at))::double precision
            FROM sync_document d JOIN sync_posting p ON p.id = d.posting_id JOIN sync_pipeline l ON l.id = p.pipeline_id
            JOIN storefront_store s ON s.id = l.store_id
            WHERE s.store_hash = %s AND p.status = 'posted' AND p.record_kind = 'order' GROUP BY 1"""
        return {int(str(n)): float(str(at)) for n, at in self.world.rows(query, merchant.store.hash)}

    # -- the reading ---------------------------------------------------------------------------------

    def _read(self) -> None:
        self.say("reading the whole history")
        result, world = self.result, self.world
        result.history = world.history()
        result.violations = check(result.history)
        result.statuses = Counter(p.status for p in result.history.postings if p.record[0] == "order")
        result.documents = Counter(d.kind for d in result.history.documents if d.state == "posted")
        [[webhooks, repeats]] = world.rows("SELECT count(*), coalesce(sum(repeats), 0) FROM sync_event")
        result.webhooks, result.repeats = int(str(webhooks)), int(str(repeats))
        [[crashed]] = world.rows("SELECT count(*) FROM sync_posting WHERE reason_code = 'our_bug'")
        result.crashed = int(str(crashed))
        result.starts = {process.name: process.starts for process in world.processes}
        result.ahead_seconds = world.ahead


def _shares(orders: int) -> Iterator[int]:
    """The orders of each round; the first ones take the remainder."""
    for number in range(ROUNDS):
        yield orders // ROUNDS + (number < orders % ROUNDS)


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]
