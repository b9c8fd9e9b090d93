"""The pure half of the adapter: contract documents to what B1 is sent, and what B1 will make of them."""

from __future__ import annotations

from collections.abc import Mapping

from erp.adapters.sap_b1 import problems, texts, totals
from erp.adapters.sap_b1.marketing import down_payment_payload, sales_payload
from erp.adapters.sap_b1.partners import partner_payload
from erp.adapters.sap_b1.payments import payment_payload
from erp.adapters.sap_b1.settlements import settlement_payload
from erp.contract.adapter import PredictedTotals, Receipt
from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
)
from erp.contract.facts import LedgerFacts
from erp.contract.plan import Problem


class B1Translator:
    """Reads the connection's settings out of the facts, so that everything is a function of its arguments."""

    def fit(self, document: AnyDocument) -> tuple[AnyDocument, tuple[str, ...]]:
        """Texts cut to B1's lengths, with a note for every cut."""
        return texts.fit(document)

    def predict(self, document: SalesDocument, facts: LedgerFacts) -> PredictedTotals:
        """Total and tax as B1 will compute them."""
        return totals.predict(document, facts)

    def problems(self, document: AnyDocument, facts: LedgerFacts) -> tuple[Problem, ...]:
        """Why B1 would refuse it, in sentences for a merchant."""
        return problems.problems(document, facts)

    def payload(
        self, document: AnyDocument, facts: LedgerFacts, links: Mapping[str, Receipt]
    ) -> Mapping[str, object]:
        """The JSON body that is sent. A link without a receipt yet shows the reference."""
        match document:
            case PartnerDocument():
                return partner_payload(document, facts)
            case SalesDocument():
                return sales_payload(document, facts, links)
            case SettlementDocument():
                return settlement_payload(document, links)
        if document.kind is DocumentKind.DOWN_PAYMENT:
            return down_payment_payload(document, facts, links)
        return payment_payload(document, facts, links)
