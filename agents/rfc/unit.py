"""One unit, from its request to its answer: read this top to bottom.

The phase in the store is written before the step that it names. A process that dies leaves

* ``started``: the commit had not begun, so SAP undid everything when the session broke: runs again;
* ``saving``: the commit may have reached SAP: ``unknown``, for the caller to look up, never run again here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from agents.errors import ProtocolError
from agents.rfc.interface import (
    RETURN,
    AbapException,
    Driver,
    Function,
    Outcome,
    Session,
    SessionBroken,
    rfc_error,
)
from agents.rfc.values import check_call
from agents.store import FINISHED, SAVING, STARTED, AlreadyRunning, Record, Store, StoreUnwritable
from agents.web import REPLAY, Answer

COMMITTED, ROLLED_BACK, READ_ONLY, UNKNOWN = "committed", "rolled_back", "read_only", "unknown"
NEVER, ON_SUCCESS = "never", "on_success"


@dataclass(frozen=True)
class Call:
    """One function call of a unit."""

    function: str
    importing: Mapping[str, Any]
    tables: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Unit:
    """A checked request. :ivar body: fingerprint of its canonical JSON"""

    id: str
    commit: str
    calls: Sequence[Call]
    body: str


@dataclass
class Progress:
    """How far a unit has come."""

    unit: Unit
    calls: list[dict[str, Any]] = field(default_factory=list)
    commit: dict[str, Any] | None = None

    def answer(self, outcome: str) -> dict[str, Any]:
        """The answer with this outcome."""
        return {"unit_id": self.unit.id, "outcome": outcome, "calls": self.calls, "commit": self.commit}

    @property
    def refused(self) -> bool:
        """Whether the last call said E or A."""
        return bool(self.calls) and says_no(self.calls[-1]["return"])


def says_no(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a RETURN holds an error or an abort. Warnings never block; no rows mean success."""
    return any(row.get("TYPE") in ("E", "A") for row in rows)


def run(unit: Unit, driver: Driver, store: Store, check_access: Callable[[Unit], None]) -> Answer:
    """Carry a unit out, or repeat what is remembered of it (also where the allow-list has become shorter).

    :raises ProtocolError: every answer that is not 200
    """
    known = store.find(unit.id)
    if is_settled(known):
        return _replay(unit, known)
    try:
        with store.claim(unit.id):
            known = store.find(unit.id)  # it may have ended while we came here
            if known is not None and remembered(known)["outcome"] != ROLLED_BACK:
                return _replay(unit, known)
            check_access(unit)
            session = driver.open()
            try:
                return _run_in(session, unit, store)
            finally:
                session.close()
    except AlreadyRunning:
        raise ProtocolError(409, "unit_in_progress", "this unit is running now") from None


def remembered(known: Record) -> dict[str, Any]:
    """The stored answer of a unit that no thread is running."""
    if known.phase == FINISHED or known.phase == SAVING:
        assert known.answer is not None
        return known.answer
    interrupted = {"code": "communication_failure", "message": "the agent stopped before the commit began"}
    return {"unit_id": known.id, "outcome": ROLLED_BACK, "calls": [], "commit": None, "error": interrupted}


def is_settled(known: Record | None) -> TypeGuard[Record]:
    """Whether a unit has ended for good, so that its answer is the same whoever is asking for it just now."""
    return known is not None and known.phase == FINISHED and remembered(known)["outcome"] != ROLLED_BACK


def _replay(unit: Unit, known: Record) -> Answer:
    if known.body != unit.body:
        raise ProtocolError(409, "unit_mismatch", "this unit_id was used for another body")
    answer = remembered(known)
    return Answer(answer, headers=REPLAY, about=_about(answer))


