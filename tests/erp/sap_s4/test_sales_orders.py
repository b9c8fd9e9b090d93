"""Sales orders: priced to the cent by the store, taxed by SAP, proved by the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from erp.adapters.sap_s4.spec import SPEC
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind, MoneyDocument, SalesDocument
from erp.contract.errors import Refused
from erp.contract.facts import LedgerFacts
from erp.contract.plan import Outcome
from sandbox.s4hana import add_product
from tests.erp.sap_s4.s4_system import GUEST, S4, customer, running, sale
from tests.erp.sap_s4.test_guest_order import carried_out
from tests.sync.planning import books

D = Decimal
ORDER = DocumentKind.SALES_ORDER


@pytest.fixture
def s4() -> Iterator[S4]:
    with running() as system:
        add_product(system.system.storage, "OLD", "Old hat", IsMarkedForDeletion=True)
        yield system


def facts(s4: S4) -> LedgerFacts:
    return s4.facts(items=frozenset({"HAT", "OLD", "MOON"}), partners=frozenset({GUEST}))


def post(s4: S4, document: SalesDocument, links: dict[str, Receipt] | None = None) -> Receipt:
    return s4.open().create(document, facts=facts(s4), links=links or {}, before_sending=lambda: None)


def with_hat(**changes: Any) -> SalesDocument:
    """The usual order with its first line changed."""
    whole = sale(ORDER, "S1-1-O")
    return replace(whole, lines=(replace(whole.lines[0], **changes), *whole.lines[1:]))


def test_articles_and_what_is_none_stand_on_their_materials(s4: S4) -> None:
    made = post(s4, sale(ORDER, "S1-1-O"))
    [row] = s4.system.storage.rows("A_SalesOrder")
    assert [(item["Material"], item["NetAmount"], item["TaxAmount"]) for item in row["to_Item"]] == [
        ("HAT", D("10.00"), D("0.83")),
        ("SERVICE", D("5.00"), D("0.41")),
        ("SERVICE-EX", D("-1.00"), D("0.00")),
    ]
    assert (row["PurchaseOrderByCustomer"], row["SoldToParty"]) == ("S1-1-O", f"00{GUEST}")
    assert (made.total, made.tax, made.number) == (D("15.24"), D("1.24"), "10")


@pytest.mark.parametrize(
    ("net", "pieces"), [("10.00", "3"), ("0.01", "7"), ("99.99", "64"), ("1.00", "99999")]
)
def test_a_price_that_cannot_be_divided_is_not_divided(s4: S4, net: str, pieces: str) -> None:
    tax = (D(net) * D("8.25") / 100).quantize(D("0.01"), "ROUND_HALF_UP")
    document = with_hat(net=D(net), quantity=D(pieces), tax=tax)
    made = post(s4, replace(document, total=sum((x.net + x.tax for x in document.lines), D(0))))
    [row] = s4.system.storage.rows("A_SalesOrder")
    assert row["to_Item"][0]["NetAmount"] == D(net)
    assert made.total == document.lines[0].net + tax + D("4.41")


def test_a_registered_customer_is_the_sold_to_party(s4: S4) -> None:
    partner = s4.open().create(customer("S1-7-C"), facts=s4.facts(), links={}, before_sending=lambda: None)
    post(s4, sale(ORDER, "S1-1-O", partner="S1-7-C"), {"S1-7-C": partner})
    assert s4.system.storage.rows("A_SalesOrder")[0]["SoldToParty"] == partner.key.zfill(10)


def test_a_guests_order_is_a_sales_order_and_its_money_an_entry_on_account(s4: S4) -> None:
    plan = books.plan(
        books.order(),
        translator=SPEC.translator,
        rules=with_items(),
        facts=replace(facts(s4), time_zone="America/New_York"),
        settings=books.settings(one_time_partner=GUEST, posting_style="sales_order"),
    )
    assert plan.outcome is Outcome.READY, plan.problems or plan.gaps
    order, money = plan.documents
    assert isinstance(money, MoneyDocument)
    assert (order.kind, money.settles) == (ORDER, "")
    receipts = carried_out(s4, plan, facts(s4))
    assert (receipts[order.reference].total, receipts[order.reference].tax) == (D("32.48"), D("2.48"))
    assert [row["AmountInTransactionCurrency"] for row in s4.system.journal(Customer=f"00{GUEST}")] == [
        D("-32.48")
    ]


def test_tax_that_rounds_otherwise_is_closed_by_a_pair_of_lines(s4: S4) -> None:
    """The store rounds the tax of each of three hats, SAP that of the line: a pair on the service materials makes up for it."""
    three = books.line(net="1.00", tax="0.09", quantity=D(3))  # 8.25 % of 1.00 is 0.0825, of a third 0.03
    plan = books.plan(
        books.order(lines=(three,), charges=()),
        translator=SPEC.translator,
        rules=with_items(),
        facts=replace(facts(s4), time_zone="America/New_York"),
        settings=books.settings(one_time_partner=GUEST, posting_style="sales_order"),
    )
    assert plan.outcome is Outcome.READY, plan.problems or plan.gaps
    receipts = carried_out(s4, plan, facts(s4))
    posted = receipts[plan.documents[0].reference]
    assert (posted.total, posted.tax) == (D("1.09"), D("0.09"))
    [row] = s4.system.storage.rows("A_SalesOrder")
    assert {item["Material"] for item in row["to_Item"]} == {"HAT", "SERVICE", "SERVICE-EX"}


def with_items() -> Any:
    """The usual mappings, with an item for each SKU."""
    return books.rules(
        **{
            "item": {"HAT": "HAT"},
            "tax_code": {"exempt": "O0", "CA Sales Tax": "O1"},
            "clearing": {"credit_card": "11001000"},
            "account.shipping": {"*": "41001000"},
            "account.rounding": {"*": "72000000"},
        }
    )


def test_an_order_that_was_rejected_in_part_still_stands(s4: S4) -> None:
    made = post(s4, sale(ORDER, "S1-1-O"))
    [row] = s4.system.storage.rows("A_SalesOrder")
    row["to_Item"][0]["SalesDocumentRjcnReason"] = "10"
    s4.system.storage.put("A_SalesOrder", row["SalesOrder"], row | {"OverallSDDocumentRejectionSts": "B"})
    found = s4.open().find(sale(ORDER, "S1-1-O"))
    assert found is not None
    s4.open().cancel(ORDER, made, before_sending=lambda: None)
    assert s4.open().find(sale(ORDER, "S1-1-O")) is None
    assert [call.method for call in s4.calls].count("PATCH") == 2  # what was rejected before is left alone


def test_two_orders_under_one_reference_are_for_a_person(s4: S4) -> None:
    for _ in range(2):
        post(s4, sale(ORDER, "S1-1-O"))
    with pytest.raises(Refused, match="S1-1-O: 10, 11"):
        s4.open().find(sale(ORDER, "S1-1-O"))
    assert s4.open().numbers_by_reference(ORDER, ["S1-1-O", "S1-2-O"]) == {
        "S1-1-O": ["10", "11"],
        "S1-2-O": [],
    }


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (with_hat(item="MOON"), "item_unknown"),
        (with_hat(item="OLD"), "item_inactive"),
        (with_hat(quantity=D("1.5")), "quantity_places"),
        (with_hat(quantity=D("100000")), "quantity_places"),
        (with_hat(tax_code="Z9"), "tax_code_unknown"),
        (sale(ORDER, "S1-1-O", fields=(("A", "b"),)), "field_unknown"),
    ],
)
def test_what_would_be_refused_is_told(s4: S4, document: SalesDocument, code: str) -> None:
    assert code in [problem.code for problem in SPEC.translator.problems(document, facts(s4))]


@pytest.mark.parametrize(
    ("setting", "code"), [("division", "no_sales_area"), ("service_material", "no_service_material")]
)
def test_what_the_connection_does_not_name_is_told(s4: S4, setting: str, code: str) -> None:
    known = facts(s4)
    without = replace(known, settings={**known.settings, setting: ""})
    assert code in [problem.code for problem in SPEC.translator.problems(sale(ORDER, "S1-1-O"), without)]
