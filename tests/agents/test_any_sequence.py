"""Any sequence of deaths, breaks, full disks and repetitions: a unit or an order is there once or not at all, as told."""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.errors import ProtocolError
from agents.rfc import unit as units
from agents.rfc.interface import SessionBroken
from agents.rfc.service import read_unit
from agents.rfc.simulated import SimulatedEcc
from agents.sage import writing
from agents.sage.driver import SageBroken
from agents.sage.simulated import SimulatedSage
from agents.store import Store, StoreUnwritable
from tests.agents.running import order, posting

BEFORE, AFTER = "before", "after"
DIES, BREAKS, FULL = "dies", "breaks", "full"


class Death(BaseException):
    """The process ends here."""


class Trouble:
    """What happens at which step of the next try: the nth call of a method, before or after it does its work."""

    def __init__(self) -> None:
        self.at: tuple[str, str, str] | None = None
        self.calls_before = 0

    def prepare(self, trouble: tuple[tuple[str, str, str], int] | None) -> None:
        self.at, self.calls_before = trouble or (None, 0)

    def strike(self, method: str, moment: str, broken: type[Exception]) -> None:
        if self.at is None or self.at[:2] != (method, moment):
            return
        if self.calls_before:
            self.calls_before -= 1
            return
        kind, self.at = self.at[2], None
        raise {DIES: Death, BREAKS: broken, FULL: StoreUnwritable}[kind]("struck")


class Struck:
    """Something whose methods meet the trouble."""

    def __init__(self, real: Any, trouble: Trouble, broken: type[Exception], *methods: str) -> None:
        self._real, self._trouble, self._broken, self._methods = real, trouble, broken, methods

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name == "open":
            return lambda: Struck(real(), self._trouble, self._broken, *self._methods)
        if name not in self._methods:
            return real

        def method(*arguments: Any) -> Any:
            self._trouble.strike(name, BEFORE, self._broken)
            result = real(*arguments)
            self._trouble.strike(name, AFTER, self._broken)
            return result

        return method


def broken_session(message: str) -> SessionBroken:
    return SessionBroken("RFC_COMMUNICATION_FAILURE", message)


class World:
    """One agent and one system, in one process; it may die and be started again on the same files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.trouble = folder, Trouble()
        self.sap, self.sage = SimulatedEcc(folder), SimulatedSage(folder, ["ABC"])
        self.start()

    def start(self) -> None:
        self.store = Store(self.folder / "work.sqlite")
        # A store's own methods fail only for a full disk, and then have written nothing.
        real = self.store._change

        def change(*arguments: Any) -> None:
            self.trouble.strike("write", BEFORE, StoreUnwritable)
            real(*arguments)
            self.trouble.strike("write", AFTER, StoreUnwritable)

        self.store._change = change

    def try_once(self, work: Any) -> Any:
        """The answer, or None if the agent died over it."""
        try:
            return work().body
        except ProtocolError as error:
            return error
        except Death:
            self.store.close()
            self.start()
            return None


@contextmanager
def world():
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        made = World(Path(folder))
        try:
            yield made
        finally:
            made.store.close()
            made.sap.rows.close()
            made.sage.rows.close()


FULL_OR_DEAD = [("write", BEFORE, FULL), ("write", BEFORE, DIES), ("write", AFTER, DIES)]


def troubles(*methods: str) -> list[tuple[tuple[str, str, str], int]]:
    """Everything that can happen at the first, second or third call of these methods."""
    kinds = [
        (method, moment, kind) for method in methods for moment in (BEFORE, AFTER) for kind in (DIES, BREAKS)
    ]
    return list(itertools.product([*kinds, *FULL_OR_DEAD], range(3)))


RFC_TROUBLES = troubles("describe", "call", "commit", "rollback")
SAGE_TROUBLES = troubles("next_key", "find", "save")
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def send_unit(here: World, unit_id: str, trouble: Any) -> None:
    driver = Struck(here.sap, here.trouble, broken_session, "describe", "call", "commit", "rollback")
    here.trouble.prepare(trouble)
    unit = read_unit(posting(unit_id))
    here.try_once(lambda: units.run(unit, driver, here.store, lambda _: None))
    here.trouble.prepare(None)


def expect_the_truth(here: World, *unit_ids: str) -> None:
    """What the agent says of each unit is what stands in SAP."""
    there = Counter(row["XBLNR"] for row in here.sap.rows.select("BKPF"))
    for unit_id in unit_ids:
        known = here.store.find(unit_id)
        outcome = "never got" if known is None else units.remembered(known)["outcome"]
        allowed = {"committed": {1}, "unknown": {0, 1}}.get(outcome, {0})
        assert there[unit_id] in allowed, f"{unit_id} is {outcome} and there {there[unit_id]} times"


def test_after_every_single_trouble_a_unit_is_there_as_told_and_once_when_it_is_sent_again():
    for trouble in RFC_TROUBLES:
        with world() as here:
            send_unit(here, "U1", trouble)
            expect_the_truth(here, "U1")
            send_unit(here, "U1", None)
            expect_the_truth(here, "U1")


@QUICK
@given(
    st.lists(st.tuples(st.sampled_from(["U1", "U2"]), st.none() | st.sampled_from(RFC_TROUBLES)), max_size=8)
)
def test_a_unit_posts_at_most_once_and_its_answer_is_the_truth(tries: list[tuple[str, Any]]):
    with world() as here:
        for unit_id, trouble in tries:
            send_unit(here, unit_id, trouble)
            expect_the_truth(here, "U1", "U2")


def send_order(here: World, number: str, trouble: Any) -> Any:
    driver = Struck(here.sage, here.trouble, SageBroken, "next_key", "find", "save")
    here.trouble.prepare(trouble)
    write = writing.read_write("ABC", order("O1", number))
    answer = here.try_once(lambda: writing.run(write, driver, here.store, nullcontext))
    here.trouble.prepare(None)
    assert len(here.sage.rows.select("ABC:SO_SalesOrderHeader")) <= 1
    return answer


def expect_the_order(here: World, answer: Any) -> None:
    """The order is there once, under the number that was told."""
    (saved,) = here.sage.rows.select("ABC:SO_SalesOrderHeader")
    assert answer["key"] == {"SalesOrderNo": saved["SalesOrderNo"]}
    assert len(here.sage.rows.select("ABC:SO_SalesOrderDetail")) == 2


@pytest.mark.parametrize("number", ["W100234", "next"])
def test_after_every_single_trouble_an_order_is_there_once_when_it_is_sent_again(number: str):
    for trouble in SAGE_TROUBLES:
        with world() as here:
            send_order(here, number, trouble)
            expect_the_order(here, send_order(here, number, None))


@QUICK
@given(st.sampled_from(["W100234", "next"]), st.lists(st.none() | st.sampled_from(SAGE_TROUBLES), max_size=6))
def test_an_order_is_created_at_most_once_and_in_the_end_once(number: str, tries: list[Any]):
    with world() as here:
        for trouble in tries:
            send_order(here, number, trouble)
        expect_the_order(here, send_order(here, number, None))
