"""Faults that can be switched on: what a real service does on a bad day, at the moment asked for.

Kinds the wire itself acts out, each ``before`` or ``after`` the request was carried out and committed:

* ``answer``: this status, headers and body instead of the real answer (429, 500, 503, odd bodies);
* ``drop``: the connection is closed without an answer;
* ``slow``: ``delay`` seconds pass first;
* ``hold``: the request waits until :meth:`Faults.release` (so that a test can act in between).

Any other kind belongs to the service, which asks for it with :meth:`Faults.take` (``session_lost``,
``not_readable_yet``, ...).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Container
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from werkzeug import Request

WIRE_KINDS = frozenset({"answer", "drop", "slow", "hold"})


@dataclass(kw_only=True)
class Fault:
    """One switched fault and the requests it is for.

    :ivar method: HTTP method, or ``*``
    :ivar path: regular expression searched in path and query
    :ivar count: how many requests it hits; None: all, until cleared or ``seconds`` have passed
    :ivar seconds: real seconds for which it is on; None: no end
    :ivar skip: this many matching requests pass unharmed first
    :ivar params: what a service's own kind needs to know
    """

    kind: str
    moment: str = "before"
    method: str = "*"
    path: str = ""
    count: int | None = 1
    seconds: float | None = None
    skip: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    delay: float = 0.0
    params: dict[str, Any] = field(default_factory=dict)
    hits: int = 0
    id: int = 0

    def __post_init__(self) -> None:
        if self.moment not in ("before", "after"):
            raise ValueError(f"a fault strikes before or after, not {self.moment!r}")
        re.compile(self.path)
        self._ends = None if self.seconds is None else time.monotonic() + self.seconds
        self._released = threading.Event()
        self._struck = threading.Event()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Fault:
        """The fault a control request describes; TypeError on unknown names."""
        known = {item.name for item in fields(cls)} - {"id", "hits"}
        unknown = sorted(set(data) - known)
        if unknown:
            raise TypeError(f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        return cls(**data)

    @property
    def over(self) -> bool:
        """True once it has hit as often, or was on as long, as asked."""
        return self.count == 0 or (self._ends is not None and time.monotonic() > self._ends)

    def matches(self, request: Request) -> bool:
        """Whether this fault is for that request."""
        where = request.full_path if request.query_string else request.path
        return self.method in ("*", request.method) and re.search(self.path, where) is not None


class Faults:
    """The faults switched on at one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._held: list[Fault] = []
        self._last_id = 0

    def add(self, kind: str, **how: Any) -> Fault:
        """Switch a fault on; the arguments are the fields of :class:`Fault`."""
        fault = Fault(kind=kind, **how)
        with self._lock:
            self._last_id += 1
            fault.id = self._last_id
            self._faults.append(fault)
        return fault

    def take(
        self, request: Request, *kinds: str, moment: str = "before", besides: Container[int] = ()
    ) -> Fault | None:
        """The first fault of these kinds for this request, counted as used; None if there is none.

        :param besides: ids of faults that have struck this request already
        """
        with self._lock:
            self._faults = [fault for fault in self._faults if not fault.over]
            for fault in self._faults:
                if fault.kind not in kinds or fault.moment != moment or fault.id in besides:
                    continue
                if not fault.matches(request):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                fault._struck.set()
                if fault.count is not None:
                    fault.count -= 1
                if fault.kind == "hold":
                    self._held.append(fault)
                return fault
        return None

    def wait_for_hit(self, fault: Fault, timeout: float = 10) -> bool:
        """Wait until a fault has struck for the first time; False when time is up."""
        return fault._struck.wait(timeout)

    def wait_for_release(self, fault: Fault) -> None:
        """Block until a ``hold`` is released (or two minutes have passed, so that no test hangs for ever)."""
        fault._released.wait(timeout=120)

    def release(self, fault: Fault | None = None) -> None:
        """Let held requests go: those of one fault, or all."""
        with self._lock:
            held = [one for one in self._held if fault is None or one is fault]
            self._held = [one for one in self._held if one not in held]
        for one in [*held, *([fault] if fault else [])]:
            one._released.set()

    def remove(self, fault_id: int) -> None:
        """Switch one fault off."""
        with self._lock:
            gone = [fault for fault in self._faults if fault.id == fault_id]
            self._faults = [fault for fault in self._faults if fault.id != fault_id]
        for fault in gone:
            self.release(fault)

    def clear(self) -> None:
        """Switch all faults off and let every held request go."""
        with self._lock:
            gone, self._faults = self._faults, []
        for fault in gone:
            self.release(fault)
        self.release()

    def listed(self) -> list[dict[str, Any]]:
        """The faults that are on, as plain data."""
        with self._lock:
            return [asdict(fault) for fault in self._faults if not fault.over]
