"""A sandbox that was killed comes back with what it had acknowledged."""

from __future__ import annotations

from sandbox.service_layer import Company, ServiceLayer
from sandbox.wire import Storage, serve
from tests.sandbox.service_layer.client import Client, invoice, line, payment


def opened(path) -> ServiceLayer:
    return ServiceLayer([Company.default(duplicate_guard="NumAtCard")], storage=Storage(path))


def test_every_row_and_setting_survives_a_restart(tmp_path):
    layer = opened(tmp_path / "b1.sqlite")
    with serve(layer) as server:
        work_through_a_day(Client(layer, server.url))
    live = layer.company()
    layer.storage.close()

    again = opened(tmp_path / "b1.sqlite")
    found = again.company()
    assert found is not live
    assert {name: list(rows.values()) for name, rows in found.tables.items()} == {
        name: list(rows.values()) for name, rows in live.tables.items()
    }
    for setting in ("switches", "counters", "standing_rates", "dated_rates", "periods", "series", "batches"):
        assert getattr(found, setting) == getattr(live, setting), setting
    with serve(again) as server:
        b1 = Client(again, server.url)
        b1.log_in()
        assert b1.made("Invoices", invoice(U_Ref="B"))["DocEntry"] == 5
        assert b1.refused("Invoices", invoice(NumAtCard="REF-1"))[1] == -5002
    again.storage.close()


def work_through_a_day(b1: Client) -> None:
    """Touch every kind of row, over HTTP and from Python."""
    b1.log_in()
    b1.company.add_user_field("OINV", "Ref")
    b1.company.set_rate("EUR", "1.234", "2026-01-31")
    b1.company.set_period("2026-01", "ltLocked")
    b1.layer.save()
    made = b1.made("Invoices", invoice(line("SKU-1", 3), NumAtCard="REF-1", U_Ref="A"))
    b1.made("IncomingPayments", payment(made, 30))
    b1.post("IncomingPayments(1)/Cancel")
    b1.made("IncomingPayments", payment(made, 30))
    b1.made("Orders", invoice(line("SKU-2", 2), DocDueDate="2026-12-01"))
    b1.made("Invoices", invoice({"BaseType": 17, "BaseEntry": 1, "BaseLine": 0}))
    b1.post("Invoices(2)/Cancel")
    b1.post("Orders(1)/Close")
    down = b1.made("DownPayments", invoice(line("SKU-3", 1, 50)))
    b1.made("IncomingPayments", payment(down, 50, kind="it_DownPayment"))
    b1.made(
        "Invoices", invoice(line("SKU-3", 1, 50), DownPaymentsToDraw=[{"DocEntry": 1}], DocCurrency="USD")
    )
    b1.made("CreditNotes", invoice(line("SKU-4", 1, 5)))
    b1.made("VendorPayments", payment({"CardCode": "WEBGUEST", "DocEntry": 1}, 5, kind="it_CredItnote"))
    b1.made("BusinessPartners", {"CardCode": "C1", "CardName": "Ann"})
    b1.call("PATCH", "BusinessPartners('C1')", {"CardName": "Bea"})
    b1.call("PATCH", "Invoices(1)", {"Comments": "late"})
    b1.call("DELETE", "BusinessPartners('C20000')")
    b1.company.switches.approvals = {"Orders"}
    b1.post("Orders", invoice(DocDueDate="2026-12-01"))
    b1.post("DraftsService_SaveDraftToDocument", {"Document": {"DocEntry": 1}})
