"""Internal reconciliation, and what the ERP's own people make of a sales order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.service_layer import people
from tests.sandbox.service_layer.client import Client, exact, invoice, line, payment

D = Decimal
ASK = "InternalReconciliationsService_GetOpenTransactions"


def on_account(amount: Any, *, card: str = "WEBGUEST", **more: Any) -> dict:
    return {"CardCode": card, "TransferAccount": "111000", "TransferSum": amount, **more}


def open_rows(b1: Client, card: str = "WEBGUEST", **more: Any) -> list[dict]:
    asked = {"CardOrAccount": "coaCard", "InternalReconciliationBPs": [{"BPCode": card}], **more}
    answer = exact(b1.post(ASK, {"InternalReconciliationOpenTransParams": asked}))
    return answer["InternalReconciliationOpenTransRows"]


def chosen(rows: list[dict], *amounts: Any) -> dict:
    """What is sent: the open transactions, selected, each with its amount."""
    picked = [
        {"Selected": "tYES", "ReconcileAmount": amount}
        | {name: row[name] for name in ("TransId", "TransRowId")}
        for row, amount in zip(rows, amounts, strict=True)
    ]
    return {"CardOrAccount": "coaCard", "InternalReconciliationOpenTransRows": picked}


def paid_and_invoiced(b1: Client, paid: Any = 100, sold: Any = 100) -> tuple[dict, dict]:
    made = b1.made("IncomingPayments", on_account(paid))
    return made, b1.made("Invoices", invoice(line("SKU-1", 1, sold)))


def test_open_transactions_name_their_documents_sides_and_what_is_left(b1):
    paid, sold = paid_and_invoiced(b1, 100, 60)
    b1.made("IncomingPayments", payment(sold, 10))
    assert [
        (r["SrcObjTyp"], r["SrcObjAbs"], r["CreditOrDebit"], r["ReconcileAmount"]) for r in open_rows(b1)
    ] == [("13", sold["DocEntry"], "codDebit", 50), ("24", paid["DocEntry"], "codCredit", 100)]
    assert open_rows(b1, FromDate="2020-01-01", ToDate="2020-12-31") == []
    assert open_rows(b1, card="C20000") == []


def test_a_payment_on_account_settles_an_invoice_in_part(b1):
    paid_and_invoiced(b1, 100, 60)
    made = b1.made("InternalReconciliations", chosen(open_rows(b1), 60, 60))
    assert (made["ReconNum"], made["ReconType"], made["Total"], made["CancelAbs"]) == (1, "rtManual", 60, 0)
    assert [(r["SrcObjTyp"], r["ReconcileAmount"]) for r in made["InternalReconciliationRows"]] == [
        ("13", 60),
        ("24", 60),
    ]
    assert b1.get("Invoices(1)").json()["DocumentStatus"] == "bost_Close"
    assert [(r["SrcObjTyp"], r["ReconcileAmount"]) for r in open_rows(b1)] == [("24", 40)]


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ((60, 50), "Unbalanced"),
        ((70, 70), "greater than the balance due"),
        ((0, 0), "greater than the balance due"),
    ],
)
def test_amounts_that_do_not_fit_are_refused_and_change_nothing(b1, amounts, said):
    paid_and_invoiced(b1, 100, 60)
    before = open_rows(b1)
    assert said in b1.refused("InternalReconciliations", chosen(before, *amounts))[2]
    assert open_rows(b1) == before


def test_what_is_reconciled_already_is_refused(b1):
    paid_and_invoiced(b1)
    body = chosen(open_rows(b1), 100, 100)
    b1.made("InternalReconciliations", body)
    assert b1.refused("InternalReconciliations", body)[1:] == (
        -5002,
        "Transaction is already reconciled  [ITR1.TransId]",
    )


def test_only_selected_transactions_count(b1):
    paid_and_invoiced(b1)
    body = chosen(open_rows(b1), 100, 100)
    body["InternalReconciliationOpenTransRows"][0]["Selected"] = "tNO"
    assert "Select the transactions" in b1.refused("InternalReconciliations", body)[2]


def test_transactions_of_two_partners_are_refused(b1):
    b1.made("IncomingPayments", on_account(10, card="C20000"))
    b1.made("Invoices", invoice(line("SKU-1", 1, 10)))
    body = chosen([*open_rows(b1), *open_rows(b1, card="C20000")], 10, 10)
    assert "different business partners" in b1.refused("InternalReconciliations", body)[2]


def test_a_partner_of_all_currencies_is_reconciled_in_local_currency(b1):
    b1.company.set_rate("EUR", "1.10")
    b1.made("IncomingPayments", on_account(100, DocCurrency="EUR"))
    b1.made("Invoices", invoice(line("SKU-1", 1, 100), DocCurrency="EUR"))
    rows = open_rows(b1)
    assert [row["ReconcileAmount"] for row in rows] == [110, 110]
    b1.made("InternalReconciliations", chosen(rows, 110, 110))
    assert open_rows(b1) == []
    assert b1.company.get("Invoices", 1)["PaidToDateFC"] == 100


def test_transactions_of_two_currencies_are_refused(b1):
    b1.company.set_rate("EUR", "1.00")
    b1.made("IncomingPayments", on_account(100))
    b1.made("Invoices", invoice(line("SKU-1", 1, 100), DocCurrency="EUR"))
    assert "different currencies" in b1.refused("InternalReconciliations", chosen(open_rows(b1), 100, 100))[2]


def test_a_payment_of_a_down_payment_request_cannot_be_reconciled(b1):
    request = {"DownPaymentType": "dptRequest", "DocDueDate": "2026-12-01"}
    down = b1.made("DownPayments", invoice(line("FEE", 1, 40), **request))
    paid = payment(down, 40, kind="it_DownPayment") | {"TransferSum": 100}
    b1.made("IncomingPayments", paid)
    b1.made("Invoices", invoice(line("SKU-1", 1, 60)))
    rows = open_rows(b1)
    assert "down payment requests" in b1.refused("InternalReconciliations", chosen(rows, 60, 60))[2]


def test_what_was_reconciled_is_cancelled_only_after_its_reconciliation(b1):
    paid_and_invoiced(b1)
    b1.made("InternalReconciliations", chosen(open_rows(b1), 100, 100))
    sentence = "You cannot cancel manually reconciled documents; cancel reconciliations 1 first"
    assert b1.refused("Invoices(1)/Cancel")[2] == sentence
    assert b1.refused("IncomingPayments(1)/Cancel")[2] == sentence

    assert b1.post("InternalReconciliations(1)/Cancel").status_code == 204

    assert [row["ReconcileAmount"] for row in open_rows(b1)] == [100, 100]
    kept = exact(b1.get("InternalReconciliations?$orderby=ReconNum"))["value"]
    assert [(r["ReconNum"], r["ReconType"], r["CancelAbs"]) for r in kept] == [
        (1, "rtManual", 2),
        (2, "rtReversal", 1),
    ]
    assert b1.refused("InternalReconciliations(1)/Cancel")[1] == -5002
    assert b1.post("Invoices(1)/Cancel").status_code == 204


def test_the_lines_of_invoices_are_found_by_their_base(b1):
    for _ in range(2):
        b1.made("Orders", invoice(line("SKU-1", 4), line("SKU-2", 1), DocDueDate="2026-12-01"))
    people.invoice_order(b1.company, 2, quantities={0: D(1)})
    people.invoice_order(b1.company, 2)
    joined = (
        "$crossjoin(Invoices,Invoices/DocumentLines)?$expand=Invoices($select=DocEntry),"
        "Invoices/DocumentLines($select=BaseEntry,Quantity)&$filter=Invoices/DocEntry eq "
        "Invoices/DocumentLines/DocEntry and Invoices/DocumentLines/BaseType eq 17 and "
        "Invoices/DocumentLines/BaseEntry eq 2&$orderby=Invoices/DocEntry"
    )
    rows = exact(b1.get(joined))["value"]
    assert [(r["Invoices"]["DocEntry"], r["Invoices/DocumentLines"]["Quantity"]) for r in rows] == [
        (1, 1),
        (2, 3),
        (2, 1),
    ]
    first = exact(b1.get(joined, Prefer="odata.maxpagesize=2"))
    assert len(first["value"]) == 2
    assert len(exact(b1.get(first["odata.nextLink"]))["value"]) == 1
    assert (
        b1.get(joined.replace("Invoices/DocEntry eq Invoices/DocumentLines/DocEntry and ", "")).status_code
        == 400
    )


def test_a_delivered_order_is_invoiced_from_its_delivery_and_stock_leaves_once(b1):
    b1.made("Orders", invoice(line("SKU-1", 4), DocDueDate="2026-12-01"))
    delivery = people.deliver_order(b1.company, 1, quantities={0: D(3)})
    made = people.invoice_delivery(b1.company, delivery["DocEntry"])
    assert [(r["BaseType"], r["BaseEntry"]) for r in made["DocumentLines"]] == [(15, 1)]
    assert b1.get("Items('SKU-1')").json()["QuantityOnStock"] == 997
    assert b1.get("Items('SKU-1')").json()["QuantityOrderedByCustomers"] == 1
    assert b1.company.get("DeliveryNotes", 1)["DocumentStatus"] == "bost_Close"
    b1.post("Invoices(1)/Cancel")
    assert b1.company.get("DeliveryNotes", 1)["DocumentStatus"] == "bost_Open"
    assert b1.get("Items('SKU-1')").json()["QuantityOnStock"] == 997


def test_a_whole_order_is_invoiced_with_its_freight(b1):
    freight = {"DocumentAdditionalExpenses": [{"ExpenseCode": 1, "LineTotal": 5, "TaxCode": "EX"}]}
    b1.made("Orders", invoice(line("SKU-1", 2), DocDueDate="2026-12-01", **freight))
    assert people.invoice_order(b1.company, 1)["DocTotal"] == 25
