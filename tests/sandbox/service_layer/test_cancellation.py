"""Cancelling and closing documents."""

from __future__ import annotations

from decimal import Decimal

from sandbox.service_layer import add_item, set_stock
from tests.sandbox.service_layer.client import exact, invoice, line, payment

D = Decimal


def test_cancelling_an_invoice_posts_a_cancellation_document_with_the_same_reference(b1):
    b1.made("Invoices", invoice(line("SKU-1", 2), NumAtCard="REF-1"))
    assert b1.post("Invoices(1)/Cancel").status_code == 204
    rows = exact(b1.get("Invoices?$filter=NumAtCard eq 'REF-1'&$orderby=DocEntry"))["value"]
    assert [(row["CancelStatus"], row["Cancelled"], row["DocumentStatus"]) for row in rows] == [
        ("csYes", "tYES", "bost_Close"),
        ("csCancellation", "tNO", "bost_Close"),
    ]
    assert b1.get("Items('SKU-1')").json()["QuantityOnStock"] == 1000
    assert b1.company.get("ChartOfAccounts", "400000")["Balance"] == 0
    assert b1.refused("Invoices(1)/Cancel")[1:] == (-5002, "Document is already cancelled")


def test_the_cancellation_document_can_be_asked_for(b1):
    b1.made("Invoices", invoice())
    answer = b1.post("Invoices(1)/CreateCancellationDocument")
    assert answer.status_code == 200
    assert (answer.json()["DocEntry"], answer.json()["CancelStatus"]) == (2, "csCancellation")


def test_a_paid_invoice_cannot_be_cancelled(b1):
    made = b1.made("Invoices", invoice())
    b1.made("IncomingPayments", payment(made, 5))
    assert "linked to payments" in b1.refused("Invoices(1)/Cancel")[2]


def test_cancelling_an_invoice_opens_its_order_again(b1):
    b1.made("Orders", invoice(line("SKU-1", 5), DocDueDate="2026-12-01"))
    b1.made("Invoices", invoice({"BaseType": 17, "BaseEntry": 1, "BaseLine": 0}))
    assert b1.get("Orders(1)").json()["DocumentStatus"] == "bost_Close"
    b1.post("Invoices(1)/Cancel")
    order = b1.get("Orders(1)").json()
    assert (order["DocumentStatus"], order["DocumentLines"][0]["RemainingOpenQuantity"]) == ("bost_Open", 5)
    item = b1.get("Items('SKU-1')").json()
    assert (item["QuantityOnStock"], item["QuantityOrderedByCustomers"]) == (1000, 5)


def test_an_order_is_closed_or_cancelled_and_releases_its_stock(b1):
    for number, action in enumerate(("Close", "Cancel"), start=1):
        b1.made("Orders", invoice(line("SKU-1", 5), DocDueDate="2026-12-01"))
        assert b1.post(f"Orders({number})/{action}").status_code == 204
        assert b1.get("Items('SKU-1')").json()["QuantityOrderedByCustomers"] == 0
        assert b1.refused(f"Orders({number})/{action}")[1] == -5002
    assert [row["Cancelled"] for row in b1.company.rows("Orders")] == ["tNO", "tYES"]
    assert b1.company.documents("Orders", CancelStatus="csCancellation") == []


def test_invoices_cannot_be_closed(b1):
    b1.made("Invoices", invoice())
    assert b1.refused("Invoices(1)/Close")[1] == -5006


def test_a_cancellation_needs_an_open_period(b1):
    b1.made("Invoices", invoice())
    b1.company.set_period(b1.company.today()[:7], "ltLocked")
    assert b1.refused("Invoices(1)/Cancel")[1] == -4013


def test_cancelling_gives_batches_and_serial_numbers_back(b1):
    add_item(b1.company, "MILK", stock="4", ManageBatchNumbers="tYES")
    add_item(b1.company, "PHONE", stock="1", ManageSerialNumbers="tYES")
    b1.company.batches.update({("MILK", "01", "B1"): D(4), ("PHONE", "01", "S1"): D(1)})
    milk = line("MILK", 4, BatchNumbers=[{"BatchNumber": "B1", "Quantity": 4}])
    phone = line("PHONE", 1, SerialNumbers=[{"InternalSerialNumber": "S1"}])
    b1.made("Invoices", invoice(milk, phone))
    assert set(b1.company.batches.values()) == {0}
    b1.post("Invoices(1)/Cancel")
    assert b1.company.batches == {("MILK", "01", "B1"): 4, ("PHONE", "01", "S1"): 1}


def test_cancelling_an_invoice_over_more_than_was_ordered_restores_the_order_alone(b1):
    b1.made("Orders", invoice(line("SKU-1", 5), DocDueDate="2026-12-01"))
    b1.made("Invoices", invoice({"BaseType": 17, "BaseEntry": 1, "BaseLine": 0, "Quantity": 7}))
    b1.post("Invoices(1)/Cancel")
    assert b1.get("Orders(1)").json()["DocumentLines"][0]["RemainingOpenQuantity"] == 5
    item = b1.get("Items('SKU-1')").json()
    assert (item["QuantityOnStock"], item["QuantityOrderedByCustomers"]) == (1000, 5)


def test_a_return_cannot_be_cancelled_when_the_goods_are_gone(b1):
    set_stock(b1.company, "SKU-1", "0")
    b1.made("CreditNotes", invoice(line("SKU-1", 1)))
    b1.made("Invoices", invoice(line("SKU-1", 1)))
    assert b1.refused("CreditNotes(1)/Cancel")[1] == -10
