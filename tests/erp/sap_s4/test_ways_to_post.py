"""Two ways to post the same entry: SAP's SOAP service, and a service of the customer's own. Both leave the same books."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from erp.adapters.sap_s4.odata_poster import entry_body
from erp.adapters.sap_s4.settings import read_names
from erp.adapters.sap_s4.spec import SPEC
from erp.contract.documents import DocumentKind
from erp.contract.errors import Misconfigured, Refused
from tests.erp.sap_s4.s4_system import S4, WRAPPED, money, running, sale

INVOICE, CREDIT, PAYMENT, PAYOUT = (
    DocumentKind.INVOICE,
    DocumentKind.CREDIT_MEMO,
    DocumentKind.PAYMENT,
    DocumentKind.PAYOUT,
)
DOCUMENTS = (
    sale(INVOICE, "S1-1-I"),
    sale(CREDIT, "S1-9-R"),
    money(PAYMENT, "S1-77-P"),
    money(PAYOUT, "S1-9-O"),
)


def books_of(settings: dict[str, str]) -> list[tuple[Any, ...]]:
    """Everything that stands in the ledger after all four documents were posted."""
    with running(settings) as s4:
        facts = s4.facts()
        for document in DOCUMENTS:
            s4.open().create(document, facts=facts, links={}, before_sending=lambda: None)
        columns = "DocumentReferenceID AccountingDocumentType Customer GLAccount AmountInTransactionCurrency TaxCode CostCenter".split()
        columns += ["TaxBaseAmountInTransCrcy", "AssignmentReference", "DocumentItemText", "PostingDate"]
        return [tuple(row[name] for name in columns) for row in s4.system.journal()]


def test_both_ways_leave_the_same_books() -> None:
    assert books_of({}) == books_of(WRAPPED)


def checks(s4: S4) -> dict[str, bool | None]:
    return {check.name: check.ok for check in s4.open().test_connection()}


SOAP, OWN = "Posting by SOAP", "Posting by your own OData service"


def test_the_connection_test_says_which_way_works() -> None:
    with running(WRAPPED) as s4:
        assert (checks(s4)[SOAP], checks(s4)[OWN]) == (True, True)
        s4.system.arrangements.discard("ZTIEOUT_JOURNAL_SRV")
        assert (checks(s4)[SOAP], checks(s4)[OWN]) == (True, False)
        s4.system.arrangements.discard("journal")
        assert (checks(s4)[SOAP], checks(s4)[OWN]) == (None, False)  # it is not what is chosen: a hint


def test_a_company_code_that_is_none_is_told_in_a_sentence() -> None:
    with running({"company_code": "9999"}) as s4:
        with pytest.raises(Misconfigured, match="no company code 9999"):
            s4.open().ping()
        assert checks(s4) == {"Sign-in": True, "Company code": False}


def test_the_connection_test_posts_nothing() -> None:
    with running(WRAPPED) as s4:
        checks(s4)
        assert s4.system.journal() == []


def test_a_way_that_is_not_set_up_is_not_spoken_of() -> None:
    with running() as s4:
        assert OWN not in checks(s4)
        assert checks(s4)[SOAP] is True


def test_a_service_that_is_not_named_is_told() -> None:
    with running({"poster": "odata"}) as s4, pytest.raises(Misconfigured, match="entity set"):
        s4.open().create(DOCUMENTS[0], facts=s4.facts(), links={}, before_sending=lambda: None)


def test_a_refusal_of_the_own_service_is_told_in_all_its_words() -> None:
    with running(WRAPPED) as s4:
        crooked = replace(DOCUMENTS[0], partner="999")
        with pytest.raises(Refused, match=r"Customer 999 is not defined in company code 1710 \(RW/609\)"):
            s4.open().create(crooked, facts=s4.facts(), links={}, before_sending=lambda: None)


def test_amounts_are_text_with_their_currency_and_groups_are_dissolved() -> None:
    with running() as s4:
        node = dict(SPEC.translator.payload(DOCUMENTS[0], s4.facts(), {}))
    body = entry_body(node, read_names("Item = to_Items\nDebitCreditCode = -\nGLAccount = Account"))
    first = body["to_Items"][0]
    assert (first["Account"], first["AmountInTransactionCurrency"], first["TransactionCurrency"]) == (
        "41000000",
        "-10.00",
        "USD",
    )
    assert (first["TaxCode"], first["CostCenter"]) == ("O1", "WEB")
    assert "DebitCreditCode" not in first
    assert not any(isinstance(value, Decimal) for value in first.values())


@pytest.mark.parametrize("line", ["Item", "Item =", "= to_Items", "Item = to Items", "Item = a'b"])
def test_a_name_that_is_none_is_told(line: str) -> None:
    with pytest.raises(Misconfigured, match="to_Items"):
        read_names(line)
