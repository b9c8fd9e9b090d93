"""The named cases of the sandbox store, and odd payloads, as the contract's order."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from erp.contract.order import ChargeKind, LineKind, OrderState, RefundPart, TenderKind
from erp.contract.plan import plain
from sandbox.bigcommerce import (
    BigCommerce,
    Coupon,
    GiveBack,
    Line,
    PayBack,
    Person,
    Refund,
    Shopping,
    Tax,
    Tender,
)
from sandbox.bigcommerce.payloads import order_payloads
from sandbox.bigcommerce.shopping import Fee
from sandbox.scenarios import CASES
from sandbox.wire import Clock
from storefront.translation import translate_customer, translate_order

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TX = Tax("TX", "8.25")
ZERO = Decimal(0)


def payloads(shopping: Shopping) -> dict:
    return plain(order_payloads(shopping, order_id=100, at=AT))


def translated(shopping: Shopping):
    return translate_order(payloads(shopping))


def refunded(shopping: Shopping, *refunds: Refund):
    store = BigCommerce(clock=Clock(start=AT)).add_store("case")
    order_id = store.place(shopping)
    for refund in refunds:
        store.refund(order_id, refund)
    return translate_order(plain(store.order(order_id)))


HATS = Shopping(lines=(Line("HAT", "10.00", 3, (TX,)),), shipping="5.00", shipping_taxes=(TX,))


@pytest.mark.parametrize("name", sorted(name for name, case in CASES.items() if case.consistent))
def test_every_consistent_case_ties_out(name):
    order = translate_order(plain(CASES[name].payloads()))
    parts = (*order.lines, *order.charges)
    units = Decimal("0.03") if CASES[name].shopping.rounding == "document" else ZERO
    assert order.complaints == ()
    assert abs(sum((p.gross for p in parts), ZERO) - order.total) <= units
    assert abs(sum((p.tax for p in parts), ZERO) - order.tax) <= units


@pytest.mark.parametrize("name", sorted(name for name, case in CASES.items() if not case.consistent))
def test_no_inconsistent_case_looks_as_if_it_tied_out(name):
    order = translate_order(plain(CASES[name].payloads()))
    parts = (*order.lines, *order.charges)
    ties = (sum((p.gross for p in parts), ZERO), sum((p.tax for p in parts), ZERO)) == (
        order.total,
        order.tax,
    )
    overpaid = sum((t.amount for t in order.tenders), ZERO) > order.total
    assert order.complaints or not ties or overpaid


def test_a_plain_order_says_what_the_store_says():
    order = translated(HATS)
    (line,) = order.lines
    assert (line.sku, line.quantity, line.net, line.tax, line.gross) == (
        "HAT", 3, Decimal("30.00"), Decimal("2.48"), Decimal("32.48"),
    )  # fmt: skip
    assert [(t.key, t.rate, t.amount) for t in line.taxes] == [("TX", Decimal("8.25"), Decimal("2.48"))]
    (shipping,) = order.charges
    assert (shipping.kind, shipping.name, shipping.gross) == (
        ChargeKind.SHIPPING, "Ship by Weight", Decimal("5.41"),
    )  # fmt: skip
    assert (order.total, order.tax, order.currency) == (Decimal("37.89"), Decimal("2.89"), "USD")
    (tender,) = order.tenders
    assert (tender.kind, tender.method, tender.gateway, tender.amount) == (
        TenderKind.TRANSACTION, "credit_card", "braintree", Decimal("37.89"),
    )  # fmt: skip
    assert order.customer is None
    assert order.created_at == AT
    assert order.billing.email == "jane.doe@example.com"
    assert ("order.staff_notes", "") in order.raw_fields


def test_a_discount_that_no_line_shows_is_shared_out_by_name():
    """As example 218 of "Orders V2": discount and coupon stand in the order alone."""
    body = payloads(Shopping(lines=(Line("A", "30.00"), Line("B", "10.00")), shipping="6.00"))
    body["order"] |= {"discount_amount": "5.0000", "coupon_discount": "3.0000"}
    body["order"] |= {"total_inc_tax": "38.0000", "total_ex_tax": "38.0000"}
    order = translate_order(body)
    assert [line.gross for line in order.lines] == [Decimal("24.00"), Decimal("8.00")]
    assert [(d.source, d.amount) for line in order.lines for d in line.discounts] == [
        ("allocated", Decimal("6.00")), ("allocated", Decimal("2.00")),
    ]  # fmt: skip
    assert order.complaints == ()


def test_a_difference_that_no_discount_explains_is_left_to_be_seen():
    body = payloads(Shopping(lines=(Line("A", "30.00"),)))
    body["order"] |= {"total_inc_tax": "25.0000", "total_ex_tax": "25.0000"}
    order = translate_order(body)
    assert [line.gross for line in order.lines] == [Decimal("30.00")]
    assert order.total == Decimal("25.00")


def test_a_shipping_coupon_is_taken_off_shipping_and_not_off_goods():
    order = translated(
        Shopping(
            lines=(Line("A", "30.00", 1, (TX,)),),
            shipping="8.00",
            shipping_taxes=(TX,),
            coupons=(Coupon("SHIP3", 3, "3.00"),),
        )
    )
    (shipping,) = order.charges
    assert (shipping.net, shipping.gross) == (Decimal("5.00"), Decimal("5.41"))
    assert [d.code for d in shipping.discounts] == ["SHIP3"]
    assert order.lines[0].net == Decimal("30.00")


@pytest.mark.parametrize("inside", [True, False])
def test_fees_are_charged_only_if_the_total_contains_them(inside):
    order = translated(
        Shopping(
            lines=(Line("A", "30.00", 1, (TX,)),), fees=(Fee("Eco", "2.00", (TX,)),), fees_in_total=inside
        )
    )
    assert [c.kind for c in order.charges] == ([ChargeKind.FEE] if inside else [])
    assert sum((p.gross for p in (*order.lines, *order.charges)), ZERO) == order.total


def test_shipping_to_two_addresses_is_two_charges():
    body = payloads(HATS)
    (address,) = body["shipping_addresses"]
    body["shipping_addresses"] = [
        {**address, "cost_inc_tax": "2.7000", "cost_tax": "0.2000", "shipping_method": "Courier"},
        {**address, "cost_inc_tax": "2.7100", "cost_tax": "0.2100", "id": 1002},
    ]
    order = translate_order(body)
    assert [(c.id, c.name, c.gross) for c in order.charges] == [
        ("shipping:1001", "Courier", Decimal("2.70")),
        ("shipping:1002", "Ship by Weight", Decimal("2.71")),
    ]


def test_a_sold_gift_certificate_is_a_liability_and_a_redeemed_one_a_tender():
    sold = Line("", "25.00", kind="giftcertificate", name="Gift certificate")
    order = translated(Shopping(lines=(sold, Line("A", "10.00")), gift_certificate="10.00"))
    assert [line.kind for line in order.lines] == [LineKind.GIFT_CERTIFICATE, LineKind.GOODS]
    assert [(t.kind, t.amount) for t in order.tenders] == [
        (TenderKind.GIFT_CERTIFICATE, Decimal("10.00")), (TenderKind.TRANSACTION, Decimal("25.00")),
    ]  # fmt: skip


def test_wallet_money_that_only_the_order_knows_is_a_tender():
    shopping = Shopping(
        lines=(Line("A", "10.00"),), gift_certificate="4.00", store_credit="6.00", money_in_transactions=False
    )
    assert [(t.id, t.amount) for t in translated(shopping).tenders] == [
        ("giftcertificate", Decimal("4.00")), ("storecredit", Decimal("6.00")),
    ]  # fmt: skip


def test_order_and_transactions_that_disagree_about_store_credit_are_a_complaint():
    body = payloads(Shopping(lines=(Line("A", "10.00"),), store_credit="6.00"))
    body["order"]["store_credit_amount"] = "5.0000"
    assert translate_order(body).complaints == (
        "The order says 5.00 USD by store credit, its transactions say 6.00.",
    )


@pytest.mark.parametrize(
    ("tender", "captured", "authorised"),
    [
        (Tender("purchase"), ["37.89"], "0"),
        (Tender("captured"), ["37.89"], "0"),
        (Tender("settled"), ["37.89"], "0"),
        (Tender("parts", parts=("10.00", "7.00")), ["10.00", "7.00"], "20.89"),
        (Tender("authorized"), [], "37.89"),
        (Tender("voided"), [], "0"),
        (Tender("pending"), [], "0"),
        (Tender("declined"), [], "0"),
        (Tender("offline", method="offline", gateway="", name="Cheque"), ["37.89"], "0"),
        (Tender("offline_silent"), [], "0"),
    ],
    ids=lambda value: value.way if isinstance(value, Tender) else None,
)
def test_each_chain_is_counted_once(tender, captured, authorised):
    body = payloads(
        Shopping(
            **{**{f: getattr(HATS, f) for f in ("lines", "shipping", "shipping_taxes")}, "tenders": (tender,)}
        )
    )
    order = translate_order(body)
    assert [t.amount for t in order.tenders] == [Decimal(amount) for amount in captured]
    assert order.authorised == Decimal(authorised)


def test_an_offline_payment_is_named_as_the_merchant_named_it():
    tender = Tender("offline", method="offline", gateway="cheque", name="Cheque by post")
    (found,) = translated(Shopping(lines=(Line("A", "10.00"),), tenders=(tender,))).tenders
    assert (found.kind, found.method) == (TenderKind.OFFLINE, "Cheque by post")


def test_a_purchase_that_its_gateway_repeats_as_settled_without_a_reference_is_counted_once():
    body = payloads(HATS)
    (purchase,) = body["transactions"]
    body["transactions"].append({**purchase, "id": 7, "event": "settled"})
    assert [t.id for t in translate_order(body).tenders] == ["100001"]


def test_a_purchase_voided_the_same_day_is_no_money():
    body = payloads(HATS)
    (purchase,) = body["transactions"]
    body["transactions"].append({**purchase, "id": 7, "event": "void", "reference_transaction_id": 100001})
    assert translate_order(body).tenders == ()


def test_money_in_another_currency_than_the_order_is_a_complaint():
    body = payloads(HATS)
    body["transactions"][0]["currency"] = "EUR"
    assert translate_order(body).complaints == ("transactions[0] is in EUR, the order in USD.",)


def test_transactional_currency_is_booked_and_display_currency_is_noise():
    order = translated(
        Shopping(lines=(Line("A", "1000"),), currency="JPY", display_currency="EUR", display_rate="0.006",
                 store_currency="USD", store_rate="150.5")
    )  # fmt: skip
    assert (order.currency, order.total, order.store_currency) == ("JPY", Decimal("1000"), "USD")
    assert order.store_rate == Decimal("150.5")


def test_tax_keys_name_every_tax_of_a_compound_line():
    gst, qst = Tax("GST", "5"), Tax("QST", "9.975", priority=1)
    (line,) = translated(Shopping(lines=(Line("A", "100.00", 1, (gst, qst)),))).lines
    assert [(t.key, t.amount) for t in line.taxes] == [("GST", Decimal("5.00")), ("QST", Decimal("10.47"))]


def test_without_tax_rows_the_lines_own_tax_is_used():
    body = payloads(
        Shopping(lines=(Line("A", "100.00", 1, (TX,)), Line("B", "50.00")), order_discount="15.00")
    )
    body["taxes"] = []
    order = translate_order(body)
    assert sum((line.tax for line in order.lines), ZERO) == order.tax
    assert sum((line.gross for line in order.lines), ZERO) == order.total
    assert order.lines[0].taxes[0].rate is None


def test_tax_rows_that_name_no_line_still_name_the_tax():
    body = payloads(Shopping(lines=(Line("A", "100.00", 1, (TX,)), Line("B", "50.00"))))
    for row in body["taxes"]:
        row["order_product_id"] = None
    first, second = translate_order(body).lines
    assert [(t.key, t.rate, t.amount) for t in first.taxes] == [("TX", Decimal("8.25"), Decimal("8.25"))]
    assert second.taxes == ()


def test_an_order_made_without_tax_has_none_whatever_its_lines_say():
    """As example 100 of "Orders V2": the lines show a tax that the order's total does not."""
    body = payloads(Shopping(lines=(Line("A", "100.00"),)))
    body["products"][0]["total_tax"] = "8.2500"
    assert translate_order(body).lines[0].tax == 0


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0, OrderState.INCOMPLETE), (1, OrderState.OPEN), (2, OrderState.SHIPPED), (3, OrderState.OPEN),
        (4, OrderState.REFUNDED), (5, OrderState.CANCELLED), (6, OrderState.DECLINED), (7, OrderState.OPEN),
        (10, OrderState.COMPLETED), (11, OrderState.OPEN), (13, OrderState.DISPUTED), (14, OrderState.OPEN),
        (99, OrderState.OPEN),
    ],
)  # fmt: skip
def test_the_status_id_decides_and_not_its_label(status, state):
    body = payloads(HATS)
    body["order"] |= {"status_id": status, "status": "Whatever the merchant calls it"}
    order = translate_order(body)
    assert (order.state, order.status_id) == (state, str(status))


