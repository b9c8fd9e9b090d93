"""Reading what B1 holds: receipts of documents, payments and partners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp.adapters.sap_b1.answers import amount, yes
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind

Row = Mapping[str, Any]

MARKETING_COLUMNS = (
    "DocEntry,DocNum,CardCode,DocCurrency,DocTotal,DocTotalFc,VatSum,VatSumFc,DocumentStatus,DocObjectCode,"
    "Cancelled,CancelStatus"
)
PAYMENT_COLUMNS = "DocEntry,DocNum,CardCode,DocCurrency,TransferSum,CashSum,Cancelled"


def marketing_receipt(row: Row, kind: DocumentKind, *, adopted: bool, is_draft: bool = False) -> Receipt:
    """Total and tax in the document's currency: the foreign columns are zero for a document in local currency."""
    foreign = amount(row.get("DocTotalFc")) != 0
    return Receipt(
        key=str(row["DocEntry"]),
        number=str(row.get("DocNum") or row["DocEntry"]),
        total=amount(row.get("DocTotalFc" if foreign else "DocTotal")),
        tax=amount(row.get("VatSumFc" if foreign else "VatSum")),
        currency=str(row.get("DocCurrency") or ""),
        is_draft=is_draft,
        is_open=row.get("DocumentStatus", "bost_Open") in ("bost_Open", "O"),
        adopted=adopted,
        kind=kind,
    )


def payment_receipt(row: Row, kind: DocumentKind, *, adopted: bool, is_draft: bool = False) -> Receipt:
    """A payment's amount is in its own currency."""
    return Receipt(
        key=str(row["DocEntry"]),
        number=str(row.get("DocNum") or row["DocEntry"]),
        total=amount(row.get("TransferSum")) + amount(row.get("CashSum")),
        currency=str(row.get("DocCurrency") or ""),
        is_draft=is_draft,
        adopted=adopted,
        kind=kind,
    )


def partner_receipt(row: Row, *, adopted: bool) -> Receipt:
    """A partner's key is its code, which is also the number people use."""
    code = str(row["CardCode"])
    return Receipt(key=code, number=code, adopted=adopted, kind=DocumentKind.PARTNER)


def counts(row: Row) -> bool:
    """Whether a document stands: neither cancelled nor a cancellation of another (both have the reference)."""
    return not yes(row.get("Cancelled")) and row.get("CancelStatus", "csNo") in (None, "csNo", "N")
