"""The plain case: goods, shipping, one captured card."""

from datetime import date
from decimal import Decimal as D

from erp.contract.documents import DocumentKind, MoneyDocument, SalesDocument, Use
from erp.contract.plan import Outcome
from erp.contract.reading import read_plan
from tests.sync.planning import books


def test_a_captured_order_becomes_an_invoice_and_a_payment_to_the_cent():
    plan = books.plan()
    assert plan.outcome is Outcome.READY
    invoice, payment = plan.documents
    assert isinstance(invoice, SalesDocument)
    assert (invoice.kind, invoice.reference, invoice.partner) == (
        DocumentKind.INVOICE,
        "S1-100234-I",
        "GUEST",
    )
    assert (invoice.total, invoice.tax, invoice.currency) == (D("32.48"), D("2.48"), "USD")
    assert invoice.posting_date == date(2026, 11, 20)
    assert invoice.document_date == date(2026, 11, 18)  # the order's evening in New York
    assert [(x.key, x.use, x.item, x.account, x.net, x.tax, x.tax_code) for x in invoice.lines] == [
        ("line:1", Use.GOODS, "A-HAT", "", D("20.00"), D("1.65"), "CA"),
        ("shipping:5", Use.SHIPPING, "", "4200", D("10.00"), D("0.83"), "CA"),
    ]
    assert isinstance(payment, MoneyDocument)
    assert (payment.kind, payment.reference, payment.settles) == (
        DocumentKind.PAYMENT,
        "S1-77-P",
        "S1-100234-I",
    )
    assert (payment.amount, payment.account, payment.posting_date) == (D("32.48"), "1110", date(2026, 11, 20))
    assert plan.tie_out.ties
    assert plan.tie_out.rounding == 0


def test_a_plan_reads_back_from_its_canonical_text():
    plan = books.plan()
    assert read_plan(plan.canonical()) == plan
