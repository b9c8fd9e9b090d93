"""Sessions of the simulated SAP: what a function changes is pending until BAPI_TRANSACTION_COMMIT."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.errors import ProtocolError
from agents.rfc.interface import AbapException, Function, Outcome, SessionBroken
from agents.rfc.simulated import company, interfaces
from agents.rfc.simulated.context import Context
from agents.rfc.simulated.functions import RUNS
from agents.rfc.simulated.messages import row
from agents.simulation.faults import Fault, Faults
from agents.simulation.rows import Change, Rows

SYSTEM = {"sysid": "SIM", "client": "100", "release": "750", "codepage": "4103"}
COMMIT_FAILED = row("E", "S&", "101", "Posting could not be carried out")


class SimulatedEcc:
    """The driver ``simulated``.

    Faults strike ``at`` one of: ``open``, ``call``, ``called`` (after it), ``commit`` (before anything is written),
    ``committed`` (after it is written, before the caller hears). Their kinds: ``hold``; ``busy``, ``logon_failure``,
    ``sap_unavailable`` (at open); ``abap_exception``, ``broken``, ``refused`` (at call); ``broken``,
    ``refused`` (at commit); ``broken`` (at committed).
    """

    def __init__(self, folder: Path, sessions: int = 4) -> None:
        self.rows = Rows(folder / "simulated-ecc.sqlite")
        self.faults = Faults()
        self._free = threading.BoundedSemaphore(sessions)
        if not self.rows.counts():
            self.rows.apply(company.seed())

    def open(self) -> SimulatedSession:
        """A session, if one is free."""
        self._log_on()
        if not self._free.acquire(blocking=False):
            raise busy()
        return SimulatedSession(self)

    def system(self) -> dict[str, str]:
        """What it says of itself; asked beside the sessions that units use."""
        self._log_on()
        return dict(SYSTEM)

    def _log_on(self) -> None:
        match self.faults.take("open", ""):
            case Fault(kind="busy"):
                raise busy()
            case Fault(kind="logon_failure" | "sap_unavailable" as kind, params=params):
                raise ProtocolError(503, kind, params.get("message", "the simulated SAP is out of order"))

    def give_back(self) -> None:
        """A session has ended."""
        self._free.release()

    def control(self, method: str, what: str, body: dict[str, Any]) -> Any:
        """``/_control``: faults, and the state, for the sandbox and the tests."""
        match method, what.split("/"):
            case "GET", ["rows", table]:
                return {"rows": self.rows.select(table)}
            case "POST", ["rows"]:
                self.rows.apply([(table, key, row) for table, key, row in body["changes"]])
                return {}
            case "POST", ["reset"]:
                self.faults.clear()
                self.rows.clear()
                self.rows.apply(company.seed())
                return {}
        return self.faults.control(method, what, body)

    def close(self) -> None:
        """Let go of what is held."""
        self.faults.clear()


def busy() -> ProtocolError:
    """429: every session is in use."""
    return ProtocolError(429, "busy", "no RFC session is free", retry_after=1)


class SimulatedSession:
    """One session with its pending changes."""

    def __init__(self, driver: SimulatedEcc) -> None:
        self._driver = driver
        self._pending: list[Change] = []
        self._open = True

    def describe(self, function: str) -> Function:
        """Its interface, as SAP's repository has it."""
        try:
            return interfaces.FUNCTIONS[function]
        except KeyError:
            raise ProtocolError(404, "function_not_found", f"SAP has no function {function}") from None

    def call(
        self,
        function: Function,
        importing: Mapping[str, Any],
        tables: Mapping[str, Sequence[Mapping[str, Any]]],
    ) -> Outcome:
        """Run it, with what the faults have to say."""
        match self._driver.faults.take("call", function.name):
            case Fault(kind="broken"):
                raise self._broken()
            case Fault(kind="abap_exception", params=params):
                raise AbapException(params.get("key", "SYSTEM_FAILURE"), "a simulated exception", 1)
            case Fault(kind="refused", params=params):
                rows = [row("E", "RW", "609", "Error in document: BKPFF $ SIMCLNT100"), row("E", **params)]
                return Outcome(interfaces.initial_exports(function), {"RETURN": rows})
        context = Context(self._driver.rows, self._pending)
        outcome = RUNS[function.name](context, function, importing, tables)
        self._driver.faults.take("called", function.name)
        return outcome

    def commit(self) -> list[dict[str, Any]]:
        """Write what is pending."""
        match self._driver.faults.take("commit", ""):
            case Fault(kind="broken"):
                raise self._broken()
            case Fault(kind="refused"):
                self._pending.clear()
                return [COMMIT_FAILED]
        self._driver.rows.apply(self._pending)
        self._pending.clear()
        if self._driver.faults.take("committed", "") is not None:
            raise self._broken()
        return []

    def rollback(self) -> list[dict[str, Any]]:
        """Forget what is pending."""
        self._pending.clear()
        return []

    def close(self) -> None:
        """The session ends; what is pending is gone."""
        if self._open:
            self._open = False
            self._driver.give_back()

    def _broken(self) -> SessionBroken:
        self._pending.clear()
        return SessionBroken("RFC_COMMUNICATION_FAILURE", "connection to the simulated SAP was lost", 4)
