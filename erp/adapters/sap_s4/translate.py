"""The pure half of the adapter: contract documents to what S/4HANA is sent, and what it will make of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from erp.adapters.sap_s4 import problems, sales_orders, texts
from erp.adapters.sap_s4.journal import entry_of
from erp.adapters.sap_s4.partners import partner_payload
from erp.adapters.sap_s4.settings import read_settings
from erp.adapters.sap_s4.soap import entry_node
from erp.contract.adapter import PredictedTotals, Receipt
from erp.contract.documents import AnyDocument, DocumentKind, MoneyDocument, PartnerDocument, SalesDocument
from erp.contract.facts import LedgerFacts
from erp.contract.plan import Problem


class S4Translator:
    """Reads the connection's settings out of the facts, so that everything is a function of its arguments."""

    def fit(self, document: AnyDocument) -> tuple[AnyDocument, tuple[str, ...]]:
        """Texts cut to S/4HANA's lengths, with a note for every cut."""
        return texts.fit(document)

    def predict(self, document: SalesDocument, facts: LedgerFacts) -> PredictedTotals:
        """Total and tax: an entry carries the store's own amounts, SAP computes none of them; of a sales order it does."""
        if document.kind is DocumentKind.SALES_ORDER:
            return sales_orders.predict(document, facts)
        net = sum((line.net for line in document.lines), Decimal(0))
        taxes = {line.key: line.tax for line in document.lines}
        tax = sum(taxes.values(), Decimal(0))
        return PredictedTotals(total=net + tax, tax=tax, line_taxes=taxes)

    def problems(self, document: AnyDocument, facts: LedgerFacts) -> tuple[Problem, ...]:
        """Why S/4HANA would refuse it, in sentences for a merchant."""
        return problems.problems(document, facts)

    def payload(
        self, document: AnyDocument, facts: LedgerFacts, links: Mapping[str, Receipt]
    ) -> Mapping[str, object]:
        """The journal entry, sales order or partner as it is sent. A link without a receipt yet shows the reference."""
        settings = read_settings(facts.settings)
        if isinstance(document, PartnerDocument):
            return partner_payload(document, settings)
        if isinstance(document, SalesDocument) and document.kind is DocumentKind.SALES_ORDER:
            return sales_orders.order_payload(document, settings, facts, links)
        if not isinstance(document, SalesDocument | MoneyDocument):
            return {}
        return entry_node(entry_of(document, settings, links), settings)
