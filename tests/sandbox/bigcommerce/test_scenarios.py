"""The named cases: each can be played, says what it claims, and ties unless it is meant not to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.bigcommerce import BigCommerce
from sandbox.scenarios import CASES, morning
from sandbox.scenarios.catalogue import ARTICLES
from sandbox.wire import dumps


def ties(said: dict[str, Any]) -> bool:
    order = said["order"]
    fees = sum((Decimal(fee["cost_inc_tax"]) for fee in said["fees"]), Decimal(0))
    groups = ("subtotal", "shipping_cost", "handling_cost", "wrapping_cost")
    parts = sum((Decimal(order[f"{group}_inc_tax"]) for group in groups), fees)
    total = parts - Decimal(order["discount_amount"]) - Decimal(order["coupon_discount"])
    came = [
        row["amount"] for row in said["transactions"]
        if row["event"] in ("purchase", "capture") and row["status"] == "ok" and not row["test"]
    ]  # fmt: skip
    return (
        total == Decimal(order["total_inc_tax"])
        and Decimal(order["total_ex_tax"]) + Decimal(order["total_tax"]) == total
        and sum(came, Decimal(0)) <= total
    )


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_case_ties_exactly_when_it_says_so(name: str) -> None:
    case = CASES[name]
    said = case.payloads()
    assert ties(said) is case.consistent
    assert said == case.payloads(), "a case is the same every time"
    assert case.sentence.endswith(".")
    dumps(said)


def test_the_morning_has_two_missing_mappings_a_refund_and_an_order_that_does_not_tie() -> None:
    bigcommerce = BigCommerce()
    store = bigcommerce.add_store("demo")
    orders = [store.order(order_id) for order_id in morning(bigcommerce, store)]
    assert 25 <= len(orders) <= 35
    assert sum(not ties(said) for said in orders) == 1
    assert sum(bool(said["refunds"]) for said in orders) == 1
    unmapped = {article.sku for article in ARTICLES if not article.mapped}
    sold = {row["sku"] for said in orders for row in said["products"]}
    assert unmapped <= sold
    assert len(unmapped) == 2
    known = {article.sku for article in ARTICLES}
    assert sold - known == {""}, "only gift certificates have no SKU"
    assert {said["order"]["default_currency_code"] for said in orders} == {"USD", "EUR", "GBP", "JPY"}
