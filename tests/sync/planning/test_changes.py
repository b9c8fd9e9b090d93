"""What happens to a posted sale when its order changes, and that nothing in the books is ever rewritten."""

from decimal import Decimal as D

from erp.contract.documents import DocumentKind
from erp.contract.order import OrderState
from erp.contract.plan import Outcome
from tests.sync.planning import books

EDITED = books.order(lines=(books.line(net="15.00", tax="1.24"),), tenders=(books.tender("20.00"),))
CREDITING = books.settings(edits="credit_and_repost")


def base():
    return books.plan(books.order(tenders=(books.tender("20.00"),)))


def test_planning_again_changes_nothing():
    first = books.plan()
    again = books.plan(posted=books.posted(first))
    assert again.documents == first.documents
    assert again.tie_out == first.tie_out


def test_neither_mappings_nor_settings_nor_addresses_rewrite_a_posted_document():
    first = books.plan()
    changed = books.plan(
        books.order(message="new", billing=books.replace(books.order().billing, city="Elsewhere")),
        posted=books.posted(first),
        rules=books.rules(item={"HAT": "A-MUG"}, clearing={"credit_card": "1999"}),
        settings=books.settings(tax_mode="liability_line", posting_style="sales_order", posting_date="order"),
    )
    assert changed.documents == first.documents


def test_a_rounding_line_is_told_again_when_the_document_is_posted():
    order = books.order(lines=(books.line(net="20.00", tax="1.66"),), charges=())
    first = books.plan(order)
    assert books.plan(order, posted=books.posted(first)).tie_out == first.tie_out


def test_an_edit_after_posting_is_held_with_what_changed():
    plan = books.plan(EDITED, posted=books.posted(base()))
    assert plan.outcome is Outcome.HELD
    (problem,) = plan.problems
    assert problem.code == "edited_after_posting"
    assert problem.arithmetic == (
        ("HAT without tax", "1 for 20.00 USD, now 1 for 15.00 USD"),
        ("Total", "32.48 USD, now 27.07 USD"),
        ("Tax", "2.48 USD, now 2.07 USD"),
    )


def test_an_edit_can_credit_the_posted_document_and_post_a_new_one():
    first = base()
    plan = books.plan(EDITED, posted=books.posted(first), settings=CREDITING)
    assert books.references(plan) == ["S1-100234-I", "S1-100234-X", "S1-100234-I1", "S1-77-P"]
    old, credit, new, payment = plan.documents
    assert old == first.documents[0]
    assert (credit.kind, credit.corrects, credit.total) == (
        DocumentKind.CREDIT_MEMO,
        "S1-100234-I",
        D("32.48"),
    )
    assert [line.base_line for line in credit.lines] == ["line:1", "shipping:5"]
    assert (new.replaces, new.total) == ("S1-100234-I", D("27.07"))
    assert payment == first.documents[1]  # the money stays where it was applied
    again = books.plan(EDITED, posted=books.posted(plan), settings=CREDITING)
    assert again.documents == plan.documents


def test_an_edit_interrupted_after_the_credit_memo_goes_on_with_the_new_document():
    plan = books.plan(EDITED, posted=books.posted(base()), settings=CREDITING)
    halfway = books.posted(plan, without=("S1-100234-I1",))
    assert books.plan(EDITED, posted=halfway).documents == plan.documents


def test_a_second_edit_raises_the_revision_again():
    plan = books.plan(EDITED, posted=books.posted(base()), settings=CREDITING)
    twice = books.plan(
        books.order(lines=(books.line(net="12.00", tax="0.99"),), tenders=(books.tender("20.00"),)),
        posted=books.posted(plan),
        settings=CREDITING,
    )
    assert books.references(twice) == [
        "S1-100234-I",
        "S1-100234-X",
        "S1-100234-I1",
        "S1-100234-X1",
        "S1-100234-I2",
        "S1-77-P",
    ]


def test_an_order_with_refunds_is_never_posted_anew():
    refunded = books.replace(EDITED, refunds=(books.refund(net="5.00", tax="0.41"),))
    plan = books.plan(refunded, posted=books.posted(base()), settings=CREDITING)
    assert (plan.outcome, plan.problems[0].code) == (Outcome.HELD, "edited_after_posting")


def test_a_document_cancelled_in_the_erp_is_posted_again_under_a_new_revision():
    first = books.plan()
    plan = books.plan(posted=books.posted(first, cancelled=("S1-100234-I", "S1-77-P")))
    assert books.references(plan) == ["S1-100234-I1", "S1-77-P1"]
    assert plan.documents[1].settles == "S1-100234-I1"
    again = books.plan(
        posted=(*books.posted(first, cancelled=("S1-100234-I", "S1-77-P")), *books.posted(plan))
    )
    assert again.documents == plan.documents


