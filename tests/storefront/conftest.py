"""A sandbox store over HTTP, and a client of it without a database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests
from django.core.cache.backends.locmem import LocMemCache

from erp.contract.http import Call, Wire
from sandbox.bigcommerce import BigCommerce, Store
from sandbox.wire import Clock, serve
from storefront.client import BigCommerceClient, Wishes
from storefront.limits import Quota
from storefront.transport import Access, Transport

TOKEN = "token-of-the-api-account"


@dataclass
class Shop:
    """The store's side (`store`, `bigcommerce`), ours (`client()`), and what was called."""

    bigcommerce: BigCommerce
    store: Store
    url: str
    pool: ThreadPoolExecutor
    cache: LocMemCache
    calls: list[Call] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def client(self, *, token: str = TOKEN, wishes: Wishes | None = None) -> BigCommerceClient:
        """One worker's client; all workers share the cache."""
        sessions = threading.local()

        def wire() -> Wire:
            if not hasattr(sessions, "session"):
                sessions.session = requests.Session()
            return Wire(sessions.session, record=self.calls.append, correlation_id="c0ffee")

        transport = Transport(
            Access(key="S1", base_url=self.url, store_hash="abc123", access_token=token),
            wire,
            Quota(self.cache, self.url, clock=self.bigcommerce.clock.seconds),
            sleep=self.sleep,
        )
        return BigCommerceClient(transport, pool=self.pool, wishes=wishes)

    def sleep(self, seconds: float) -> None:
        """Nobody waits: the sandbox's clock is moved instead."""
        self.slept.append(seconds)
        self.bigcommerce.clock.advance(seconds)

    def paths(self) -> list[str]:
        """What was asked for since the last time, without the store's part of the address."""
        found = sorted(call.url.split("/abc123/")[1] for call in self.calls)
        self.calls.clear()
        return found


@pytest.fixture
def shop() -> Iterator[Shop]:
    bigcommerce = BigCommerce(clock=Clock(), local_hooks=True)
    with serve(bigcommerce, port=0) as server, ThreadPoolExecutor(4) as pool:
        store = bigcommerce.add_store("abc123", token=TOKEN, client_secret="s", client_id="client")
        cache = LocMemCache(f"shop-{id(bigcommerce)}", {})
        yield Shop(bigcommerce=bigcommerce, store=store, url=server.url, pool=pool, cache=cache)
