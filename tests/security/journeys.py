"""A store and an ERP that say something of ours in every field they can fill, carried through the real journey."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count

from erp.models import ErpConnection
from sandbox.bigcommerce import Coupon, Line, Person, Shopping, Tax
from sandbox.service_layer.reference_data import add_item
from sync.flows import read_reference_values
from tests.e2e.world import World

Say = Callable[[str], str]  # the name of a field -> what stands in it


def person(say: Say, *, customer_id: int = 0) -> Person:
    """A shopper whose every field is ours; country and state are real ones."""
    return Person(
        first_name=say("first_name"),
        last_name=say("last_name"),
        email=say("email"),
        company=say("company"),
        street_1=say("street_1"),
        street_2=say("street_2"),
        city=say("city"),
        zip=say("zip"),
        phone=say("phone"),
        customer_id=customer_id,
    )


def shopping(say: Say, *, sku: str = "SKU-1", who: Person | None = None) -> Shopping:
    """An order whose every text is ours."""
    buyer = who or person(say)
    return Shopping(
        lines=(
            Line(
                sku,
                "24.50",
                2,
                name=say("product_name"),
                options=((say("option_name"), say("option_value")),),
                taxes=(Tax(say("tax_name"), "8.25"),),
            ),
        ),
        shipping="9.95",
        shipping_method=say("shipping_method"),
        coupons=(Coupon(say("coupon_code"), 2, "1.00"),),
        person=buyer,
        ship_to=person(say),
        customer_message=say("customer_message"),
        staff_notes=say("staff_notes"),
        external_source=say("external_source"),
    )


def fill_the_erp(world: World, say: Say) -> None:
    """Names of items, accounts and tax codes, read into the console."""
    for number in range(2):
        add_item(world.company, f"ODD-{number}", say("item_name"))
    for table in ("ChartOfAccounts", "SalesTaxCodes", "Warehouses"):
        for row in world.company.rows(table):
            row["Name" if "Name" in row else "WarehouseName"] = say(table)
    read_reference_values(ErpConnection.objects.get())


def carry_everything(world: World, say: Say) -> dict[str, int]:
    """Orders that end in every way an order can: the ids by what became of them."""
    buyer = world.store.add_customer(person(say))
    orders = {
        "posted": world.store.place(shopping(say, who=buyer)),
        "guest": world.store.place(shopping(say)),
    }
    orders["gap"] = world.store.place(shopping(say, sku=say("sku")))
    orders["held"] = world.store.place(_not_tying_out(say))
    for order_id in orders.values():
        world.post(order_id)
    for name, body in _refusals(say):
        world.b1.faults.add("answer", method="POST", path="/Invoices", status=400, body=body)
        orders[name] = world.store.place(shopping(say))
        world.post(orders[name])
        world.b1.faults.clear()
    for name, body in (("erp_down", say("erp_error_page")), ("erp_odd", json.dumps({"error": say("odd")}))):
        world.b1.faults.add("answer", method="POST", path="/Invoices", status=502, body=body)
        orders[name] = world.store.place(shopping(say))
        world.post(orders[name])
        world.b1.faults.clear()
    world.bigcommerce.faults.add("answer", method="GET", path="/orders/", status=422, body=_store_error(say))
    orders["store_refuses"] = world.store.place(shopping(say))
    world.post(orders["store_refuses"])
    world.bigcommerce.faults.clear()
    return orders


def _not_tying_out(say: Say) -> Shopping:
    return Shopping(
        lines=(Line("SKU-1", "10.00", name=say("product_name")),),
        person=person(say),
        tamper={"total_inc_tax": "3.33"},
    )


def _refusals(say: Say) -> Iterator[tuple[str, str]]:
    value = {"error": {"code": -10, "message": {"lang": "en-us", "value": say("erp_message")}}}
    yield "refused", json.dumps(value)


def _store_error(say: Say) -> str:
    return json.dumps(
        {"status": 422, "title": say("store_title"), "errors": {say("store_field"): say("store_error")}}
    )


def numbered(texts: list[str]) -> Say:
    """One of the texts after the other, whatever the field."""
    numbers = count()
    return lambda name: texts[next(numbers) % len(texts)]
