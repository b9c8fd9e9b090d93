"""SAP Business One keeps every promise of the contract, against the sandbox's Service Layer over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from erp.adapters.sap_b1.spec import SPEC
from erp.contract.adapter import Adapter, Receipt
from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    DocumentLine,
    MoneyDocument,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
    Use,
)
from erp.contract.facts import LedgerFacts
from erp.contract.order import Address
from sandbox.service_layer import people
from tests.erp.contract_suite import AdapterContract
from tests.erp.sap_b1.b1_company import B1, running, today

SETS = {
    DocumentKind.PARTNER: "BusinessPartners",
    DocumentKind.INVOICE: "Invoices",
    DocumentKind.SALES_ORDER: "Orders",
    DocumentKind.DOWN_PAYMENT: "DownPayments",
    DocumentKind.CREDIT_MEMO: "CreditNotes",
    DocumentKind.PAYMENT: "IncomingPayments",
    DocumentKind.PAYOUT: "VendorPayments",
    DocumentKind.SETTLEMENT: "InternalReconciliations",
}
HOME = Address(
    first_name="Ada",
    last_name="Lovelace",
    street="12 Main St",
    city="Austin",
    state="TX",
    zip_code="78701",
    country_code="US",
)


def sales_document(kind: DocumentKind, reference: str, *, tax_code: str = "TX") -> SalesDocument:
    """Goods, freight, a discount on an account, in US dollars: 8.25 percent tax."""
    lines = (
        DocumentLine(
            key="line:1",
            use=Use.GOODS,
            text="Hat, blue",
            quantity=Decimal(3),
            net=Decimal("10.00"),
            tax=Decimal("0.83"),
            item="SKU-1",
            account="400000",
            cost_center="WEB",
            tax_code=tax_code,
        ),
        DocumentLine(
            key="shipping",
            use=Use.SHIPPING,
            text="UPS Ground",
            quantity=Decimal(1),
            net=Decimal("5.00"),
            tax=Decimal("0.41"),
            freight_code="1",
            tax_code=tax_code,
        ),
        DocumentLine(
            key="discount",
            use=Use.DISCOUNT,
            text="SAVE1",
            quantity=Decimal(1),
            net=Decimal("-1.00"),
            tax=Decimal(0),
            account="409000",
        ),
    )
    day = today()
    return SalesDocument(
        kind=kind,
        reference=reference,
        partner="WEBGUEST",
        currency="USD",
        posting_date=day,
        document_date=day,
        due_date=day,
        lines=lines,
        total=Decimal("15.24"),
        tax=Decimal("1.24"),
        billing=HOME,
        shipping=HOME,
        memo="BigCommerce order 1001",
    )


def money_document(kind: DocumentKind, reference: str) -> MoneyDocument:
    return MoneyDocument(
        kind=kind,
        reference=reference,
        partner="WEBGUEST",
        currency="USD",
        amount=Decimal("15.24"),
        account="111000",
        posting_date=today(),
        method="card",
        tender="pi_1",
    )


class B1World:
    """The sandbox's view, and the adapter on it."""

    spec = SPEC

    def __init__(self, b1: B1) -> None:
        self.b1 = b1

    def open(self) -> Adapter:
        return self.b1.open()

    def facts(self) -> LedgerFacts:
        return self.b1.facts()

    def document(self, kind: DocumentKind, reference: str) -> AnyDocument:
        if kind is DocumentKind.PARTNER:
            return PartnerDocument(
                reference=reference,
                code=reference,
                name="Ada Lovelace",
                email="ada@example.com",
                billing=HOME,
                shipping=(HOME,),
            )
        if kind in (DocumentKind.INVOICE, DocumentKind.SALES_ORDER, DocumentKind.CREDIT_MEMO):
            return sales_document(kind, reference)
        return money_document(kind, reference)

    def standing(self, kind: DocumentKind, reference: str) -> int:
        name = (
            "U_TieoutRef"
            if kind in (DocumentKind.PARTNER, DocumentKind.PAYMENT, DocumentKind.PAYOUT)
            else "NumAtCard"
        )
        rows = self.b1.company.documents(SETS[kind], **{name: reference})
        return sum(
            row.get("Cancelled", "tNO") == "tNO" and row.get("CancelStatus", "csNo") == "csNo" for row in rows
        )

    def posted_by_somebody_else(self, document: AnyDocument) -> None:
        other = replace(document, reference=f"{document.reference}-X")
        self.open().create(other, facts=self.facts(), links={}, before_sending=lambda: None)
        row = self.b1.company.documents(SETS[document.kind], NumAtCard=other.reference)[0]
        row["NumAtCard"] = document.reference

    def invoiced_order(self) -> tuple[SettlementDocument, Mapping[str, Receipt]]:
        kinds = {"order": DocumentKind.SALES_ORDER, "S1-31-P": DocumentKind.PAYMENT}
        links = {
            name: self.open().create(
                self.document(kind, name), facts=self.facts(), links={}, before_sending=lambda: None
            )
            for name, kind in kinds.items()
        }
        invoice = people.invoice_order(self.b1.company, int(links["order"].key))
        document = SettlementDocument(
            reference="S1-31-A",
            partner="WEBGUEST",
            currency="USD",
            amount=Decimal("15.24"),
            posting_date=today(),
            money="S1-31-P",
            invoice=str(invoice["DocEntry"]),
            invoice_number=str(invoice["DocNum"]),
        )
        return document, links

    def applied(self) -> list[Decimal]:
        rows = self.b1.company.rows("InternalReconciliations")
        return [row["Total"] for row in rows if not row["CancelAbs"]]

    def writes(self) -> int:
        return sum(
            call.method in ("POST", "PATCH") and "Service" not in call.url and "Login" not in call.url
            for call in self.b1.calls
        )

    def answer_lost_after_commit(self) -> None:
        self.b1.service.faults.add(
            "drop", moment="after", method="POST", path=f"/({'|'.join(SETS.values())})$"
        )

    def error_after_commit(self) -> None:
        self.b1.service.faults.add(
            "answer",
            moment="after",
            method="POST",
            path="/Invoices",
            status=502,
            body="<html><h1>502 Bad Gateway</h1></html>",
        )

    def session_lost(self) -> None:
        self.b1.service.sessions.lose()

    @contextmanager
    def down(self) -> Iterator[None]:
        settings, self.b1.settings = (
            self.b1.settings,
            {**self.b1.settings, "base_url": "http://127.0.0.1:9/b1s/v1"},
        )
        try:
            yield
        finally:
            self.b1.settings = settings


class TestSapB1(AdapterContract):
    @pytest.fixture
    def world(self) -> Iterator[B1World]:
        with running({"drafts": "yes"}) as b1:
            yield B1World(b1)


class TestSapB1OnVersion2WithSessionsLostAsMinus5002(AdapterContract):
    """The same promises on /b1s/v2 (OData 4), where the Service Layer says -5002 for a lost session."""

    @pytest.fixture
    def world(self) -> Iterator[B1World]:
        with running() as b1:
            b1.version = "v2"
            world = B1World(b1)

            def lose() -> None:
                b1.service.faults.add("session_lost", params={"shape": "-5002"})

            world.session_lost = lose  # type: ignore[method-assign]
            yield world
