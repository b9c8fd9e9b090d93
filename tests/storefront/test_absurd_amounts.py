"""Numbers that no amount is: an order that holds one is held with the field's name, and nothing breaks over it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.contract.money import parse_amount, rounded
from erp.contract.plan import content_hash, plain
from sandbox.bigcommerce import Coupon, Line, Shopping, Tax, order_payloads
from sandbox.bigcommerce.strategies import NOW
from storefront.translation import translate_order

TX = Tax("TX", "8.25")
HATS = Shopping(
    lines=(Line("HAT", "10.00", 3, (TX,), product_id=7), Line("CAP", "4.00", 1, (TX,), product_id=8)),
    shipping="5.00",
    shipping_taxes=(TX,),
    handling="1.00",
    coupons=(Coupon("TEN", 1, "10"),),
)
# As a JSON number and as a text, both of which stores write.
ABSURD = (
    "1e999999999",
    "-1E+99999",
    "1e99",
    "1e-99",
    "NaN",
    "Infinity",
    "-Infinity",
    "9" * 5000,
    "0." + "1" * 5000,
)


@pytest.mark.parametrize(
    "literal", [*ABSURD, "0e999999999", "1e9999999999999999999", "1e-9999999999999999999"]
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_an_order_with_an_absurd_amount_is_read_and_says_which_field_it_is(shop, literal, quote):
    order_id = shop.store.place(HATS)
    order = json.dumps(shop.store.order(order_id)["order"], default=str)
    absurd = order.replace('"total_inc_tax": "', f'"total_inc_tax": {quote}{literal}{quote}, "was": "')
    assert absurd != order
    shop.bigcommerce.faults.add(
        "answer", path=rf"/v2/orders/{order_id}\?", count=None, body=absurd, status=200
    )
    body = shop.client().read_order(str(order_id))
    assert len(content_hash(body)) == 64
    assert (
        f"order.total_inc_tax is {literal[:40]!r}, which is not an amount."
        in translate_order(body).complaints
    )


@pytest.mark.parametrize("literal", ABSURD)
def test_what_is_no_amount_is_refused_before_anybody_calculates_with_it(literal):
    with pytest.raises(ValueError, match="is not an amount"):
        parse_amount(literal)


@pytest.mark.parametrize(
    "literal", ["0.0000", "0E-10", "999999999999.9999", "-4.10", "5.6843418860808015e-14", "1.2E+3"]
)
def test_what_stores_write_is_an_amount(literal):
    assert parse_amount(literal) == Decimal(literal)


@given(st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_every_amount_can_be_rounded_to_every_currency(number, currency):
    try:
        amount = parse_amount(number)
    except ValueError:
        return
    assert abs(rounded(amount * amount, currency) - amount * amount) < Decimal(1)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with the key of a plain value in it."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, (dict, list)):
            yield from places(item)
        else:
            yield value, key


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_number_in_any_field_breaks_the_translation(data):
    body = plain(order_payloads(HATS, order_id=100, at=NOW))
    found = list(places(body))
    numbers = st.sampled_from([*ABSURD, "0", "-1", "999999999999", "0.00000000000001", "-999999999999.9999"])
    for index in data.draw(st.sets(st.integers(0, len(found) - 1), max_size=6)):
        row, key = found[index]
        row[key] = data.draw(numbers)
    order = translate_order(body)
    assert plain(order)
    assert all(abs(part.gross) < Decimal(10) ** 40 for part in (*order.lines, *order.charges))
