"""SAP Business One through its Service Layer: looking up, sending once, cancelling, reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from erp.adapters.sap_b1 import (
    base_rows,
    company_facts,
    connection_test,
    invoicing,
    partners,
    payments,
    queries,
    settlements,
)
from erp.adapters.sap_b1 import reference_values as references
from erp.adapters.sap_b1.answers import CONFLICTS, SessionLost
from erp.adapters.sap_b1.lookup import ENTITY_SETS, NAMES, Lookup
from erp.adapters.sap_b1.receipts import counts, marketing_receipt, partner_receipt, payment_receipt
from erp.adapters.sap_b1.service_layer import CHEAP_READ, ServiceLayer
from erp.adapters.sap_b1.settings import read_settings
from erp.adapters.sap_b1.translate import B1Translator
from erp.contract.adapter import NO_LINKS, Check, Invoiced, Opening, Receipt, ReferenceKind, ReferenceValue
from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    PartnerDocument,
    SalesDocument,
    SettlementDocument,
)
from erp.contract.errors import OutcomeUnknown, Refused, TryLater
from erp.contract.facts import FactsNeeded, LedgerFacts

APPROVAL_WAIT = timedelta(minutes=15)
WRITTEN_TO: Mapping[DocumentKind, str] = {
    **ENTITY_SETS,
    DocumentKind.PARTNER: partners.ENTITY_SET,
    DocumentKind.SETTLEMENT: settlements.ENTITY_SET,
}
# DocumentAuthorizationStatusEnum and PaymentsAuthorizationStatusEnum, by name and by stored value.
PENDING = ("dasPending", "pasPending", "W")


class SapB1Adapter:
    """One company, opened. Not shared between threads; its session is shared between all workers."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._settings = read_settings(opening.settings)
        self._service = ServiceLayer(opening, self._settings)
        self._lookup = Lookup(self._service, self._settings)
        self._settlements = settlements.Settlements(self._service, self._settings)
        self._translator = B1Translator()
        self._told: Mapping[str, str] = {}  # what the company said about itself since we were opened

    def find(self, document: AnyDocument, links: Mapping[str, Receipt] = NO_LINKS) -> Receipt | None:
        """The document that holds this reference, or the draft that waits for approval.

        :raises Refused: if several do
        """
        if isinstance(document, SettlementDocument):
            return self._settlements.find(document, links)
        return self._lookup.find(document)

    def create(
        self,
        document: AnyDocument,
        *,
        facts: LedgerFacts,
        links: Mapping[str, Receipt],
        before_sending: Callable[[], None],
    ) -> Receipt:
        """Send the document once.

        A lost session means that nothing was carried out: sign in, look it up, send it a second and last time.
        An answer "already there" is believed only when the lookup finds it.

        :raises OutcomeUnknown: it may have been applied
        :raises Refused: B1 said no
        :raises TryLater: nothing was applied, or it waits for approval as a draft
        """
        body = self._body(document, facts, links)
        try:
            row = self._write_or_find(document, body, links, before_sending)
        except Refused as error:
            found = self._already_there(document, links, error)
            if found is None:
                raise
            return found
        return row if isinstance(row, Receipt) else self._created(document, row)

    def _body(
        self, document: AnyDocument, facts: LedgerFacts, links: Mapping[str, Receipt]
    ) -> dict[str, object]:
        """What is sent: as in the preview, with what only B1 knows at this moment."""
        if isinstance(document, SettlementDocument):
            return self._settlements.body(document, links)
        body = dict(self._translator.payload(document, facts, links))
        if isinstance(document, SalesDocument) and document.kind is DocumentKind.CREDIT_MEMO:
            base_rows.draw_from_open_invoice(document, body, links, self._service)
        return body

    def update(
        self, document: PartnerDocument, receipt: Receipt, *, before_sending: Callable[[], None]
    ) -> Receipt:
        """Bring the partner's name, addresses and contact data to what the document says."""
        path = queries.key(partners.ENTITY_SET, receipt.key)
        self._write_twice("PATCH", path, partners.changeable(document, self._settings), before_sending)
        return receipt

    def cancel(self, kind: DocumentKind, receipt: Receipt, *, before_sending: Callable[[], None]) -> None:
        """Cancel a document. One that is cancelled already is as good.

        :raises Refused: B1 does not let it be cancelled
        """
        if kind not in WRITTEN_TO or kind is DocumentKind.PARTNER:
            raise Refused(f"A {NAMES[kind]} cannot be cancelled in SAP Business One.")
        path = f"{queries.key(WRITTEN_TO[kind], int(receipt.key))}/Cancel"
        try:
            self._write_twice("POST", path, None, before_sending)
        except Refused:
            if self._stands(kind, receipt):
                raise

    def _stands(self, kind: DocumentKind, receipt: Receipt) -> bool:
        if kind is DocumentKind.SETTLEMENT:
            return self._settlements.by_number(receipt.key) is not None
        row = self._lookup.by_key(kind, receipt.key)
        return row is None or counts(row)

    def look_up(self, kind: DocumentKind, number: str) -> Receipt | None:
        """The document with this number (DocNum, ReconNum), or the partner with this code."""
        if kind is DocumentKind.SETTLEMENT:
            return self._settlements.by_number(number)
        return self._lookup.by_number(kind, number)

    def numbers_by_reference(
        self, kind: DocumentKind, references: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        """The numbers of all standing documents under these references; ask for few at a time, they stand in the address."""
        return self._lookup.numbers_by_reference(kind, references)

    def ping(self) -> None:
        """Ask for the local currency, which needs no authorisation of its own."""
        self._service.ask(CHEAP_READ)

    def facts(self, needed: FactsNeeded) -> LedgerFacts:
        """What the company is like, read now."""
        settings = {**self._opening.settings, **self._told}
        found = company_facts.read_facts(self._service, settings, needed, self._opening.now())
        if needed.company:
            self._told = company_facts.told(found)
        return found

    def invoiced_since(self, day: date) -> Iterable[Invoiced]:
        """Invoices of sales orders, made directly or through a delivery, that changed on that day or later."""
        return invoicing.invoiced_since(self._service, day)

    def reference_values(self, kind: ReferenceKind) -> Iterable[ReferenceValue]:
        """Every value of that kind, page by page."""
        return references.read(self._service, kind, self._settings, self._opening.now().date())

    def test_connection(self) -> Sequence[Check]:
        """Try everything that posting will need, and say what was found."""
        return connection_test.run(self._service, self._opening, self._settings)

    def close(self) -> None:
        """Log out: the session's licence slot is free at once."""
        self._service.session.end()

    def _write_or_find(
        self,
        document: AnyDocument,
        body: Mapping[str, object],
        links: Mapping[str, Receipt],
        before_sending: Callable[[], None],
    ) -> Any:
        for _ in range(2):
            cookie = self._service.session.cookie()
            try:
                return self._service.write(
                    "POST", WRITTEN_TO[document.kind], body, before_sending=before_sending
                )
            except SessionLost:
                self._service.session.renew(lost=cookie)
            found = self.find(document, links)
            if found is not None:
                return self._not_a_draft(document, found)
        raise TryLater("SAP Business One keeps losing our session.")

    def _write_twice(
        self, method: str, path: str, body: Mapping[str, object] | None, before_sending: Callable[[], None]
    ) -> Any:
        """A write that has the same effect twice as once."""
        for _ in range(2):
            cookie = self._service.session.cookie()
            try:
                return self._service.write(method, path, body, before_sending=before_sending)
            except SessionLost:
                self._service.session.renew(lost=cookie)
        raise TryLater("SAP Business One keeps losing our session.")

    def _already_there(
        self, document: AnyDocument, links: Mapping[str, Receipt], error: Refused
    ) -> Receipt | None:
        if error.code not in {str(code) for code in CONFLICTS}:
            return None
        found = self.find(document, links)
        return self._not_a_draft(document, found) if found else None

    def _not_a_draft(self, document: AnyDocument, found: Receipt) -> Receipt:
        if found.is_draft:
            raise _waits_for_approval(document, found.number)
        return found

    def _created(self, document: AnyDocument, row: Mapping[str, Any] | None) -> Receipt:
        if isinstance(document, PartnerDocument):
            return partner_receipt(row or {"CardCode": document.code}, adopted=False)
        if isinstance(document, SettlementDocument) and row and row.get("ReconNum"):
            return self._settlements.created(document, row)
        if not row or row.get("DocEntry") is None:
            raise OutcomeUnknown("SAP Business One answered without the new document's key: we look it up.")
        if _is_draft(row):
            raise _waits_for_approval(document, str(row["DocEntry"]))
        if document.kind in payments.ENTITY_SETS:
            return payment_receipt(row, document.kind, adopted=False)
        return marketing_receipt(row, document.kind, adopted=False)


def _is_draft(row: Mapping[str, Any]) -> bool:
    """An approval procedure turns the document into a draft: its DocEntry is not the document's."""
    landed = str(row.get("odata.metadata") or row.get("@odata.context") or "")
    return row.get("AuthorizationStatus") in PENDING or "#Drafts" in landed or "#PaymentDrafts" in landed


def _waits_for_approval(document: AnyDocument, number: str) -> TryLater:
    name = NAMES[document.kind]
    return TryLater(
        f"The {name} {document.reference} waits for approval in SAP Business One (draft {number}).",
        after=APPROVAL_WAIT,
        code="draft",
    )


def open_adapter(opening: Opening) -> SapB1Adapter:
    """Open a company. Nothing is sent before the first call needs it."""
    return SapB1Adapter(opening)
