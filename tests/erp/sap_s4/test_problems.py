"""What S/4HANA would refuse is told before anything is sent, in a merchant's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from erp.adapters.sap_s4.spec import SPEC
from erp.contract.documents import AnyDocument, DocumentKind, SettlementDocument
from erp.contract.facts import LedgerFacts
from sandbox.s4hana import add_account, add_cost_center
from sandbox.s4hana.company import CUSTOMERS
from tests.erp.sap_s4.s4_system import GUEST, S4, customer, money, running, sale, today

D = Decimal
INVOICE = DocumentKind.INVOICE


@pytest.fixture(scope="module")
def s4() -> Iterator[S4]:
    with running() as system:
        storage = system.system.storage
        add_account(storage, "41009000", "Closed revenue", AccountIsBlockedForPosting=True)
        add_account(storage, "41009001", "Gone revenue", AccountIsMarkedForDeletion=True)
        add_cost_center(storage, "1710", "OLD", "Old shop", until=datetime(2021, 12, 31, tzinfo=UTC))
        add_cost_center(
            storage, "1710", "SHUT", "Shut", IsBlkdForPrimaryCostsPosting="X", IsBlockedForRevenuePosting="X"
        )
        yield system


@pytest.fixture(scope="module")
def facts(s4: S4) -> LedgerFacts:
    return s4.facts(partners=frozenset({GUEST}))


def codes(document: AnyDocument, facts: LedgerFacts) -> list[str]:
    return [problem.code for problem in SPEC.translator.problems(document, facts)]


def changed(**changes: Any) -> Any:
    """The usual sale with its first line changed."""
    whole = sale(INVOICE, "S1-1-I")
    return replace(whole, lines=(replace(whole.lines[0], **changes), *whole.lines[1:]))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account": "99999999"}, "account_unknown"),
        ({"account": "41009000"}, "account_inactive"),
        ({"account": "41009001"}, "account_inactive"),
        ({"account": "94000000"}, "account_not_postable"),
        ({"account": ""}, "no_account"),
        ({"cost_center": "MOON"}, "cost_center_unknown"),
        ({"cost_center": "OLD"}, "cost_center_unknown"),
        ({"cost_center": "SHUT"}, "cost_center_inactive"),
        ({"tax_code": "Z9"}, "tax_code_unknown"),
        ({"tax_code": "O2"}, "tax_rate_differs"),
    ],
)
def test_a_line_that_would_be_refused_is_told(facts: LedgerFacts, changes: dict[str, str], code: str) -> None:
    assert code in codes(changed(**changes), facts)


def test_accounts_are_the_same_with_and_without_leading_zeros(facts: LedgerFacts) -> None:
    assert codes(changed(account="0041000000"), facts) == []


def test_a_wrong_rate_shows_its_arithmetic(facts: LedgerFacts) -> None:
    found = SPEC.translator.problems(changed(tax_code="O2"), facts)
    assert [problem.arithmetic for problem in found if problem.code == "tax_rate_differs"] == [
        (("Tax of the store", "0.83 USD"), ("At 20 %", "2.00 USD"))
    ]


def test_rounding_by_unit_is_no_wrong_rate(facts: LedgerFacts) -> None:
    whole = sale(INVOICE, "S1-1-I")
    many = replace(whole.lines[0], quantity=D(40), net=D("40.00"), tax=D("3.20"))
    document = replace(whole, lines=(many, *whole.lines[1:]), total=D("47.61"), tax=D("3.61"))
    assert codes(document, facts) == []


def test_a_field_rule_for_a_field_that_is_none_is_told(facts: LedgerFacts) -> None:
    assert codes(sale(INVOICE, "S1-1-I", fields=(("U_Channel", "1"),)), facts) == ["field_unknown"]


@pytest.mark.parametrize("user", ["", "A-USER-OF-13-C"])
def test_a_posting_user_that_the_message_cannot_carry_is_told(facts: LedgerFacts, user: str) -> None:
    without = replace(facts, settings={**facts.settings, "posting_user": user})
    for document in (sale(INVOICE, "S1-1-I"), money(DocumentKind.PAYMENT, "S1-1-P")):
        assert codes(document, without) == ["no_posting_user"]


def test_a_customer_number_that_is_too_long_is_told(facts: LedgerFacts) -> None:
    assert codes(sale(INVOICE, "S1-1-I", partner="12345678901"), facts) == ["partner_code_too_long"]
    assert codes(sale(INVOICE, "S1-1-I", partner="S1-12345678901-C"), facts) == []


def test_a_clearing_account_is_looked_at_too(facts: LedgerFacts) -> None:
    assert codes(money(DocumentKind.PAYMENT, "S1-1-P", account="1"), facts) == ["account_unknown"]


def test_a_sale_of_nothing_at_all_is_told(facts: LedgerFacts) -> None:
    whole = sale(INVOICE, "S1-1-I")
    lines = tuple(replace(line, net=D(0), tax=D(0)) for line in whole.lines)
    assert codes(replace(whole, lines=lines, total=D(0), tax=D(0)), facts) == ["nothing_to_post"]


def test_more_than_999_rows_are_told(facts: LedgerFacts) -> None:
    whole = sale(INVOICE, "S1-1-I")
    row = replace(whole.lines[2], net=D("1.00"))
    lines = tuple(replace(row, key=f"line:{number}") for number in range(998))
    assert codes(replace(whole, lines=lines, total=D(998), tax=D(0)), facts) == ["too_many_rows"]


def test_a_customer_marked_for_deletion_is_told(s4: S4) -> None:
    storage = s4.system.storage
    key = f"00{GUEST} 1710"
    row = storage.get(CUSTOMERS, key)
    storage.put(CUSTOMERS, key, row | {"DeletionIndicator": True})
    try:
        assert codes(sale(INVOICE, "S1-1-I"), s4.facts(partners=frozenset({GUEST}))) == ["partner_inactive"]
    finally:
        storage.put(CUSTOMERS, key, row)


def test_a_reconciliation_account_that_is_none_is_told(facts: LedgerFacts) -> None:
    without = replace(facts, settings={**facts.settings, "reconciliation_account": "1"})
    assert codes(customer("S1-1-C"), without) == ["account_unknown"]


@pytest.mark.parametrize(
    "document",
    [
        money(DocumentKind.DOWN_PAYMENT, "S1-1-D"),
        SettlementDocument(
            reference="S1-1-A",
            partner=GUEST,
            currency="USD",
            amount=D(1),
            posting_date=today(),
            money="S1-1-P",
            invoice="1",
            invoice_number="1",
        ),
    ],
)
def test_what_is_not_posted_to_this_system_is_told(facts: LedgerFacts, document: AnyDocument) -> None:
    assert codes(document, facts) == ["not_posted"]
