"""What workers share about a connection, in Django's cache (Redis or Valkey), encrypted with the key ring.

Losing it costs a login, never correctness: an unreachable cache answers nothing, and then every worker signs in alone.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.core.cache import caches
from redis.exceptions import RedisError

from audit.encryption import WrongKey, decrypt, encrypt
from erp.contract.errors import TryLater

log = structlog.get_logger(__name__)
LONGEST_WAIT = 45.0
PAUSE = 0.05


class DjangoSharedCache:
    """`erp.contract.adapter.SharedCache` over one of Django's caches."""

    def __init__(self, prefix: str, *, alias: str = "default") -> None:
        self._cache = caches[alias]
        self._prefix = prefix

    def get(self, key: str) -> str | None:
        """The value; None if it is not there, too old, or encrypted with a key we no longer have."""
        try:
            token = self._cache.get(self._named(key))
            return decrypt(token).decode() if token else None
        except WrongKey:
            return None
        except RedisError:
            _unreachable("get")
            return None

    def set(self, key: str, value: str, *, seconds: int) -> None:
        """Keep a value for so long, encrypted."""
        try:
            self._cache.set(self._named(key), encrypt(value.encode()), timeout=seconds)
        except RedisError:
            _unreachable("set")

    def delete(self, key: str) -> None:
        """Forget a value."""
        try:
            self._cache.delete(self._named(key))
        except RedisError:
            _unreachable("delete")

    @contextmanager
    def lock(self, key: str, *, seconds: int) -> Iterator[None]:
        """A lock among all workers that ends by itself after `seconds`.

        :raises TryLater: if another worker keeps it too long
        """
        name, token = self._named(f"{key}:lock"), uuid.uuid4().hex
        held = self._acquire(name, token, seconds)
        try:
            yield
        finally:
            if held:
                self._release(name, token)

    def _acquire(self, name: str, token: str, seconds: int) -> bool:
        ends = time.monotonic() + min(LONGEST_WAIT, seconds)
        while True:
            try:
                if self._cache.add(name, token, timeout=seconds):
                    return True
            except RedisError:
                _unreachable("lock")
                return False
            if time.monotonic() > ends:
                raise TryLater("Another worker is signing in to the ERP and has not finished.")
            time.sleep(PAUSE)

    def _release(self, name: str, token: str) -> None:
        try:
            if self._cache.get(name) == token:  # not ours any more if we were slower than `seconds`
                self._cache.delete(name)
        except RedisError:
            _unreachable("unlock")

    def _named(self, key: str) -> str:
        return f"{self._prefix}:{key}"


def _unreachable(call: str) -> None:
    log.warning("erp.shared_cache_unreachable", call=call)
