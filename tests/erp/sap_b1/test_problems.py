"""What the ERP would refuse is known before anything is sent, in a merchant's words; and the ERP does refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from erp.adapters.sap_b1.spec import SPEC
from erp.contract.documents import DocumentKind, DocumentLine, PartnerDocument, SalesDocument
from erp.contract.errors import Refused
from sandbox.service_layer import Company, add_item, set_stock
from tests.erp.sap_b1.b1_company import B1, running
from tests.erp.sap_b1.test_contract import money_document, sales_document

INVOICE = sales_document(DocumentKind.INVOICE, "S1-1-I")
GOODS, SHIPPING, DISCOUNT = INVOICE.lines
Change = Callable[[Company], object]


@pytest.fixture
def b1() -> Iterator[B1]:
    with running() as company:
        yield company


def with_lines(*lines: DocumentLine) -> SalesDocument:
    return replace(INVOICE, lines=lines)


def nothing(company: Company) -> None:
    pass


def add(code: str, **more: object) -> Change:
    return lambda company: add_item(company, code, **more)


CASES: dict[str, tuple[SalesDocument, Change, str]] = {
    "item_unknown": (with_lines(replace(GOODS, item="NOSUCH")), nothing, "Item NOSUCH does not exist"),
    "item_inactive": (
        with_lines(replace(GOODS, item="COLD")),
        add("COLD", Frozen="tYES"),
        "Item COLD is inactive",
    ),
    "item_not_sold": (
        with_lines(replace(GOODS, item="RAW")),
        add("RAW", SalesItem="tNO"),
        "not a sales item",
    ),
    "item_batch": (
        with_lines(replace(GOODS, item="MILK")),
        add("MILK", ManageBatchNumbers="tYES"),
        "batches",
    ),
    "item_serial": (
        with_lines(replace(GOODS, item="PHONE")),
        add("PHONE", ManageSerialNumbers="tYES"),
        "serial",
    ),
    "negative_stock": (
        INVOICE,
        lambda c: set_stock(c, "SKU-1", "2"),
        "the order needs 3, its warehouse has 2",
    ),
    "tax_code_unknown": (with_lines(replace(GOODS, tax_code="ZZ")), nothing, "Tax code ZZ does not exist"),
    "tax_code_inactive": (with_lines(replace(GOODS, tax_code="OLD")), nothing, "Tax code OLD is inactive"),
    "tax_code_not_for_sales": (with_lines(replace(GOODS, tax_code="BUY")), nothing, "not for sales"),
    "account_unknown": (with_lines(replace(GOODS, account="123")), nothing, "G/L account 123 does not exist"),
    "account_inactive": (with_lines(replace(GOODS, account="409900")), nothing, "409900 is inactive"),
    "account_not_postable": (with_lines(replace(GOODS, account="120000")), nothing, "control account"),
    "account_currency": (with_lines(replace(GOODS, account="111900")), nothing, "cannot take USD"),
    "warehouse_unknown": (with_lines(replace(GOODS, warehouse="99")), nothing, "Warehouse 99 does not exist"),
    "warehouse_inactive": (with_lines(replace(GOODS, warehouse="03")), nothing, "Warehouse 03 is inactive"),
    "cost_center_unknown": (
        with_lines(replace(GOODS, cost_center="X")),
        nothing,
        "Cost center X does not exist",
    ),
    "cost_center_inactive": (
        with_lines(replace(GOODS, cost_center="OLD")),
        nothing,
        "Cost center OLD is inactive",
    ),
    "freight_unknown": (
        with_lines(GOODS, replace(SHIPPING, freight_code="9")),
        nothing,
        "Freight 9 does not exist",
    ),
    "currency_unknown": (replace(INVOICE, currency="CHF"), nothing, "has no currency CHF"),
    "no_branch": (INVOICE, lambda c: setattr(c.switches, "multiple_branches", True), "has branches"),
}


@pytest.mark.parametrize("code", CASES)
def test_what_would_be_refused_is_told_first(b1: B1, code: str) -> None:
    document, change, words = CASES[code]
    change(b1.company)
    facts = b1.facts()
    found = {problem.code: problem for problem in SPEC.translator.problems(document, facts)}
    assert words in found[code].sentence
    assert found[code].way_out
    with pytest.raises(Refused):
        b1.open().create(document, facts=facts, links={}, before_sending=lambda: None)


def test_a_negative_tax_is_told(b1: B1) -> None:
    line = replace(GOODS, item="", net=Decimal("20.00"), tax=Decimal("1.65"))
    back = replace(line, key="back", net=Decimal("-30.00"), tax=Decimal("-2.48"))
    plain = replace(line, key="plain", net=Decimal("50.00"), tax=Decimal(0), tax_code="EX")
    document = replace(with_lines(line, back, plain), total=Decimal("39.17"), tax=Decimal("-0.83"))
    facts = b1.facts()
    (problem,) = SPEC.translator.problems(document, facts)
    assert problem.code == "negative_tax"
    with pytest.raises(Refused, match="negative"):
        b1.open().create(document, facts=facts, links={}, before_sending=lambda: None)


def test_lines_of_one_item_are_taken_together(b1: B1) -> None:
    set_stock(b1.company, "SKU-1", "5")
    two = with_lines(GOODS, replace(GOODS, key="again"))
    (problem,) = SPEC.translator.problems(two, b1.facts())
    assert problem.arithmetic == (("Needed", "6"), ("In stock", "5"))


def test_stock_does_not_matter_where_the_company_allows_negative_stock(b1: B1) -> None:
    b1.company.switches.block_negative_stock = False
    set_stock(b1.company, "SKU-1", "0")
    assert SPEC.translator.problems(INVOICE, b1.facts()) == ()


@pytest.mark.parametrize("kind", [DocumentKind.SALES_ORDER, DocumentKind.CREDIT_MEMO])
def test_stock_does_not_matter_for_what_takes_none(b1: B1, kind: DocumentKind) -> None:
    set_stock(b1.company, "SKU-1", "0")
    assert SPEC.translator.problems(replace(INVOICE, kind=kind), b1.facts()) == ()


def test_a_quantity_finer_than_the_company_keeps_is_told(b1: B1) -> None:
    document = with_lines(replace(GOODS, quantity=Decimal("1.0005")))
    (problem,) = SPEC.translator.problems(document, b1.facts())
    assert problem.code == "quantity_places"


def test_account_lines_need_a_service_item_and_untaxed_ones_a_tax_code(b1: B1) -> None:
    b1.settings |= {"service_item": "", "exempt_tax_code": ""}
    codes = {problem.code for problem in SPEC.translator.problems(INVOICE, b1.facts())}
    assert codes == {"no_service_item", "no_tax_code"}


def test_a_payment_needs_an_account_that_can_take_it_and_a_proved_reference(b1: B1) -> None:
    b1.settings["payment_reference_field"] = "CounterReference"
    payment = replace(money_document(DocumentKind.PAYMENT, "S1-7-P"), account="120000")
    codes = {problem.code for problem in SPEC.translator.problems(payment, b1.facts())}
    assert codes == {"account_not_postable", "no_payment_reference"}


def test_a_partner_that_is_frozen_is_told(b1: B1) -> None:
    b1.company.get("BusinessPartners", "WEBGUEST")["Frozen"] = "tYES"
    facts = b1.facts(partners=frozenset({"WEBGUEST"}))
    (problem,) = SPEC.translator.problems(INVOICE, facts)
    assert problem.sentence == "Business partner WEBGUEST is inactive in SAP Business One."


def test_a_customer_code_that_is_too_long_is_told(b1: B1) -> None:
    partner = PartnerDocument(reference="S1-1-C", code="S1-1234567890123", name="Ada", match_by="marker")
    b1.settings["partner_marker_field"] = ""
    codes = {problem.code for problem in SPEC.translator.problems(partner, b1.facts())}
    assert codes == {"partner_code_too_long", "no_marker_field"}