def test_archived_orders_and_invoice_portal_payments_are_marked():
    order = translated(Shopping(lines=(Line("A", "1.00"),), is_archived=True, is_invoice_order=True))
    assert (order.is_archived, order.is_invoice_order) == (True, True)


def test_bundles_keep_who_belongs_to_whom():
    parent, child = translated(Shopping(lines=(Line("SET", "10.00"), Line("PART", "0.00", parent=0)))).lines
    assert (parent.parent_id, child.parent_id) == ("", parent.id)


def test_part_refunds_of_a_line_give_back_exactly_the_line():
    shopping = Shopping(lines=(Line("HAT", "3.33", 3, (TX,)),))
    one = Refund((GiveBack("PRODUCT", 0, quantity=1),))
    order = refunded(shopping, one, one, one)
    (line,) = order.lines
    assert sum((r.total for r in order.refunds), ZERO) == line.gross
    assert sum((part.tax for r in order.refunds for part in r.lines), ZERO) == line.tax


def test_each_kind_of_refund_says_what_it_gives_back():
    order = refunded(
        HATS,
        Refund((GiveBack("SHIPPING", amount="5.41"),)),
        Refund((GiveBack("ORDER", amount="2.00"),)),
        Refund(tax_adjustment="1.00"),
        Refund((GiveBack("PRODUCT", 0, quantity=1, adjustment="-1.50"),)),
    )
    found = [[(x.part, x.of, x.gross, x.tax) for x in refund.lines] for refund in order.refunds]
    assert found == [
        [(RefundPart.SHIPPING, "shipping:1001", Decimal("5.41"), Decimal("0.41"))],
        [(RefundPart.ORDER, "", Decimal("2.00"), Decimal("0.00"))],
        [(RefundPart.TAX, "", Decimal("1.00"), Decimal("1.00"))],
        [(RefundPart.PRODUCT, "100001", Decimal("9.33"), Decimal("0.83"))],
    ]
    assert order.complaints == ()


