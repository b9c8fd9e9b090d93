"""What a named case is: a shopping, what happens afterwards, and whether the result adds up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.bigcommerce import BigCommerce, Shopping, Store, Tax
from sandbox.wire import Clock

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TX, CA, NY = Tax("TX", "8.25"), Tax("CA", "7.25"), Tax("NY", "8.875")
S20, S5, S0 = Tax("S20", "20"), Tax("S5", "5"), Tax("S0", "0")

Then = Callable[[Store, int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case.

    :ivar sentence: what it is about, for people
    :ivar then: what happens to the order once it is placed
    :ivar consistent: the store's figures add up: the order must post with exactly its total and tax (unless its
        status, its money or a policy says that it is not due); False: it must be held, never posted
    """

    sentence: str
    shopping: Shopping
    then: tuple[Then, ...] = ()
    consistent: bool = True

    def play(self, store: Store) -> int:
        """Place the order in a store and let happen what happens; returns its id."""
        order_id = store.place(self.shopping)
        for step in self.then:
            step(store, order_id)
        return order_id

    def payloads(self) -> dict[str, Any]:
        """What the API would answer about the order in the end, without any server."""
        bigcommerce = BigCommerce(clock=Clock(start=AT, scale=0))
        store = bigcommerce.add_store("case")
        return store.order(self.play(store))
