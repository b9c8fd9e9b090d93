"""SAP S/4HANA keeps every promise of the contract, against the sandbox's system over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from erp.adapters.sap_s4.spec import SPEC
from erp.contract.adapter import Adapter, Receipt
from erp.contract.documents import AnyDocument, DocumentKind, SettlementDocument
from erp.contract.facts import LedgerFacts
from sandbox.s4hana import ledger
from tests.erp.contract_suite import AdapterContract
from tests.erp.sap_s4.s4_system import JOURNAL_PATH, S4, WRAPPED, customer, money, running, sale

WRITES = f"{JOURNAL_PATH}|A_BusinessPartner$|A_SalesOrder$|JournalEntrySet$"


class S4World:
    """The sandbox's view, and the adapter on it."""

    spec = SPEC

    def __init__(self, s4: S4) -> None:
        self.s4 = s4

    def open(self) -> Adapter:
        return self.s4.open()

    def facts(self) -> LedgerFacts:
        return self.s4.facts(items=frozenset({"HAT"}))

    def document(self, kind: DocumentKind, reference: str) -> AnyDocument:
        if kind is DocumentKind.PARTNER:
            return customer(reference)
        if kind in (DocumentKind.INVOICE, DocumentKind.SALES_ORDER, DocumentKind.CREDIT_MEMO):
            return sale(kind, reference)
        return money(kind, reference)

    def standing(self, kind: DocumentKind, reference: str) -> int:
        if kind is DocumentKind.PARTNER:
            rows = self.s4.system.storage.rows("A_BusinessPartner")
            return sum(row["BusinessPartnerIDByExtSystem"] == reference for row in rows)
        if kind is DocumentKind.SALES_ORDER:
            rows = self.s4.system.storage.rows("A_SalesOrder")
            return sum(
                row["PurchaseOrderByCustomer"] == reference and row["OverallSDDocumentRejectionSts"] != "C"
                for row in rows
            )
        rows = self.s4.system.journal(DocumentReferenceID=reference, IsReversal=False, IsReversed=False)
        return len({row["AccountingDocument"] for row in rows})

    def posted_by_somebody_else(self, document: AnyDocument) -> None:
        other = replace(document, reference=f"{document.reference}-X")
        self.open().create(other, facts=self.facts(), links={}, before_sending=lambda: None)
        storage = self.s4.system.storage
        [row] = storage.rows(ledger.JOURNAL, lambda r: r["entry"]["DocumentReferenceID"] == other.reference)
        row["entry"]["DocumentReferenceID"] = document.reference
        storage.put(ledger.JOURNAL, f"{row['company']} {row['year']} {row['document']}", row)

    def invoiced_order(self) -> tuple[SettlementDocument, Mapping[str, Receipt]]:
        raise NotImplementedError  # applying money is SAP's own clearing

    def applied(self) -> list[Decimal]:
        raise NotImplementedError

    def writes(self) -> int:
        return sum(call.method in ("POST", "PATCH") and "oauth2" not in call.url for call in self.s4.calls)

    def answer_lost_after_commit(self) -> None:
        self.s4.system.faults.add("drop", moment="after", method="POST", path=WRITES)

    def error_after_commit(self) -> None:
        self.s4.system.faults.add(
            "answer",
            moment="after",
            method="POST",
            path=WRITES,
            status=502,
            body="<html><h1>502 Bad Gateway</h1></html>",
        )

    def session_lost(self) -> None:
        self.s4.system.lose_tokens()

    @contextmanager
    def down(self) -> Iterator[None]:
        settings, self.s4.settings = self.s4.settings, {**self.s4.settings, "base_url": "http://127.0.0.1:9"}
        try:
            yield
        finally:
            self.s4.settings = settings


class TestSapS4(AdapterContract):
    @pytest.fixture
    def world(self) -> Iterator[S4World]:
        with running() as s4:
            yield S4World(s4)


class TestSapS4ThroughAServiceOfTheCustomersOwn(AdapterContract):
    """The same promises where journal entries are posted by OData, with CSRF tokens and names of another's choice."""

    @pytest.fixture
    def world(self) -> Iterator[S4World]:
        with running(WRAPPED) as s4:
            world = S4World(s4)

            def lose() -> None:
                """Between the CSRF token and the write: else the token's own call would notice, and renew it."""
                s4.system.faults.add("token_lost", path=f"{WRITES}|ItemCube")

            world.session_lost = lose  # type: ignore[method-assign]
            yield world