def test_a_merchant_override_leaves_its_difference_on_a_line_of_its_own():
    order = refunded(HATS, Refund((GiveBack("PRODUCT", 0, quantity=1),), override=("9.00", "-0.10")))
    (refund,) = order.refunds
    assert (refund.total, refund.tax) == (Decimal("9.00"), Decimal("-0.10"))
    assert [line.part for line in refund.lines] == [RefundPart.PRODUCT, RefundPart.ORDER]
    assert order.complaints == ()


def test_a_full_refund_after_an_order_level_one_gives_back_what_is_left():
    order = refunded(HATS, Refund((GiveBack("ORDER", amount="2.00"),)), Refund())
    rest = order.refunds[1]
    assert rest.total == order.total - Decimal("2.00")
    assert [(line.part, line.gross) for line in rest.lines][-1] == (RefundPart.ORDER, Decimal("-2.00"))
    assert order.complaints == ()


def test_declined_pay_outs_are_no_money_and_others_keep_their_tender_s_method():
    order = refunded(
        replace(HATS, person=Person(customer_id=7)),
        Refund(
            (GiveBack("PRODUCT", 0, quantity=2),),
            (PayBack(amount="10.00"), PayBack("storecredit", "5.00"), PayBack(amount="6.65", declined=True)),
        ),
    )
    assert [(p.method, p.kind, p.amount) for p in order.refunds[0].payments] == [
        ("credit_card", TenderKind.TRANSACTION, Decimal("10.00")),
        ("store_credit", TenderKind.STORE_CREDIT, Decimal("5.00")),
    ]


