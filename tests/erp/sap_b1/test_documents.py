"""How the documents of an order stand in the company: links, currencies, bases, addresses, settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from erp.adapters.sap_b1.spec import SPEC
from erp.contract.adapter import Receipt
from erp.contract.documents import AnyDocument, DocumentKind, DocumentLine, MoneyDocument, SalesDocument, Use
from erp.contract.errors import Refused, TryLater
from erp.contract.order import Address
from tests.erp.sap_b1.b1_company import B1, running
from tests.erp.sap_b1.test_contract import money_document, sales_document


@pytest.fixture
def b1() -> Iterator[B1]:
    with running() as company:
        yield company


def post(b1: B1, document: AnyDocument, **links: Receipt) -> Receipt:
    known = {reference.replace("_", "-"): receipt for reference, receipt in links.items()}
    return b1.open().create(document, facts=b1.facts(), links=known, before_sending=lambda: None)


def invoice(reference: str = "S1-1-I") -> SalesDocument:
    return sales_document(DocumentKind.INVOICE, reference)


def payment(**changes: object) -> MoneyDocument:
    return replace(money_document(DocumentKind.PAYMENT, "S1-77-P"), settles="S1-1-I", **changes)


def in_currency(document: SalesDocument, currency: str) -> SalesDocument:
    return replace(document, currency=currency)


def test_a_guest_order_costs_five_calls(b1: B1) -> None:
    facts = b1.facts()
    settings = {"approvals": facts.settings["approvals"]}  # what the company told when its facts were read
    b1.open(settings).find(invoice("S1-0-I"))
    start = len(b1.calls)
    erp = b1.open(settings)
    assert erp.find(invoice()) is None
    made = erp.create(invoice(), facts=facts, links={}, before_sending=lambda: None)
    assert erp.find(payment()) is None
    erp.create(payment(), facts=facts, links={"S1-1-I": made}, before_sending=lambda: None)
    assert b1.sent(start) == [
        "GET /Invoices",
        "POST /Invoices",
        "GET /IncomingPayments",
        "POST /IncomingPayments",
    ]


def test_a_payment_closes_its_invoice_by_its_entry_not_its_number(b1: B1) -> None:
    post(b1, invoice("S1-0-I"))
    made = post(b1, replace(invoice()))
    post(b1, payment(), S1_1_I=replace(made, number="4711"))
    (row,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    assert row["DocumentStatus"] == "bost_Close"
    assert row["PaidToDate"] == Decimal("15.24")


def test_two_tenders_pay_one_invoice(b1: B1) -> None:
    made = post(b1, invoice())
    post(b1, payment(amount=Decimal("10.00")), S1_1_I=made)
    post(b1, replace(payment(amount=Decimal("5.24"), account="221000"), reference="S1-1-G"), S1_1_I=made)
    (row,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    assert row["DocumentStatus"] == "bost_Close"


def test_an_invoice_in_foreign_currency_is_paid_in_it(b1: B1) -> None:
    made = post(b1, in_currency(invoice(), "EUR"))
    assert (made.total, made.tax, made.currency) == (Decimal("15.24"), Decimal("1.24"), "EUR")
    receipt = post(b1, payment(currency="EUR"), S1_1_I=made)
    assert (receipt.total, receipt.currency) == (Decimal("15.24"), "EUR")
    (row,) = b1.company.documents("IncomingPayments", U_TieoutRef="S1-77-P")
    assert row["PaymentInvoices"][0]["AppliedFC"] == Decimal("15.24")
    (paid,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    assert paid["DocumentStatus"] == "bost_Close"


def test_a_stored_rate_is_sent_the_way_round_the_company_keeps_rates() -> None:
    for direct, expected in ((True, Decimal("1.25")), (False, Decimal("0.8"))):
        with running(direct_rate=direct) as b1:
            post(b1, replace(in_currency(invoice(), "EUR"), rate=Decimal("1.25")))
            (row,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
            assert row["DocRate"] == expected
            assert row["DocTotal"] == Decimal("19.05")


def test_a_refund_of_a_paid_invoice_stands_alone_and_is_paid_out(b1: B1) -> None:
    made = post(b1, invoice())
    post(b1, payment(), S1_1_I=made)
    memo = replace(sales_document(DocumentKind.CREDIT_MEMO, "S1-9-R"), corrects="S1-1-I")
    credit = post(b1, memo, S1_1_I=made)
    payout = replace(money_document(DocumentKind.PAYOUT, "S1-9-Y"), settles="S1-9-R")
    post(b1, payout, S1_9_R=credit)
    (row,) = b1.company.documents("CreditNotes", NumAtCard="S1-9-R")
    assert row["DocumentStatus"] == "bost_Close"
    assert all(line.get("BaseType") in (None, -1) for line in row["DocumentLines"])
    (paid,) = b1.company.documents("VendorPayments", U_TieoutRef="S1-9-Y")
    assert (paid["DocType"], paid["PaymentInvoices"][0]["InvoiceType"]) == ("rCustomer", "it_CredItnote")


def test_a_credit_memo_of_an_open_invoice_is_drawn_from_it(b1: B1) -> None:
    made = post(b1, invoice())
    memo = replace(sales_document(DocumentKind.CREDIT_MEMO, "S1-1-X"), corrects="S1-1-I")
    credit = post(b1, memo, S1_1_I=made)
    assert credit.total == Decimal("15.24")
    (row,) = b1.company.documents("CreditNotes", NumAtCard="S1-1-X")
    assert [line["BaseLine"] for line in row["DocumentLines"]] == [0, 1]
    (corrected,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    assert corrected["DocumentStatus"] == "bost_Close"


def test_a_partial_credit_memo_takes_part_of_a_line_of_the_open_invoice(b1: B1) -> None:
    made = post(b1, invoice())
    hat = replace(invoice().lines[0], quantity=Decimal(1), net=Decimal("3.33"), tax=Decimal("0.27"))
    memo = replace(
        sales_document(DocumentKind.CREDIT_MEMO, "S1-9-R"),
        corrects="S1-1-I",
        lines=(hat,),
        total=Decimal("3.60"),
        tax=Decimal("0.27"),
    )
    assert post(b1, memo, S1_1_I=made).total == Decimal("3.60")
    (corrected,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    assert corrected["DocumentStatus"] == "bost_Open"
    assert corrected["DocumentLines"][0]["RemainingOpenQuantity"] == 2


def test_a_refund_of_shipping_alone_is_a_line_of_the_service_item(b1: B1) -> None:
    shipping = invoice().lines[1]
    memo = replace(
        sales_document(DocumentKind.CREDIT_MEMO, "S1-9-R"),
        lines=(shipping,),
        total=Decimal("5.41"),
        tax=Decimal("0.41"),
    )
    post(b1, memo)
    (row,) = b1.company.documents("CreditNotes", NumAtCard="S1-9-R")
    assert [line["ItemCode"] for line in row["DocumentLines"]] == ["FEE"]


def test_goods_come_back_to_stock_unless_the_connection_says_otherwise(b1: B1) -> None:
    def in_stock() -> Decimal:
        return b1.company.get("Items", "SKU-1")["QuantityOnStock"]

    post(b1, sales_document(DocumentKind.CREDIT_MEMO, "S1-1-R"))
    assert in_stock() == 1003
    b1.settings["restock"] = "no"
    post(b1, sales_document(DocumentKind.CREDIT_MEMO, "S1-2-R"))
    assert in_stock() == 1003


def test_a_reserve_invoice_moves_no_stock(b1: B1) -> None:
    b1.settings["reserve_invoice"] = "yes"
    post(b1, invoice())
    assert b1.company.get("Items", "SKU-1")["QuantityOnStock"] == 1000


@pytest.mark.parametrize("currency", ["USD", "EUR"])
@pytest.mark.parametrize("kind", ["dptInvoice", "dptRequest"])
def test_money_for_a_sales_order_is_a_down_payment_that_is_paid(b1: B1, kind: str, currency: str) -> None:
    b1.settings["down_payment_type"] = kind
    down = replace(money_document(DocumentKind.DOWN_PAYMENT, "S1-77-D"), currency=currency)
    made = post(b1, down)
    assert (made.total, made.tax) == (Decimal("15.24"), Decimal(0))
    post(b1, replace(payment(currency=currency), settles="S1-77-D"), S1_77_D=made)
    (row,) = b1.company.documents("IncomingPayments", U_TieoutRef="S1-77-P")
    assert row["PaymentInvoices"][0]["InvoiceType"] == "it_DownPayment"


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_a_taxed_down_payment_is_over_the_captured_amount_too(b1: B1, currency: str) -> None:
    b1.settings["down_payment_tax_code"] = "TX"
    made = post(b1, replace(money_document(DocumentKind.DOWN_PAYMENT, "S1-77-D"), currency=currency))
    assert (made.total, made.tax) == (Decimal("15.24"), Decimal("1.16"))


def test_a_payment_on_account_settles_nothing(b1: B1) -> None:
    receipt = post(b1, replace(payment(), settles=""))
    assert receipt.total == Decimal("15.24")
    (row,) = b1.company.documents("IncomingPayments", U_TieoutRef="S1-77-P")
    assert row["PaymentInvoices"] == []


def test_series_branch_and_the_stores_order_number_are_written(b1: B1) -> None:
    b1.company.switches.multiple_branches = True
    b1.company.add_user_field("OINV", "BC_OrderID")
    b1.settings |= {"branch": "1", "series_invoice": "21", "order_field": "U_BC_OrderID"}
    made = post(b1, replace(invoice(), store_order="1001"))
    assert made.number == "500001"
    (row,) = b1.company.documents("Invoices", U_BC_OrderID="1001")
    assert row["BPL_IDAssignedToInvoice"] == 1


def test_the_reference_may_live_in_a_user_field(b1: B1) -> None:
    b1.settings["reference_field"] = "U_TieoutRef"
    post(b1, replace(invoice(), fields=(("NumAtCard", "PO 4711"),)))
    assert b1.open().find(invoice()) is not None
    (row,) = b1.company.documents("Invoices", U_TieoutRef="S1-1-I")
    assert row["NumAtCard"] == "PO 4711"


def test_field_rules_reach_the_document(b1: B1) -> None:
    post(b1, replace(invoice(), fields=(("TrackingNumber", "1Z999"), ("SalesPersonCode", "-1"))))
    (row,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    assert (row["TrackingNumber"], row["SalesPersonCode"]) == ("1Z999", -1)


def test_both_addresses_stand_on_the_document(b1: B1) -> None:
    far = Address(street="1 High St", city="London", state="Greater London", zip_code="N1", country_code="GB")
    post(b1, replace(invoice(), shipping=far))
    (row,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    extension = row["AddressExtension"]
    assert (extension["BillToState"], extension["BillToCity"]) == ("TX", "Austin")
    assert (extension["ShipToCounty"], extension["ShipToCountry"]) == ("Greater London", "GB")
    assert not extension.get("ShipToState")


def test_the_cost_center_goes_to_the_chosen_dimension(b1: B1) -> None:
    b1.settings["cost_center_dimension"] = "2"
    line = replace(invoice().lines[0], cost_center="EAST")
    post(b1, replace(invoice(), lines=(line, *invoice().lines[1:])))
    (row,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    assert row["DocumentLines"][0]["CostingCode2"] == "EAST"


def test_sixty_lines_and_a_free_one_are_posted(b1: B1) -> None:
    first = invoice().lines[0]
    lines = tuple(replace(first, key=str(n)) for n in range(60))
    gift = replace(first, key="gift", net=Decimal(0), tax=Decimal(0))
    document = replace(invoice(), lines=(*lines, gift), total=Decimal("649.80"), tax=Decimal("49.80"))
    assert post(b1, document).total == Decimal("649.80")


def test_a_zero_invoice_is_posted_and_closed(b1: B1) -> None:
    free = replace(invoice().lines[0], net=Decimal(0), tax=Decimal(0))
    made = post(b1, replace(invoice(), lines=(free,), total=Decimal(0), tax=Decimal(0)))
    assert (made.total, made.tax) == (Decimal(0), Decimal(0))


def test_an_invoice_that_needs_approval_waits_and_is_not_sent_again(b1: B1) -> None:
    b1.company.switches.approvals = {"Invoices"}
    with pytest.raises(TryLater, match="waits for approval"):
        post(b1, invoice())
    found = b1.open().find(invoice())
    assert found is not None
    assert found.is_draft
    assert len(b1.company.documents("Drafts")) == 1


def test_a_rejected_approval_asks_a_person(b1: B1) -> None:
    b1.company.switches.approvals = {"Invoices", "IncomingPayments"}
    with pytest.raises(TryLater):
        post(b1, invoice())
    [draft] = b1.company.documents("Drafts")
    draft["AuthorizationStatus"] = "dasRejected"

    with pytest.raises(Refused, match=r"was rejected in the approval of SAP Business One \(draft \d+\)"):
        b1.open().find(invoice())


def test_a_draft_of_another_kind_does_not_count(b1: B1) -> None:
    b1.company.switches.approvals = {"Orders"}
    with pytest.raises(TryLater):
        post(b1, sales_document(DocumentKind.SALES_ORDER, "S1-1-I"))
    assert b1.open().find(invoice()) is None


def test_the_duplicate_guard_in_sap_makes_us_adopt(b1: B1) -> None:
    b1.company.switches.duplicate_guard = "NumAtCard"
    made = post(b1, invoice())
    again = post(b1, invoice())
    assert (again.key, again.adopted) == (made.key, True)
    assert len(b1.company.documents("Invoices")) == 1


def test_a_refusal_keeps_saps_own_words_and_code(b1: B1) -> None:
    wrong = replace(invoice().lines[0], item="NOSUCH")
    with pytest.raises(Refused) as caught:
        post(b1, replace(invoice(), lines=(wrong,)))
    assert caught.value.code == "-2028"
    assert "INV1.ItemCode" in caught.value.sentence


def test_a_locked_period_is_refused(b1: B1) -> None:
    b1.company.set_period(f"{date.today().year - 1}-01", "ltLocked")  # noqa: DTZ011
    day = date(date.today().year - 1, 1, 15)  # noqa: DTZ011
    with pytest.raises(Refused) as caught:
        post(b1, replace(invoice(), posting_date=day, document_date=day, due_date=day))
    assert caught.value.code == "-4013"
    assert not b1.facts().open_period(day)


def test_hostile_text_is_cut_and_stored(b1: B1) -> None:
    hostile = "=cmd|' /C calc'!A0 <script>alert(1)</script> \u202e\U0001f600" * 200 + "\x00\ud800"
    document = replace(
        invoice(),
        memo=hostile,
        lines=tuple(replace(line, text=hostile) for line in invoice().lines),
        billing=replace(invoice().billing, street=hostile, city=hostile, zip_code=hostile, state=hostile),
    )
    fitted, notes = SPEC.translator.fit(document)
    assert isinstance(fitted, SalesDocument)
    assert "The remark was cut to 254 characters for SAP Business One." in notes
    post(b1, fitted)
    (row,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    assert row["Comments"].startswith("=cmd|' /C calc'!A0 <script>")


def test_a_discount_on_an_account_is_a_negative_quantity_of_the_service_item(b1: B1) -> None:
    post(b1, invoice())
    (row,) = b1.company.documents("Invoices", NumAtCard="S1-1-I")
    line = row["DocumentLines"][1]
    assert (line["ItemCode"], line["AccountCode"], line["Quantity"], line["LineTotal"]) == (
        "FEE",
        "409000",
        -1,
        -1,
    )


def test_a_line_total_that_no_unit_price_gives_is_still_exact(b1: B1) -> None:
    b1.company.switches.price_decimals = 2
    odd = DocumentLine(
        key="1",
        use=Use.GOODS,
        text="Nuts",
        quantity=Decimal(7),
        net=Decimal("100.00"),
        tax=Decimal("8.25"),
        item="SKU-2",
        tax_code="TX",
    )
    for currency in ("USD", "GBP"):
        document = replace(
            invoice(f"S1-{currency}"),
            lines=(odd,),
            total=Decimal("108.25"),
            tax=Decimal("8.25"),
            currency=currency,
        )
        assert post(b1, document).total == Decimal("108.25")