def test_an_order_cancelled_before_any_money_came_is_nothing_to_post():
    plan = books.plan(books.order(state=OrderState.CANCELLED, tenders=()))
    assert (plan.outcome, plan.problems[0].code) == (Outcome.NOTHING, "cancelled")


def test_an_order_cancelled_with_money_left_is_held_and_with_all_money_back_posted_or_skipped():
    left = books.order(state=OrderState.CANCELLED)
    assert books.plan(left).problems[0].code == "cancelled_with_money"
    whole = books.refund(
        net="30.00",
        tax="2.48",
        lines=(
            books.part(books.RefundPart.PRODUCT, "20.00", "1.65", of="1"),
            books.part(books.RefundPart.SHIPPING, "10.00", "0.83", of="5"),
        ),
    )
    back = books.replace(left, refunds=(whole,))
    assert books.references(books.plan(back)) == ["S1-100234-I", "S1-77-P", "S1-9-R", "S1-9-Y"]
    assert books.plan(back, settings=books.settings(cancelled_with_money="skip")).outcome is Outcome.NOTHING


def test_a_cancellation_after_posting_is_held_or_credited():
    first = books.plan()
    cancelled = books.order(state=OrderState.CANCELLED)
    held = books.plan(cancelled, posted=books.posted(first))
    assert (held.outcome, held.problems[0].code) == (Outcome.HELD, "cancelled_after_posting")
    policy = books.settings(cancelled_after_posting="credit")
    credited = books.plan(cancelled, posted=books.posted(first), settings=policy)
    assert books.references(credited) == ["S1-100234-I", "S1-100234-X", "S1-77-P"]
    assert credited.tie_out.ties
    refunded = books.replace(cancelled, refunds=(books.refund(),))
    after = books.plan(refunded, posted=books.posted(credited), settings=policy)
    assert books.references(after) == ["S1-100234-I", "S1-100234-X", "S1-77-P", "S1-9-Y"]
    assert after.documents[-1].settles == "S1-100234-X"  # the sale is credited already: only money goes back


def test_a_declined_order_has_a_policy_of_its_own():
    first = books.plan()
    declined = books.order(state=OrderState.DECLINED)
    plan = books.plan(
        declined, posted=books.posted(first), settings=books.settings(cancelled_after_posting="credit")
    )
    assert (plan.outcome, plan.problems[0].code) == (Outcome.HELD, "declined_after_posting")


def test_a_payment_that_vanished_from_the_store_is_held():
    plan = books.plan(books.order(tenders=()), posted=books.posted(books.plan()))
    assert (plan.outcome, plan.problems[0].code) == (Outcome.HELD, "vanished")
    assert "S1-77-P" in plan.problems[0].sentence


def test_a_payment_whose_amount_changed_is_held():
    plan = books.plan(books.order(tenders=(books.tender("30.00"),)), posted=books.posted(books.plan()))
    assert (plan.outcome, plan.problems[0].code) == (Outcome.HELD, "changed_after_posting")


def test_a_sale_with_rounding_lines_is_taken_back_with_them():
    rounded = books.order(lines=(books.line(net="20.00", tax="1.66"),), charges=())
    first = books.plan(rounded)
    edited = books.order(lines=(books.line(net="30.00", tax="2.48"),), charges=(), tenders=rounded.tenders)
    plan = books.plan(edited, posted=books.posted(first), settings=CREDITING)
    credit = plan.documents[1]
    assert [line.base_line for line in credit.lines] == ["line:1", "rounding:CA", "rounding"]
    predicted = books.Ledger().predict(credit, books.facts())
    assert (predicted.total, predicted.tax) == (D("21.66"), D("1.66"))


def test_what_is_posted_needs_no_open_period_no_rate_and_no_mapping_any_more():
    order = books.order(currency="EUR", refunds=(books.refund(),))
    rates = {("EUR", day): D("1.1") for day in (books.date(2026, 11, 20), books.date(2026, 11, 24))}
    first = books.plan(order, facts=books.facts(rates=rates))
    closed = books.Period(first=books.date(2026, 1, 1), last=books.date(2026, 12, 31), open=False)
    later = books.plan(
        order,
        posted=books.posted(first),
        facts=books.facts(periods=(closed,)),
        rules=books.Rules.of([], version="9"),
    )
    assert later.outcome is Outcome.READY
    assert later.documents == first.documents
