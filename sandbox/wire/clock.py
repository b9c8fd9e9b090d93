"""A clock that tests and the demo can hurry along: real time, scaled, plus what was skipped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """The time inside a sandbox.

    :param scale: how many sandbox seconds pass in one real second; 0: time stands still unless advanced
    :param start: the time it shows at first; now, when not given
    """

    def __init__(self, *, scale: float = 1.0, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("the sandbox clock needs an aware start")
        self.scale = scale
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic()
        self._skipped = timedelta()
        self._changed = threading.Condition()

    def now(self) -> datetime:
        """The sandbox time, in UTC."""
        elapsed = (time.monotonic() - self._began) * self.scale
        return self._start + timedelta(seconds=elapsed) + self._skipped

    def seconds(self) -> float:
        """The sandbox time as unix seconds."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        """Skip ahead; everybody who waits on this clock looks again."""
        with self._changed:
            self._skipped += timedelta(seconds=seconds)
            self._changed.notify_all()

    def wake(self) -> None:
        """Make everybody who waits on this clock look again."""
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, at: datetime | None, stop: Callable[[], bool]) -> None:
        """Return at sandbox time ``at`` (None: never), or as soon as ``stop()`` is true after a wake-up."""
        with self._changed:
            while not stop():
                if at is not None and at <= self.now():
                    return
                self._changed.wait(timeout=self._real_seconds_until(at))

    def _real_seconds_until(self, at: datetime | None) -> float | None:
        if at is None or not self.scale:
            return None
        return (at - self.now()).total_seconds() / self.scale
