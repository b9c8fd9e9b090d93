"""How each document is written: sides, accounts, tax with base, lengths, element order; and what stands in the books."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from erp.adapters.sap_s4.journal import Unbalanced
from erp.adapters.sap_s4.spec import SPEC
from erp.contract.adapter import Receipt
from erp.contract.documents import AnyDocument, DocumentKind, DocumentLine, Use
from erp.contract.errors import Refused, TryLater
from sandbox.s4hana import company
from tests.erp.sap_s4.s4_system import GUEST, JOURNAL_PATH, S4, customer, money, running, sale, today
from tests.erp.sap_s4.test_guest_order import SFIN, rows_of, schema_of

D = Decimal
INVOICE, CREDIT, PAYMENT, PAYOUT = (
    DocumentKind.INVOICE,
    DocumentKind.CREDIT_MEMO,
    DocumentKind.PAYMENT,
    DocumentKind.PAYOUT,
)


@pytest.fixture
def s4() -> Iterator[S4]:
    with running() as system:
        yield system


def post(s4: S4, document: AnyDocument, links: dict[str, Receipt] | None = None) -> Receipt:
    return s4.open().create(document, facts=s4.facts(), links=links or {}, before_sending=lambda: None)


def sent(s4: S4) -> Any:
    """The journal entry that was sent last."""
    body = [call.sent for call in s4.calls if JOURNAL_PATH in call.url][-1]
    return etree.fromstring(body).find(".//JournalEntry")


def line(**changes: Any) -> DocumentLine:
    usual: dict[str, Any] = {
        "key": "line:9",
        "use": Use.GOODS,
        "text": "Something",
        "quantity": D(1),
        "net": D("1.00"),
        "tax": D("0.00"),
        "account": "41000000",
        "tax_code": "O0",
    }
    return DocumentLine(**{**usual, **changes})


def with_line(extra: DocumentLine, kind: DocumentKind = INVOICE, reference: str = "S1-1-I") -> Any:
    whole = sale(kind, reference)
    total = whole.total + extra.net + extra.tax
    return replace(whole, lines=(*whole.lines, extra), total=total, tax=whole.tax + extra.tax)


def test_a_sale_debits_the_customer_and_credits_everything_else(s4: S4) -> None:
    post(s4, sale(INVOICE, "S1-1-I"))
    assert rows_of(s4, "S1-1-I") == [
        (GUEST, D("15.24"), ""),
        ("41000000", D("-10.00"), "O1"),
        ("41001000", D("-5.00"), "O1"),
        ("44000000", D("1.00"), "O0"),
        ("22000000", D("0.00"), "O0"),
        ("22000000", D("-1.24"), "O1"),
    ]


def test_a_refund_is_the_sale_turned_round_on_the_same_accounts(s4: S4) -> None:
    for kind, reference in ((INVOICE, "S1-1-I"), (CREDIT, "S1-1-R")):
        post(s4, sale(kind, reference))
    turned = [(account, -amount, code) for account, amount, code in rows_of(s4, "S1-1-I")]
    assert rows_of(s4, "S1-1-R") == turned


def test_a_refunds_receipt_is_positive(s4: S4) -> None:
    made = post(s4, sale(CREDIT, "S1-1-R"))
    assert (made.total, made.tax) == (D("15.24"), D("1.24"))


def test_money_in_and_money_out_go_opposite_ways(s4: S4) -> None:
    post(s4, money(PAYMENT, "S1-77-P"))
    post(s4, money(PAYOUT, "S1-9-O"))
    assert rows_of(s4, "S1-77-P") == [(GUEST, D("-15.24"), ""), ("11001000", D("15.24"), "")]
    assert rows_of(s4, "S1-9-O") == [(GUEST, D("15.24"), ""), ("11001000", D("-15.24"), "")]


def test_each_kind_has_its_journal_entry_type(s4: S4) -> None:
    types = {}
    for kind in (INVOICE, CREDIT):
        post(s4, sale(kind, f"S1-1-{kind[0].upper()}"))
        types[kind] = sent(s4).findtext("AccountingDocumentType")
    for kind in (PAYMENT, PAYOUT):
        post(s4, money(kind, f"S1-2-{kind[:4].upper()}"))
        types[kind] = sent(s4).findtext("AccountingDocumentType")
    assert types == {INVOICE: "DR", CREDIT: "DG", PAYMENT: "DZ", PAYOUT: "DZ"}


def test_debit_and_credit_agree_with_the_sign(s4: S4) -> None:
    post(s4, sale(INVOICE, "S1-1-I"))
    for amount in sent(s4).iter("AmountInTransactionCurrency"):
        side = amount.getparent().findtext("DebitCreditCode")
        assert side == ("S" if D(amount.text) > 0 else "H") or not D(amount.text)


def test_one_tax_row_for_a_code_has_the_base_of_all_its_rows(s4: S4) -> None:
    post(s4, sale(INVOICE, "S1-1-I"))
    taxes = {
        tax.findtext("TaxCode"): (
            tax.findtext("AmountInTransactionCurrency"),
            tax.findtext("TaxBaseAmountInTransCrcy"),
        )
        for tax in sent(s4).iter("ProductTaxItem")
    }
    assert taxes == {"O0": ("0.00", "1.00"), "O1": ("-1.24", "-15.00")}


def test_a_gift_certificate_is_a_liability_without_tax_code(s4: S4) -> None:
    gift = line(use=Use.GIFT_CERTIFICATE, text="Gift", net=D("25.00"), account="21100000")
    post(s4, with_line(gift))
    assert ("21100000", D("-25.00"), "") in rows_of(s4, "S1-1-I")


def test_rounding_stands_on_its_account_with_the_exempt_code(s4: S4) -> None:
    post(s4, with_line(line(use=Use.ROUNDING, net=D("-0.02"), account="72000000", tax_code="")))
    assert ("72000000", D("0.02"), "O0") in rows_of(s4, "S1-1-I")


def test_tax_on_liability_lines_has_no_tax_code(s4: S4) -> None:
    post(s4, with_line(line(use=Use.TAX_LIABILITY, net=D("1.24"), account="22000000")))
    assert ("22000000", D("-1.24"), "") in rows_of(s4, "S1-1-I")


def test_a_code_whose_rows_come_to_nothing_still_has_its_tax_row(s4: S4) -> None:
    there = line(key="line:8", net=D("3.00"), tax_code="O2")
    back = line(key="line:9", net=D("-3.00"), tax_code="O2", account="44000000")
    whole = sale(INVOICE, "S1-1-I")
    post(s4, replace(whole, lines=(*whole.lines, there, back)))
    [tax] = [each for each in sent(s4).iter("ProductTaxItem") if each.findtext("TaxCode") == "O2"]
    assert tax.findtext("AmountInTransactionCurrency") == "0.00"
    assert tax.find("IsDirectTaxPosting") is None


def test_a_line_over_nothing_has_no_row(s4: S4) -> None:
    post(s4, with_line(line(net=D("0.00"))))
    assert len(rows_of(s4, "S1-1-I")) == 6


def test_a_sale_over_nothing_with_amounts_inside_has_no_customer_row(s4: S4) -> None:
    lines = (line(net=D("5.00")), line(key="line:2", net=D("-5.00"), account="44000000"))
    document = replace(sale(INVOICE, "S1-1-I"), lines=lines, total=D("0.00"), tax=D("0.00"))
    made = post(s4, document)
    assert [row[:2] for row in rows_of(s4, "S1-1-I")] == [
        ("41000000", D("-5.00")),
        ("44000000", D("5.00")),
        ("22000000", D("0.00")),  # their tax code has a row for the return, over nothing
    ]
    assert (made.total, made.tax) == (D(0), D(0))


def test_a_currency_without_decimals_is_sent_without_decimals(s4: S4) -> None:
    lines = (line(net=D("1000"), tax=D("0")),)
    document = replace(sale(INVOICE, "S1-1-I"), lines=lines, total=D("1000"), tax=D("0"), currency="JPY")
    post(s4, document)
    amount = sent(s4).find("DebtorItem/AmountInTransactionCurrency")
    assert (amount.text, amount.get("currencyCode")) == ("1000", "JPY")


def test_a_stored_rate_is_sent_and_none_is_left_to_SAP(s4: S4) -> None:
    post(s4, sale(INVOICE, "S1-1-I", rate=D("1.085")))
    assert sent(s4).findtext("ExchangeRate") == "1.085"
    post(s4, sale(INVOICE, "S1-2-I"))
    assert sent(s4).find("ExchangeRate") is None


def test_the_due_day_of_a_sale_is_the_plans(s4: S4) -> None:
    due = today() + timedelta(days=30)
    post(s4, sale(INVOICE, "S1-1-I", due_date=due))
    terms = sent(s4).find("DebtorItem/CashDiscountTerms")
    assert (terms.findtext("DueCalculationBaseDate"), terms.findtext("NetPaymentDays")) == (
        due.isoformat(),
        "P0D",
    )


def test_both_sides_of_clearing_carry_the_orders_number(s4: S4) -> None:
    post(s4, sale(INVOICE, "S1-1-I"))
    post(s4, money(PAYMENT, "S1-77-P"))
    rows = s4.system.journal(Customer=f"00{GUEST}")
    assert [row["AssignmentReference"] for row in rows] == ["1001", "1001"]


def test_a_one_time_account_gets_name_and_city_with_every_row() -> None:
    with running({"one_time_account": "yes"}) as s4:
        company.add_customer(s4.system.storage, "1710", "17109999", group="CPD")
        post(s4, sale(INVOICE, "S1-1-I", partner="17109999"))
        guest = sent(s4).find("DebtorItem/OneTimeCustomerDetails")
        assert {each.tag: each.text for each in guest} == {
            "Name": "Ada Lovelace",
            "ShortStreetName": "12 Main St",
            "PostlCodeforCustomer": "78701",
            "CityName": "Austin",
            "Country": "US",
            "Region": "TX",
        }
        post(s4, money(PAYMENT, "S1-77-P", partner="17109999"))
        guest = sent(s4).find("DebtorItem/OneTimeCustomerDetails")
        assert {each.tag: each.text for each in guest} == {
            "Name": "Order 1001",
            "CityName": "-",
            "Country": "US",
        }


def test_an_account_that_is_for_one_time_and_not_said_to_be_is_refused_in_SAPs_words(s4: S4) -> None:
    company.add_customer(s4.system.storage, "1710", "17109999", group="CPD")
    with pytest.raises(Refused, match="one-time account"):
        post(s4, sale(INVOICE, "S1-1-I", partner="17109999"))


def test_a_registered_customer_is_no_guest_even_before_it_has_a_number(s4: S4) -> None:
    known = s4.facts()
    known = replace(known, settings={**known.settings, "one_time_account": "yes"})
    node = SPEC.translator.payload(sale(INVOICE, "S1-1-I", partner="S1-7-C"), known, {})
    assert "OneTimeCustomerDetails" not in str(node)


def test_a_registered_customer_is_booked_to_its_own_number(s4: S4) -> None:
    partner = post(s4, customer("S1-7-C"))
    post(s4, sale(INVOICE, "S1-1-I", partner="S1-7-C"), {"S1-7-C": partner})
    assert rows_of(s4, "S1-1-I")[0] == (partner.key, D("15.24"), "")


def test_tax_by_jurisdiction_joins_rows_and_tax_by_a_group() -> None:
    codes = "O0 0 - No tax\nO1 8.25 TX00000000 Sales tax Texas"
    with running({"tax_codes": codes, "profit_center": "YB110"}) as s4:
        post(s4, sale(INVOICE, "S1-1-I"))
        entry = sent(s4)
        [tax] = [each for each in entry.iter("ProductTaxItem") if each.findtext("TaxCode") == "O1"]
        assert (tax.findtext("TaxJurisdiction"), tax.findtext("TaxItemGroup")) == ("TX00000000", "2")
        first = entry.find("Item")
        assert (first.findtext("Tax/TaxJurisdiction"), first.findtext("Tax/TaxItemGroup")) == (
            "TX00000000",
            "2",
        )
        assert first.findtext("AccountAssignment/ProfitCenter") == "YB110"
        assert first.findtext("AccountAssignment/CostCenter") == "WEB"


def test_texts_are_cut_to_16_25_and_50_characters_with_a_note(s4: S4) -> None:
    long = sale(INVOICE, "S1-0ABCDEFGHI-I", memo="Order 1001 " * 9)
    long = replace(long, lines=(replace(long.lines[0], text="Hat " * 50), *long.lines[1:]))
    fitted, notes = SPEC.translator.fit(long)
    post(s4, fitted)
    entry = sent(s4)
    assert entry.findtext("DocumentHeaderText") == "Order 1001 Order 1001 Ord"
    assert len(entry.findtext("Item/DocumentItemText")) == 50
    assert entry.findtext("DocumentReferenceID") == "S1-0ABCDEFGHI-I"
    assert notes == (
        "The header text was cut to 25 characters for SAP S/4HANA.",
        "The text of line 1 was cut to 50 characters for SAP S/4HANA.",
    )


def test_field_rules_fill_header_fields_in_the_order_of_the_wsdl(s4: S4) -> None:
    fields = (("JrnlEntryCntrySpecificRef1", "web"), ("Reference2InDocumentHeader", "channel 1"))
    post(s4, sale(INVOICE, "S1-1-I", fields=(*fields, ("DocumentHeaderText", "From a rule"))))
    entry = sent(s4)
    assert entry.findtext("Reference2InDocumentHeader") == "channel 1"
    assert entry.findtext("JrnlEntryCntrySpecificRef1") == "web"
    assert entry.findtext("DocumentHeaderText") == "From a rule"


def test_hostile_text_is_posted_as_text(s4: S4) -> None:
    text = "</Item><Item>\x00\x0b]]>&\ud800 ok\r\nnext"
    fitted, _ = SPEC.translator.fit(replace(sale(INVOICE, "S1-1-I"), memo=text))
    post(s4, fitted)
    assert sent(s4).findtext("DocumentHeaderText") == "</Item><Item>]]>& ok next"


def test_an_entry_that_does_not_balance_is_never_sent(s4: S4) -> None:
    crooked = replace(sale(INVOICE, "S1-1-I"), total=D("15.25"))
    before = len(s4.calls)
    with pytest.raises(Unbalanced, match=r"0\.01 USD"):
        s4.open().create(crooked, facts=s4.facts(), links={}, before_sending=lambda: None)
    assert not any(JOURNAL_PATH in call.url for call in s4.calls[before:])


def test_an_entry_that_shows_late_has_no_total_of_our_making(s4: S4) -> None:
    s4.system.shows_after = timedelta(seconds=60)
    made = post(s4, sale(INVOICE, "S1-1-I"))
    assert (made.total, made.tax) == (None, None)
    s4.system.clock.advance(61)
    found = s4.open().find(sale(INVOICE, "S1-1-I"))
    assert found is not None
    assert (found.key, found.total, found.tax) == (made.key, D("15.24"), D("1.24"))


def test_a_closed_period_is_told_in_SAPs_words(s4: S4) -> None:
    day = today()
    company.close_period(s4.system.storage, "1710", day.year, day.month)
    with pytest.raises(Refused, match=r"Posting period 0\d\d \d{4} is not open \(201\(F5\)\)"):
        post(s4, sale(INVOICE, "S1-1-I"))
    assert s4.system.journal() == []


def test_a_customer_of_another_company_code_is_told_in_SAPs_words(s4: S4) -> None:
    with pytest.raises(Refused, match="Customer 999 is not defined in company code 1710"):
        post(s4, sale(INVOICE, "S1-1-I", partner="999"))


def test_a_locked_record_waits_and_is_posted_later(s4: S4) -> None:
    s4.system.faults.add("locked")
    with pytest.raises(TryLater, match="locked"):
        post(s4, sale(INVOICE, "S1-1-I"))
    post(s4, sale(INVOICE, "S1-1-I"))
    assert len({row["AccountingDocument"] for row in s4.system.journal()}) == 1


def test_a_number_that_two_years_have_must_be_named_with_its_year(s4: S4) -> None:
    last_year = today().replace(year=today().year - 1, day=1)
    numbers = [
        post(s4, sale(INVOICE, reference, posting_date=day)).number
        for reference, day in (("S1-1-I", last_year), ("S1-2-I", today()))
    ]
    bare = numbers[0].partition("-")[0]
    with pytest.raises(Refused, match="several years"):
        s4.open().look_up(INVOICE, bare)
    found = s4.open().look_up(INVOICE, f"{bare}/{last_year.year}")
    assert found is not None
    assert found.number == numbers[0]


def test_a_reversal_stands_on_the_day_of_what_it_reverses(s4: S4) -> None:
    day = today() - timedelta(days=40)
    made = post(s4, sale(INVOICE, "S1-1-I", posting_date=day))
    s4.open().cancel(INVOICE, made, before_sending=lambda: None)
    assert {row["PostingDate"].date() for row in s4.system.journal(DocumentReferenceID="S1-1-I")} == {day}


def test_a_reversal_that_a_person_made_first_is_as_good(s4: S4) -> None:
    made = post(s4, sale(INVOICE, "S1-1-I"))
    first = s4.open()
    s4.open().cancel(
        INVOICE, made, before_sending=lambda: first.cancel(INVOICE, made, before_sending=lambda: None)
    )
    assert len({row["AccountingDocument"] for row in s4.system.journal()}) == 2


def test_a_reversal_turns_every_row_round(s4: S4) -> None:
    made = post(s4, sale(INVOICE, "S1-1-I"))
    s4.open().cancel(INVOICE, made, before_sending=lambda: None)
    balance: dict[str, Decimal] = {}
    for account, amount, _ in rows_of(s4, "S1-1-I"):
        balance[account] = balance.get(account, D(0)) + amount
    assert set(balance.values()) == {D(0)}


@pytest.mark.public_contract
def test_every_kind_of_entry_is_what_the_wsdl_describes(contracts: Path) -> None:
    codes = "O0 0 - No tax\nO1 8.25 TX00000000 Sales tax Texas"
    schema = schema_of(contracts / "sap-s4hana" / "JOURNALENTRYCREATEREQUESTCONFI.wsdl")
    with running({"tax_codes": codes, "profit_center": "YB110", "one_time_account": "yes"}) as s4:
        made = post(s4, sale(INVOICE, "S1-1-I", rate=D("1.085"), due_date=today() + timedelta(days=9)))
        post(
            s4,
            sale(
                CREDIT,
                "S1-9-R",
                fields=(("JrnlEntryCntrySpecificRef5", "a"), ("Reference2InDocumentHeader", "b")),
            ),
        )
        post(s4, money(PAYMENT, "S1-77-P"))
        post(s4, money(PAYOUT, "S1-9-O"))
        s4.open().cancel(INVOICE, made, before_sending=lambda: None)
        bodies = [call.sent for call in s4.calls if JOURNAL_PATH in call.url]
        assert len(bodies) == 5
        for body in bodies:
            request = etree.fromstring(body).find(".//sfin:JournalEntryBulkCreateRequest", SFIN)
            schema.assertValid(etree.ElementTree(request))
