"""Orders of the fault tests."""

from __future__ import annotations

from itertools import count

from proof.merchants import Merchant
from proof.world import World
from sandbox.bigcommerce import Line, Person, Shopping, Tax

TEXAS = Tax("TX", "8.25")
_numbers = count(1)


def hat(quantity: int = 2, **more: object) -> Shopping:
    return Shopping(
        lines=(Line("SKU-1", "19.99", quantity, taxes=(TEXAS,)),),
        shipping="9.95",
        shipping_taxes=(TEXAS,),
        **more,
    )


def orders_of_a_guest_and_a_new_customer(merchant: Merchant) -> list[int]:
    """Two orders: an invoice and a payment, and the same with a business partner of its own."""
    number = next(_numbers)
    ben = merchant.store.add_customer(Person("Ben", f"Okafor {number}", f"ben{number}@example.com"))
    return [merchant.store.place(hat()), merchant.store.place(hat(3, person=ben))]


def not_posted(world: World, merchant: Merchant, orders: list[int]) -> dict[int, str]:
    """The status of each of these orders that is not posted."""
    statuses = world.statuses(merchant)
    return {
        order: statuses.get(order, "unknown to us") for order in orders if statuses.get(order) != "posted"
    }
