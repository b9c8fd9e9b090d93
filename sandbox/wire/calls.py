"""The log of calls a server received: what was asked, what was answered, which fault struck."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 20_000
SECRET_HEADERS = frozenset({"x-auth-token", "authorization", "cookie"})


@dataclass(kw_only=True)
class Call:
    """One request and what became of it.

    :ivar status: the status sent; 0 while it runs, or when the connection was dropped
    :ivar carried_out: True if the service did what was asked (also when the answer was lost)
    """

    number: int
    at: float
    method: str
    path: str
    query: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    status: int = 0
    answer: str = ""
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    carried_out: bool = False
    finished: bool = False


class CallLog:
    """The last calls, with counters and ways to wait for one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._number = 0
        self._active = 0
        self._last_change = time.monotonic()
        self.counters: Counter[str] = Counter()

    def begin(self, method: str, path: str, query: str, headers: dict[str, str], body: str) -> Call:
        """Note that a request has come in. Secrets in headers are not kept."""
        shown = {name: "***" if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}
        with self._changed:
            self._number += 1
            call = Call(
                number=self._number,
                at=time.time(),
                method=method,
                path=path,
                query=query,
                headers=shown,
                body=body,
            )
            self._calls.append(call)
            self._active += 1
            self._touched()
        return call

    def finish(self, call: Call, *, status: int, answer: str) -> None:
        """Note how it ended; status 0: without an answer."""
        with self._changed:
            call.status, call.answer = status, answer
            call.seconds = time.time() - call.at
            call.finished = True
            self._active -= 1
            self.counters["requests"] += 1
            self.counters[f"{call.method} {status or 'dropped'}"] += 1
            for fault in call.faults:
                self.counters[f"fault {fault}"] += 1
            self._touched()

    def _touched(self) -> None:
        self._last_change = time.monotonic()
        self._changed.notify_all()

    def select(self, method: str = "*", path: str = "", since: int = 0) -> list[Call]:
        """The calls with this method whose path and query match the regular expression, oldest first."""
        with self._changed:
            return [call for call in self._calls if call.number > since and _is(call, method, path)]

    def as_data(self, **which: Any) -> list[dict[str, Any]]:
        """The same as plain data; times are whole milliseconds."""
        shown = []
        for call in self.select(**which):
            row = asdict(call)
            row["at"], row["seconds"] = int(call.at * 1000), int(call.seconds * 1000)
            shown.append(row)
        return shown

    def wait_for(
        self, method: str = "*", path: str = "", *, count: int = 1, since: int = 0, timeout: float = 10
    ) -> bool:
        """Wait until at least ``count`` such calls have *come in*; False when time is up."""
        with self._changed:
            return self._changed.wait_for(
                lambda: sum(call.number > since and _is(call, method, path) for call in self._calls) >= count,
                timeout,
            )

    def wait_until_idle(
        self, quiet: float = 0.2, timeout: float = 30, also: Callable[[], bool] | None = None
    ) -> bool:
        """Wait until no call runs and none came for ``quiet`` seconds (and ``also()``); False: time is up."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                now = time.monotonic()
                silent = now - self._last_change
                if not self._active and silent >= quiet and (also is None or also()):
                    return True
                if now >= deadline:
                    return False
                self._changed.wait(min(deadline - now, max(quiet - silent, 0.02)))

    def clear(self) -> None:
        """Forget the calls and the counters (calls that still run are counted when they end)."""
        with self._changed:
            self._calls.clear()
            self.counters.clear()


def _is(call: Call, method: str, path: str) -> bool:
    where = f"{call.path}?{call.query}" if call.query else call.path
    return method in ("*", call.method) and re.search(path, where) is not None
