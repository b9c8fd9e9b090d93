"""What we read from a BigCommerce store: orders and customers, whole, and pages of lists (`changes.py`).

An order is read in three steps. First the order itself, which says what else there is to read. Then, at the
same time, everything that depends on nothing but it: products, shipping addresses, taxes, transactions, and
where the order has them coupons, refunds, the customer with group, and the products' categories; they are
independent reads, and one after the other they would cost a round trip each. Last the order again: if it was
modified meanwhile, the parts may belong to two states of it, and everything is read anew. A guest order with
one tender costs six calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from erp.contract.errors import TryLater
from erp.contract.plan import plain
from storefront.paging import PAGE, list_rows, v2_rows, v3_rows
from storefront.translation.reading import identifier, is_true, text
from storefront.transport import Transport

Row = Mapping[str, Any]

READS_OF_AN_ORDER = 3  # so often an order is read before we wait for it to rest
MOST_IDS = 100  # in one `id:in`
REFUNDED_STATUSES = ("4", "14")
INLINE_ADDRESSES = 10  # "customers v3": more are read from /customers/addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a store's connection wants read beyond the order itself."""

    categories: bool = False
    erp_code_field: str = ""
    tax_number_field: str = ""


class BigCommerceClient:
    """Reads of one store, over a `Transport`. All answers are plain JSON without floats: numbers with a point
    are text.

    :param pool: runs the independent reads of one record; its threads have wires of their own
    :param after_reading: called by the reading thread when a read is over, whatever came of it
    """

    def __init__(
        self,
        transport: Transport,
        *,
        pool: Executor,
        wishes: Wishes | None = None,
        after_reading: Callable[[], None] = lambda: None,
    ) -> None:
        self.transport = transport
        self._get = transport.get
        self._pool = pool
        self._wishes = wishes or Wishes()
        self._after_reading = after_reading

    # -- orders ---------------------------------------------------------------------------------------

    def read_order(self, order_id: str, *, with_refunds: bool = False) -> dict[str, Any] | None:
        """Everything the store says about an order, in one state of it; None if it does not know the order.

        :param with_refunds: read refunds even if nothing in the order tells of one
        :return: "order", "products", "shipping_addresses", "taxes", "coupons", "fees", "transactions",
            "refunds", "customer", "group", "known_as", "categories"
        :raises TryLater: it cannot be read now, or it keeps changing
        """
        try:
            for _ in range(READS_OF_AN_ORDER):
                order = self._order(order_id)
                if order is None:
                    return None
                body = self._with_parts(order_id, order, with_refunds)
                again = self._order(order_id)
                if again is not None and again.get("date_modified") == order.get("date_modified"):
                    return _snapshot(body)
        finally:
            self._after_reading()
        sentence = f"Order {order_id} keeps changing in store {self.transport.access.key} while we read it."
        raise self._later(sentence, after=timedelta(seconds=10))

    def _order(self, order_id: str) -> dict[str, Any] | None:
        found = self.transport.find(f"v2/orders/{_whole(order_id)}", {"include": "fees"})
        return found if isinstance(found, dict) else None

    def _with_parts(self, order_id: str, order: Row, with_refunds: bool) -> dict[str, Any]:
        path = f"orders/{_whole(order_id)}"
        reads: dict[str, Callable[[], Any]] = {
            "products": partial(self._v2, f"v2/{path}/products"),
            "taxes": partial(self._v2, f"v2/{path}/taxes", {"details": "true"}),
            "transactions": partial(self._of_order, f"v3/{path}/transactions"),
        }
        if text(order.get("shipping_address_count")) != "0":
            reads["shipping_addresses"] = partial(self._v2, f"v2/{path}/shipping_addresses")
        if _is_nonzero(order.get("coupon_discount")):
            reads["coupons"] = partial(self._v2, f"v2/{path}/coupons")
        if with_refunds or _says_refunded(order):
            reads["refunds"] = partial(self._of_order, f"v3/{path}/payment_actions/refunds")
        if customer_id := identifier(order.get("customer_id")):
            reads["person"] = partial(self._person, customer_id)
        found = self._at_once(reads)
        if "refunds" not in found and _parts_say_refunded(found):
            found["refunds"] = self._of_order(f"v3/{path}/payment_actions/refunds")
        if self._wishes.categories:
            found["categories"] = self._categories(found["products"])
        person = found.pop("person", None) or {}
        return {"order": order, **found, **person}

    def _at_once(self, reads: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """The results of independent reads; the first error of any of them once all have ended."""
        futures = {name: self._pool.submit(read) for name, read in reads.items()}
        errors = [error for future in futures.values() if (error := future.exception()) is not None]
        if errors:
            raise errors[0]
        return {name: future.result() for name, future in futures.items()}

    def _categories(self, products: list[Row]) -> dict[str, list[str]]:
        ids = sorted({identifier(row.get("product_id")) for row in products} - {""})
        found: dict[str, list[str]] = {}
        for start in range(0, len(ids), MOST_IDS):
            asked = {"id:in": ",".join(ids[start : start + MOST_IDS]), "include_fields": "categories"}
            for row in v3_rows(self._get, "v3/catalog/products", asked):
                found[identifier(row.get("id"))] = [str(category) for category in row.get("categories") or ()]
        return found

    # -- customers ------------------------------------------------------------------------------------

    def read_customer(self, customer_id: str) -> dict[str, Any] | None:
        """A registered customer with all addresses and group; None if the store does not know it.

        :return: "customer", "group", "known_as"
        """
        try:
            found = self._person(customer_id)
        finally:
            self._after_reading()
        return None if found is None else plain(found)

    def _person(self, customer_id: str) -> dict[str, Any] | None:
        asked = {"id:in": _whole(customer_id), "include": "addresses,formfields"}
        customer = next(v3_rows(self._get, "v3/customers", asked), None)
        if customer is None:
            return None
        addresses = customer.get("addresses") or []
        if len(addresses) >= INLINE_ADDRESSES:
            of = {"customer_id:in": _whole(customer_id)}
            addresses = self._v3("v3/customers/addresses", of)
        group_id = identifier(customer.get("customer_group_id"))
        group = self.transport.find(f"v2/customer_groups/{group_id}") if group_id else None
        return {
            "customer": {**customer, "addresses": addresses},
            "group": {name: group.get(name) for name in ("id", "name")} if isinstance(group, dict) else None,
            "known_as": self._known_as(customer),
        }

    def _known_as(self, customer: Row) -> dict[str, str]:
        """The form fields that the store's settings name: what the ERP and the tax office call this customer."""
        fields = {text(row.get("name")): text(row.get("value")) for row in customer.get("form_fields") or ()}
        wishes = self._wishes
        return {
            "erp_code": fields.get(wishes.erp_code_field, "") if wishes.erp_code_field else "",
            "tax_number": fields.get(wishes.tax_number_field, "") if wishes.tax_number_field else "",
        }

    # -- lists ----------------------------------------------------------------------------------------

    def read_page(self, path: str, params: Mapping[str, str]) -> list[Row]:
        """One page of a v2 or v3 list, as long as it may be."""
        try:
            found = self._get(path, {**params, "limit": str(PAGE)})
        finally:
            self._after_reading()
        return list_rows(found.get("data") if isinstance(found, dict) else found)

    def pages_by_cursor(self, path: str, params: Mapping[str, str]) -> Iterator[list[Row]]:
        """A v3 list by its cursor, page by page: rows that move do not shift the others."""
        cursor = ""
        while True:
            asked = {**params, "limit": str(PAGE), **({"after": cursor} if cursor else {})}
            try:
                found = self._get(path, asked)
            finally:
                self._after_reading()
            content = found if isinstance(found, dict) else {}
            rows, new = list_rows(content.get("data")), _end_cursor(content)
            yield rows
            if not rows or not new or new == cursor:
                return
            cursor = new

    def count_orders(self, filters: Mapping[str, str]) -> int | None:
        """How many orders the store counts; None if it does not say."""
        try:
            found = self._get("v2/orders/count", filters)
        finally:
            self._after_reading()
        count = found.get("count") if isinstance(found, dict) else None
        return count if isinstance(count, int) else None

    def order_alone(self, order_id: str) -> Row | None:
        """An order without its parts, also one that no list shows; None if there is none of that number."""
        try:
            return self._order(order_id)
        finally:
            self._after_reading()

    def store_time(self) -> datetime:
        """What the store's clock says: lists filter by it.

        :raises TryLater: it does not say
        """
        try:
            found = self._get("v2/time")
        finally:
            self._after_reading()
        seconds = found.get("time") if isinstance(found, dict) else None
        if not isinstance(seconds, int) or not 0 < seconds < 10**11:
            raise self._later("BigCommerce does not say what time it is.", after=timedelta(minutes=1))
        return datetime.fromtimestamp(seconds, UTC)

    def note_calls(self) -> None:
        """Let the calls so far be recorded now: a long list does not keep them to its end."""
        self._after_reading()

    def store_information(self) -> dict[str, Any]:
        """What the store says about itself: name, currency, plan."""
        try:
            found = self._get("v2/store")
        finally:
            self._after_reading()
        return plain(found) if isinstance(found, dict) else {}

    # -- plumbing -------------------------------------------------------------------------------------

    def _v2(self, path: str, params: Mapping[str, str] | None = None) -> list[Row]:
        return list(v2_rows(self._get, path, params))

    def _of_order(self, path: str) -> list[Row]:
        return list(v3_rows(self._get, path, limit=None))

    def _v3(self, path: str, params: Mapping[str, str] | None = None) -> list[Row]:
        return list(v3_rows(self._get, path, params))

    def _later(self, sentence: str, *, after: timedelta) -> TryLater:
        error = TryLater(sentence, after=after)
        error.side = "store"
        return error


def _snapshot(body: Row) -> dict[str, Any]:
    """The parts under their names, all present, without the links an order prints for them."""
    order = dict(body["order"])
    fees = order.pop("fees", None)
    for name in ("products", "shipping_addresses", "coupons", "consignments"):
        order.pop(name, None)
    lists = ("products", "shipping_addresses", "taxes", "coupons", "transactions", "refunds")
    return plain(
        {
            "order": order,
            **{name: list(body.get(name) or ()) for name in lists},
            "fees": fees if isinstance(fees, list) else [],
            "customer": body.get("customer"),
            "group": body.get("group"),
            "known_as": body.get("known_as") or {},
            "categories": body.get("categories") or {},
        }
    )


def _says_refunded(order: Row) -> bool:
    status = text(order.get("status_id"))
    return status in REFUNDED_STATUSES or "refunded" in text(order.get("payment_status"))


def _parts_say_refunded(found: Row) -> bool:
    """Whether a line or a transaction tells of a refund that the order's status does not (yet, or any more)."""
    lines = (
        is_true(p.get("is_refunded")) or _is_nonzero(p.get("quantity_refunded")) for p in found["products"]
    )
    return any(lines) or any(t.get("event") == "refund" for t in found["transactions"])


def _is_nonzero(value: object) -> bool:
    return text(value).strip("0.") != ""


def _end_cursor(content: Row) -> str:
    meta = content.get("meta")
    cursors = meta.get("cursor_pagination") if isinstance(meta, dict) else None
    return text(cursors.get("end_cursor")) if isinstance(cursors, dict) else ""


def _whole(record_id: str) -> str:
    """An id that may stand in a path."""
    if not (record_id.isascii() and record_id.isdigit()):
        raise ValueError(f"{record_id[:40]!r} is not an id of BigCommerce")
    return record_id
