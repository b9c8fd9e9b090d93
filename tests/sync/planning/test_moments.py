"""When an order is due, and on which day it is posted."""

from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from erp.contract.facts import Period
from erp.contract.order import OrderState, TenderKind
from erp.contract.plan import Outcome
from tests.sync.planning import books


def outcome(order, **settings):
    plan = books.plan(order, settings=books.settings(**settings))
    return plan.outcome, plan.problems[0].code if plan.problems else ""


def test_authorised_money_is_not_captured_money():
    order = books.order(tenders=(), authorised=D("32.48"), payment_status="authorized")
    plan = books.plan(order)
    assert plan.outcome is Outcome.NOT_DUE
    assert plan.problems[0].sentence == "32.48 USD are authorised and not captured."


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("post", (Outcome.READY, "")),
        ("wait", (Outcome.NOT_DUE, "not_due")),
        ("hold", (Outcome.HELD, "partly_captured")),
    ],
)
def test_a_part_capture_follows_the_policy(policy, expected):
    order = books.order(tenders=(books.tender("10.00"),), authorised=D("22.48"))
    assert outcome(order, partly_captured=policy) == expected


def test_a_gift_certificate_beside_an_open_authorisation_does_not_make_an_order_due():
    certificate = books.tender("10.00", id="giftcertificate", kind=TenderKind.GIFT_CERTIFICATE)
    assert outcome(books.order(tenders=(certificate,), authorised=D("22.48")))[0] is Outcome.NOT_DUE


def test_a_status_can_be_the_posting_moment():
    assert outcome(books.order(tenders=(), status_id="7"), posting_moment="status")[0] is Outcome.NOT_DUE
    assert outcome(books.order(tenders=(), status_id="2"), posting_moment="status")[0] is Outcome.READY


def test_shipping_can_be_the_posting_moment():
    assert outcome(books.order(), posting_moment="shipped")[0] is Outcome.NOT_DUE
    assert outcome(books.order(state=OrderState.SHIPPED), posting_moment="shipped")[0] is Outcome.READY


@pytest.mark.parametrize(
    ("policy", "day"),
    [
        ("order", date(2026, 11, 18)),  # 03:30 UTC on the 19th is still the 18th in New York
        ("capture", date(2026, 11, 20)),
        ("shipment", date(2026, 11, 21)),
        ("today", date(2026, 11, 25)),
    ],
)
def test_the_posting_date_is_a_day_where_the_erp_company_is(policy, day):
    order = books.order(shipped_at=datetime(2026, 11, 21, 20, 0, tzinfo=UTC))
    now = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
    plan = books.plan(order, settings=books.settings(posting_date=policy, due_days=14), now=now)
    invoice, payment = plan.documents
    assert invoice.posting_date == day
    assert (invoice.due_date - day).days == 14
    assert payment.posting_date == max(day, date(2026, 11, 20))  # never before the invoice it settles


def periods():
    closed = Period(first=date(2026, 11, 1), last=date(2026, 11, 30), open=False)
    return books.facts(periods=(closed, Period(first=date(2026, 12, 1), last=date(2026, 12, 31), open=True)))


def test_a_closed_period_holds_the_order_or_moves_it_to_the_next_open_day():
    held = books.plan(facts=periods())
    assert (held.outcome, held.problems[0].code) == (Outcome.HELD, "closed_period")
    moved = books.plan(facts=periods(), settings=books.settings(closed_period="next_open_day"))
    assert {document.posting_date for document in moved.documents} == {date(2026, 12, 1)}


def offline(**changes):
    return books.order(**{"tenders": (), "payment_method": "Bank Deposit", "status_id": "11", **changes})


def test_an_offline_order_waits_for_the_status_that_accepts_it():
    assert outcome(offline(status_id="7"))[0] is Outcome.NOT_DUE
    plan = books.plan(offline())
    assert books.references(plan) == ["S1-100234-I"]
    assert plan.notes == ("No transaction of the store reports the money for Bank Deposit: none is posted.",)


def test_offline_money_without_a_transaction_can_count_as_paid_or_be_held():
    plan = books.plan(offline(), settings=books.settings(offline_paid="paid"))
    payment = plan.documents[1]
    assert (payment.reference, payment.amount, payment.account) == ("S1-100234-F", D("32.48"), "1130")
    assert outcome(offline(), offline_paid="hold") == (Outcome.HELD, "paid_offline")


def test_an_incomplete_order_is_not_due():
    assert outcome(books.order(state=OrderState.INCOMPLETE))[0] is Outcome.NOT_DUE


def test_an_order_of_zero_total_is_posted_without_money_or_skipped():
    free = books.order(lines=(books.line(net="0.00", tax="0.00"),), charges=())
    assert books.references(books.plan(free)) == ["S1-100234-I"]
    assert outcome(free, zero_total="skip") == (Outcome.NOTHING, "zero_total")


def test_an_order_that_pays_an_erp_invoice_is_no_sale():
    assert outcome(books.order(is_invoice_order=True)) == (Outcome.NOTHING, "invoice_order")


@pytest.mark.parametrize(
    ("policy", "expected"), [("post", Outcome.READY), ("hold", Outcome.HELD), ("skip", Outcome.NOTHING)]
)
def test_an_archived_order_follows_the_policy(policy, expected):
    assert outcome(books.order(is_archived=True), archived=policy)[0] is expected


def test_an_order_from_before_go_live_is_not_posted():
    plan = books.plan(go_live=datetime(2026, 11, 21, tzinfo=UTC))
    assert plan.outcome is Outcome.BEFORE_GO_LIVE
    assert plan.documents == ()


def test_money_after_go_live_of_an_order_from_before_follows_the_policy():
    go_live = datetime(2026, 11, 20, tzinfo=UTC)
    order = books.order(refunds=(books.refund(),))
    held = books.plan(order, go_live=go_live)
    assert (held.outcome, held.problems[0].code) == (Outcome.HELD, "money_after_go_live")
    assert held.problems[0].arithmetic == (
        ("Captured after go-live", "32.48 USD"),
        ("Paid back after go-live", "21.65 USD"),
    )
    posted = books.plan(order, go_live=go_live, settings=books.settings(before_go_live_money="post"))
    assert books.references(posted) == ["S1-77-P", "S1-9-R", "S1-9-Y"]
    payment, credit, payout = posted.documents
    assert (payment.settles, credit.corrects, payout.settles) == ("", "", "S1-9-R")
    ignored = books.plan(order, go_live=go_live, settings=books.settings(before_go_live_money="ignore"))
    assert ignored.outcome is Outcome.BEFORE_GO_LIVE
