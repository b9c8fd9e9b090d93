"""The webhooks of a store: who asked to be told of what, and the messages that wait to be delivered.

Source: BigCommerce "Webhooks overview" and "Webhook events" (docs, 2026-04). Messages are rows;
``delivery`` sends them.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.wire import Clock, Storage, dumps

Row = dict[str, Any]
MOST_PER_SCOPE = 10  # per store, client and scope (limit of 2025-04-10)
# Messages by whether there is work left with them: the sender looks through the waiting ones all the time.
WAITING, FINISHED = "deliveries waiting", "deliveries finished"
INACTIVE_AFTER = 90 * 86400
EXCEPTIONS = "store/hook/deliveryException"
CHANNEL_EVENTS = ("created", "updated", "archived", "statusUpdated", "message/created", "refund/created")


class HookRefused(ValueError):
    """BigCommerce would not take this hook; says why."""


class Hooks:
    """The hooks of one store.

    :ivar hash: the store's hash
    """

    def __init__(self, storage: Storage, clock: Clock, store_hash: str, wake: Callable[[], None]) -> None:
        self.hash = store_hash
        self._storage, self._clock, self._wake = storage, clock, wake

    # -- management ---------------------------------------------------------------------------------

    def add(
        self, scope: str, destination: str, headers: dict[str, str] | None = None, active: bool = True
    ) -> Row:
        """Register a hook, as ``POST /v3/hooks`` does.

        :raises HookRefused: a destination or scope BigCommerce does not take, or too many of them
        """
        self._check(scope, destination)
        with self._storage.transaction():
            self._check_exception_hook(scope, destination)
            same = [hook for hook in self.listed() if hook["scope"] == scope]
            if any(hook["destination"] == destination for hook in same):
                raise HookRefused("A webhook with this scope and destination already exists.")
            if len(same) >= MOST_PER_SCOPE:
                raise HookRefused(f"You have reached the limit of {MOST_PER_SCOPE} webhooks for this scope.")
            now = int(self._clock.seconds())
            hook = {
                "id": self._storage.next_number("hooks", 18048287),
                "client_id": self._settings()["client_id"],
                "store_hash": self.hash,
                "created_at": now,
                "updated_at": now,
                "scope": scope,
                "destination": destination,
                "is_active": active,
                "headers": headers,
            }
            self._save(hook)
        return hook

    def _check(self, scope: str, destination: str) -> None:
        if not scope.startswith("store/"):
            raise HookRefused(f"The scope {scope!r} is not one of the allowed scopes.")
        local = self._settings()["local_hooks"] and destination.startswith("http://127.0.0.1:")
        host = destination.removeprefix("https://").split("/")[0]
        if not local and (not destination.startswith("https://") or ":" in host.removesuffix(":443")):
            raise HookRefused("Destination must be a valid HTTPS URL served on port 443.")

    def _check_exception_hook(self, scope: str, destination: str) -> None:
        """One per store and client, to "a destination different from all other webhooks"."""
        hooks = self.listed()
        if scope == EXCEPTIONS and any(hook["scope"] == EXCEPTIONS for hook in hooks):
            raise HookRefused(f"There is already a webhook for {EXCEPTIONS}.")
        if any(hook["destination"] == destination and EXCEPTIONS in (scope, hook["scope"]) for hook in hooks):
            raise HookRefused(f"{EXCEPTIONS} needs a destination that no other webhook has.")

    def listed(self) -> list[Row]:
        """All hooks of the store's client; those for which nothing happened in 90 days are off."""
        for hook in self._rows():
            if hook["is_active"] and self._clock.seconds() - self._active_at(hook) > INACTIVE_AFTER:
                self._save(hook | {"is_active": False})
        return self._rows()

    def _rows(self) -> list[Row]:
        return self._storage.rows(f"hooks:{self.hash}")

    def _active_at(self, hook: Row) -> float:
        """When something last happened: it was made or changed, or an event was sent to it."""
        last = self._storage.get(f"hook activity:{self.hash}", hook["id"]) or {"at": 0}
        return max(float(hook["updated_at"]), float(last["at"]))

    def get(self, hook_id: int) -> Row | None:
        """One hook."""
        return self._storage.get(f"hooks:{self.hash}", hook_id)

    def change(self, hook_id: int, **fields: Any) -> Row:
        """Change a hook; LookupError when there is none."""
        with self._storage.transaction():
            hook = self.get(hook_id)
            if hook is None:
                raise LookupError(hook_id)
            hook |= fields | {"updated_at": int(self._clock.seconds())}
            self._check(hook["scope"], hook["destination"])
            self._save(hook)
        return hook

    def remove(self, hook_id: int) -> None:
        """Delete a hook and what waits for it."""
        with self._storage.transaction():
            self._storage.delete(f"hooks:{self.hash}", hook_id)
            for row in self._storage.rows(WAITING, lambda row: row["hook_id"] == hook_id):
                finish(self._storage, row, "cancelled")

    def _save(self, hook: Row) -> None:
        self._storage.put(f"hooks:{self.hash}", hook["id"], hook)

    def _settings(self) -> Row:
        return self._storage.get("stores", self.hash) or {}

    # -- events -------------------------------------------------------------------------------------

    def emit(self, scope: str, data: Any, record: Row | None = None) -> None:
        """Tell every hook that asked for this scope; an order's event goes to its channel's scope too."""
        with self._storage.transaction():
            self._emit(scope, data)
            name = scope.removeprefix("store/order/")
            if record is not None and name in CHANNEL_EVENTS:
                channel = record["payloads"]["order"]["channel_id"]
                self._emit(f"store/channel/{channel}/order/{name}", {"order_id": record["id"]})
        self._wake()

    def _emit(self, scope: str, data: Any) -> None:
        now = self._clock.now()
        body = self.envelope(scope, data, int(now.timestamp()))
        for hook in self.listed():
            if not hook["is_active"] or not matches(hook["scope"], scope):
                continue
            self._storage.put(f"hook activity:{self.hash}", hook["id"], {"at": int(now.timestamp())})
            for _ in range(self._settings()["copies"]):
                self._queue(hook, scope, body, now.timestamp())

    def _queue(self, hook: Row, scope: str, body: str, at: float) -> None:
        number = self._storage.next_number("deliveries")
        row = {
            "id": number, "store": self.hash, "hook_id": hook["id"], "scope": scope, "body": body,
            "webhook_id": f"msg_{uuid.uuid4().hex}", "created_at": int(at), "due": str(at), "tries": [],
            "state": "waiting",
        }  # fmt: skip
        self._storage.put(WAITING, number, row)

    def envelope(self, scope: str, data: Any, created_at: int) -> str:
        """The body of a message. ``hash`` is the SHA-1 of the JSON of ``data`` (undocumented)."""
        return dumps(
            {
                "scope": scope,
                "store_id": str(self._settings()["store_id"]),
                "data": data,
                "hash": hashlib.sha1(dumps(data).encode()).hexdigest(),
                "created_at": created_at,
                "producer": f"stores/{self.hash}",
            }
        )

    def undelivered(self) -> int:
        """How many messages of this store still wait to be taken."""
        return len(self._storage.rows(WAITING, lambda row: row["store"] == self.hash))

    def deliveries(self, state: str | None = None) -> list[Row]:
        """The messages of this store, oldest first, each with its tries (at, status, error)."""
        rows = [
            *self._storage.rows(FINISHED, lambda row: row["store"] == self.hash),
            *self._storage.rows(WAITING, lambda row: row["store"] == self.hash),
        ]
        return sorted((row for row in rows if state in (None, row["state"])), key=lambda row: row["id"])


def finish(storage: Storage, row: Row, state: str) -> None:
    """Move a message to those that need no more work."""
    with storage.transaction():
        storage.delete(WAITING, row["id"])
        storage.put(FINISHED, row["id"], row | {"state": state})


def matches(wanted: str, scope: str) -> bool:
    """Whether a hook's scope covers an event's; ``*`` at the end stands for anything below."""
    if wanted.endswith("/*"):
        return scope.startswith(wanted[:-1])
    return wanted == scope
