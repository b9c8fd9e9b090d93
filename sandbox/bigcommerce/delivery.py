"""Delivering webhooks: signed, retried and blocked by BigCommerce's own rules, on the sandbox clock.

Source: BigCommerce "Webhooks overview" and "Securing webhooks" (docs, 2026-01), Standard Webhooks
specification.

* 2xx is success. Else it is tried again after 60, 180, ... 86400 s; then the hook is switched off and a
mail is sent.
* A domain whose success ratio falls under 90 % in a sliding window of 2 minutes, looked at from the 100th
request in the window on, is blocked for 3 minutes; its messages go back to the queue.
* Signature: HMAC-SHA256 with the *raw bytes of the client secret* over ``id.timestamp.body`` (Standard
Webhooks); by setting also ``X-BC-Signature`` over the body alone, which BigCommerce's documents do not know.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import random
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sandbox.bigcommerce.hooks import WAITING, finish
from sandbox.wire import Clock, Storage

Row = dict[str, Any]
RETRY_AFTER = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400)
WINDOW, ENOUGH, RATIO, BLOCKED_FOR = 120, 100, 0.9, 180
WILL_RETRY_EVERY = 600  # "at most one per 10 minutes per destination"


class Blocklist:
    """The success ratio of each domain, and which domains are blocked until when (sandbox seconds).

    :param hurry: blocks end that much sooner
    """

    def __init__(self, hurry: float = 1) -> None:
        self._blocked_for = BLOCKED_FOR / hurry
        self._lock = threading.Lock()
        self._results: dict[str, deque[tuple[float, bool]]] = defaultdict(deque)
        self.until: dict[str, float] = {}

    def blocked_until(self, domain: str, now: float) -> float | None:
        """When the domain will be tried again; None if it is not blocked."""
        with self._lock:
            until = self.until.get(domain)
            return until if until is not None and until > now else None

    def lift(self) -> None:
        """End every block now."""
        with self._lock:
            self.until.clear()

    def note(self, domain: str, now: float, good: bool) -> bool:
        """Note one result; True if this blocks the domain."""
        with self._lock:
            results = self._results[domain]
            results.append((now, good))
            while results[0][0] <= now - WINDOW:
                results.popleft()
            ratio = sum(good for _, good in results) / len(results)
            if len(results) < ENOUGH or ratio >= RATIO:
                return False
            results.clear()
            self.until[domain] = now + self._blocked_for
            return True


class Deliverer:
    """Sends due messages from a background thread.

    :param timeout: real seconds a receiver has; the documents give no number
    :param hurry: retries come, and blocks end, that much sooner than BigCommerce's, on a clock that runs as it is
    """

    def __init__(self, storage: Storage, clock: Clock, timeout: float = 10, hurry: float = 1) -> None:
        self.timeout, self.hurry = timeout, hurry
        self.blocklist = Blocklist(hurry)
        self.on_exception: Callable[[str, Row], None] | None = None
        self._will_retry_told: dict[str, float] = {}
        self._storage, self._clock = storage, clock
        self._paused = self._stopped = False
        self._woken = 0
        self._sending: set[int] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._pools: dict[str, ThreadPoolExecutor] = {}  # by store: none waits behind another's flood

    def start(self) -> None:
        """Start sending."""
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop sending; what waits stays in the storage."""
        self._stopped = True
        self.wake()
        if self._thread:
            self._thread.join(timeout=5)
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        self._thread = None
        self._pools.clear()

    def wake(self) -> None:
        """Look again: something is due, or the settings changed."""
        self._woken += 1
        self._clock.wake()

    def pause(self) -> None:
        """Keep messages back until :meth:`release`."""
        self._paused = True

    def release(self, order: str = "as sent", seed: int = 0) -> None:
        """Send what was kept back, one by one: as sent, reversed or shuffled; then go on as usual."""
        rows = self._due()
        if order == "reversed":
            rows.reverse()
        elif order == "shuffled":
            random.Random(seed).shuffle(rows)
        elif order != "as sent":
            raise ValueError(order)
        for row in rows:
            self._take(row)
            self._send(row)
        self._paused = False
        self.wake()

    def try_again(self) -> None:
        """Try everything that waits now, as if its retry had come due and every block had ended. The clock stays as it is."""
        self.blocklist.lift()
        now = str(self._clock.seconds())
        with self._storage.transaction():
            for row in self._unsent():
                self._storage.put(WAITING, row["id"], row | {"due": now})
        self.wake()

    def idle(self) -> bool:
        """Whether nothing is being sent and nothing is due."""
        return not self._sending and (self._paused or not self._due())

    def wait_until_delivered(self, timeout: float = 30, *, retries: bool = False) -> bool:
        """Wait until every message was tried once (``retries``: until none waits); False: time is up."""

        def settled() -> bool:
            waiting = self._storage.rows(WAITING)
            return not self._sending and not any(retries or not row["tries"] for row in waiting)

        deadline = datetime.now(UTC).timestamp() + timeout
        with self._changed:
            while not settled():
                left = deadline - datetime.now(UTC).timestamp()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.25))
        return True

    # -- the thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopped:
            seen = self._woken
            if not self._paused:
                for row in self._due():
                    self._take(row)
                    self._pool_of(row["store"]).submit(self._send, row)
            self._clock.wait_until(
                self._next_due(), stop=lambda seen=seen: self._stopped or self._woken != seen
            )

    def _pool_of(self, store: str) -> ThreadPoolExecutor:
        if store not in self._pools:
            self._pools[store] = ThreadPoolExecutor(max_workers=8, thread_name_prefix=f"webhook {store}")
        return self._pools[store]

    def _due(self) -> list[Row]:
        now = self._clock.seconds()
        return [row for row in self._unsent() if float(row["due"]) <= now]

    def _next_due(self) -> datetime | None:
        if self._paused:
            return None
        due = [float(row["due"]) for row in self._unsent()]
        return datetime.fromtimestamp(min(due), UTC) if due else None

    def _unsent(self) -> list[Row]:
        return self._storage.rows(WAITING, lambda row: row["id"] not in self._sending)

    def _take(self, row: Row) -> None:
        self._sending.add(row["id"])

    def _send(self, row: Row) -> None:
        try:
            with self._storage.lock:
                store = self._storage.get("stores", row["store"])
                hook = self._storage.get(f"hooks:{row['store']}", row["hook_id"])
            if store is None or hook is None or not hook["is_active"]:
                self._keep(row, state="cancelled")
                return
            domain, now = urlsplit(hook["destination"]).netloc, self._clock.seconds()
            until = self.blocklist.blocked_until(domain, now)
            if until is not None:
                self._keep(row, due=str(max(until, now + self._wait(1))))
                return
            status, error = self._post(store, hook, row)
            self._note(store, hook, row, domain, status, error)
        finally:
            with self._changed:
                self._sending.discard(row["id"])
                self._changed.notify_all()
            self.wake()

    def _post(self, store: Row, hook: Row, row: Row) -> tuple[int, str]:
        """One try; status 0 with the reason when there was no answer."""
        target = urlsplit(hook["destination"])
        kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        connection = kind(target.netloc, timeout=self.timeout)
        try:
            body = row["body"].encode()
            headers = {"Content-Type": "application/json", "User-Agent": "BigCommerce-Webhooks (sandbox)"}
            headers |= signatures(store, row, body, int(self._clock.seconds())) | (hook["headers"] or {})
            connection.request("POST", target.path or "/", body=body, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, ""
        except (OSError, http.client.HTTPException) as error:
            return 0, type(error).__name__
        finally:
            connection.close()

    def _note(self, store: Row, hook: Row, row: Row, domain: str, status: int, error: str) -> None:
        now = self._clock.seconds()
        good = 200 <= status < 300
        row["tries"].append({"at": int(now), "status": status, "error": error})
        blocked = self.blocklist.note(domain, now, good)
        tries = len(row["tries"])
        if good:
            self._keep(row, state="delivered")
        elif tries > len(RETRY_AFTER):
            self._give_up(store, hook, row)
        else:
            self._keep(row, due=str(now + self._wait(tries)))
        if not good and blocked:
            self._tell_exception(row, hook, 90003, "Domain is blocked")
        elif not good and now - self._will_retry_told.get(hook["destination"], 0) >= WILL_RETRY_EVERY:
            self._will_retry_told[hook["destination"]] = now
            self._tell_exception(row, hook, 90001, "Non-200 response received, will retry")

    def _wait(self, tries: int) -> float:
        return RETRY_AFTER[tries - 1] / self.hurry

    def _give_up(self, store: Row, hook: Row, row: Row) -> None:
        with self._storage.transaction():
            self._keep(row, state="failed")
            self._storage.put(f"hooks:{row['store']}", hook["id"], hook | {"is_active": False})
            number = self._storage.next_number("mails")
            told = {
                "to": store["email"],
                "text": f"Webhook {hook['id']} to {hook['destination']} was deactivated.",
            }
            self._storage.put("mails", number, told)
        self._tell_exception(row, hook, 90002, "Retries exhausted, webhook deactivated")

    def _tell_exception(self, row: Row, hook: Row, code: int, message: str) -> None:
        if row["scope"] != "store/hook/deliveryException" and self.on_exception:
            text = f"{message}: {hook['destination']}"
            self.on_exception(
                row["store"], {"type": "webhook", "id": hook["id"], "error_code": code, "message": text}
            )

    def _keep(self, row: Row, state: str = "waiting", **changes: Any) -> None:
        """Write the row back, unless it was finished or removed meanwhile (hook deleted, reset)."""
        with self._storage.transaction():
            if self._storage.get(WAITING, row["id"]) is None:
                return
            if state == "waiting":
                self._storage.put(WAITING, row["id"], row | changes)
            else:
                finish(self._storage, row, state)


def signatures(store: Row, row: Row, body: bytes, now: int) -> dict[str, str]:
    """The signature headers the store's setting ``signing`` asks for: standard, hex, prefixed, base64."""
    key = store["client_secret"].encode()
    headers: dict[str, str] = {}
    if "standard" in store["signing"]:
        timestamp = now if store["fresh_timestamps"] else row["created_at"]
        signed = f"{row['webhook_id']}.{timestamp}.".encode() + body
        code = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        headers |= {"webhook-id": row["webhook_id"], "webhook-timestamp": str(timestamp)}
        headers["webhook-signature"] = f"v1,{code}"
    digest = hmac.new(key, body, hashlib.sha256)
    if "hex" in store["signing"]:
        headers["X-BC-Signature"] = digest.hexdigest()
    elif "prefixed" in store["signing"]:
        headers["X-BC-Signature"] = f"sha256={digest.hexdigest()}"
    elif "base64" in store["signing"]:
        headers["X-BC-Signature"] = base64.b64encode(digest.digest()).decode()
    return headers
