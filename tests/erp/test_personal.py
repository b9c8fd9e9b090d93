"""A document without its person: every kind, and what a field rule carried is in none of its corners."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    MoneyDocument,
    Origin,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
)
from erp.contract.order import Address
from erp.contract.personal import without_person
from erp.contract.plan import canonical_json

MARK = "Zaphod"
DAY = date(2026, 5, 4)
TOTAL = Origin(field="total_inc_tax", value="53.23")
RULED = Origin(field="billing.first_name", value=MARK, rule="U_Name v2")
ACCOUNT = Origin(field="payment", value="1.00", rule="clearing v1")
COMMON = {"fields": (("U_Name", MARK),), "origins": (TOTAL, RULED, ACCOUNT)}
WHERE = Address(first_name=MARK, street=f"{MARK} street", state="Texas", country_code="US")
MONEY = {"partner": "C1", "currency": "USD", "amount": Decimal("53.23"), "posting_date": DAY, **COMMON}

DOCUMENTS: list[AnyDocument] = [
    PartnerDocument(reference="S1-7-C", code="S1-7-C", name=MARK, email=f"{MARK}@example.com", billing=WHERE),
    SalesDocument(
        kind=DocumentKind.INVOICE,
        reference="S1-1-I",
        partner="C1",
        currency="USD",
        posting_date=DAY,
        document_date=DAY,
        due_date=DAY,
        lines=(),
        total=Decimal("53.23"),
        tax=Decimal("3.23"),
        billing=WHERE,
        shipping=WHERE,
        memo=f"for {MARK}",
        **COMMON,
    ),
    MoneyDocument(
        kind=DocumentKind.PAYMENT, reference="S1-1-P", account="1010", memo=f"from {MARK}", **MONEY
    ),
    SettlementDocument(reference="S1-1-S", money="S1-1-P", invoice="12", invoice_number="900", **MONEY),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.kind.value)
def test_no_kind_of_document_names_the_person_any_more(document: AnyDocument) -> None:
    assert MARK in canonical_json(document)

    cleared = without_person(document)

    assert MARK not in canonical_json(cleared)
    assert without_person(cleared) == cleared
    assert cleared.reference == document.reference


def test_where_money_and_accounts_came_from_stays_explained() -> None:
    for document in DOCUMENTS[1:]:
        cleared = without_person(document)
        assert cleared.origins == (TOTAL, replace(RULED, value=""), ACCOUNT)
        assert cleared.fields == (("U_Name", ""),)
        assert (cleared.currency, cleared.posting_date) == ("USD", DAY)