def test_a_pay_out_that_is_not_decided_yet_is_pending():
    body = payloads(HATS)
    payment = {"id": 1, "provider_id": "braintree", "amount": "2.00", "offline": False, "is_declined": None}
    body["refunds"] = [
        {"id": 1, "created": "2026-03-03T10:00:00+00:00", "total_amount": "2.00", "total_tax": "0", "payments": [payment],
         "items": [{"item_type": "ORDER", "item_id": 100, "requested_amount": "2.00"}]}
    ]  # fmt: skip
    assert translate_order(body).refunds[0].pending


def test_items_that_do_not_make_the_refund_are_a_complaint_with_the_arithmetic():
    body = payloads(HATS)
    body["refunds"] = [
        {"id": 1, "created": "2026-03-03T10:00:00+00:00", "total_amount": "9.99", "total_tax": "0", "payments": [],
         "items": [{"item_type": "ORDER", "item_id": 100, "requested_amount": "2.00"}]}
    ]  # fmt: skip
    assert translate_order(body).complaints == (
        "refunds[0]: its items come to 2.00 USD with 0.00 tax, it says 9.99 with 0.00 tax.",
    )


def test_figures_that_are_none_are_complaints_and_never_an_exception():
    body = payloads(HATS)
    body["order"] |= {"total_inc_tax": "a lot", "date_created": "yesterday", "default_currency_code": "€"}
    body["products"][0]["quantity"] = None
    order = translate_order(body)
    assert order.complaints == (
        "order.default_currency_code is '€', which is not a currency.",
        "order.date_created is 'yesterday', which is not a time.",
        "products[0].quantity is missing: a line needs a positive one.",
        "transactions[0] is in USD, the order in XXX.",
        "order.total_inc_tax is 'a lot', which is not an amount.",
        "The order's total without tax 35.0000 and its tax 2.8900 are 37.8900, not 0.",
    )


