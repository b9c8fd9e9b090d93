"""A shared cache for tests that need no Django."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MemoryCache:
    """A `SharedCache` for one process."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.kept_for: dict[str, int] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: str) -> str | None:
        return self.values.get(key)

    def set(self, key: str, value: str, *, seconds: int) -> None:
        self.values[key] = value
        self.kept_for[key] = seconds

    def delete(self, key: str) -> None:
        self.values.pop(key, None)

    @contextmanager
    def lock(self, key: str, *, seconds: int) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield
