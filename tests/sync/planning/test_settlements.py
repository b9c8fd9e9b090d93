"""Money of a sales order and the ERP's invoices: what is applied where, what is left, and what a person must see to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind, SettlementDocument
from erp.contract.facts import DrawnInvoice, Invoicing
from erp.contract.plan import Outcome, Plan
from sync.planning import PostedDocument, needs
from sync.planning.references import ReferenceKind, record_of, reference
from tests.sync.planning.books import NOON, facts, order, plan, posted, refund, rules, settings, tender

D = Decimal
DAY = date(2026, 11, 23)


def style(money: str = "on_account", **more: str) -> Any:
    return settings(posting_style="sales_order", sales_order_money=money, **more)


def in_the_erp(
    made: Plan, *, cancelled: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> tuple[PostedDocument, ...]:
    """As posted, with the ERP's keys: 1, 2, 3 in the order of the plan."""
    return tuple(
        replace(p, receipt=Receipt(key=str(n), number=str(500 + n)))
        for n, p in enumerate(posted(made, cancelled=cancelled, without=without), start=1)
    )


def invoice(key: str = "12", open: str = "32.48", **more: Any) -> DrawnInvoice:
    usual: dict[str, Any] = {
        "key": key,
        "number": f"9{key}",
        "currency": "USD",
        "total": D(open),
        "posted_on": DAY,
        "open": D(open),
    }
    return DrawnInvoice(**{**usual, **more})


def told(*invoices: DrawnInvoice, **money: str) -> Any:
    """Ledger facts with these invoices; `p2="30.00"` is what payment 2 has left."""
    left = {key[1:]: D(amount) for key, amount in money.items()}
    return facts(invoicing=Invoicing(order="1", invoices=invoices, money=left))


def settlements(of: Plan) -> list[tuple[str, str, str, Decimal]]:
    found = [d for d in of.documents if isinstance(d, SettlementDocument)]
    return [(d.reference, d.money, d.invoice_number, d.amount) for d in found]


def test_a_payment_on_account_is_applied_to_the_invoice_after_it():
    first = plan(settings=style())
    second = plan(settings=style(), posted=in_the_erp(first), facts=told(invoice(), p2="32.48"))
    assert settlements(first) == []
    assert settlements(second) == [("S1-77-A", "S1-77-P", "912", D("32.48"))]
    assert [d.kind for d in second.documents] == ["sales_order", "payment", "settlement"]
    assert second.documents[-1].posting_date == DAY
    assert (second.outcome, second.problems) == (Outcome.READY, ())


def test_no_amount_is_above_what_either_side_has_open_and_what_is_left_is_told():
    first = plan(settings=style())
    more = plan(settings=style(), posted=in_the_erp(first), facts=told(invoice(open="10.00"), p2="30.00"))
    less = plan(settings=style(), posted=in_the_erp(first), facts=told(invoice(open="40.00"), p2="30.00"))
    assert settlements(more)[0][3] == D("10.00")
    assert "20.00 USD of S1-77-P stay on account until the ERP invoices more of the order." in more.notes
    assert settlements(less)[0][3] == D("30.00")
    assert "10.00 USD of invoice 912 stay open: no money of the order is left for it." in less.notes


def test_captures_fill_invoices_in_their_order():
    captured = order(tenders=(tender("20.00", "77"), tender("12.48", "78")))
    first = plan(captured, settings=style())
    both = told(invoice("12", "25.00"), invoice("13", "7.48"), p2="20.00", p3="12.48")
    second = plan(captured, settings=style(), posted=in_the_erp(first), facts=both)
    assert settlements(second) == [
        ("S1-77-A", "S1-77-P", "912", D("20.00")),
        ("S1-78-A", "S1-78-P", "912", D("5.00")),
        ("S1-78-A1", "S1-78-P", "913", D("7.48")),
    ]


def test_what_was_applied_stays_in_the_plan_and_nothing_is_applied_twice():
    first = plan(settings=style())
    second = plan(settings=style(), posted=in_the_erp(first), facts=told(invoice(), p2="32.48"))
    settled = told(invoice(open="0"), p2="0")
    third = plan(settings=style(), posted=in_the_erp(second), facts=settled)
    assert settlements(third) == settlements(second)
    assert third == plan(settings=style(), posted=in_the_erp(second), facts=settled)


def test_a_cancelled_invoice_and_one_in_another_currency_get_nothing():
    first = in_the_erp(plan(settings=style()))
    gone = told(invoice(cancelled=True), p2="32.48")
    other = told(invoice(currency="EUR"), p2="32.48")
    assert settlements(plan(settings=style(), posted=first, facts=gone)) == []
    assert settlements(plan(settings=style(), posted=first, facts=other)) == []


def test_what_a_person_took_back_is_not_applied_to_that_invoice_again_but_to_the_next():
    first = plan(settings=style())
    second = plan(settings=style(), posted=in_the_erp(first), facts=told(invoice(), p2="32.48"))
    taken_back = in_the_erp(second, cancelled=("S1-77-A",))
    third = plan(settings=style(), posted=taken_back, facts=told(invoice(), p2="32.48"))
    assert (third.outcome, [p.code for p in third.problems]) == (Outcome.READY, ["application_taken_back"])
    assert settlements(third) == []
    both = told(invoice(cancelled=True), invoice("13"), p2="32.48")
    fourth = plan(settings=style(), posted=taken_back, facts=both)
    assert settlements(fourth) == [("S1-77-A1", "S1-77-P", "913", D("32.48"))]
    assert fourth.problems == ()


