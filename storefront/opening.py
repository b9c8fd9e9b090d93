"""A client for one store: sessions pooled per thread, limits shared, every call in the audit trail."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict

import requests
from django.conf import settings
from django.core.cache import cache

from audit import waiting
from audit.calls import record_call
from audit.measures import count_call
from audit.subjects import Subject
from erp.contract.errors import Misconfigured
from erp.contract.http import Call, Wire, private_session
from erp.contract.outbound import Reach
from storefront.client import BigCommerceClient, Wishes
from storefront.limits import Quota
from storefront.models import Store
from storefront.transport import Access, Transport

# Of one process. A guest order has four reads under way at the same time; threads are made as they are needed.
READING_THREADS = 32

_local = threading.local()
_pools: dict[int, ThreadPoolExecutor] = {}
_pools_lock = threading.Lock()


@contextmanager
def open_client(
    store: Store,
    *,
    correlation_id: str = "",
    subject: Subject | Iterable[Subject] | None = None,
    background: bool = False,
) -> Iterator[BigCommerceClient]:
    """A client of the store, for the calling thread.

    Calls are recorded by the calling thread, between them and at the end: reading threads have no database
    connection.

    :param background: what nobody waits for: it has only its share of the store's quota
    :raises Misconfigured: the store is paused or has no access token
    """
    _require_usable(store)
    calls: deque[Call] = deque()
    tenant = store.tenant.slug

    def record_all() -> None:
        while calls:
            call = calls.popleft()
            count_call(
                side="store",
                tenant=tenant,
                connection=store.key,
                method=call.method,
                url=call.url,
                status=call.status,
                seconds=call.seconds,
            )
            record_call(
                **asdict(call),
                tenant_id=store.tenant_id,
                correlation_id=correlation_id,
                subject=subject,
            )

    transport = Transport(
        Access(
            key=store.key,
            base_url=store.base_url,
            store_hash=store.store_hash,
            access_token=store.access_token,
        ),
        lambda: Wire(_session(), record=calls.append, correlation_id=correlation_id),
        Quota(
            cache,
            f"{store.base_url}/{store.store_hash}",
            clock=waiting.clock,
            percent=store.background_percent if background else 100,
        ),
    )
    wishes = Wishes(
        categories=store.reads_categories,
        erp_code_field=store.erp_code_field,
        tax_number_field=store.tax_number_field,
    )
    try:
        yield BigCommerceClient(transport, pool=_pool(), wishes=wishes, after_reading=record_all)
    finally:
        record_all()


def _require_usable(store: Store) -> None:
    sentence = ""
    if store.paused_at is not None:
        sentence = f"Store {store.key} is paused: {store.pause_reason or 'resume it on its page'}"
    elif not store.access_token:
        sentence = f"Store {store.key} has no access token. Enter the one of its API account."
    if sentence:
        error = Misconfigured(sentence)
        error.side = "store"
        raise error


def _session() -> requests.Session:
    """The calling thread's session: kept, so that connections are reused."""
    if getattr(_local, "session", None) is None:
        _local.session = private_session(Reach(loopback=settings.TIEOUT_ALLOW_LOOPBACK))
    return _local.session


def _pool() -> ThreadPoolExecutor:
    """The process's reading threads; a forked worker makes its own."""
    with _pools_lock:
        pid = os.getpid()
        if pid not in _pools:
            _pools.clear()
            _pools[pid] = ThreadPoolExecutor(READING_THREADS, thread_name_prefix="tieout-store-read")
        return _pools[pid]
