"""Faults of a simulated system, switched on over ``/_control/faults``, each striking at a named moment."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import Any

LONGEST_HOLD_SECONDS = 60


@dataclass(kw_only=True)
class Fault:
    """One fault.

    :ivar kind: what goes wrong; ``hold`` waits until it is released, the others belong to the system
    :ivar at: the moment
    :ivar match: strikes only where this text stands in what is being done
    :ivar count: how often it strikes
    :ivar params: what a kind needs to know
    """

    kind: str
    at: str
    match: str = ""
    count: int = 1
    params: dict[str, Any] = field(default_factory=dict)
    struck: int = 0


class Faults:
    """Those that are on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._faults: list[Fault] = []
        self._held: list[Fault] = []

    def take(self, at: str, what: str) -> Fault | None:
        """The fault that strikes here, counted as used. A hold is waited for and is not returned."""
        with self._changed:
            for fault in self._faults:
                if fault.at == at and fault.count > 0 and fault.match in what:
                    fault.count -= 1
                    fault.struck += 1
                    self._changed.notify_all()
                    if fault.kind != "hold":
                        return fault
                    self._held.append(fault)
                    self._changed.wait_for(partial(self._is_released, fault), LONGEST_HOLD_SECONDS)
        return None

    def _is_released(self, fault: Fault) -> bool:
        return fault not in self._held

    def control(self, method: str, what: str, body: dict[str, Any]) -> Any:
        """One control request. :raises LookupError: there is none such :raises TypeError, KeyError: it is wrong"""
        match method, what:
            case "GET", "faults":
                return {"faults": self.listed()}
            case "POST", "faults":
                self.add(**body)
            case "DELETE", "faults":
                self.clear()
            case "POST", "release":
                self.release()
            case "POST", "wait":
                times, seconds = int(body.get("times", 1)), int(body.get("seconds", 10))
                return {"struck": self.wait_until_struck(body["at"], times, seconds)}
            case _:
                raise LookupError(what)
        return {}

    def add(self, **how: Any) -> None:
        """Switch one on; the arguments are the fields of :class:`Fault`."""
        unknown = set(how) - {each.name for each in fields(Fault)}
        if unknown:
            raise TypeError(f"a fault has no {', '.join(sorted(unknown))}")
        with self._changed:
            self._faults.append(Fault(**how))

    def wait_until_struck(self, at: str, times: int, seconds: int) -> bool:
        """Whether faults of this moment have struck so often, or do before the time is up."""
        with self._changed:
            return self._changed.wait_for(
                lambda: sum(fault.struck for fault in self._faults if fault.at == at) >= times, seconds
            )

    def release(self) -> None:
        """Let whatever is held go on."""
        with self._changed:
            self._held.clear()
            self._changed.notify_all()

    def clear(self) -> None:
        """All off, nothing held."""
        with self._changed:
            self._faults.clear()
        self.release()

    def listed(self) -> list[dict[str, Any]]:
        """As data."""
        with self._changed:
            return [asdict(fault) for fault in self._faults]
