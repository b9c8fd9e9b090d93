"""What this process has written lately, so that the same is not written again with every order."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock


class Lately:
    """A bounded set of keys that are forgotten after `seconds`."""

    def __init__(self, *, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._kept: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = Lock()

    def has(self, key: Hashable) -> bool:
        """Whether the key was added within that time."""
        with self._lock:
            at = self._kept.get(key)
            return at is not None and time.monotonic() - at < self._seconds

    def add(self, key: Hashable) -> None:
        """Remember a key from now on."""
        with self._lock:
            self._kept[key] = time.monotonic()
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
