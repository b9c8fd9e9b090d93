"""SAP S/4HANA: looking up, posting once, reversing, reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from erp.adapters.sap_s4 import company_facts, connection_test
from erp.adapters.sap_s4 import reference_values as references
from erp.adapters.sap_s4.gateway import Gateway
from erp.adapters.sap_s4.journal import JOURNAL, Posted
from erp.adapters.sap_s4.lookup import NAMES, JournalLookup
from erp.adapters.sap_s4.partners import Partners
from erp.adapters.sap_s4.poster import posters
from erp.adapters.sap_s4.sales_orders import SalesOrders
from erp.adapters.sap_s4.settings import read_settings
from erp.adapters.sap_s4.translate import S4Translator
from erp.contract.adapter import NO_LINKS, Check, Invoiced, Opening, Receipt, ReferenceKind, ReferenceValue
from erp.contract.documents import AnyDocument, DocumentKind, PartnerDocument
from erp.contract.errors import Refused, TryLater
from erp.contract.facts import FactsNeeded, LedgerFacts


class SapS4Adapter:
    """One company code, opened. Not shared between threads; its token is shared between all workers."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._settings = read_settings(opening.settings)
        self._gateway = Gateway(opening, self._settings)
        self._journal = JournalLookup(self._gateway, self._settings)
        self._partners = Partners(self._gateway, self._settings)
        self._orders = SalesOrders(self._gateway, self._settings)
        self._poster = posters(self._gateway, self._settings, opening.now)[self._settings.poster]
        self._translator = S4Translator()

    def find(self, document: AnyDocument, links: Mapping[str, Receipt] = NO_LINKS) -> Receipt | None:
        """The standing document that holds this reference.

        :raises Refused: if several do
        """
        if isinstance(document, PartnerDocument):
            return self._partners.find(document)
        if document.kind is DocumentKind.SALES_ORDER:
            return self._orders.by_reference(document.reference)
        _stop_at_other_kinds(document.kind)
        return self._journal.by_reference(document.kind, document.reference)

    def create(
        self,
        document: AnyDocument,
        *,
        facts: LedgerFacts,
        links: Mapping[str, Receipt],
        before_sending: Callable[[], None],
    ) -> Receipt:
        """Post the document once, then read what stands in the books: total and tax are S/4HANA's own.

        :raises OutcomeUnknown: it may have been posted
        :raises Refused: SAP said no
        :raises TryLater: nothing was posted
        """
        node = dict(self._translator.payload(document, facts, links))
        if isinstance(document, PartnerDocument):
            return self._partners.create(node, before_sending=before_sending)
        if document.kind is DocumentKind.SALES_ORDER:
            return self._orders.create(node, before_sending=before_sending)
        _stop_at_other_kinds(document.kind)
        posted = self._poster.post(node, before_sending=before_sending)
        return self._read_back(document.kind, posted)

    def _read_back(self, kind: DocumentKind, posted: Posted) -> Receipt:
        """The new entry as it stands; where it cannot be read now, what is known of it."""
        try:
            found = self._journal.by_number(kind, posted.number)
        except TryLater:
            found = None
        known = found or Receipt(key=posted.key, number=posted.number, kind=kind)
        return replace(known, adopted=False)

    def update(
        self, document: PartnerDocument, receipt: Receipt, *, before_sending: Callable[[], None]
    ) -> Receipt:
        """Bring the partner's name, first address and contact data to what the document says."""
        return self._partners.update(document, receipt, before_sending=before_sending)

    def cancel(self, kind: DocumentKind, receipt: Receipt, *, before_sending: Callable[[], None]) -> None:
        """Reverse a journal entry on its own day, reject a sales order. One that is taken back already is as good.

        :raises Refused: SAP does not let it be taken back
        """
        if kind is DocumentKind.SALES_ORDER:
            self._orders.reject(receipt, before_sending=before_sending)
            return
        _stop_at_other_kinds(kind)
        posted = Posted.from_key(receipt.key)
        day = self._journal.posting_day(posted)
        if day is None:
            return
        try:
            self._poster.reverse(posted, day, before_sending=before_sending)
        except Refused:
            if self._journal.posting_day(posted) is not None:
                raise

    def look_up(self, kind: DocumentKind, number: str) -> Receipt | None:
        """The document with this number."""
        if kind is DocumentKind.PARTNER:
            return self._partners.by_number(number)
        if kind is DocumentKind.SALES_ORDER:
            return self._orders.by_number(number)
        _stop_at_other_kinds(kind)
        return self._journal.by_number(kind, number)

    def numbers_by_reference(
        self, kind: DocumentKind, references: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        """The numbers of all standing documents under these references."""
        if kind is DocumentKind.SALES_ORDER:
            return self._orders.numbers_by_reference(references)
        return self._journal.numbers_by_reference(references)

    def ping(self) -> None:
        """Read the company code."""
        company_facts.company_row(self._gateway, self._settings)

    def facts(self, needed: FactsNeeded) -> LedgerFacts:
        """What the company code is like, read now."""
        return company_facts.read_facts(
            self._gateway, self._settings, self._opening.settings, needed, self._opening.now()
        )

    def invoiced_since(self, day: date) -> Iterable[Invoiced]:
        """Nothing: what clears a sales order's invoice is SAP's own clearing, so nobody here asks."""
        return ()

    def reference_values(self, kind: ReferenceKind) -> Iterable[ReferenceValue]:
        """Every value of that kind, page by page."""
        return references.read(self._gateway, kind, self._settings, self._opening.now().date())

    def test_connection(self) -> Sequence[Check]:
        """Try everything that posting will need, and say what was found."""
        return connection_test.run(self._gateway, self._settings, self._opening.now)

    def close(self) -> None:
        """Forget the token: S/4HANA has no way to give one back."""
        self._gateway.sign_in.forget()


def _stop_at_other_kinds(kind: DocumentKind) -> None:
    if kind not in JOURNAL:
        raise _not_posted(kind)


def _not_posted(kind: DocumentKind) -> Refused:
    return Refused(f"Tieout posts no {NAMES.get(kind, kind.value.replace('_', ' '))} to SAP S/4HANA.")


def open_adapter(opening: Opening) -> SapS4Adapter:
    """Open a company code. Nothing is sent before the first call needs it."""
    return SapS4Adapter(opening)
