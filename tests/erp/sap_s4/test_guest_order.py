"""A guest's order ends as one balanced journal entry for the sale and one for the money, found again whatever was lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from erp.adapters.sap_s4 import soap
from erp.adapters.sap_s4.spec import SPEC
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind
from erp.contract.errors import OutcomeUnknown
from erp.contract.plan import Outcome, Plan
from tests.erp.sap_s4.s4_system import GUEST, JOURNAL_PATH, S4, running
from tests.sync.planning import books

D = Decimal
SFIN = {"sfin": soap.SFIN}


@pytest.fixture
def s4() -> Iterator[S4]:
    with running() as system:
        yield system


def rules() -> Any:
    """The mappings of this company code."""
    return books.rules(
        **{
            "line_account": {"default": "41000000"},
            "tax_code": {"exempt": "O0", "CA Sales Tax": "O1"},
            "clearing": {"credit_card": "11001000"},
            "account.shipping": {"*": "41001000"},
            "account.rounding": {"*": "72000000"},
        }
    )


def planned(s4: S4, order: Any) -> tuple[Plan, Any]:
    facts = replace(s4.facts(partners=frozenset({GUEST})), time_zone="America/New_York")
    plan = books.plan(
        order,
        translator=SPEC.translator,
        rules=rules(),
        facts=facts,
        settings=books.settings(one_time_partner=GUEST, goods_lines="accounts"),
    )
    assert plan.outcome is Outcome.READY, plan.problems or plan.gaps
    return plan, facts


def carried_out(s4: S4, plan: Plan, facts: Any) -> dict[str, Receipt]:
    receipts: dict[str, Receipt] = {}
    for document in plan.documents:
        receipts[document.reference] = s4.open().create(
            document, facts=facts, links=receipts, before_sending=lambda: None
        )
    return receipts


def rows_of(s4: S4, reference: str) -> list[tuple[str, Decimal, str]]:
    """Account or customer, amount (debit positive) and tax code of an entry's rows."""
    return [
        (
            row["Customer"].lstrip("0") or row["GLAccount"].lstrip("0"),
            row["AmountInTransactionCurrency"],
            row["TaxCode"],
        )
        for row in s4.system.journal(DocumentReferenceID=reference)
    ]


def test_a_guests_order_is_one_entry_for_the_sale_and_one_for_the_money(s4: S4) -> None:
    plan, facts = planned(s4, books.order())
    receipts = carried_out(s4, plan, facts)
    sale, payment = plan.documents
    assert (sale.kind, payment.kind) == (DocumentKind.INVOICE, DocumentKind.PAYMENT)
    total, tax = D("32.48"), D("2.48")
    assert rows_of(s4, sale.reference) == [
        (GUEST, total, ""),
        ("41000000", D("-20.00"), "O1"),
        ("41001000", D("-10.00"), "O1"),
        ("22000000", -tax, "O1"),
    ]
    assert rows_of(s4, payment.reference) == [(GUEST, -total, ""), ("11001000", total, "")]
    assert (receipts[sale.reference].total, receipts[sale.reference].tax) == (total, tax)
    assert receipts[payment.reference].total == total
    balance = sum(
        (row["AmountInTransactionCurrency"] for row in s4.system.journal(Customer=f"00{GUEST}")), D(0)
    )
    assert balance == 0


def test_after_a_lost_answer_the_entry_is_found_and_not_posted_again(s4: S4) -> None:
    plan, facts = planned(s4, books.order())
    sale = plan.documents[0]
    s4.system.faults.add("drop", moment="after", method="POST", path=JOURNAL_PATH)
    with pytest.raises(OutcomeUnknown):
        s4.open().create(sale, facts=facts, links={}, before_sending=lambda: None)
    found = s4.open().find(sale)
    assert found is not None
    assert (found.total, found.tax, found.adopted) == (sale.total, sale.tax, True)
    assert len({row["AccountingDocument"] for row in s4.system.journal()}) == 1


@pytest.mark.public_contract
def test_what_is_sent_is_what_the_wsdl_describes(s4: S4, contracts: Path) -> None:
    plan, facts = planned(s4, books.order())
    schema = schema_of(contracts / "sap-s4hana" / "JOURNALENTRYCREATEREQUESTCONFI.wsdl")
    carried_out(s4, plan, facts)
    sent = [call.sent for call in s4.calls if JOURNAL_PATH in call.url]
    assert len(sent) == 2
    for body in sent:
        request = etree.fromstring(body).find(".//sfin:JournalEntryBulkCreateRequest", SFIN)
        schema.assertValid(etree.ElementTree(request))


@pytest.mark.public_contract
def test_what_the_sandbox_answers_is_what_the_wsdl_describes(s4: S4, contracts: Path) -> None:
    plan, facts = planned(s4, books.order())
    schema = schema_of(contracts / "sap-s4hana" / "JOURNALENTRYCREATEREQUESTCONFI.wsdl")
    carried_out(s4, plan, facts)
    for body in [call.received for call in s4.calls if JOURNAL_PATH in call.url]:
        answer = etree.fromstring(body).find(".//sfin:JournalEntryBulkCreateConfirmation", SFIN)
        schema.assertValid(etree.ElementTree(answer))


def schema_of(wsdl: Path) -> etree.XMLSchema:
    """The XML schema inside a WSDL."""
    found = etree.parse(wsdl).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    return etree.XMLSchema(etree.ElementTree(found))