def _run_in(session: Session, unit: Unit, store: Store) -> Answer:
    """Check every call, run them, commit or roll back, remember."""
    progress = Progress(unit)
    try:
        functions = [session.describe(call.function) for call in unit.calls]
        for function, call in zip(functions, unit.calls, strict=True):
            check_call(function, call.importing, call.tables)
        _say_it_has_begun(store, unit)
        for function, call in zip(functions, unit.calls, strict=True):
            progress.calls.append(_called(session, function, call))
            if progress.refused:
                break
    except AbapException as error:
        _roll_back(session, progress)
        raise _remember_failure(store, progress, rfc_error(422, "abap_exception", error)) from None
    except SessionBroken as error:
        raise _remember_failure(store, progress, rfc_error(502, "communication_failure", error)) from None
    if unit.commit == NEVER:
        return _remember(store, progress, READ_ONLY)
    if progress.refused:
        _roll_back(session, progress)
        return _remember(store, progress, ROLLED_BACK)
    return _commit(session, store, progress)


def _say_it_has_begun(store: Store, unit: Unit) -> None:
    """Up to here an error leaves no trace; whatever was remembered of an earlier try still is."""
    try:
        store.write(Record(id=unit.id, body=unit.body, phase=STARTED))
    except StoreUnwritable as error:
        message = f"the agent cannot write its own store, so nothing ran: {error}"
        raise ProtocolError(503, "sap_unavailable", message) from error


def _called(session: Session, function: Function, call: Call) -> dict[str, Any]:
    began = time.monotonic()
    outcome = session.call(function, call.importing, call.tables)
    return {
        "function": function.name,
        "exporting": {name: value for name, value in outcome.exporting.items() if name != RETURN},
        "tables": {
            name: rows
            for name, rows in outcome.tables.items()
            if name != RETURN and (rows or name in call.tables)
        },
        "return": return_rows(outcome),
        "duration_ms": _milliseconds(began),
    }


def return_rows(outcome: Outcome) -> list[Mapping[str, Any]]:
    """RETURN as rows, also where SAP has one structure: one row, or none if it is empty."""
    given = outcome.tables.get(RETURN, outcome.exporting.get(RETURN, []))
    if not isinstance(given, Mapping):
        return list(given)
    return [given] if any(_is_filled(value) for value in given.values()) else []


def _is_filled(value: Any) -> bool:
    return bool(value.strip("0 ")) if isinstance(value, str) else bool(value)


def _commit(session: Session, store: Store, progress: Progress) -> Answer:
    """Write that the commit begins, commit, write how it ended."""
    unit = progress.unit
    try:
        store.write(
            Record(id=unit.id, body=unit.body, phase=SAVING, status=200, answer=progress.answer(UNKNOWN))
        )
    except StoreUnwritable as error:
        _roll_back(session, progress)
        message = f"the agent cannot write its own store, so it rolled back: {error}"
        raise ProtocolError(503, "sap_unavailable", message) from error
    began = time.monotonic()
    try:
        rows = session.commit()
    except (SessionBroken, AbapException):
        return _remember(store, progress, UNKNOWN)
    progress.commit = {"return": rows, "duration_ms": _milliseconds(began)}
    return _remember(store, progress, ROLLED_BACK if says_no(rows) else COMMITTED)


def _roll_back(session: Session, progress: Progress) -> None:
    """Roll back. A session that breaks over it has been rolled back by SAP."""
    began = time.monotonic()
    with contextlib.suppress(SessionBroken, AbapException):
        progress.commit = {"return": session.rollback(), "duration_ms": _milliseconds(began)}


def _remember(store: Store, progress: Progress, outcome: str) -> Answer:
    unit, answer = progress.unit, progress.answer(outcome)
    store.finish(Record(id=unit.id, body=unit.body, phase=FINISHED, status=200, answer=answer))
    return Answer(answer, about=_about(answer))


def _remember_failure(store: Store, progress: Progress, error: ProtocolError) -> ProtocolError:
    """A unit that ended in 422 or 502 is rolled back; who asks for it is told why."""
    unit, answer = progress.unit, {**progress.answer(ROLLED_BACK), **error.body()}
    store.finish(Record(id=unit.id, body=unit.body, phase=FINISHED, status=error.status, answer=answer))
    return error


def _about(answer: Mapping[str, Any]) -> dict[str, Any]:
    functions = [call["function"] for call in answer["calls"]]
    return {"unit": answer["unit_id"], "outcome": answer["outcome"], "functions": functions}


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