def test_an_amount_that_its_currency_cannot_express_is_a_complaint():
    body = payloads(Shopping(lines=(Line("A", "1000"),), currency="JPY"))
    body["transactions"][0]["amount"] = "999.50"
    assert "transactions[0].amount is 999.50, which JPY cannot express." in translate_order(body).complaints


def test_a_registered_customer_comes_with_group_and_the_erp_s_number():
    store = BigCommerce(clock=Clock(start=AT)).add_store("case")
    person = store.add_customer(Person(email="b@example.com"))
    body = payloads(Shopping(lines=(Line("A", "1.00"),), person=person))
    body["customer"] = {
        "id": person.customer_id, "email": "b@example.com", "first_name": "Jane", "customer_group_id": 3,
        "date_modified": "2026-03-01T10:00:00Z",
        "addresses": [{"address1": "1 Road", "city": "Leeds", "country_code": "GB", "postal_code": "LS1"}],
    }  # fmt: skip
    body |= {"group": {"id": 3, "name": "Trade"}, "known_as": {"erp_code": "C0007", "tax_number": "GB1"}}
    customer = translate_order(body).customer
    assert customer == translate_customer(body)
    assert (customer.erp_code, customer.tax_number, customer.group_name) == ("C0007", "GB1", "Trade")
    assert customer.addresses[0].street == "1 Road"


def test_a_customer_that_the_store_no_longer_has_is_known_by_the_order():
    body = payloads(Shopping(lines=(Line("A", "1.00"),), person=Person(email="b@example.com", customer_id=7)))
    customer = translate_order(body).customer
    assert (customer.id, customer.email) == ("7", "b@example.com")


def test_translation_leaves_the_snapshot_as_it_is():
    body = payloads(HATS)
    before = deepcopy(body)
    translate_order(body)
    assert body == before
