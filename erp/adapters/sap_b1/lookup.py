"""Finding what B1 already holds under our reference, before anything is sent and after nobody knows.

B1 has no idempotency key and no unique constraint on references (SAP documents none), so this lookup is what keeps a
document single. Drafts of approval procedures hold the reference as well and are searched; cancelled documents and
cancellations do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from erp.adapters.sap_b1 import marketing, partners, payments, queries
from erp.adapters.sap_b1.answers import NOT_FOUND, yes
from erp.adapters.sap_b1.receipts import (
    MARKETING_COLUMNS,
    PAYMENT_COLUMNS,
    counts,
    marketing_receipt,
    partner_receipt,
    payment_receipt,
)
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.adapters.sap_b1.settings import Settings
from erp.contract.adapter import Receipt
from erp.contract.documents import AnyDocument, DocumentKind, PartnerDocument
from erp.contract.errors import Misconfigured, Refused

Row = dict[str, Any]
ENTITY_SETS: Mapping[DocumentKind, str] = {**marketing.ENTITY_SETS, **payments.ENTITY_SETS}
NAMES: Mapping[DocumentKind, str] = {
    DocumentKind.PARTNER: "business partner",
    DocumentKind.INVOICE: "A/R invoice",
    DocumentKind.SALES_ORDER: "sales order",
    DocumentKind.CREDIT_MEMO: "credit memo",
    DocumentKind.DOWN_PAYMENT: "A/R down payment",
    DocumentKind.PAYMENT: "incoming payment",
    DocumentKind.PAYOUT: "outgoing payment",
    DocumentKind.SETTLEMENT: "internal reconciliation",
}


class Lookup:
    """Reads by reference, number or key."""

    def __init__(self, service: ServiceLayer, settings: Settings) -> None:
        self._service = service
        self._settings = settings

    def find(self, document: AnyDocument) -> Receipt | None:
        """The one document with this reference.

        :raises Refused: if there are several
        """
        if isinstance(document, PartnerDocument):
            return self._partner(document)
        if document.kind in payments.ENTITY_SETS:
            return self._payment(document.kind, document.reference)
        return self._marketing(document.kind, document.reference)

    def by_number(self, kind: DocumentKind, number: str) -> Receipt | None:
        """The document people know by this number; the newest where a number is used in several series."""
        if kind is DocumentKind.PARTNER:
            row = self._partner_row(number)
            return partner_receipt(row, adopted=True) if row else None
        if not number.isdigit() or len(number) > 10:
            return None
        rows = [row for row in self._rows(kind, f"DocNum eq {number}", newest=True) if counts(row)]
        return self._receipt(kind, rows[0]) if rows else None

    def by_key(self, kind: DocumentKind, entry: str) -> Row | None:
        """The document with this DocEntry, cancelled or not."""
        rows = self._rows(kind, f"DocEntry eq {int(entry)}")
        return rows[0] if rows else None

    def numbers_by_reference(self, kind: DocumentKind, references: Sequence[str]) -> dict[str, list[str]]:
        """The numbers of all standing documents under each of these references."""
        is_payment = kind in payments.ENTITY_SETS
        field = self._settings.payment_reference_field if is_payment else self._settings.reference_field
        columns = PAYMENT_COLUMNS if is_payment else MARKETING_COLUMNS
        wanted = f"{queries.any_of(field, references)} and Cancelled eq 'tNO'"
        params = {"$select": f"{columns},{field}", "$filter": wanted, "$orderby": "DocEntry"}
        found: dict[str, list[str]] = {reference: [] for reference in references}
        for row in self._service.read_all(ENTITY_SETS[kind], params):
            if counts(row) and row.get(field) in found:
                found[row[field]].append(str(row.get("DocNum") or row["DocEntry"]))
        return found

    def _marketing(self, kind: DocumentKind, reference: str) -> Receipt | None:
        wanted = queries.equals(self._settings.reference_field, reference)
        found = [row for row in self._rows(kind, f"{wanted} and Cancelled eq 'tNO'") if counts(row)]
        if found or not self._settings.drafts:
            return self._only(kind, reference, [self._receipt(kind, row) for row in found])
        of_kind = f"DocObjectCode eq '{marketing.OBJECT_TYPES[kind]}'"
        drafts = self._read(
            "Drafts",
            f"{wanted} and {of_kind} and DocumentStatus eq 'bost_Open'",
            f"{MARKETING_COLUMNS},AuthorizationStatus",
        )
        _refuse_rejected(kind, reference, drafts)
        return self._only(
            kind, reference, [marketing_receipt(row, kind, adopted=True, is_draft=True) for row in drafts]
        )

    def _payment(self, kind: DocumentKind, reference: str) -> Receipt | None:
        settings = self._settings
        if not settings.payment_reference_proved:
            raise Misconfigured(
                "Payments have no place for our reference yet. Choose a user field for payments on the connection, "
                "or press Test connection to prove that CounterReference is long enough."
            )
        wanted = queries.equals(settings.payment_reference_field, reference)
        found = [row for row in self._rows(kind, f"{wanted} and Cancelled eq 'tNO'") if counts(row)]
        if found or not settings.drafts:
            return self._only(kind, reference, [self._receipt(kind, row) for row in found])
        of_kind = f"DocObjectCode eq '{payments.OBJECT_TYPES[kind]}'"
        drafts = self._read(
            payments.DRAFTS,
            f"{wanted} and {of_kind} and Cancelled eq 'tNO'",
            f"{PAYMENT_COLUMNS},AuthorizationStatus",
        )
        _refuse_rejected(kind, reference, drafts)
        return self._only(
            kind, reference, [payment_receipt(row, kind, adopted=True, is_draft=True) for row in drafts]
        )

    def _partner(self, document: PartnerDocument) -> Receipt | None:
        """By the deterministic code first: what we made ourselves is never mistaken for somebody else."""
        row = self._partner_row(document.code)
        if row is None and document.match_by != "code":
            row = self._matched(document)
        if row is None:
            return None
        if row.get("CardType") not in ("cCustomer", "C"):
            raise Refused(f"Business partner {row['CardCode']} of SAP Business One is not a customer.")
        return partner_receipt(row, adopted=True)

    def _partner_row(self, code: str) -> Row | None:
        address = queries.key(partners.ENTITY_SET, code)
        try:
            row: Row = self._service.read(address, {"$select": "CardCode,CardName,CardType,Valid,Frozen"})
        except Refused as error:
            if error.status == 404 or error.code == str(NOT_FOUND):
                return None
            raise
        return row

    def _matched(self, document: PartnerDocument) -> Row | None:
        values = {
            "marker": document.reference,
            "email": document.email,
            "tax_number": document.tax_number,
            "phone": document.phone,
        }
        value = values.get(document.match_by, "")
        name = partners.match_filter_field(document.match_by, self._settings)
        if not name:
            raise Misconfigured(
                "Customers are matched by a marker, but the connection names no marker field."
            )
        if not value:
            return None
        wanted = f"{queries.equals(name, value)} and CardType eq 'cCustomer'"
        rows = self._read(partners.ENTITY_SET, wanted, "CardCode,CardName,CardType,Frozen")
        living = [row for row in rows if not yes(row.get("Frozen"))]
        if len(living) > 1:
            codes = ", ".join(row["CardCode"] for row in living[:5])
            raise Refused(
                f"Several customers of SAP Business One match {document.code} by {document.match_by.replace('_', ' ')}: "
                f"{codes}. Decide which one it is: put its code into the store's customer record, or merge them."
            )
        return living[0] if living else None

    def _rows(self, kind: DocumentKind, wanted: str, *, newest: bool = False) -> list[Row]:
        columns = PAYMENT_COLUMNS if kind in payments.ENTITY_SETS else MARKETING_COLUMNS
        return self._read(ENTITY_SETS[kind], wanted, columns, order="DocEntry desc" if newest else "DocEntry")

    def _read(self, entity_set: str, wanted: str, columns: str, *, order: str = "") -> list[Row]:
        params = {"$select": columns, "$filter": wanted, "$top": "5"}
        if order:
            params["$orderby"] = order
        rows: list[Row] = self._service.read(entity_set, params).get("value", [])
        return rows

    def _receipt(self, kind: DocumentKind, row: Row) -> Receipt:
        if kind in payments.ENTITY_SETS:
            return payment_receipt(row, kind, adopted=True)
        return marketing_receipt(row, kind, adopted=True)

    def _only(self, kind: DocumentKind, reference: str, found: list[Receipt]) -> Receipt | None:
        if len(found) > 1:
            numbers = ", ".join(receipt.number for receipt in found)
            raise Refused(
                f"SAP Business One has {len(found)} documents of kind {NAMES[kind]} with our reference {reference}: "
                f"{numbers}. Cancel the ones that should not be there, then reprocess."
            )
        return found[0] if found else None


def _refuse_rejected(kind: DocumentKind, reference: str, drafts: list[Row]) -> None:
    """A rejected draft never becomes a document by itself (enums DocumentAuthorizationStatusEnum, dasRejected,
    and PaymentsAuthorizationStatusEnum, pasRejected, of SAP's Service Layer metadata).

    :raises Refused: if the approval was rejected or called off
    """
    for row in drafts:
        if str(row.get("AuthorizationStatus", ""))[3:] in ("Rejected", "Cancelled"):
            number = row.get("DocNum") or row["DocEntry"]
            raise Refused(
                f"The {NAMES[kind]} {reference} was rejected in the approval of SAP Business One (draft {number}). "
                "Exclude the order; or remove the draft there and reprocess."
            )
