"""Whatever is posted, paid, credited and taken back, in any order: the books hold together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from sandbox.service_layer import B1Error, Company, cancellation, document_rows, documents, payments

D = Decimal
ITEMS = ["SKU-1", "SKU-2", "SKU-3"]
CODES = ["EX", "T5", "NY", "T10"]
CURRENCIES = ["USD", "EUR", "JPY"]

lines = st.lists(
    st.fixed_dictionaries(
        {
            "ItemCode": st.sampled_from([*ITEMS, "FEE"]),
            "Quantity": st.integers(1, 5),
            "UnitPrice": st.decimals(0, 200, places=2),
            "TaxCode": st.sampled_from(CODES),
        },
        optional={"DiscountPercent": st.sampled_from([D("10"), D("33.3333")])},
    ),
    min_size=1,
    max_size=4,
)
freights = st.lists(
    st.fixed_dictionaries(
        {
            "ExpenseCode": st.sampled_from([1, 2]),
            "LineTotal": st.decimals(0, 30, places=2),
            "TaxCode": st.sampled_from(CODES),
        }
    ),
    max_size=1,
)


class Books(RuleBasedStateMachine):
    """A customer buys, pays, returns and changes their mind."""

    invoices = Bundle("invoices")
    credits = Bundle("credits")
    receipts = Bundle("receipts")

    @initialize(grouped=st.booleans(), rate=st.sampled_from(["1.1", "0.0067", "1.0737"]))
    def open_books(self, grouped: bool, rate: str) -> None:
        self.company = Company.default(group_lines_in_vat_calculation=grouped)
        self.company.set_rate("EUR", rate)

    @rule(target=invoices, rows=lines, extra=freights, currency=st.sampled_from(CURRENCIES))
    def sell(self, rows: list, extra: list, currency: str) -> int:
        return self._post("Invoices", rows, extra, currency)

    @rule(target=credits, rows=lines, extra=freights, currency=st.sampled_from(CURRENCIES))
    def credit(self, rows: list, extra: list, currency: str) -> int:
        return self._post("CreditNotes", rows, extra, currency)

    @rule(target=credits, entry=invoices)
    def take_back(self, entry: int) -> Any:
        invoice = self.company.get("Invoices", entry)
        bases = [
            {"BaseType": 13, "BaseEntry": entry, "BaseLine": row["LineNum"]}
            for row in invoice["DocumentLines"]
        ]
        if all(row["LineStatus"] == "bost_Open" for row in invoice["DocumentLines"]):
            return self._post("CreditNotes", bases, [], invoice["DocCurrency"])
        with pytest.raises(B1Error, match="already been closed"):
            self._post("CreditNotes", bases, [], invoice["DocCurrency"])
        return multiple()

    @rule(target=receipts, entry=invoices, share=st.sampled_from([D(1), D("0.5"), D("0.3")]))
    def pay(self, entry: int, share: Decimal) -> Any:
        invoice = self.company.get("Invoices", entry)
        currency = invoice["DocCurrency"]
        amount = self.company.places(currency).sum(document_rows.open_amount(invoice) * share)
        if amount <= 0 or invoice["DocumentStatus"] != "bost_Open":
            return multiple()
        name = "SumApplied" if currency == "USD" else "AppliedFC"
        body = {
            "CardCode": "WEBGUEST",
            "DocCurrency": currency,
            "TransferAccount": "111000",
            "TransferSum": amount,
            "PaymentInvoices": [{"DocEntry": entry, name: amount}],
        }
        return payments.post(self.company, "IncomingPayments", body)[1]["DocEntry"]

    @rule(entry=receipts)
    def bounce(self, entry: int) -> None:
        receipt = self.company.get("IncomingPayments", entry)
        if receipt["Cancelled"] == "tNO":
            payments.cancel(self.company, "IncomingPayments", receipt)

    @rule(entry=invoices)
    def cancel(self, entry: int) -> None:
        invoice = self.company.get("Invoices", entry)
        if invoice["CancelStatus"] == "csNo" and not invoice["PaidToDate"] and not invoice["PaidToDateFC"]:
            cancellation.cancel(self.company, "Invoices", invoice)

    def _post(self, name: str, rows: list, extra: list, currency: str) -> int:
        body = {
            "CardCode": "WEBGUEST",
            "DocCurrency": currency,
            "DocumentLines": rows,
            "DocumentAdditionalExpenses": extra,
        }
        return documents.post(self.company, name, body)[1]["DocEntry"]

    @invariant()
    def every_entry_balances(self) -> None:
        for entry in self.company.rows("JournalEntries"):
            rows = entry["JournalEntryLines"]
            assert sum(row["Debit"] - row["Credit"] for row in rows) == 0

    @invariant()
    def documents_add_up_in_their_own_currency(self) -> None:
        for name in ("Invoices", "CreditNotes"):
            for row in self.company.rows(name):
                foreign = row["DocCurrency"] != "USD"
                net, tax = ("RowTotalFC", "NetTaxAmountFC") if foreign else ("LineTotal", "NetTaxAmount")
                total = sum(each[net] + each[tax] for each in row["DocumentLines"])
                suffix = "FC" if foreign else ""
                total += sum(
                    each[f"LineTotal{suffix}"] + each[f"TaxSum{suffix}"]
                    for each in row["DocumentAdditionalExpenses"]
                )
                assert total == (row["DocTotalFc"] if foreign else row["DocTotal"])

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        for row in self.company.rows("Invoices"):
            assert document_rows.open_amount(row) >= 0
            if row["CancelStatus"] == "csNo":
                assert (row["DocumentStatus"] == "bost_Close") == (document_rows.open_amount(row) == 0)

    @invariant()
    def the_customer_owes_what_is_open(self) -> None:
        for currency in CURRENCIES:
            local = currency == "USD"
            debit, credit = ("Debit", "Credit") if local else ("FCDebit", "FCCredit")
            owed = sum(
                row[debit] - row[credit]
                for entry in self.company.rows("JournalEntries")
                for row in entry["JournalEntryLines"]
                if row["ShortName"] == "WEBGUEST" and row["FCCurrency"] == (None if local else currency)
            )
            assert owed == self._open("Invoices", currency) - self._open("CreditNotes", currency)

    def _open(self, name: str, currency: str) -> Decimal:
        rows = self.company.documents(name, DocCurrency=currency, CancelStatus="csNo")
        return sum((document_rows.open_amount(row) for row in rows), D(0))

    @invariant()
    def stock_is_what_was_not_sold(self) -> None:
        for item in ITEMS:
            out = sum(
                sign * row["Quantity"]
                for name, sign in (("Invoices", 1), ("CreditNotes", -1))
                for document in self.company.rows(name)
                if document["CancelStatus"] == "csNo"
                for row in document["DocumentLines"]
                if row["ItemCode"] == item
            )
            assert self.company.get("Items", item)["QuantityOnStock"] == 1000 - out


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
