"""Documents and payments in other currencies than the company's own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.service_layer.client import exact, invoice, line, payment, running

D = Decimal


def test_totals_are_kept_in_both_currencies(b1):
    b1.company.set_rate("EUR", "1.1", "2026-01-31")
    row = b1.made(
        "Invoices", invoice(line("SKU-1", 3, D("9.99"), "T7"), DocCurrency="EUR", DocDate="2026-01-31")
    )
    assert (row["DocTotalFc"], row["VatSumFc"]) == (D("32.07"), D("2.1"))
    assert (row["DocTotal"], row["VatSum"], row["DocRate"]) == (D("35.28"), D("2.31"), D("1.1"))
    only = row["DocumentLines"][0]
    assert (only["RowTotalFC"], only["LineTotal"], only["Currency"]) == (D("29.97"), D("32.97"), "EUR")


def test_local_documents_have_no_foreign_totals(b1):
    row = b1.made("Invoices", invoice())
    assert (row["DocTotalFc"], row["VatSumFc"], row["DocCurrency"]) == (0, 0, "USD")


def test_line_totals_are_local_and_row_totals_foreign(b1):
    b1.company.set_rate("EUR", "2")
    row = b1.made(
        "Invoices",
        invoice(
            {"ItemCode": "SKU-1", "LineTotal": 10, "TaxCode": "EX"},
            {"ItemCode": "SKU-1", "RowTotalFC": 10, "TaxCode": "EX"},
            DocCurrency="EUR",
            DocumentAdditionalExpenses=[{"ExpenseCode": 1, "LineTotal": 3, "TaxCode": "EX"}],
        ),
    )
    assert [each["RowTotalFC"] for each in row["DocumentLines"]] == [5, 10]
    freight = row["DocumentAdditionalExpenses"][0]
    assert (freight["LineTotal"], freight["LineTotalFC"]) == (6, 3)
    assert (row["DocTotalFc"], row["DocTotal"]) == (18, 36)


def test_a_day_without_a_rate_is_refused_unless_the_document_brings_one(b1):
    b1.company.set_rate("EUR", None)
    body = invoice(DocCurrency="EUR")
    assert b1.refused("Invoices", body)[1:] == (-4006, "Update the exchange rate , 'EUR'")
    rate = {"Currency": "EUR", "Date": b1.company.today().replace("-", "")}
    assert b1.refused("SBOBobService_GetCurrencyRate", rate)[1] == -4006
    assert b1.made("Invoices", {**body, "DocRate": D("1.25")})["DocTotal"] == D("12.5")
    set_rate = {"Currency": "EUR", "RateDate": rate["Date"], "Rate": "1.5"}
    assert b1.post("SBOBobService_SetCurrencyRate", set_rate).status_code == 204
    assert b1.post("SBOBobService_GetCurrencyRate", rate).text == "1.5"


def test_rates_may_be_indirect():
    for b1 in running(direct_rate=False):
        b1.company.set_rate("EUR", "0.8")
        assert b1.made("Invoices", invoice(DocCurrency="EUR"))["DocTotal"] == D("12.5")


@pytest.mark.parametrize(
    ("currency", "price", "total"), [("JPY", "333.5", "1001"), ("KWD", "0.3335", "1.001")]
)
def test_a_currency_has_its_own_decimals(b1, currency, price, total):
    row = b1.made("Invoices", invoice(line("SKU-1", 3, D(price)), DocCurrency=currency))
    assert row["DocTotalFc"] == D(total)


def test_a_foreign_invoice_is_paid_in_its_currency_and_closed(b1):
    made = b1.made("Invoices", invoice(line("SKU-1", 1, D("9.99")), DocCurrency="EUR"))
    body = payment(made, D("9.99"), DocCurrency="EUR")
    body["PaymentInvoices"][0] = {"DocEntry": 1, "AppliedFC": D("9.99"), "InvoiceType": "it_Invoice"}
    paid = b1.made("IncomingPayments", body)
    assert paid["PaymentInvoices"][0]["SumApplied"] == made["DocTotal"]
    after = exact(b1.get("Invoices(1)"))
    assert (after["DocumentStatus"], after["PaidToDate"], after["PaidToDateFC"]) == (
        "bost_Close",
        made["DocTotal"],
        D("9.99"),
    )


def test_a_foreign_invoice_may_be_paid_in_local_currency_at_the_days_rate(b1):
    b1.company.set_rate("EUR", "2")
    made = b1.made("Invoices", invoice(line("SKU-1", 1, 10), DocCurrency="EUR"))
    b1.made("IncomingPayments", payment(made, 20, DocCurrency="USD"))
    assert b1.get("Invoices(1)").json()["DocumentStatus"] == "bost_Close"


def test_a_local_invoice_cannot_be_paid_in_another_currency(b1):
    made = b1.made("Invoices", invoice())
    assert (
        "differs from the document's"
        in b1.refused("IncomingPayments", payment(made, 10, DocCurrency="EUR"))[2]
    )


def test_an_account_of_one_currency_takes_no_other(b1):
    made = b1.made("Invoices", invoice())
    refused = b1.refused("IncomingPayments", payment(made, 10, TransferAccount="111900"))
    assert "managed in EUR" in refused[2]


def test_foreign_journal_entries_balance_in_both_currencies(b1):
    b1.company.set_rate("EUR", "1.0737")
    lines = [line("SKU-1", 1, D("3.33"), "NY") for _ in range(7)]
    b1.made("Invoices", invoice(*lines, DocCurrency="EUR"))
    (entry,) = b1.company.documents("JournalEntries")
    for debit, credit in (("Debit", "Credit"), ("FCDebit", "FCCredit")):
        assert sum(each[debit] for each in entry["JournalEntryLines"]) == sum(
            each[credit] for each in entry["JournalEntryLines"]
        )
