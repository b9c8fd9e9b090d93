"""BigCommerce's rate limit, honoured by all workers of a store together.

Every answer says how much of the window's quota is left and in how many milliseconds the window ends ("API
rate limits" and "About our APIs", 2026-04: 30 s, shared by all apps of a store). Workers share that through
the cache and count down together. The cache is a courtesy: when it is lost, the store's own 429 still stops
us, at the price of a refused call.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError

from erp.contract.errors import TryLater

QUOTA = "X-Rate-Limit-Requests-Quota"
QUOTA_LEFT = "X-Rate-Limit-Requests-Left"
RESETS_IN = "X-Rate-Limit-Time-Reset-Ms"
RETRY_AFTER_SECONDS = "X-Retry-After"

# Left for the shop's other apps, and for our calls that are under way when another worker reads the number.
RESERVE = 5
# A 429 without headers means high load of the platform: waits grow ("Seeing a 429 response?").
FIRST_OVERLOAD_WAIT = timedelta(seconds=30)
LONGEST_OVERLOAD_WAIT = timedelta(minutes=10)
OVERLOAD_MEMORY_SECONDS = 1800
_LONGEST_WINDOW_SECONDS = 3600

# While an answer of this very second told of so many calls left, a process neither counts nor tells the others: five
# questions to the cache for each call would cost more than they save.
PLENTY = 1000
PLENTY_SECONDS = 1.0


_plenty_until: dict[tuple[int, str], float] = {}


class Quota:
    """What is left of one store's quota.

    :param cache: Django's shared cache, or anything with its `get`, `set`, `add`, `incr` and `delete`
    :param store: unique and stable for the store at BigCommerce
    :param clock: seconds since 1970; the workers' clocks need to agree to a second or so
    :param percent: how much of a window's quota these calls may use, all of their kind and the live ones counted: with
        25, they stop as soon as three quarters are left to others. Live calls have 100
    """

    def __init__(
        self, cache: Any, store: str, *, clock: Callable[[], float] = time.time, percent: int = 100
    ) -> None:
        self._cache = cache
        names = ("left", "ends", "closed", "overloads", "size")
        self._left, self._ends, self._closed, self._overloads, self._size = (f"bc:{store}:{n}" for n in names)
        self._clock = clock
        self._percent = percent
        self._store = (id(cache), store)

    def take(self) -> None:
        """Count one call.

        :raises TryLater: the window's quota is used up; `after` is when the next one begins
        """
        if self._has_plenty():
            return
        closed_until = self._ask(lambda: self._cache.get(self._closed))
        if isinstance(closed_until, float) and closed_until > self._clock():
            raise self._wait(closed_until)
        left = self._ask(lambda: self._cache.incr(self._left, -1))
        if isinstance(left, int) and left < (floor := self._floor()):
            ends = self._ask(lambda: self._cache.get(self._ends))
            if isinstance(ends, float) and ends > self._clock():
                if floor:  # not made: a live call may have it
                    self._ask(lambda: self._cache.incr(self._left, 1))
                raise self._wait(ends)
            # Django's `incr` looks before it counts: a key that ends in between begins again below zero and without an
            # end. The count of a window that is over goes, and the next answer begins a new one.
            self._ask(lambda: self._cache.delete(self._left))

    def _floor(self) -> int:
        """How many calls of the window are left to others."""
        size = self._ask(lambda: self._cache.get(self._size)) if self._percent < 100 else None
        return size * (100 - self._percent) // 100 if isinstance(size, int) else 0

    def note(self, headers: Mapping[str, str]) -> None:
        """Learn from the headers of an answer; answers may arrive out of order, so the lowest number counts."""
        left, resets_in = _whole(headers.get(QUOTA_LEFT)), _whole(headers.get(RESETS_IN))
        if left is None or resets_in is None:
            return
        seconds = min(resets_in / 1000, _LONGEST_WINDOW_SECONDS)
        usable = max(0, left - RESERVE)
        if self._has_plenty() and usable > PLENTY:
            return
        _plenty_until[self._store] = time.monotonic() + PLENTY_SECONDS if usable > PLENTY else 0.0
        if (size := _whole(headers.get(QUOTA))) is not None:
            self._ask(lambda: self._cache.set(self._size, size, timeout=_LONGEST_WINDOW_SECONDS))
        if not self._ask(lambda: self._cache.add(self._left, usable, timeout=_kept(seconds))):
            known = self._ask(lambda: self._cache.get(self._left))
            if isinstance(known, int) and usable < known:
                self._ask(lambda: self._cache.set(self._left, usable, timeout=_kept(seconds)))
        self._ask(lambda: self._cache.set(self._ends, self._clock() + seconds, timeout=_kept(seconds)))

    def refused(self, headers: Mapping[str, str]) -> TryLater:
        """What a 429 means: no worker calls before the window ends, or, without headers, before a growing wait is over."""
        resets_in, after = _whole(headers.get(RESETS_IN)), _whole(headers.get(RETRY_AFTER_SECONDS))
        if resets_in is not None or after is not None:
            seconds = resets_in / 1000 if resets_in is not None else float(after or 0)
        else:
            seconds = self._overload_wait().total_seconds()
        seconds = min(seconds, _LONGEST_WINDOW_SECONDS)
        self._close(seconds)
        return self._wait(self._clock() + seconds, status=429)

    def _has_plenty(self) -> bool:
        """Only live calls need not count: the others stop while much is left."""
        return self._percent == 100 and _plenty_until.get(self._store, 0.0) > time.monotonic()

    def _overload_wait(self) -> timedelta:
        self._ask(lambda: self._cache.add(self._overloads, 0, timeout=OVERLOAD_MEMORY_SECONDS))
        times = self._ask(lambda: self._cache.incr(self._overloads))
        wait = FIRST_OVERLOAD_WAIT * 2 ** min((times or 1) - 1, 10)
        return min(wait, LONGEST_OVERLOAD_WAIT)

    def _close(self, seconds: float) -> None:
        _plenty_until[self._store] = 0.0
        until = self._clock() + seconds
        self._ask(lambda: self._cache.set(self._closed, until, timeout=_kept(seconds)))

    def _wait(self, until: float, *, status: int | None = None) -> TryLater:
        seconds = max(0.0, until - self._clock())
        return TryLater(
            f"BigCommerce takes no more calls for this store for {seconds:.0f} seconds.",
            after=timedelta(seconds=seconds),
            status=status,
        )

    def _ask(self, question: Callable[[], Any]) -> Any:
        """The cache's answer; None if it is away or the key is not there."""
        try:
            return question()
        except (RedisError, OSError, ValueError):
            return None


def _kept(seconds: float) -> int:
    """For how long the cache keeps it: whole seconds, and a zero would mean not at all."""
    return max(1, math.ceil(seconds))


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
