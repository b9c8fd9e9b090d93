"""Marketing documents over HTTP: what is accepted, with which amounts, and what is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.service_layer import add_item, set_stock
from tests.sandbox.service_layer.client import exact, invoice, line, payment, running

D = Decimal


def amounts(row) -> tuple[Decimal, Decimal]:
    return row["DocTotal"], row["VatSum"]


def test_an_invoice_is_computed_numbered_and_booked(b1):
    row = b1.made(
        "Invoices",
        invoice(
            line("SKU-1", 2, D("30.10"), "NY"),
            line("DISCOUNT", 1, D("-5"), "NY"),
            NumAtCard="S1-1001-I",
            DocumentAdditionalExpenses=[{"ExpenseCode": 1, "LineTotal": D("9.95"), "TaxCode": "CA"}],
        ),
    )
    # 60.20 x 8.875 % = 5.34; -5 x 8.875 % = -0.44; 9.95 x 7.25 % = 0.72
    assert amounts(row) == (D("70.77"), D("5.62"))
    assert (row["DocEntry"], row["DocNum"], row["DocumentStatus"]) == (1, 1, "bost_Open")
    assert [each["LineTotal"] for each in row["DocumentLines"]] == [D("60.2"), D("-5.0")]
    journal = b1.get(f"JournalEntries({b1.company.get('Invoices', 1)['TransNum']})").json()
    debit = sum(D(str(each["Debit"])) for each in journal["JournalEntryLines"])
    credit = sum(D(str(each["Credit"])) for each in journal["JournalEntryLines"])
    assert debit == credit == D("75.77")
    assert journal["JournalEntryLines"][0]["ShortName"] == "WEBGUEST"


def test_numbers_are_written_exactly(b1):
    answer = b1.post("Invoices", invoice(line("SKU-1", 1, D("0.1")), line("SKU-2", 1, D("0.2"))))
    assert '"DocTotal":0.3,' in answer.text
    assert '"Quantity":1.0,' in answer.text


def test_stock_leaves_with_the_invoice_unless_it_is_a_reserve_invoice(b1):
    b1.made("Invoices", invoice(line("SKU-1", 3)))
    b1.made("Invoices", invoice(line("SKU-1", 2), ReserveInvoice="tYES"))
    item = b1.get("Items('SKU-1')").json()
    assert (item["QuantityOnStock"], item["QuantityOrderedByCustomers"]) == (997, 2)


def test_negative_stock_is_refused_only_where_it_is_blocked(b1):
    set_stock(b1.company, "SKU-1", "5")
    body = invoice(line("SKU-1", 3), line("SKU-1", 3))
    assert b1.refused("Invoices", body) == (
        400,
        -10,
        "Quantity falls into negative inventory  [INV1.ItemCode][line: 2]",
    )
    b1.company.switches.block_negative_stock = False
    b1.made("Invoices", body)
    assert b1.get("Items('SKU-1')").json()["QuantityOnStock"] == -1


def test_a_service_invoice_posts_to_accounts(b1):
    body = {
        "CardCode": "WEBGUEST",
        "DocType": "dDocument_Service",
        "DocumentLines": [
            {"AccountCode": "401000", "ItemDescription": "Setup", "LineTotal": 50, "TaxCode": "T10"},
            {"AccountCode": "499000", "LineTotal": D("-0.01"), "TaxCode": "EX"},
        ],
    }
    assert amounts(b1.made("Invoices", body)) == (D("54.99"), D("5.0"))


def test_gross_prices_in_a_vat_company(vat):
    body = invoice({"ItemCode": "SKU-1", "Quantity": 3, "PriceAfterVAT": D("9.99"), "VatGroup": "S20"})
    row = vat.made("Invoices", body)
    assert amounts(row) == (D("29.97"), D("5.0"))
    assert row["DocumentLines"][0]["LineTotal"] == D("24.97")


def test_the_tax_is_grouped_where_the_company_says_so(vat):
    rows = [{"ItemCode": "SKU-1", "Quantity": 1, "UnitPrice": D("0.07"), "VatGroup": "S7"} for _ in range(10)]
    assert amounts(vat.made("Invoices", invoice(*rows)))[1] == 0
    vat.company.switches.group_lines_in_vat_calculation = True
    assert vat.post("CompanyService_GetCompanyInfo").json()["GroupLinesInVATCalculation"] == "tYES"
    assert amounts(vat.made("Invoices", invoice(*rows))) == (D("0.75"), D("0.05"))


def test_an_entered_tax_counts_only_where_overrides_are_allowed(b1):
    body = invoice(line("SKU-1", 1, 100, "T10", TaxTotal=D("9.37")))
    assert b1.made("Invoices", body)["VatSum"] == 10
    b1.company.switches.tax_override = True
    assert b1.made("Invoices", body)["VatSum"] == D("9.37")


def test_rounding_counts_in_local_currency_only(b1):
    more = {"Rounding": "tYES", "RoundingDiffAmount": D("0.03")}
    assert b1.made("Invoices", invoice(line(), **more))["DocTotal"] == D("10.03")
    foreign = b1.made("Invoices", invoice(line(), DocCurrency="EUR", **more))
    assert (foreign["DocTotalFc"], foreign["RoundingDiffAmount"]) == (10, 0)
    b1.company.switches.rounding_allowed = False
    assert b1.made("Invoices", invoice(line(), **more))["DocTotal"] == 10


def test_a_given_document_total_becomes_a_document_discount(b1):
    row = b1.made("Invoices", invoice(line("SKU-1", 1, 100, "T10"), DocTotal=99))
    assert (row["DocTotal"], row["DiscountPercent"], row["VatSum"]) == (99, 10, 9)


def test_read_only_properties_are_ignored_without_a_word(b1):
    row = b1.made("Invoices", invoice(line(), VatSum=5, DocEntry=77, Cancelled="tYES"))
    assert (row["DocEntry"], row["VatSum"], row["Cancelled"]) == (1, 0, "tNO")


@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        ({"CardCode": "NOBODY"}, -2028, "[OINV.CardCode]"),
        ({"CardCode": "V10000"}, -10, "[OINV.CardCode]"),
        ({"CardCode": None}, -10, "[OINV.CardCode]"),
        ({"DocumentLines": []}, -10, "enter item or items"),
        ({"DocumentLines": [line("NOTHING")]}, -2028, "[INV1.ItemCode][line: 1]"),
        ({"DocumentLines": [line(), line(tax="NOPE")]}, -10, "[INV1.TaxCode][line: 2]"),
        ({"DocumentLines": [line(tax="OLD")]}, -10, "Specify valid tax code"),
        ({"DocumentLines": [line(tax="BUY")]}, -10, "Specify valid tax code"),
        ({"DocumentLines": [{"ItemCode": "SKU-1"}]}, -10, "Specify valid tax code"),
        ({"DocumentLines": [line(VatGroup="S20")]}, -5002, "[INV1.VatGroup]"),
        ({"DocumentLines": [line(WarehouseCode="99")]}, -2028, "[INV1.WhsCode][line: 1]"),
        ({"DocumentLines": [line(WarehouseCode="03")]}, -10, "inactive"),
        ({"DocumentLines": [line(AccountCode="999")]}, -2028, "[INV1.AcctCode]"),
        ({"DocumentLines": [line(AccountCode="100000")]}, -10, "title account"),
        ({"DocumentLines": [line(AccountCode="409900")]}, -10, "inactive"),
        ({"DocumentLines": [line(AccountCode="120000")]}, -10, "control account"),
        ({"DocumentLines": [line(AccountCode="111900")]}, -10, "managed in EUR"),
        ({"DocumentLines": [line(CostingCode="OLD")]}, -10, "[INV1.OcrCode]"),
        ({"DocumentLines": [line(CostingCode="EAST")]}, -10, "another dimension"),
        ({"DocumentLines": [line(CostingCode="NOPE")]}, -2028, "[INV1.OcrCode]"),
        ({"DocumentLines": [line(quantity=0)]}, -10, "[INV1.Quantity]"),
        ({"DocumentLines": [line(Nothing=1)]}, -1000, "Property 'Nothing' of 'DocumentLine' is invalid"),
        ({"DocumentLines": [line(price="10")]}, -1000, "'UnitPrice'"),
        ({"DocumentLines": [line("SKU-1", 1, -10)]}, -5002, "zero or greater than zero"),
        ({"DocumentLines": [line(), line("SKU-1", 1, -5, "T10")]}, -5002, "Tax amount cannot be negative"),
        ({"Nothing": 1}, -1000, "Property 'Nothing' of 'Document' is invalid"),
        ({"U_Nothing": "1"}, -1000, "Property 'U_Nothing' of 'Document' is invalid"),
        ({"NumAtCard": 5}, -1000, "'NumAtCard'"),
        ({"DocDate": "31.12.2026"}, -1000, "'DocDate'"),
        ({"DocDate": "2026-02-30"}, -1000, "'DocDate'"),
        ({"ReserveInvoice": "maybe"}, -1000, "'ReserveInvoice'"),
        ({"NumAtCard": "x" * 101}, -1013, "'NumAtCard'"),
        ({"NumAtCard": "😀" * 51}, -1013, "'NumAtCard'"),
        ({"Comments": "x" * 255}, -1013, "'Comments'"),
        ({"JournalMemo": "x" * 51}, -1013, "'JournalMemo'"),
        ({"CardCode": "x" * 16}, -1013, "'CardCode'"),
        ({"AddressExtension": {"ShipToStreet": "x" * 101}}, -1013, "'ShipToStreet'"),
        ({"DocumentLines": [line(ItemDescription="x" * 201)]}, -1013, "'ItemDescription'"),
        ({"DocDate": "1999-01-01"}, -10, "Date deviates from permissible range"),
        ({"DocCurrency": "XXX"}, -2028, "[OINV.DocCur]"),
        ({"CardCode": "C20000", "DocCurrency": "EUR"}, -10, "differs from the business partner's"),
        ({"DocumentAdditionalExpenses": [{"ExpenseCode": 9, "LineTotal": 1}]}, -2028, "[INV3.ExpnsCode]"),
        (
            {"DocumentAdditionalExpenses": [{"ExpenseCode": 1, "LineTotal": 1, "TaxCode": "WARES"}]},
            -10,
            "[INV3.TaxCode][line: 1]",
        ),
        ({"Series": 2}, -4002, "numbering series"),
        ({"PaymentGroupCode": 77}, -2028, "[OINV.GroupNum]"),
    ],
)
def test_an_invoice_is_refused_with_code_and_place(b1, change, code, part):
    status, found, sentence = b1.refused("Invoices", invoice() | change)
    assert (status, found) == (400, code)
    assert part in sentence
    assert b1.company.documents("Invoices") == []


@pytest.mark.parametrize(
    ("name", "key", "change", "part"),
    [
        ("Items", "SKU-1", {"Frozen": "tYES"}, "Item SKU-1 is inactive"),
        ("Items", "SKU-1", {"Valid": "tNO"}, "Item SKU-1 is inactive"),
        ("Items", "SKU-1", {"ValidTo": "2020-01-01"}, "Item SKU-1 is inactive"),
        ("Items", "SKU-1", {"SalesItem": "tNO"}, "not specified as sales item"),
        ("BusinessPartners", "WEBGUEST", {"Frozen": "tYES"}, "Customer WEBGUEST is inactive"),
    ],
)
def test_what_is_switched_off_cannot_be_used(b1, name, key, change, part):
    b1.company.get(name, key).update(change)
    status, code, sentence = b1.refused("Invoices", invoice(line("SKU-1")))
    assert (status, code) == (400, -10)
    assert part in sentence


@pytest.mark.parametrize("status", ["ltLocked", "ltUnlockedExceptSales", "ltPeriodClosing"])
def test_a_locked_period_takes_no_invoice(b1, status):
    b1.company.set_period(b1.company.today()[:7], status)
    assert b1.refused("Invoices", invoice())[1:] == (
        -4013,
        "Posting period locked; specify an alternative date",
    )


def test_batches_must_be_named_and_be_there(b1):
    add_item(b1.company, "MILK", stock="10", ManageBatchNumbers="tYES")
    b1.company.batches["MILK", "01", "B1"] = D(4)
    sentence = "Cannot add row without complete selection of batch/serial numbers"
    assert b1.refused("Invoices", invoice(line("MILK", 2)))[1:] == (-4014, sentence)

    def milk(quantity: int, batch: str) -> dict:
        return invoice(line("MILK", quantity, BatchNumbers=[{"BatchNumber": batch, "Quantity": quantity}]))

    assert "does not exist" in b1.refused("Invoices", milk(2, "B2"))[2]
    assert "does not exist" in b1.refused("Invoices", milk(5, "B1"))[2]
    b1.made("Invoices", milk(4, "B1"))
    assert b1.company.batches["MILK", "01", "B1"] == 0


def test_an_order_needs_a_delivery_date_and_becomes_an_invoice(b1):
    assert b1.refused("Orders", invoice(line("SKU-1", 5)))[1] == -10
    order = b1.made("Orders", invoice(line("SKU-1", 5, 10, "T10"), DocDueDate="2026-12-01"))
    base = {"BaseType": 17, "BaseEntry": order["DocEntry"], "BaseLine": 0}
    part = b1.made("Invoices", invoice({**base, "Quantity": 2}))
    assert amounts(part) == (22, 2)
    assert b1.get("Items('SKU-1')").json()["QuantityOrderedByCustomers"] == 3
    rest = b1.made("Invoices", invoice(base))
    assert amounts(rest) == (33, 3)
    assert b1.get("Orders(1)").json()["DocumentStatus"] == "bost_Close"
    assert b1.refused("Invoices", invoice(base))[2].startswith(
        "One of the base documents has already been closed"
    )


def test_bases_must_fit(b1):
    order = b1.made("Orders", invoice(line(), DocDueDate="2026-12-01"))
    base = {"BaseType": 17, "BaseEntry": order["DocEntry"], "BaseLine": 0}
    other = b1.refused("Invoices", invoice(base, card="C20000"))
    assert other[2].startswith("Base document card and target document card do not match.")
    assert b1.refused("Invoices", invoice({**base, "BaseLine": 9}))[1] == -2028
    assert b1.refused("CreditNotes", invoice(base))[1] == -10


def test_a_credit_note_from_an_open_invoice_settles_it(b1):
    made = b1.made("Invoices", invoice(line("SKU-1", 2, 10, "T10")))
    base = {"BaseType": 13, "BaseEntry": made["DocEntry"], "BaseLine": 0, "Quantity": 1}
    credit = b1.made("CreditNotes", invoice(base))
    assert (credit["DocTotal"], credit["DocumentStatus"]) == (11, "bost_Close")
    after = exact(b1.get("Invoices(1)"))
    assert (after["PaidToDate"], after["DocumentStatus"]) == (11, "bost_Open")
    assert b1.get("Items('SKU-1')").json()["QuantityOnStock"] == 999
    assert b1.refused("CreditNotes", invoice({**base, "Quantity": -1}))[1] == -10
    too_many = b1.refused("CreditNotes", invoice({**base, "Quantity": 2}))
    assert "open quantity" in too_many[2]
    assert "open quantity" in b1.refused("CreditNotes", invoice(base, base))[2]


def test_a_paid_invoice_cannot_be_a_base_but_a_free_credit_note_can_be_paid_out(b1):
    made = b1.made("Invoices", invoice(line("SKU-1", 1, 10)))
    b1.made("IncomingPayments", payment(made, 10))
    base = {"BaseType": 13, "BaseEntry": made["DocEntry"], "BaseLine": 0}
    assert "already been closed" in b1.refused("CreditNotes", invoice(base))[2]
    credit = b1.made("CreditNotes", invoice(line("SKU-1", 1, 10, WithoutInventoryMovement="tYES")))
    assert credit["DocumentStatus"] == "bost_Open"
    b1.made("VendorPayments", payment(credit, 10, kind="it_CredItnote"))
    assert b1.get("CreditNotes(1)").json()["DocumentStatus"] == "bost_Close"
    assert b1.get("Items('SKU-1')").json()["QuantityOnStock"] == 999


def test_approvals_turn_a_document_into_a_draft(b1):
    b1.company.switches.approvals = {"Invoices"}
    answer = b1.post("Invoices", invoice(NumAtCard="REF-1"))
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/b1s/v1/Drafts(1)"
    assert answer.json()["AuthorizationStatus"] == "dasPending"
    assert b1.get("Invoices/$count").text == "0"
    drafts = b1.get("Drafts?$filter=NumAtCard eq 'REF-1' and DocObjectCode eq 'oInvoices'").json()["value"]
    assert [row["DocEntry"] for row in drafts] == [1]
    assert b1.post("DraftsService_SaveDraftToDocument", {"Document": {"DocEntry": 1}}).status_code == 204
    assert b1.company.documents("Invoices", NumAtCard="REF-1")[0]["DocTotal"] == 10


def test_the_duplicate_guard_refuses_a_second_living_document(b1):
    b1.company.switches.duplicate_guard = "NumAtCard"
    first = b1.made("Invoices", invoice(NumAtCard="REF-1"))
    status, code, sentence = b1.refused("Invoices", invoice(NumAtCard="REF-1"))
    assert (status, code) == (400, -5002)
    assert sentence.startswith("(20001) ")
    b1.post(f"Invoices({first['DocEntry']})/Cancel")
    b1.made("Invoices", invoice(NumAtCard="REF-1"))


def test_branches_are_asked_for_where_the_company_has_them(b1):
    b1.company.switches.multiple_branches = True
    assert b1.refused("Invoices", invoice())[2].startswith("Specify an active branch")
    assert b1.refused("Invoices", invoice(BPL_IDAssignedToInvoice=3))[2].startswith(
        "Specify an active branch"
    )
    assert "branch" in b1.refused("Invoices", invoice(BPL_IDAssignedToInvoice=2))[2]
    b1.made("Invoices", invoice(BPL_IDAssignedToInvoice=1))


def test_series_number_documents(b1):
    series = b1.post("SeriesService_GetDocumentSeries", {"DocumentTypeParams": {"Document": "13"}}).json()[
        "value"
    ]
    web = next(row["Series"] for row in series if row["Name"] == "Web")
    assert b1.made("Invoices", invoice(Series=web))["DocNum"] == 500001
    assert b1.made("Invoices", invoice())["DocNum"] == 1


def test_a_user_field_works_after_a_restart(b1):
    body = {"Name": "Ref", "TableName": "OINV", "Type": "db_Alpha", "Size": 5, "Description": "Reference"}
    assert b1.post("UserFieldsMD", body).status_code == 201
    assert b1.refused("UserFieldsMD", body)[1] == -2035
    assert b1.refused("Invoices", invoice(U_Ref="R-1"))[1] == -1000
    b1.company.restart()
    assert b1.made("Orders", invoice(U_Ref="R-1", DocDueDate="2026-12-01"))["U_Ref"] == "R-1"
    assert b1.get("Orders?$select=DocEntry&$filter=U_Ref eq 'R-1'").json()["value"] == [{"DocEntry": 1}]
    assert b1.refused("Invoices", invoice(U_Ref="R-1001"))[1] == -1013


def test_a_preview_posts_nothing(b1):
    row = exact(b1.post("OrdersService_Preview", {"Document": invoice(line(), DocDueDate="2026-12-01")}))
    assert row["DocTotal"] == 10
    assert b1.get("Orders/$count").text == "0"


def test_prefer_no_content_answers_the_location_alone(b1):
    answer = b1.post("Invoices", invoice(), Prefer="return-no-content")
    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers["Location"] == "/b1s/v1/Invoices(1)"


def test_a_posted_document_changes_little_and_never_disappears(b1):
    b1.made("Invoices", invoice())
    assert b1.call("PATCH", "Invoices(1)", {"Comments": "late"}).status_code == 204
    assert b1.post("Invoices(1)", {"Comments": "later"}, X_HTTP_Method_Override="PATCH").status_code == 204
    assert b1.get("Invoices(1)").json()["Comments"] == "later"
    assert b1.call("PATCH", "Invoices(1)", {"CardCode": "C20000"}).status_code == 400
    assert b1.call("DELETE", "Invoices(1)").json()["error"]["code"] == -5006


def test_an_old_etag_is_refused(b1):
    b1.made("Invoices", invoice())
    old = b1.get("Invoices(1)").json()["odata.etag"]
    assert b1.call("PATCH", "Invoices(1)", {"Comments": "one"}, If_Match=old).status_code == 204
    answer = b1.call("PATCH", "Invoices(1)", {"Comments": "two"}, If_Match=old)
    assert answer.status_code == 400
    assert "(ODBC -2039)" in answer.json()["error"]["message"]["value"]


def test_more_than_fifty_lines_and_odd_texts(b1):
    odd = "<script>alert(1)</script> =cmd|' /C calc'!A0 \u202eabc 😀"
    row = b1.made("Invoices", invoice(*(line("SKU-1", 1, D("0.01"), "T8") for _ in range(120)), Comments=odd))
    assert (row["DocTotal"], row["Comments"]) == (D("1.2"), odd)


def test_down_payments_are_paid_and_drawn(b1):
    down = b1.made("DownPayments", invoice(line("SKU-1", 1, 100, "T10"), DownPaymentPercentage=50))
    assert amounts(down) == (55, 5)
    draw = {"DownPaymentsToDraw": [{"DocEntry": down["DocEntry"]}]}
    assert "no open amount" in b1.refused("Invoices", invoice(line("SKU-1", 1, 100, "T10"), **draw))[2]
    b1.made("IncomingPayments", payment(down, 55, kind="it_DownPayment"))
    final = b1.made("Invoices", invoice(line("SKU-1", 1, 100, "T10"), **draw))
    assert amounts(final) == (55, 5)


def test_local_currency_without_decimals():
    for b1 in running(currency="JPY"):
        row = b1.made("Invoices", invoice(line("SKU-1", 3, D("333.5"), "T8")))
        assert amounts(row) == (1081, 80)


def test_user_fields_may_be_mandatory_and_have_valid_values(b1):
    b1.company.add_user_field("OINV", "Channel", values=("WEB", "SHOP"), mandatory=True)
    assert b1.refused("Invoices", invoice())[2].endswith("[OINV.U_Channel]")
    assert b1.refused("Invoices", invoice(U_Channel="web"))[1] == -1000
    assert b1.made("Invoices", invoice(U_Channel="WEB"))["U_Channel"] == "WEB"


def test_version_two_answers_in_its_own_shape(b1):
    b1.root = b1.root.replace("v1", "v2")
    row = b1.made("Invoices", invoice(DocDate="2026-11-20T00:00:00Z"))
    assert row["DocDate"] == "2026-11-20T00:00:00Z"
    assert row["@odata.context"].endswith("/b1s/v2/$metadata#Invoices/$entity")
    error = b1.post("Invoices", invoice(card="NOBODY")).json()["error"]
    assert error["code"] == "-2028"
    assert error["message"] == "[OINV.CardCode] , 'No matching records found (ODBC -2028)'"
    assert exact(b1.post("SBOBobService_GetLocalCurrency"))["value"] == "USD"


def test_put_is_not_offered(b1):
    b1.made("Invoices", invoice())
    assert b1.call("PUT", "Invoices(1)", {}).json()["error"]["code"] == -5006


def test_the_tax_of_a_line_is_shared_by_its_authorities(b1):
    row = b1.made("Invoices", invoice(line("SKU-1", 1, D("99.99"), "NY")))
    shares = row["DocumentLines"][0]["LineTaxJurisdictions"]
    assert [each["JurisdictionCode"] for each in shares] == ["NYS", "NYC", "MCTD"]
    assert sum(each["TaxAmount"] for each in shares) == row["VatSum"] == D("8.87")
    code = exact(b1.get("SalesTaxCodes('NY')"))
    assert sum(each["EffectiveRate"] for each in code["SalesTaxCodes_Lines"]) == code["Rate"]


def test_a_down_payment_leaves_its_order_open_and_the_books_in_balance(b1):
    order = b1.made("Orders", invoice(line("SKU-1", 1, 100, "T10"), DocDueDate="2026-12-01"))
    base = {"BaseType": 17, "BaseEntry": order["DocEntry"], "BaseLine": 0}
    down = b1.made("DownPayments", invoice(base, DownPaymentPercentage=50))
    b1.made("IncomingPayments", payment(down, 55, kind="it_DownPayment"))
    assert b1.get("Orders(1)").json()["DocumentStatus"] == "bost_Open"
    final = b1.made("Invoices", invoice(base, DownPaymentsToDraw=[{"DocEntry": down["DocEntry"]}]))
    b1.made("IncomingPayments", payment(final, 55))
    balances = {
        code: b1.company.get("ChartOfAccounts", code)["Balance"] for code in ("120000", "223000", "220000")
    }
    assert balances == {"120000": 0, "223000": 0, "220000": -10}
    assert b1.company.get("ChartOfAccounts", "400000")["Balance"] == -100


def test_a_row_with_a_negative_quantity_can_be_drawn_too(b1):
    b1.made("Invoices", invoice(line("SKU-1", 2, 10), line("DISCOUNT", -1, 3)))
    bases = [{"BaseType": 13, "BaseEntry": 1, "BaseLine": number} for number in (0, 1)]
    assert b1.refused("CreditNotes", invoice({**bases[1], "Quantity": 1}))[1] == -10
    assert b1.made("CreditNotes", invoice(*bases))["DocTotal"] == 17
    assert b1.get("Invoices(1)").json()["DocumentStatus"] == "bost_Close"