def test_a_down_payment_left_out_of_the_invoice_is_for_a_person():
    first = plan(settings=style("down_payment"))
    assert [d.kind for d in first.documents] == ["sales_order", "down_payment", "payment"]
    known = in_the_erp(first)
    left_out = plan(settings=style("down_payment"), posted=known, facts=told(invoice()))
    assert [p.code for p in left_out.problems] == ["down_payment_not_drawn"]
    assert "A/R down payment 502" in left_out.problems[0].sentence
    assert [note for note in left_out.notes if "stay open" in note] == []  # there is money, it was not drawn
    drawn = told(invoice(open="0", drawn={"2": D("32.48")}))
    assert plan(settings=style("down_payment"), posted=known, facts=drawn).problems == ()
    partly = told(invoice(open="10.00", drawn={"2": D("22.48")}))
    [problem] = plan(settings=style("down_payment"), posted=known, facts=partly).problems
    assert problem.arithmetic[-1] == ("Not drawn", "10.00 USD")


def test_money_that_comes_after_the_invoice_is_on_account_also_with_down_payments():
    first = order(tenders=(tender("20.00", "77"),))
    known = in_the_erp(plan(first, settings=style("down_payment")))
    later = order(tenders=(tender("20.00", "77"), tender("12.48", "78")))
    drawn = told(invoice(open="12.48", drawn={"2": D("20.00")}))
    second = plan(later, settings=style("down_payment"), posted=known, facts=drawn)
    assert settlements(second) == [("S1-78-A", "S1-78-P", "912", D("12.48"))]
    assert "S1-78-D" not in [d.reference for d in second.documents]


def test_refunds_by_policy_go_on_after_the_invoice():
    given_back = order(refunds=(refund(),))
    known = in_the_erp(plan(settings=style()))
    facts_ = told(invoice(), p2="32.48")
    held = plan(given_back, settings=style(), posted=known, facts=facts_)
    assert held.problems[0].sentence.endswith("which the ERP invoiced as 912.")
    assert (
        plan(given_back, settings=style(), posted=known, facts=told())
        .problems[0]
        .sentence.endswith("which the ERP has not invoiced yet.")
    )
    paid_out = plan(given_back, settings=style(sales_order_refunds="pay_out"), posted=known, facts=facts_)
    assert [d.kind for d in paid_out.documents] == ["sales_order", "payment", "settlement", "payout"]
    credited = plan(
        given_back, settings=style(sales_order_refunds="credit_and_pay_out"), posted=known, facts=facts_
    )
    assert [d.kind for d in credited.documents][2:] == ["settlement", "credit_memo", "payout"]


def test_only_a_posted_sales_order_is_asked_about():
    def needed(known: tuple[PostedDocument, ...]) -> tuple[str, frozenset[str]]:
        found = needs(order(), store_key="S1", rules=rules(), settings=style(), posted=known, now=NOON)
        return found.sales_order, found.payments

    first = plan(settings=style())
    assert needed(()) == ("", frozenset())
    assert needed(posted(first)) == ("", frozenset())
    assert needed(in_the_erp(plan())) == ("", frozenset())
    assert needed(in_the_erp(first)) == ("1", frozenset({"2"}))
    assert needed(in_the_erp(first, cancelled=("S1-100234-O",))) == ("", frozenset())


@given(
    paid=st.lists(st.decimals("0.01", 500, places=2), min_size=1, max_size=4),
    sold=st.lists(st.decimals("0.00", 500, places=2), min_size=1, max_size=4),
)
def test_every_cent_goes_to_one_place(paid: list[Decimal], sold: list[Decimal]):
    total = sum(paid, D(0))
    made = order(
        lines=(replace(order().lines[0], net=total, tax=D(0), gross=total, list_net=total, taxes=()),),
        charges=(),
        tenders=tuple(tender(str(amount), str(70 + n)) for n, amount in enumerate(paid)),
    )
    known = in_the_erp(plan(made, settings=style()))
    keys = [p.receipt.key for p in known if p.kind is DocumentKind.PAYMENT and p.receipt]
    invoices = tuple(invoice(str(20 + n), str(amount)) for n, amount in enumerate(sold))
    found = plan(
        made,
        settings=style(),
        posted=known,
        facts=told(*invoices, **{f"p{key}": str(amount) for key, amount in zip(keys, paid, strict=True)}),
    )
    applied = settlements(found)
    assert found.outcome is Outcome.READY
    assert sum((row[3] for row in applied), D(0)) == min(total, sum(sold, D(0)))
    assert all(row[3] > 0 for row in applied)
    assert len({row[0] for row in applied}) == len({row[1:3] for row in applied}) == len(applied)
    for of, amounts in ((1, paid), (2, sold)):
        names = [f"S1-{70 + n}-P" if of == 1 else f"9{20 + n}" for n in range(len(amounts))]
        for name, amount in zip(names, amounts, strict=True):
            assert sum((row[3] for row in applied if row[of] == name), D(0)) <= amount


@given(
    st.integers(1, 10**13).map(str),
    st.sampled_from([ReferenceKind.PAYMENT, ReferenceKind.STORE_CREDIT]),
    st.integers(0, 3),
)
def test_a_reference_tells_whose_it_is(record: str, kind: ReferenceKind, revision: int):
    assert record_of(reference("S1", record, kind, revision=revision)) == (record, kind)
