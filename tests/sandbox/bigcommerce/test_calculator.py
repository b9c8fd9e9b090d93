"""The store calculator: exact amounts for known carts, and the documented identities for every cart there is."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.bigcommerce import (
    Coupon,
    Fee,
    GiveBack,
    Line,
    Refund,
    Shopping,
    Tax,
    Tender,
    order_payloads,
    strategies,
)
from sandbox.bigcommerce.calculator import factor, price, spread
from sandbox.bigcommerce.refunds import facts, give_back
from sandbox.wire import dumps

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TX = Tax("TX", "8.25")
VAT = Tax("VAT", "20")
MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def payloads(shopping: Shopping) -> dict[str, Any]:
    return order_payloads(shopping, order_id=100, at=NOW)


def amounts(shopping: Shopping, *names: str) -> list[str]:
    order = payloads(shopping)["order"]
    return [order[name] for name in names]


def test_a_tax_exclusive_store_adds_tax_per_line() -> None:
    cart = Shopping(lines=(Line("A", "19.99", 3, (TX,)), Line("B", "0.05", 1, (TX,))))
    # 59.97 * 8.25 % = 4.947525 -> 4.95; 0.05 * 8.25 % -> 0.00
    assert amounts(cart, "subtotal_ex_tax", "total_tax", "total_inc_tax") == ["60.0200", "4.9500", "64.9700"]


def test_a_tax_inclusive_store_takes_tax_out_of_the_price() -> None:
    cart = Shopping(lines=(Line("A", "19.99", 3, (VAT,)),), tax_inclusive=True)
    # 59.97 - 59.97 / 1.2 = 9.995 -> 10.00 (half up)
    assert amounts(cart, "total_inc_tax", "total_tax", "total_ex_tax") == ["59.9700", "10.0000", "49.9700"]


@pytest.mark.parametrize(
    ("rounding", "tax"), [("line", "0.1200"), ("unit", "0.0900"), ("document", "0.1300")]
)
def test_rounding_per_line_unit_and_document_differ(rounding: str, tax: str) -> None:
    # 0.17 * 8.25 %: a unit 0.014025 -> 0.01; a line of three 0.042075 -> 0.04; all nine 0.126225 -> 0.13
    lines = tuple(Line(sku, "0.17", 3, (TX,)) for sku in ("A", "B", "C"))
    assert amounts(Shopping(lines=lines, rounding=rounding), "total_tax") == [tax]


def test_compound_tax_is_charged_on_the_tax_below_it() -> None:
    gst, qst = Tax("GST", "5"), Tax("QST", "10", priority=1)
    cart = Shopping(lines=(Line("A", "100.00", 1, (gst, qst)),))
    assert amounts(cart, "total_tax") == ["15.5000"]
    assert factor((gst, qst)) == Decimal("0.155")
    assert [row["line_amount"] for row in payloads(cart)["taxes"]] == ["5.0000", "10.5000"]


def test_discounts_are_shown_with_the_tax_they_save_or_as_entered() -> None:
    """10.00 off 100.00 net at 20 %: 90.00 + 18.00. Shown with tax: 120.00 - 12.00; as entered: 118.00 - 10.00."""
    shown = ("subtotal_inc_tax", "subtotal_tax", "discount_amount", "total_inc_tax", "total_tax")
    cart = Shopping(lines=(Line("A", "100.00", 1, (VAT,)),), order_discount="10")
    assert amounts(cart, *shown) == ["120.0000", "18.0000", "12.0000", "108.0000", "18.0000"]
    cart = Shopping(lines=(Line("A", "100.00", 1, (VAT,)),), order_discount="10", discounts_shown="after")
    assert amounts(cart, *shown) == ["118.0000", "18.0000", "10.0000", "108.0000", "18.0000"]


@pytest.mark.parametrize(
    ("coupon", "discount", "total", "shipping"),
    [
        (Coupon("C", 0, "2"), "6.0000", "49.0000", "5.0000"),
        (Coupon("C", 1, "10"), "5.0000", "50.0000", "5.0000"),
        (Coupon("C", 2, "7"), "7.0000", "48.0000", "5.0000"),
        (Coupon("C", 3, "3"), "3.0000", "52.0000", "5.0000"),
        (Coupon("C", 4, "0"), "0.0000", "50.0000", "0.0000"),
        (Coupon("C", 4, "0", cost_is_zero=False), "5.0000", "50.0000", "5.0000"),
        (Coupon("C", 5, "4"), "4.0000", "51.0000", "5.0000"),
    ],
)
def test_every_type_of_coupon(coupon: Coupon, discount: str, total: str, shipping: str) -> None:
    cart = Shopping(lines=(Line("A", "20.00", 2), Line("B", "10.00", 1)), shipping="5", coupons=(coupon,))
    shown = ("coupon_discount", "total_inc_tax", "shipping_cost_inc_tax")
    assert amounts(cart, *shown) == [discount, total, shipping]


def test_currencies_without_decimals_and_with_three() -> None:
    yen = Shopping(lines=(Line("A", 333, 1, (VAT,)),), currency="JPY")
    assert amounts(yen, "total_tax", "total_inc_tax") == ["67.0000", "400.0000"]
    dinar = Shopping(lines=(Line("A", "1.005", 1, (VAT,)),), currency="KWD")
    assert amounts(dinar, "total_tax", "total_inc_tax") == ["0.2010", "1.2060"]


def test_gift_certificate_and_store_credit_pay_and_do_not_reduce() -> None:
    cart = Shopping(lines=(Line("A", "50.00"),), gift_certificate="20", store_credit="10")
    shown = ("total_inc_tax", "gift_certificate_amount", "store_credit_amount")
    assert amounts(cart, *shown) == ["50.0000", "20.0000", "10.0000"]
    paid = [(row["method"], row["amount"]) for row in payloads(cart)["transactions"]]
    assert paid == [
        ("gift_certificate", Decimal("20")), ("store_credit", Decimal("10")), ("credit_card", Decimal("20.00")),
    ]  # fmt: skip


def test_a_chain_of_authorise_capture_settle_refers_back() -> None:
    rows = payloads(Shopping(lines=(Line("A", "50.00"),), tenders=(Tender("settled"),)))["transactions"]
    assert [(row["event"], row["reference_transaction_id"]) for row in rows] == [
        ("authorization", None), ("capture", rows[0]["id"]), ("settled", rows[1]["id"]),
    ]  # fmt: skip


def test_money_is_never_a_float() -> None:
    with pytest.raises(TypeError, match="never a float"):
        Line("A", 1.5)  # type: ignore[arg-type]


def test_spreading_is_exact_and_never_takes_more_than_there_is() -> None:
    assert spread(Decimal("1.00"), [Decimal("1"), Decimal("1"), Decimal("1")], 2) == [
        Decimal("0.34"), Decimal("0.33"), Decimal("0.33"),
    ]  # fmt: skip
    assert spread(Decimal("3.01"), [Decimal("0.01"), Decimal("3.00")], 2) == [
        Decimal("0.01"),
        Decimal("3.00"),
    ]


# -- identities, for every cart -------------------------------------------------------------------------


def number(order: dict[str, Any], name: str) -> Decimal:
    return Decimal(order[name])


@MANY
@given(strategies.shoppings())
def test_the_total_ties_as_the_documents_say(shopping: Shopping) -> None:
    said = payloads(shopping)
    order = said["order"]
    fees = sum((Decimal(fee["cost_inc_tax"]) for fee in said["fees"]), Decimal(0))
    groups = ("subtotal", "shipping_cost", "handling_cost", "wrapping_cost")
    parts = sum((number(order, f"{group}_inc_tax") for group in groups), fees)
    reductions = number(order, "discount_amount") + number(order, "coupon_discount")
    assert number(order, "total_inc_tax") == parts - reductions
    assert number(order, "total_ex_tax") + number(order, "total_tax") == number(order, "total_inc_tax")
    fee_tax = sum((Decimal(fee["cost_tax"]) for fee in said["fees"]), Decimal(0))
    assert number(order, "total_tax") == sum((number(order, f"{group}_tax") for group in groups), fee_tax)


@MANY
@given(strategies.shoppings())
def test_lines_add_up_to_what_the_shopper_paid_for_them(shopping: Shopping) -> None:
    priced = price(shopping)
    paid = sum((line.paid.inc for line in priced.lines), Decimal(0))
    taxes = {tax for line in shopping.lines for tax in line.taxes}
    slack = Decimal(0) if shopping.rounding != "document" else Decimal(len(taxes) + len(shopping.lines))
    # Per document each tax is rounded once (half a unit at most) and each line is cut to four places.
    assert abs(paid - priced.subtotal_paid.inc) <= slack.scaleb(-shopping.places) / 2
    assert all(line.paid.inc >= 0 and line.paid.ex >= 0 for line in priced.lines)
    for line, position in zip(payloads(shopping)["products"], priced.lines, strict=True):
        taken = sum((Decimal(row["amount"]) for row in line["applied_discounts"]), Decimal(0))
        assert Decimal(line["total_inc_tax"]) - taken == position.paid.inc
        assert Decimal(line["total_ex_tax"]) + Decimal(line["total_tax"]) == Decimal(line["total_inc_tax"])


@MANY
@given(strategies.shoppings(roundings=("line", "unit")))
def test_the_detailed_taxes_add_up_to_the_order_s_tax(shopping: Shopping) -> None:
    said = payloads(shopping)
    fee_tax = sum((Decimal(fee["cost_tax"]) for fee in said["fees"]), Decimal(0))
    rows = sum((Decimal(row["line_amount"]) for row in said["taxes"]), Decimal(0))
    assert rows + fee_tax == number(said["order"], "total_tax")


@MANY
@given(strategies.shoppings())
def test_no_more_money_comes_in_than_the_order_costs_and_nothing_is_a_float(shopping: Shopping) -> None:
    said = payloads(shopping)
    counted = {"purchase", "capture"}
    ok = [
        row
        for row in said["transactions"]
        if row["status"] == "ok" and not row["test"] and row["event"] in counted
    ]
    assert sum((row["amount"] for row in ok), Decimal(0)) <= number(said["order"], "total_inc_tax")
    dumps(said)  # raises on a float


@MANY
@given(st.data())
def test_refunds_never_give_back_more_than_was_paid_and_parts_make_the_whole(data: st.DataObject) -> None:
    shopping = data.draw(strategies.shoppings())
    order = facts(shopping, price(shopping), [100_000 + i for i in range(1, len(shopping.lines) + 1)], 100)
    given_back: list[dict[str, Any]] = []
    for refund in data.draw(strategies.refunds_of(shopping)):
        result = give_back(order, given_back, refund)
        given_back.append({"items": result.items, "total_amount": result.total, "total_tax": result.tax})
    assert sum(row["total_amount"] for row in given_back) <= order["total"]["inc"]
    rest = give_back(order, given_back, Refund())
    assert rest.total + sum(row["total_amount"] for row in given_back) == order["total"]["inc"]
    assert rest.tax + sum(row["total_tax"] for row in given_back) == order["total"]["tax"]


def test_a_line_refunded_unit_by_unit_is_refunded_exactly() -> None:
    shopping = Shopping(lines=(Line("A", "3.33", 3, (TX,)),), order_discount="0.05")
    order = facts(shopping, price(shopping), [100_001], 100)
    earlier: list[dict[str, Any]] = []
    for _ in range(3):
        result = give_back(order, earlier, Refund((GiveBack("PRODUCT", 0, quantity=1),)))
        earlier.append({"items": result.items, "total_amount": result.total, "total_tax": result.tax})
    # (9.99 - 0.05) = 9.94 + 0.82 = 10.76
    assert [row["total_amount"] for row in earlier] == [Decimal("3.59"), Decimal("3.58"), Decimal("3.59")]
    assert sum(row["total_tax"] for row in earlier) == Decimal("0.82")
    with pytest.raises(ValueError, match="only 0"):
        give_back(order, earlier, Refund((GiveBack("PRODUCT", 0, quantity=1),)))


def test_fees_can_stand_outside_the_total() -> None:
    fee = Fee("Eco fee", "2.00", (TX,))
    cart = Shopping(lines=(Line("A", "10.00"),), fees=(fee,))
    assert amounts(cart, "total_inc_tax", "total_tax") == ["12.1700", "0.1700"]
    cart = Shopping(lines=(Line("A", "10.00"),), fees=(fee,), fees_in_total=False)
    assert amounts(cart, "total_inc_tax", "total_tax") == ["10.0000", "0.0000"]


def test_a_line_keeps_its_id_through_an_edit() -> None:
    before = payloads(Shopping(lines=(Line("A", "1.00"), Line("B", "1.00"), Line("A", "1.00"))))["products"]
    after = order_payloads(
        Shopping(lines=(Line("C", "1.00"), Line("A", "1.00"), Line("A", "2.00"))),
        order_id=100, at=NOW, earlier=before,
    )["products"]  # fmt: skip
    assert [row["id"] for row in before] == [100001, 100002, 100003]
    assert [row["id"] for row in after] == [100004, 100001, 100003]
