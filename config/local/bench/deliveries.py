"""The store's side of webhooks: signed deliveries over kept connections, as fast as asked or as fast as possible.

Written on bare sockets: the driver shares the processors with what it measures.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from storefront.verification import standard_signature

ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One store's receiver."""

    url: str
    store_hash: str
    secret: str


@dataclass(slots=True)
class Outcome:
    """What became of deliveries: seconds of each, in the order they were due, and how many had which status (0: no answer)."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    took: float = 0.0

    @property
    def accepted(self) -> float:
        """The part that was answered with success."""
        good = sum(count for status, count in self.statuses.items() if 200 <= status < 300)
        return good / max(sum(self.statuses.values()), 1)


def delivery(hook: Hook, *, order_id: int, delivery_id: str, scope: str = "store/order/created") -> bytes:
    """The bytes of one signed request."""
    now = int(time.time())
    content = {
        "scope": scope,
        "store_id": "1025646",
        "data": {"type": "order", "id": order_id},
        "hash": "",
        "created_at": now,
        "producer": f"stores/{hook.store_hash}",
    }
    body = json.dumps(content).encode()
    signature = standard_signature(hook.secret, delivery_id=delivery_id, timestamp=str(now), body=body)
    parts = urlsplit(hook.url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"webhook-id: {delivery_id}\r\nwebhook-timestamp: {now}\r\nwebhook-signature: {signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def at_once(address: str, requests: Sequence[bytes], *, connections: int) -> Outcome:
    """Each connection sends the next request when its last one is answered."""
    waiting = iter(enumerate(requests))
    guard = threading.Lock()

    def following() -> Iterator[tuple[float, int, bytes]]:
        while True:
            with guard:
                number, request = next(waiting, (0, None))
            if request is None:
                return
            yield time.perf_counter(), number, request

    return _send(address, following, connections, len(requests))


def at_rate(address: str, requests: Sequence[bytes], *, per_second: float, connections: int = 32) -> Outcome:
    """One request every 1 / `per_second` seconds, whether or not earlier ones are answered.

    A delivery's time counts from the moment it was due: waiting for a free connection is waiting.
    """
    began = time.perf_counter()
    waiting = iter(enumerate(requests))
    guard = threading.Lock()

    def following() -> Iterator[tuple[float, int, bytes]]:
        while True:
            with guard:
                number, request = next(waiting, (0, None))
            if request is None:
                return
            due = began + number / per_second
            time.sleep(max(0.0, due - time.perf_counter()))
            yield due, number, request

    return _send(address, following, connections, len(requests))


def _send(
    address: str, following: Callable[[], Iterator[tuple[float, int, bytes]]], connections: int, count: int
) -> Outcome:
    outcome = Outcome(seconds=[0.0] * count)
    guard = threading.Lock()

    def work() -> None:
        connection: socket.socket | None = None
        for began, number, request in following():
            status, connection = _exchange(address, connection, request)
            seconds = time.perf_counter() - began
            with guard:
                outcome.seconds[number] = seconds
                outcome.statuses[status] += 1
        if connection is not None:
            connection.close()

    began = time.perf_counter()
    threads = [threading.Thread(target=work, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.took = time.perf_counter() - began
    return outcome


def _exchange(
    address: str, connection: socket.socket | None, request: bytes
) -> tuple[int, socket.socket | None]:
    """Status and the connection to go on with. One that the server closed while idle is opened again, once."""
    for attempt in (connection, None):
        try:
            used = attempt or _connect(address)
            used.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                part = used.recv(4096)
                if not part:
                    raise ConnectionResetError
                answer += part
        except OSError:
            if attempt is None:
                return 0, None
            continue
        status = int(answer.split(b" ", 2)[1])
        if b"connection: close" in answer.lower():
            used.close()
            return status, None
        return status, used
    return 0, None


def _connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    made = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=ANSWER_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
