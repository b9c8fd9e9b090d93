"""Finding what S/4HANA already holds under our reference, before anything is sent and after nobody knows.

The synchronous journal entry service has no documented protection against doubles, so this is what keeps an entry single:
`API_OPLACCTGDOCITEMCUBE_SRV` is read by company code and `DocumentReferenceID` (16 characters, upper case). Reversed
entries and the entries that reverse them do not count. Its rows also say what was posted, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from erp.adapters.sap_s4 import odata
from erp.adapters.sap_s4.gateway import Gateway, Service
from erp.adapters.sap_s4.journal import Posted
from erp.adapters.sap_s4.settings import Settings
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind
from erp.contract.errors import Refused

Row = Mapping[str, Any]
JOURNAL_ITEMS = Service(
    "API_OPLACCTGDOCITEMCUBE_SRV", "SAP_COM_0002 (finance posting) or the one that reads journal entry items"
)
ENTITY_SET = "A_OperationalAcctgDocItemCube"
COLUMNS = (
    "CompanyCode,FiscalYear,AccountingDocument,AccountingDocumentItem,AccountingDocumentItemType,FinancialAccountType,"
    "AccountingDocumentType,DocumentReferenceID,PostingDate,TransactionCurrency,AmountInTransactionCurrency,IsReversal,IsReversed,IsCleared"
)
ORDER = "FiscalYear,AccountingDocument,AccountingDocumentItem"
CUSTOMER_ROW, TAX_ROW = "D", "T"
# Which way the customer's row goes in each kind, debit positive.
SIGN: Mapping[DocumentKind, int] = {
    DocumentKind.INVOICE: 1,
    DocumentKind.PAYMENT: -1,
    DocumentKind.CREDIT_MEMO: -1,
    DocumentKind.PAYOUT: 1,
}
NAMES: Mapping[DocumentKind, str] = {
    DocumentKind.INVOICE: "sale",
    DocumentKind.PAYMENT: "payment",
    DocumentKind.CREDIT_MEMO: "refund",
    DocumentKind.PAYOUT: "pay-out",
}


class JournalLookup:
    """Reads journal entries by reference or number."""

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        self._gateway = gateway
        self._settings = settings

    def by_reference(self, kind: DocumentKind, reference: str) -> Receipt | None:
        """The one standing entry with this reference.

        :raises Refused: if there are several
        """
        rows = self._rows(odata.equals("DocumentReferenceID", reference))
        entries = _entries(row for row in rows if row.get("DocumentReferenceID") == reference)
        if len(entries) > 1:
            numbers = ", ".join(posted.number for posted in entries)
            raise Refused(
                f"SAP S/4HANA has several journal entries under reference {reference}: {numbers}. Reverse all but one there, "
                "then reprocess."
            )
        return next((_receipt(kind, posted, rows) for posted, rows in entries.items()), None)

    def by_number(self, kind: DocumentKind, number: str) -> Receipt | None:
        """The standing entry with this number, `100000008-2026`; without the year, if only one year has it.

        :raises Refused: if several years have it
        """
        document, _, year = number.strip().replace("/", "-").partition("-")
        if not document.isdigit() or len(document) > 10 or (year and not (year.isdigit() and len(year) == 4)):
            return None
        conditions = [odata.equals("AccountingDocument", odata.padded(document))]
        conditions += [odata.equals("FiscalYear", year)] if year else []
        entries = _entries(self._rows(*conditions))
        if len(entries) > 1:
            numbers = ", ".join(posted.number for posted in entries)
            raise Refused(f"SAP S/4HANA has this number in several years: name one of {numbers}.")
        return next((_receipt(kind, posted, rows) for posted, rows in entries.items()), None)

    def numbers_by_reference(self, references: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The numbers of all standing entries under these references."""
        found: dict[str, list[str]] = {reference: [] for reference in references}
        for chunk in odata.chunks("DocumentReferenceID", references):
            rows = list(self._rows(chunk))
            for posted, own in _entries(rows).items():
                reference = str(own[0].get("DocumentReferenceID"))
                if reference in found:
                    found[reference].append(posted.number)
        return found

    def posting_day(self, posted: Posted) -> date | None:
        """The day an entry stands on; None if it is not there or reversed."""
        number, year = odata.padded(posted.document), posted.year
        rows = self._rows(odata.equals("AccountingDocument", number), odata.equals("FiscalYear", year))
        standing = _entries(rows).get(posted)
        return odata.day_of(standing[0].get("PostingDate")) if standing else None

    def _rows(self, *conditions: str) -> Iterator[Row]:
        company = odata.equals("CompanyCode", self._settings.company_code)
        params = {"$filter": odata.both(company, *conditions), "$select": COLUMNS, "$orderby": ORDER}
        return self._gateway.read_all(JOURNAL_ITEMS, ENTITY_SET, params)


def _entries(rows: Iterable[Row]) -> dict[Posted, list[Row]]:
    """Standing entries with their rows."""
    found: dict[Posted, list[Row]] = {}
    for row in rows:
        if not row.get("IsReversal") and not row.get("IsReversed"):
            posted = Posted(
                str(row["AccountingDocument"]).zfill(10), str(row["CompanyCode"]), str(row["FiscalYear"])
            )
            found.setdefault(posted, []).append(row)
    return found


def _receipt(kind: DocumentKind, posted: Posted, rows: list[Row]) -> Receipt:
    """Total and tax as they stand in the books."""
    sign = SIGN[kind]
    customer = [row for row in rows if row.get("FinancialAccountType") == CUSTOMER_ROW]
    taxes = [row for row in rows if row.get("AccountingDocumentItemType") == TAX_ROW]
    is_money = kind in (DocumentKind.PAYMENT, DocumentKind.PAYOUT)
    return Receipt(
        key=posted.key,
        number=posted.number,
        total=_sum(customer, sign),
        tax=None if is_money else _sum(taxes, -sign),
        currency=str(rows[0].get("TransactionCurrency") or ""),
        is_open=not all(row.get("IsCleared") for row in customer) if customer else False,
        adopted=True,
        kind=kind,
    )


def _sum(rows: list[Row], sign: int) -> Decimal:
    total = sum((odata.amount(row.get("AmountInTransactionCurrency")) for row in rows), Decimal(0))
    return -total if sign < 0 else total
