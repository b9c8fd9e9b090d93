"""Every consistent order translates into lines and charges that are the order's total and tax."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from erp.contract.money import is_exact, quantum
from erp.contract.order import Order, TenderKind
from erp.contract.plan import plain
from sandbox.bigcommerce import BigCommerce, order_payloads
from sandbox.bigcommerce.strategies import NOW, refunds_of, shoppings
from sandbox.wire import Clock
from storefront.translation import translate_order

ZERO = Decimal(0)
PAID = ("purchase", "captured", "settled", "offline")


def body_of(shopping) -> dict:
    """The payloads as the client hands them on: numbers with a point are text."""
    return plain(order_payloads(shopping, order_id=100, at=NOW))


def parts(order: Order):
    return (*order.lines, *order.charges)


def gross(order: Order) -> Decimal:
    return sum((part.gross for part in parts(order)), ZERO)


def tax(order: Order) -> Decimal:
    return sum((part.tax for part in parts(order)), ZERO)


def assert_amounts_fit(order: Order) -> None:
    """Every amount fits its currency, and net, tax and shares add up."""
    for part in parts(order):
        assert part.net + part.tax == part.gross
        assert is_exact(part.gross, order.currency)
        assert is_exact(part.tax, order.currency)
        assert sum((share.amount for share in part.taxes), ZERO) == part.tax
        assert all(is_exact(share.amount, order.currency) for share in part.taxes)


@settings(max_examples=400, deadline=None)
@given(shoppings(roundings=("line", "unit")))
def test_lines_and_charges_are_the_total_and_the_tax_to_the_last_unit(shopping):
    order = translate_order(body_of(shopping))
    assert order.complaints == ()
    assert (gross(order), tax(order)) == (order.total, order.tax)
    assert_amounts_fit(order)


@settings(max_examples=150, deadline=None)
@given(shoppings(roundings=("document",)))
def test_tax_that_is_rounded_per_document_leaves_at_most_a_unit_for_each_tax(shopping):
    order = translate_order(body_of(shopping))
    unit = quantum(order.currency)
    taxes = {share.key for part in parts(order) for share in part.taxes}
    assert order.complaints == ()
    assert abs(gross(order) - order.total) <= unit * max(1, len(taxes))
    assert abs(tax(order) - order.tax) <= unit * max(1, len(taxes))
    assert_amounts_fit(order)


@settings(max_examples=150, deadline=None)
@given(shoppings(ways=PAID))
def test_money_is_counted_once_and_is_what_was_paid(shopping):
    order = translate_order(body_of(shopping))
    paid = sum((tender.amount for tender in order.tenders), ZERO)
    in_parts = sum(sum(tender.parts, ZERO) for tender in shopping.tenders if tender.way == "parts")
    redeemed = shopping.gift_certificate + shopping.store_credit
    assert paid == (redeemed + in_parts if in_parts else order.total)
    wallet = [t for t in order.tenders if t.kind in (TenderKind.GIFT_CERTIFICATE, TenderKind.STORE_CREDIT)]
    assert sum((t.amount for t in wallet), ZERO) == redeemed


@settings(max_examples=50, deadline=None)
@given(shoppings(ways=("authorized", "pending", "offline_silent")))
def test_what_is_not_captured_is_not_money(shopping):
    order = translate_order(body_of(shopping))
    redeemed = shopping.gift_certificate + shopping.store_credit
    captured = sum(
        sum(t.parts, ZERO) or (t.amount if t.way == "purchase" else None) or ZERO for t in shopping.tenders
    )
    assert sum((tender.amount for tender in order.tenders), ZERO) == redeemed + captured


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_refunds_explain_their_total_and_tax_and_never_more_than_the_order(data):
    shopping = data.draw(shoppings(ways=PAID))
    store = BigCommerce(clock=Clock(start=NOW)).add_store("case")
    order_id = store.place(shopping)
    for refund in data.draw(refunds_of(shopping, order_id)):
        store.refund(order_id, refund)
    order = translate_order(plain(store.order(order_id)))
    assert order.complaints == ()
    for refund in order.refunds:
        assert sum((line.gross for line in refund.lines), ZERO) == refund.total
        assert sum((line.tax for line in refund.lines), ZERO) == refund.tax
        assert all(line.net + line.tax == line.gross for line in refund.lines)
    assert sum((refund.total for refund in order.refunds), ZERO) <= order.total


@settings(max_examples=30, deadline=None)
@given(shoppings())
def test_translation_is_a_function_and_knows_no_float(shopping):
    body = body_of(shopping)
    assert plain(translate_order(body)) == plain(translate_order(body_of(shopping)))
