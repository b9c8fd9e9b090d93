"""Payments: what is applied, what is refused, and what taking one back does."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.service_layer.client import exact, invoice, line, payment

D = Decimal


@pytest.fixture
def bill(b1):
    return b1.made("Invoices", invoice(line("SKU-1", 1, 100)))


def test_a_payment_in_full_closes_the_invoice(b1, bill):
    paid = b1.made("IncomingPayments", payment(bill, 100, CounterReference="S1-77-P"))
    assert (paid["DocEntry"], paid["Cancelled"], paid["DocType"]) == (1, "tNO", "rCustomer")
    after = exact(b1.get("Invoices(1)"))
    assert (after["PaidToDate"], after["DocumentStatus"]) == (100, "bost_Close")
    found = b1.get("IncomingPayments?$filter=CounterReference eq 'S1-77-P' and Cancelled eq 'tNO'").json()
    assert [row["DocEntry"] for row in found["value"]] == [1]


def test_split_tenders_pay_one_after_the_other(b1, bill):
    b1.made("IncomingPayments", payment(bill, 60))
    b1.made("IncomingPayments", payment(bill, 40, TransferAccount="221000"))
    assert b1.get("Invoices(1)").json()["DocumentStatus"] == "bost_Close"


def test_means_may_be_mixed_and_the_rest_is_on_account(b1, bill):
    body = payment(bill, 50) | {
        "CashSum": 20,
        "PaymentCreditCards": [{"CreditCard": 1, "CreditSum": 40, "VoucherNum": "1"}],
    }
    b1.made("IncomingPayments", body)
    assert b1.get("Invoices(1)").json()["PaidToDate"] == 50


def test_a_payment_on_account_needs_no_invoice(b1):
    body = {"CardCode": "WEBGUEST", "TransferAccount": "111000", "TransferSum": 10}
    b1.made("IncomingPayments", body)
    (entry,) = b1.company.documents("JournalEntries")
    assert [(each["AccountCode"], each["Debit"], each["Credit"]) for each in entry["JournalEntryLines"]] == [
        ("111000", 10, 0),
        ("120000", 0, 10),
    ]


@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        (
            {"TransferSum": 101, "PaymentInvoices": [{"DocEntry": 1, "SumApplied": 101}]},
            -10,
            "greater than invoice",
        ),
        ({"TransferSum": 99}, -5002, "less than the amount applied"),
        ({"TransferSum": 0}, -5002, "less than the amount applied"),
        ({"TransferAccount": None}, -5002, "Specify a bank transfer account"),
        ({"TransferAccount": "nope"}, -2028, "[ORCT.TrsfrAcct]"),
        ({"TransferAccount": "100000"}, -10, "title account"),
        ({"TransferSum": -1}, -5002, "negative"),
        ({"PaymentInvoices": [{"DocEntry": 9, "SumApplied": 100}]}, -2028, "[RCT2.DocEntry][line: 1]"),
        ({"PaymentInvoices": [{"SumApplied": 100}]}, -2028, "[RCT2.DocEntry]"),
        ({"PaymentInvoices": [{"DocEntry": 1, "SumApplied": 0}]}, -10, "greater than invoice"),
        ({"PaymentInvoices": [{"DocEntry": 1, "SumApplied": 50}] * 2}, -5002, "paid twice"),
        (
            {"PaymentInvoices": [{"DocEntry": 1, "InvoiceType": "it_JournalEntry"}]},
            -5002,
            "cannot be paid here",
        ),
        ({"PaymentInvoices": [], "TransferSum": 0}, -5002, "Specify payment means"),
        ({"CardCode": "C20000"}, -5002, "another business partner"),
        ({"CardCode": "NOBODY"}, -2028, "[ORCT.CardCode]"),
        ({"CounterReference": "123456789"}, -1013, "'CounterReference'"),
        ({"NumAtCard": "REF"}, -1000, "Property 'NumAtCard' of 'Payment' is invalid"),
        ({"DocDate": "1999-01-01"}, -10, "permissible range"),
        ({"PaymentCreditCards": [{"CreditCard": 9, "CreditSum": 1}]}, -2028, "[RCT3.CreditCard]"),
        ({"PaymentCreditCards": [{"CreditCard": 1, "CreditSum": 1}]}, -5002, "voucher"),
        ({"DocType": "rAccount", "PaymentAccounts": []}, -5002, "do not equal"),
    ],
)
def test_a_payment_is_refused_with_code_and_place(b1, bill, change, code, part):
    status, found, sentence = b1.refused("IncomingPayments", payment(bill, 100) | change)
    assert (status, found) == (400, code)
    assert part in sentence
    assert b1.company.documents("IncomingPayments") == []
    assert b1.get("Invoices(1)").json()["PaidToDate"] == 0


def test_a_closed_invoice_cannot_be_paid_again(b1, bill):
    b1.made("IncomingPayments", payment(bill, 100))
    assert b1.refused("IncomingPayments", payment(bill, 1))[1:] == (
        -10,
        "Invoice is already closed or blocked  [Message 3524-20]",
    )


def test_a_wider_counter_reference_can_be_switched_on(b1, bill):
    b1.company.lengths["Payment.CounterReference"] = 100
    b1.made("IncomingPayments", payment(bill, 100, CounterReference="S1-100234-P"))


def test_payments_have_user_fields_of_their_own(b1, bill):
    b1.company.add_user_field("ORCT", "Ref")
    b1.made("IncomingPayments", payment(bill, 100, U_Ref="S1-77-P"))
    assert len(b1.get("IncomingPayments?$filter=U_Ref eq 'S1-77-P'").json()["value"]) == 1
    assert b1.refused("Invoices", invoice(U_Ref="x"))[1] == -1000


def test_cancelling_a_payment_opens_the_invoice_again(b1, bill):
    b1.made("IncomingPayments", payment(bill, 100))
    assert b1.post("IncomingPayments(1)/Cancel").status_code == 204
    after = exact(b1.get("Invoices(1)"))
    assert (after["PaidToDate"], after["DocumentStatus"]) == (0, "bost_Open")
    assert b1.refused("IncomingPayments(1)/Cancel")[1:] == (-5002, "Document is already cancelled")
    b1.made("IncomingPayments", payment(bill, 100))
    balance = sum(
        each["Debit"] - each["Credit"]
        for entry in b1.company.rows("JournalEntries")
        for each in entry["JournalEntryLines"]
        if each["ShortName"] == "WEBGUEST"
    )
    assert balance == 0


def test_a_credit_note_can_be_set_off_against_an_invoice(b1, bill):
    credit = b1.made("CreditNotes", invoice(line("SKU-1", 1, 30)))
    body = payment(bill, 70)
    body["PaymentInvoices"] = [
        {"DocEntry": bill["DocEntry"], "SumApplied": 100},
        {"DocEntry": credit["DocEntry"], "SumApplied": -30, "InvoiceType": "it_CredItnote"},
    ]
    b1.made("IncomingPayments", body)
    assert b1.get("Invoices(1)").json()["DocumentStatus"] == "bost_Close"
    assert b1.get("CreditNotes(1)").json()["DocumentStatus"] == "bost_Close"


def test_refunds_are_paid_out_with_outgoing_payments(b1):
    credit = b1.made("CreditNotes", invoice(line("SKU-1", 1, 30)))
    refused = b1.refused("VendorPayments", payment(credit, 31, kind="it_CredItnote"))
    assert "greater than invoice" in refused[2]
    b1.made("VendorPayments", payment(credit, 10, kind="it_CredItnote"))
    b1.made("VendorPayments", payment(credit, 20, kind="it_CredItnote"))
    assert b1.get("CreditNotes(1)").json()["DocumentStatus"] == "bost_Close"


def test_the_guard_watches_payments_too(b1, bill):
    b1.company.switches.duplicate_guard = "NumAtCard"
    b1.made("IncomingPayments", payment(bill, 50, CounterReference="S1-77-P"))
    assert b1.refused("IncomingPayments", payment(bill, 50, CounterReference="S1-77-P"))[1] == -5002


def test_a_payment_draft_changes_no_books_and_can_be_removed(b1, bill):
    draft = b1.made("PaymentDrafts", payment(bill, 100, DocObjectCode="bopot_IncomingPayments"))
    assert b1.get("Invoices(1)").json()["PaidToDate"] == 0
    assert b1.call("DELETE", f"PaymentDrafts({draft['DocEntry']})").status_code == 204
    assert b1.get("PaymentDrafts(1)").status_code == 404


def test_approvals_turn_a_payment_into_a_draft(b1, bill):
    b1.company.switches.approvals = {"IncomingPayments"}
    answer = b1.post("IncomingPayments", payment(bill, 100))
    assert answer.headers["Location"] == "/b1s/v1/PaymentDrafts(1)"
    assert answer.json()["AuthorizationStatus"] == "pasPending"
    assert b1.get("IncomingPayments/$count").text == "0"
    assert b1.post("PaymentDrafts(1)/SaveDraftToDocument").status_code == 204
    assert b1.get("Invoices(1)").json()["DocumentStatus"] == "bost_Close"
    assert b1.get("PaymentDrafts/$count").text == "0"


def test_some_versions_cut_a_long_reference_without_a_word(b1, bill):
    b1.company.cuts = {"Payment.CounterReference"}
    assert b1.made("IncomingPayments", payment(bill, 100, CounterReference="S1-100234-P"))[
        "CounterReference"
    ] == ("S1-10023")
