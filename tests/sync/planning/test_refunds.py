"""Refunds: a credit memo on the accounts of the document it corrects, tax from the order as sold, money as it went."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from erp.contract.documents import DocumentKind, Use
from erp.contract.order import RefundPart, TenderKind
from erp.contract.plan import Outcome
from tests.sync.planning import books

PAYMENT = books.RefundPayment(method="credit_card", kind=TenderKind.TRANSACTION, amount=D("5.00"))


def refunded(*refunds, **changes):
    return books.order(refunds=refunds, **changes)


def lines(document):
    return [(x.use, x.net, x.tax, x.tax_code, x.item or x.account, x.base_line) for x in document.lines]


def test_a_line_given_back_becomes_a_credit_memo_and_a_payout():
    plan = books.plan(refunded(books.refund()))
    assert books.references(plan) == ["S1-100234-I", "S1-77-P", "S1-9-R", "S1-9-Y"]
    credit, payout = plan.documents[2:]
    assert (credit.kind, credit.corrects) == (DocumentKind.CREDIT_MEMO, "S1-100234-I")
    assert (credit.total, credit.tax, credit.posting_date) == (D("21.65"), D("1.65"), date(2026, 11, 24))
    assert lines(credit) == [(Use.GOODS, D("20.00"), D("1.65"), "CA", "A-HAT", "line:1")]
    assert (payout.kind, payout.settles, payout.amount, payout.account) == (
        DocumentKind.PAYOUT,
        "S1-9-R",
        D("21.65"),
        "1110",
    )


def test_a_refund_stands_on_the_accounts_of_the_posted_document_whatever_is_mapped_now():
    first = books.plan()
    changed = {"rules": books.rules(item={"HAT": "A-MUG"}), "posted": books.posted(first)}
    assert books.plan(refunded(books.refund()), **changed).documents[2].lines[0].item == "A-HAT"
    current = books.plan(
        refunded(books.refund()), settings=books.settings(credit_accounts="current"), **changed
    )
    assert current.documents[2].lines[0].item == "A-MUG"


def test_a_refund_needs_no_mapping_that_was_deleted_since():
    first = books.plan()
    without = books.rules(without=("item", "account.shipping", "tax_code CA Sales Tax"))
    plan = books.plan(refunded(books.refund()), posted=books.posted(first), rules=without)
    assert plan.outcome is Outcome.READY


def test_shipping_alone():
    given = books.refund(
        net="5.00", tax="0.41", lines=(books.part(RefundPart.SHIPPING, "5.00", "0.41", of="5"),)
    )
    credit = books.plan(refunded(given)).documents[2]
    assert lines(credit) == [(Use.SHIPPING, D("5.00"), D("0.41"), "CA", "4200", "shipping:5")]


def test_an_amount_no_line_explains_goes_to_the_account_of_unattributed_refunds_without_tax():
    given = books.refund(net="5.00", tax="0.00", lines=(books.part(RefundPart.ORDER, "5.00", "0.00"),))
    credit = books.plan(refunded(given)).documents[2]
    assert lines(credit) == [(Use.UNATTRIBUTED_REFUND, D("5.00"), D(0), "EX", "4900", "")]


def test_tax_alone_is_a_pair_of_lines_that_makes_exactly_this_tax():
    given = books.refund(net="0.00", tax="1.00", lines=(books.part(RefundPart.TAX, "0.00", "1.00"),))
    credit = books.plan(refunded(given)).documents[2]
    assert lines(credit) == [
        (Use.UNATTRIBUTED_REFUND, D("12.12"), D("1.00"), "CA", "4900", ""),
        (Use.UNATTRIBUTED_REFUND, D("-12.12"), D(0), "EX", "4900", ""),
    ]
    assert (credit.total, credit.tax) == (D("1.00"), D("1.00"))


def test_a_negative_tax_of_the_merchants_own_figures():
    given = books.refund(net="5.50", tax="-0.50", lines=(books.part(RefundPart.ORDER, "5.50", "-0.50"),))
    plan = books.plan(refunded(given))
    credit = plan.documents[2]
    assert (credit.total, credit.tax) == (D("5.00"), D("0"))
    assert [(line.use, line.net) for line in credit.lines] == [
        (Use.UNATTRIBUTED_REFUND, D("5.50")),
        (Use.TAX_LIABILITY, D("-0.50")),
    ]


def test_what_the_merchant_kept_of_a_product_stands_on_a_line_of_its_own():
    given = books.refund(
        net="15.00", tax="1.65", lines=(books.part(RefundPart.PRODUCT, "15.00", "1.65", of="1"),)
    )
    plan = books.plan(refunded(given))
    credit = plan.documents[2]
    assert (credit.total, credit.tax) == (D("16.65"), D("1.65"))
    assert [(line.key, line.net, line.tax) for line in credit.lines] == [
        ("refund:1", D("20.00"), D("1.65")),
        ("refund:1:kept", D("-5.00"), D("0")),
    ]


def test_tax_given_back_of_an_order_without_tax_is_held():
    untaxed = {"lines": (books.line(tax="0.00", key=""),), "charges": ()}
    given = books.refund(net="0.00", tax="1.00", lines=(books.part(RefundPart.TAX, "0.00", "1.00"),))
    plan = books.plan(refunded(given, **untaxed))
    assert (plan.outcome, plan.problems[0].code) == (Outcome.HELD, "refund_of_tax")


def test_several_refunds_are_posted_one_after_the_other():
    later = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    shipping = books.refund(
        "8",
        net="5.00",
        tax="0.41",
        lines=(books.part(RefundPart.SHIPPING, "5.00", "0.41", of="5"),),
        created_at=later,
    )
    plan = books.plan(refunded(shipping, books.refund("9")))
    assert books.references(plan)[2:] == ["S1-9-R", "S1-9-Y", "S1-8-R", "S1-8-Y"]


def test_a_refund_over_two_ways_pays_out_from_both_accounts():
    two = (
        books.RefundPayment(method="credit_card", kind=TenderKind.TRANSACTION, amount=D("11.65")),
        books.RefundPayment(method="store_credit", kind=TenderKind.STORE_CREDIT, amount=D("10.00")),
    )
    plan = books.plan(refunded(books.refund(payments=two)))
    assert [(d.reference, d.amount, d.account) for d in plan.documents[3:]] == [
        ("S1-9-Y", D("11.65"), "1110"),
        ("S1-9-YB", D("10.00"), "2410"),
    ]


def test_money_that_is_on_its_way_is_not_posted_yet():
    plan = books.plan(refunded(books.refund(pending=True)))
    assert books.references(plan) == ["S1-100234-I", "S1-77-P"]
    assert plan.notes == ("Refund 9 is not paid out yet: it is posted once the store says so.",)


def test_a_refund_whose_every_payment_was_declined_moved_no_money():
    plan = books.plan(refunded(books.refund(payments=())))
    assert books.references(plan) == ["S1-100234-I", "S1-77-P"]
    assert plan.notes == ("Refund 9: every payment was declined, no money went back.",)


def test_a_partly_declined_refund_is_credited_whole_and_paid_out_in_part():
    plan = books.plan(refunded(books.refund(payments=(PAYMENT,))))
    assert [d.reference for d in plan.documents[2:]] == ["S1-9-R", "S1-9-Y"]
    assert plan.documents[3].amount == D("5.00")
    assert plan.notes == ("Refund 9: 16.65 USD were declined and stay the customer's balance.",)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (books.refund(payments=(PAYMENT, PAYMENT, PAYMENT, PAYMENT, PAYMENT)), "refund_exceeded"),
        (books.refund(net="200.00", tax="16.50"), "refunds_exceed_total"),
        (
            books.refund(lines=(books.part(RefundPart.PRODUCT, "20.00", "1.65", of="99"),)),
            "refund_of_unknown_line",
        ),
        (books.refund(tax="1.00", total=D("21.65")), "does_not_tie"),
    ],
)
def test_what_contradicts_itself_is_held(given, code):
    plan = books.plan(refunded(given))
    assert (plan.outcome, plan.problems[0].code) == (Outcome.HELD, code)


def test_a_refund_that_changed_after_posting_is_held():
    first = books.plan(refunded(books.refund()))
    changed = books.plan(refunded(books.refund(net="10.00", tax="0.83")), posted=books.posted(first))
    assert (changed.outcome, changed.problems[0].code) == (Outcome.HELD, "changed_after_posting")


def test_refunds_carry_tax_liability_lines_where_the_sale_does():
    plan = books.plan(refunded(books.refund()), settings=books.settings(tax_mode="liability_line"))
    assert lines(plan.documents[2]) == [
        (Use.GOODS, D("20.00"), D(0), "EX", "A-HAT", "line:1"),
        (Use.TAX_LIABILITY, D("1.65"), D(0), "EX", "2200", ""),
    ]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("pay_out", ["S1-100234-O", "S1-77-P", "S1-9-Y"]),
        ("credit_and_pay_out", ["S1-100234-O", "S1-77-P", "S1-9-R", "S1-9-Y"]),
    ],
)
def test_refunds_of_sales_orders_follow_the_policy(policy, expected):
    settings = books.settings(posting_style="sales_order", sales_order_refunds=policy)
    plan = books.plan(refunded(books.refund()), settings=settings)
    assert books.references(plan) == expected
    held = books.plan(refunded(books.refund()), settings=books.settings(posting_style="sales_order"))
    assert (held.outcome, held.problems[0].code) == (Outcome.HELD, "sales_order_refunded")


def test_a_refund_writes_its_tax_as_the_posted_sale_did_whatever_the_pipeline_says_now():
    first = books.plan()
    later = books.settings(tax_mode="liability_line")
    plan = books.plan(refunded(books.refund()), posted=books.posted(first), settings=later)
    assert lines(plan.documents[2]) == [(Use.GOODS, D("20.00"), D("1.65"), "CA", "A-HAT", "line:1")]
    with_liabilities = books.plan(settings=later)
    back = books.plan(refunded(books.refund()), posted=books.posted(with_liabilities))
    assert lines(back.documents[2]) == [
        (Use.GOODS, D("20.00"), D(0), "EX", "A-HAT", "line:1"),
        (Use.TAX_LIABILITY, D("1.65"), D(0), "EX", "2200", ""),
    ]
