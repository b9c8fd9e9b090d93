"""A service of the customer's own that wraps journal entries in OData, with names of its own, as such services have."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.s4hana import odata
from sandbox.s4hana.ledger import Ledger
from sandbox.wire import Storage

Row = dict[str, Any]
SERVICE, ENTRIES = "ZTIEOUT_JOURNAL_SRV", "JournalEntrySet"
PARTS = {"to_Items": "Item", "to_Customers": "DebtorItem", "to_Taxes": "ProductTaxItem"}
HEADER = (
    "AccountingDocumentType DocumentReferenceID DocumentHeaderText ReversalReason ReversalReferenceDocument CreatedByUser CompanyCode "
    "DocumentDate PostingDate Reference1InDocumentHeader"
).split()


def post(storage: Storage, body: Row, now: datetime) -> Row:
    """Post an entry through the ledger; its messages become an OData error.

    :raises sandbox.wire.Refusal: 400 with everything that is wrong
    """
    entry: Row = {name: body.get(name, "") for name in HEADER}
    for theirs, ours in PARTS.items():
        entry[ours] = [_row(each) for each in body.get(theirs, [])]
    result = Ledger(storage).post(entry, now)
    if not result.posted:
        first, *others = result.messages
        details = [(_code(each.type_id), each.note) for each in others]
        raise odata.refusal(400, _code(first.type_id), first.note, *details)
    return {"AccountingDocument": result.document, "CompanyCode": result.company, "FiscalYear": result.year}


def _row(body: Row) -> Row:
    return {
        "Amount": _decimal(body.get("Amount")),
        "Base": _decimal(body.get("TaxBaseAmountInTransCrcy") or "0"),
        "Currency": body.get("TransactionCurrency", ""),
        "Text": body.get("DocumentItemText", ""),
        "Assignment": body.get("AssignmentReference", ""),
        "City": body.get("CityName", ""),
        **{
            name: body.get(name, "")
            for name in (
                "GLAccount",
                "Debtor",
                "Name",
                "TaxCode",
                "TaxJurisdiction",
                "CostCenter",
                "ProfitCenter",
            )
        },
    }


def _decimal(text: Any) -> Decimal:
    if not isinstance(text, str):
        raise odata.refusal(400, "/IWCOR/CX_DS_EDM_TYPE", "A decimal is text in V2")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise odata.refusal(400, "/IWCOR/CX_DS_EDM_TYPE", f"{text!r} is no decimal") from error


def _code(type_id: str) -> str:
    """`102(F5)` as OData writes it: `F5/102`."""
    number, _, rest = type_id.partition("(")
    return f"{rest.rstrip(')')}/{number}"
