"""The sandbox BigCommerce: stores by hash, authentication, rate limits, the two APIs, webhooks, control."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from werkzeug import Request, Response
from werkzeug.routing import Map, Rule

from sandbox.bigcommerce import api_v2, api_v3, fields
from sandbox.bigcommerce.api import Ask, checked_query, refusal
from sandbox.bigcommerce.delivery import Deliverer
from sandbox.bigcommerce.refunds import GiveBack, PayBack, Refund
from sandbox.bigcommerce.shopping import Person, Shopping, from_plain
from sandbox.bigcommerce.store import Store
from sandbox.wire import App, Clock, Refusal, Storage

Row = dict[str, Any]
WINDOW_MS = 30_000
SETTINGS: Row = {
    "token": "sandbox-token", "client_id": "sandbox-client", "client_secret": "sandbox-client-secret",
    "store_id": "1025646", "name": "Sandbox store", "email": "owner@example.com", "currency": "USD",
    "currencies": ["USD"], "time_zone": "UTC", "tax_inclusive": False, "channels": [[1, "Web shop"]],
    "quota": 20_000, "signing": ["standard"], "fresh_timestamps": True, "copies": 1, "local_hooks": False,
    "hook_emails": [], "parts_touch_order": True, "lists_archived": True,
}  # fmt: skip

Handler = Callable[..., Response]
ROUTES: dict[str, tuple[str, Handler]] = {
    "GET /v2/store": ("/store", api_v2.get_store),
    "GET /v2/time": ("/time", api_v2.get_time),
    "GET /v2/orders": ("/orders", api_v2.list_orders),
    "DELETE /v2/orders": ("/orders", api_v2.delete_orders),
    "GET /v2/orders/count": ("/orders/count", api_v2.count_orders),
    "GET /v2/orders/{order_id}": ("/orders/<int:order_id>", api_v2.get_order),
    "PUT /v2/orders/{order_id}": ("/orders/<int:order_id>", api_v2.put_order),
    "DELETE /v2/orders/{order_id}": ("/orders/<int:order_id>", api_v2.delete_order),
    "GET /v2/orders/{order_id}/products": ("/orders/<int:order_id>/products", api_v2.list_products),
    "GET /v2/orders/{order_id}/products/{product_id}": (
        "/orders/<int:order_id>/products/<int:product_id>",
        api_v2.get_product,
    ),
    "GET /v2/orders/{order_id}/shipping_addresses": (
        "/orders/<int:order_id>/shipping_addresses",
        api_v2.list_shipping_addresses,
    ),
    "GET /v2/orders/{order_id}/coupons": ("/orders/<int:order_id>/coupons", api_v2.list_coupons),
    "GET /v2/orders/{order_id}/taxes": ("/orders/<int:order_id>/taxes", api_v2.list_taxes),
    "GET /v2/orders/{order_id}/fees": ("/orders/<int:order_id>/fees", api_v2.list_fees),
    "GET /v2/orders/{order_id}/consignments": (
        "/orders/<int:order_id>/consignments",
        api_v2.list_consignments,
    ),
    "GET /v2/orders/{order_id}/shipments": ("/orders/<int:order_id>/shipments", api_v2.list_shipments),
    "GET /v2/order_statuses": ("/order_statuses", api_v2.list_statuses),
    "GET /v2/customer_groups": ("/customer_groups", api_v2.list_customer_groups),
    "GET /v2/customer_groups/{customer_group_id}": (
        "/customer_groups/<int:group_id>",
        api_v2.get_customer_group,
    ),
    "GET /v2/currencies": ("/currencies", api_v2.list_currencies),
    "GET /v3/orders/{order_id}/transactions": (
        "/orders/<int:order_id>/transactions",
        api_v3.list_transactions,
    ),
    "GET /v3/orders/{order_id}/payment_actions/refunds": (
        "/orders/<int:order_id>/payment_actions/refunds",
        api_v3.list_order_refunds,
    ),
    "POST /v3/orders/{order_id}/payment_actions/refunds": (
        "/orders/<int:order_id>/payment_actions/refunds",
        api_v3.post_refund,
    ),
    "POST /v3/orders/{order_id}/payment_actions/capture": (
        "/orders/<int:order_id>/payment_actions/capture",
        api_v3.post_capture,
    ),
    "POST /v3/orders/{order_id}/payment_actions/void": (
        "/orders/<int:order_id>/payment_actions/void",
        api_v3.post_void,
    ),
    "GET /v3/orders/payment_actions/refunds": ("/orders/payment_actions/refunds", api_v3.list_refunds),
    "GET /v3/orders/payment_actions/refunds/{refund_id}": (
        "/orders/payment_actions/refunds/<int:refund_id>",
        api_v3.get_refund,
    ),
    "GET /v3/customers": ("/customers", api_v3.list_customers),
    "GET /v3/customers/addresses": ("/customers/addresses", api_v3.list_addresses),
    "GET /v3/hooks": ("/hooks", api_v3.list_hooks),
    "POST /v3/hooks": ("/hooks", api_v3.post_hook),
    "GET /v3/hooks/{webhook_id}": ("/hooks/<int:hook_id>", api_v3.get_hook),
    "PUT /v3/hooks/{webhook_id}": ("/hooks/<int:hook_id>", api_v3.put_hook),
    "DELETE /v3/hooks/{webhook_id}": ("/hooks/<int:hook_id>", api_v3.delete_hook),
    "GET /v3/hooks/admin": ("/hooks/admin", api_v3.get_hooks_admin),
    "PUT /v3/hooks/admin": ("/hooks/admin", api_v3.put_hooks_admin),
    "GET /v3/channels": ("/channels", api_v3.list_channels),
    "GET /v3/catalog/products": ("/catalog/products", api_v3.list_catalog_products),
    "GET /v3/catalog/variants": ("/catalog/variants", api_v3.list_catalog_variants),
}


class BigCommerce(App):
    """BigCommerce on loopback. Make stores with :meth:`add_store`, serve it with ``sandbox.wire.serve``.

    Faults of its own: ``throttle`` (429 with the rate-limit headers), ``overload`` (429 without any).

    :param local_hooks: stores made here take webhook destinations on http://127.0.0.1 (BigCommerce does not)
    :param hurry: webhook retries come, and blocks of a domain end, that much sooner
    :ivar actions: further things ``/_control/stores/<hash>/<action>`` does with a store
    """

    name = "bigcommerce"

    def __init__(
        self,
        storage: Storage | None = None,
        clock: Clock | None = None,
        *,
        local_hooks: bool = False,
        hurry: float = 1,
    ) -> None:
        super().__init__(storage, clock)
        self.deliverer = Deliverer(self.storage, self.clock, hurry=hurry)
        self.deliverer.on_exception = self._tell_exception
        self._local_hooks = local_hooks
        self.actions: dict[str, Callable[[Store], Any]] = {}
        self._windows: dict[str, tuple[float, int]] = {}
        self._windows_lock = threading.Lock()
        self._routes = Map(
            [
                Rule(f"/stores/<hash>/{key.split('/')[1]}{path}", methods=[key.split()[0]], endpoint=key)
                for key, (path, _) in ROUTES.items()
            ],
            merge_slashes=False,
        )

    # -- stores -------------------------------------------------------------------------------------

    def add_store(self, store_hash: str, **settings: Any) -> Store:
        """Make a store (or find the one there is, with its settings as they were).

        Settings: ``token``, ``client_id``, ``client_secret``, ``store_id``, ``name``, ``currency``,
        ``currencies``, ``time_zone``, ``tax_inclusive``, ``channels`` ([[id, name], ...]), ``quota``
        (requests per 30 s), ``signing`` (of "standard", "hex", "prefixed", "base64"), ``fresh_timestamps``
        (each try signs its own time), ``copies`` (of every webhook), ``local_hooks``, ``email``,
        ``hook_emails``, ``parts_touch_order`` (a refund, payment or shipment changes ``date_modified`` and
        sends order/updated) and ``lists_archived`` (archived orders stand in lists): BigCommerce says neither.
        """
        unknown = sorted(set(settings) - set(SETTINGS))
        if unknown:
            raise TypeError(f"a store has no setting {', '.join(unknown)}")
        known = self.storage.get("stores", store_hash)
        wanted = known or {"hash": store_hash, "local_hooks": self._local_hooks} | settings
        self.storage.put("stores", store_hash, SETTINGS | wanted)
        return self.store(store_hash)

    def store(self, store_hash: str) -> Store:
        """A store there is; LookupError when there is none."""
        if self.storage.get("stores", store_hash) is None:
            raise LookupError(f"no store {store_hash}")
        return Store(self.storage, self.clock, store_hash, self.deliverer.wake)

    def add_group(self, store_hash: str, group_id: int, name: str) -> None:
        """A customer group."""
        row = {"id": group_id, "name": name, "is_default": False, "category_access": {"type": "all"}}
        self.storage.put(
            f"groups:{store_hash}", group_id, row | {"discount_rules": [], "is_group_for_guests": False}
        )

    def add_product(
        self,
        store_hash: str,
        product_id: int,
        sku: str,
        name: str,
        *,
        upc: str = "",
        price: str = "0",
        categories: tuple[int, ...] = (),
    ) -> None:
        """A product of the catalog with one variant."""
        variant = {
            "id": product_id * 10,
            "product_id": product_id,
            "sku": sku,
            "upc": upc,
            "option_values": [],
        }
        row = {
            "id": product_id, "name": name, "type": "physical", "sku": sku, "upc": upc, "price": Decimal(price),
            "categories": list(categories), "is_visible": True, "variants": [variant],
        }  # fmt: skip
        self.storage.put(f"products:{store_hash}", product_id, row)

    # -- the journey of a request -------------------------------------------------------------------

    def dispatch(self, request: Request) -> Response:
        """Authenticate, count, route, check the query, answer."""
        version = "v2" if "/v2/" in request.path else "v3"
        if self.faults.take(request, "overload"):
            raise _bare(refusal(version, 429, "Too many requests. Please try again later."))
        adapter = self._routes.bind(request.host)
        if not adapter.test(request.path, request.method):
            self._refuse_unknown(adapter.allowed_methods(request.path), version)
        key, path = adapter.match(request.path, request.method)
        store = self._authenticated(request, path["hash"], version)
        self._count(request, store, version)
        ask = Ask(
            store=store, storage=self.storage, clock=self.clock, version=version, request=request,
            query=checked_query(version, request, fields.QUERIES[key]),
        )  # fmt: skip
        if key == "GET /v3/hooks/admin":
            return api_v3.get_hooks_admin(ask, self._blocked())
        return ROUTES[key][1](ask, **{name: value for name, value in path.items() if name != "hash"})

    def _refuse_unknown(self, allowed: Any, version: str) -> None:
        methods = ", ".join(sorted(allowed))
        if methods:
            raise refusal(version, 405, "The method is not allowed.", {"Allow": methods})
        raise refusal(version, 404, "The requested resource was not found.")

    def _authenticated(self, request: Request, store_hash: str, version: str) -> Store:
        settings = self.storage.get("stores", store_hash)
        token = request.headers.get("X-Auth-Token", "")
        if settings is None or token != settings["token"]:
            sentence = (
                "Unauthorized - the v3 Auth client ID or token in the request are not a valid combination."
            )
            raise _bare(refusal(version, 401, sentence))
        return self.store(store_hash)

    def _count(self, request: Request, store: Store, version: str) -> None:
        """Count the request in the store's window of 30 s; 429 when the quota is used up."""
        now, quota = self.clock.seconds(), store.settings["quota"]
        with self._windows_lock:
            began, used = self._windows.get(store.hash, (now, 0))
            if now - began >= WINDOW_MS / 1000:
                began, used = now, 0
            if self.faults.take(request, "throttle"):
                used = quota
            self._windows[store.hash] = (began, used + 1)
        if used + 1 > quota:
            reset = self._rate_headers(store.hash)["X-Rate-Limit-Time-Reset-Ms"]
            seconds = str(-(-int(reset) // 1000))
            sentence = "You have made too many requests in a short time; try again later."
            raise refusal(version, 429, sentence, {"X-Retry-After": seconds})

    def decorate(self, request: Request, response: Response) -> None:
        """The rate-limit headers; on every answer to a store's own token."""
        store_hash = request.path.split("/")[2] if request.path.startswith("/stores/") else ""
        if store_hash in self._windows and not getattr(response, "bare", False):
            response.headers.extend(self._rate_headers(store_hash))

    def _rate_headers(self, store_hash: str) -> dict[str, str]:
        quota = (self.storage.get("stores", store_hash) or SETTINGS)["quota"]
        with self._windows_lock:
            began, used = self._windows[store_hash]
        left_ms = max(int(WINDOW_MS - (self.clock.seconds() - began) * 1000), 0)
        return {
            "X-Rate-Limit-Time-Window-Ms": str(WINDOW_MS),
            "X-Rate-Limit-Time-Reset-Ms": str(left_ms),
            "X-Rate-Limit-Requests-Quota": str(quota),
            "X-Rate-Limit-Requests-Left": str(max(quota - used, 0)),
        }

    def _blocked(self) -> list[Row]:
        now = self.clock.seconds()
        return [
            {"destination": domain, "time_left": int(until - now), "reasons": []}
            for domain, until in self.deliverer.blocklist.until.items()
            if until > now
        ]

    # -- webhooks -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start delivering."""
        self.deliverer.start()

    def stop(self) -> None:
        """Stop delivering."""
        self.deliverer.stop()

    def idle(self) -> bool:
        """Whether no webhook is due or under way."""
        return self.deliverer.idle()

    def wait_until_delivered(self, timeout: float = 30, *, retries: bool = False) -> bool:
        """Wait until every webhook was tried (``retries``: until none waits any more); False: time is up."""
        return self.deliverer.wait_until_delivered(timeout, retries=retries)

    def _tell_exception(self, store_hash: str, data: Row) -> None:
        self.store(store_hash).hooks.emit("store/hook/deliveryException", data)

    # -- control ------------------------------------------------------------------------------------

    def reset(self) -> None:
        """No stores, orders, hooks, faults, log."""
        super().reset()
        with self._windows_lock:
            self._windows.clear()

    def control(self, request: Request, what: str, data: Row) -> Any:
        """``stores/<hash>/place|edit|refund|capture|void|status|ship|archive|settings|hooks|event|deliveries``."""
        match what.split("/"):
            case ["stores"]:
                return self.add_store(data.pop("hash"), **data).hash
            case ["stores", store_hash, action]:
                return self._control_store(self.store(store_hash), action, data)
            case ["webhooks", "pause"]:
                return self.deliverer.pause()
            case ["webhooks", "release"]:
                return self.deliverer.release(**data)
            case ["delivered"]:
                return {"delivered": self.wait_until_delivered(float(request.args.get("timeout", "30")))}
        raise LookupError(what)

    def _control_store(self, store: Store, action: str, data: Row) -> Any:
        order_id = data.pop("order_id", 0)
        actions: dict[str, Callable[[], Any]] = {
            "place": lambda: store.place(from_plain(Shopping, data)),
            "edit": lambda: store.edit(order_id, from_plain(Shopping, data)),
            "refund": lambda: store.refund(order_id, _refund(data)),
            "capture": lambda: store.capture(order_id, data.get("amount")),
            "void": lambda: store.void(order_id),
            "status": lambda: store.set_status(order_id, data["status_id"]),
            "ship": lambda: store.ship(order_id),
            "archive": lambda: store.archive(order_id),
            "customer": lambda: store.add_customer(from_plain(Person, data)).customer_id,
            "settings": lambda: store.change(**data),
            "hooks": lambda: store.hooks.add(**data),
            "event": lambda: store.hooks.emit(data["scope"], data["data"]),
            "deliveries": lambda: store.hooks.deliveries(),
        }
        if action in self.actions:
            return self.actions[action](store)
        if action not in actions:
            raise LookupError(action)
        return actions[action]()


def _refund(data: Row) -> Refund:
    items = tuple(GiveBack(**item) for item in data.pop("items", []))
    payments = tuple(PayBack(**pay) for pay in data.pop("payments", [{}]))
    return Refund(items=items, payments=payments, **data)


def _bare(refused: Refusal) -> Refusal:
    refused.response.bare = True  # type: ignore[attr-defined]  # no rate-limit headers on this one
    return refused
