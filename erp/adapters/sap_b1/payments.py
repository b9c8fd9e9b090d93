"""Writing payments: incoming payments per tender, and the pay-out of a refund."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp.adapters.sap_b1.marketing import as_fields, key_of, numbering, order_field, present, rate_as_kept
from erp.adapters.sap_b1.settings import COUNTER_REFERENCE, Settings, read_settings
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind, MoneyDocument
from erp.contract.facts import LedgerFacts

Row = dict[str, Any]

ENTITY_SETS: Mapping[DocumentKind, str] = {
    DocumentKind.PAYMENT: "IncomingPayments",
    DocumentKind.PAYOUT: "VendorPayments",
}
# BoPaymentsObjectType, as drafts name what they will become.
OBJECT_TYPES: Mapping[DocumentKind, str] = {
    DocumentKind.PAYMENT: "bopot_IncomingPayments",
    DocumentKind.PAYOUT: "bopot_OutgoingPayments",
}
DRAFTS = "PaymentDrafts"
JOURNAL_REMARKS = 50


def payment_payload(document: MoneyDocument, facts: LedgerFacts, links: Mapping[str, Receipt]) -> Row:
    """The body of an incoming payment, or of the outgoing payment that settles a credit memo.

    One transfer on the clearing account of the tender's method; it settles exactly one document or is on account.
    """
    settings = read_settings(facts.settings)
    day = document.posting_date.isoformat()
    foreign = document.currency != facts.local_currency
    return present(
        {
            "DocType": "rCustomer",
            "CardCode": key_of(document.partner, links),
            **_reference_fields(document.reference, settings),
            "DocDate": day,
            "TaxDate": day,
            "DocCurrency": document.currency,
            "DocRate": rate_as_kept(document.rate, facts) if foreign else None,
            "TransferAccount": document.account,
            "TransferSum": document.amount,
            "TransferDate": day,
            "TransferReference": document.tender,
            "Remarks": document.memo,
            "JournalRemarks": f"{document.reference} {document.method}"[:JOURNAL_REMARKS].strip(),
            **numbering(document.kind, settings, branch_field="BPLID"),
            **order_field(document.store_order, settings),
            **as_fields(document.fields),
            "PaymentInvoices": _settled(document, links, foreign),
        }
    )


def _reference_fields(reference: str, settings: Settings) -> Row:
    """Payments have no NumAtCard: the configured user field, or CounterReference once its length was proved."""
    if settings.payment_reference_field != COUNTER_REFERENCE:
        return {settings.payment_reference_field: reference}
    return {COUNTER_REFERENCE: reference}


def _settled(document: MoneyDocument, links: Mapping[str, Receipt], foreign: bool) -> list[Row]:
    """The link to what is settled: by DocEntry, never by the number people see. In foreign currency by AppliedFC."""
    if not document.settles:
        return []
    receipt = links.get(document.settles)
    entry: int | str = int(receipt.key) if receipt and receipt.key.isdigit() else document.settles
    return [
        {
            "DocEntry": entry,
            "InvoiceType": _invoice_type(document, receipt),
            "AppliedFC" if foreign else "SumApplied": document.amount,
        }
    ]


def _invoice_type(document: MoneyDocument, receipt: Receipt | None) -> str:
    if document.kind is DocumentKind.PAYOUT:
        return "it_CredItnote"  # SAP's own spelling
    if receipt and receipt.kind is DocumentKind.DOWN_PAYMENT:
        return "it_DownPayment"
    return "it_Invoice"
