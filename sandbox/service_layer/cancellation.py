"""Closing and cancelling: documents, and what their cancellation gives back."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from sandbox.service_layer import checks, document_rows, errors, journal, reconciliation, stock
from sandbox.service_layer.catalogue import BY_OBJECT, DOCUMENTS
from sandbox.service_layer.company import Company

Row = dict[str, Any]


def close(company: Company, name: str, row: Row) -> None:
    """`/Orders(1)/Close`: no more is delivered from it. Invoices cannot be closed.

    :raises B1Error: if it is closed already, or of a kind that cannot be closed
    """
    if name != "Orders":
        raise errors.not_supported()
    if row["DocumentStatus"] != "bost_Open":
        raise errors.business("Document is already closed")
    _shut(company, row)
    company.touch(name, row)


def _shut(company: Company, row: Row) -> None:
    stock.apply_moves(company, _open_commitments(company, row))
    row["DocumentStatus"] = "bost_Close"
    for line in row["DocumentLines"]:
        line["LineStatus"] = "bost_Close"


def _open_commitments(company: Company, row: Row) -> list[stock.Move]:
    return [
        stock.Move(
            item=line["ItemCode"], warehouse=line["WarehouseCode"], committed=-line["RemainingOpenQuantity"]
        )
        for line in row["DocumentLines"]
        if line["LineStatus"] == "bost_Open" and _is_stocked(company, line)
    ]


def _is_stocked(company: Company, line: Row) -> bool:
    item = company.get("Items", line.get("ItemCode"))
    return item is not None and item.get("InventoryItem") == "tYES"


def cancel(company: Company, name: str, row: Row) -> Row | None:
    """Cancel a document. Invoices and credit notes get a cancellation document, which is answered.

    The cancellation document keeps the reference of what it cancels, and its `CancelStatus` is
    `csCancellation`: whoever looks documents up by reference has to leave both out.

    :raises B1Error: if it is cancelled already, paid, or the base of another document
    """
    if row["CancelStatus"] != "csNo":
        raise errors.business("Document is already cancelled")
    if name == "Orders":
        if row["DocumentStatus"] != "bost_Open":
            raise errors.business("Document is already closed")
        _shut(company, row)
        _mark(company, name, row)
        return None
    if name not in ("Invoices", "CreditNotes", "DownPayments"):
        raise errors.not_supported()
    reconciliation.refuse_if_reconciled(company, name, row)
    if row["PaidToDate"] or row["PaidToDateFC"] or row.get("_drawn"):
        raise errors.business("Document cannot be cancelled: it is linked to payments or to another document")
    return _cancellation_document(company, name, row)


def _cancellation_document(company: Company, name: str, row: Row) -> Row:
    entity_set = DOCUMENTS[name]
    day = company.today()
    company.check_period(day, entity_set.table)
    moves = [stock.taken_back(each) for each in row["_moves"]]
    stock.check_moves(company, moves)
    series, number = checks.take_number(company, entity_set, {})
    copy: Row = deepcopy(row)
    copy.update(DocEntry=company.next_entry(name), DocNum=number, Series=series, DocDate=day, TaxDate=day)
    copy.update(CancelStatus="csCancellation", DocumentStatus="bost_Close", CreationDate=day, UpdateDate=day)
    for line in copy["DocumentLines"]:
        line.update(BaseType=int(entity_set.object_code), BaseEntry=row["DocEntry"], BaseLine=line["LineNum"])
        line["LineStatus"] = "bost_Close"
    document_rows.stamp(copy)
    copy["TransNum"] = journal.reverse(company, entity_set, {**copy, "TransNum": row.get("TransNum")}, day)
    company.add(name, **copy)
    stock.apply_moves(company, moves)
    _reopen_bases(company, row)
    _mark(company, name, row)
    return company.tables[name][copy["DocEntry"],]


def _reopen_bases(company: Company, row: Row) -> None:
    for line in row["DocumentLines"]:
        if line.get("BaseType") not in (15, 17) or not line["_from_base"]:
            continue
        name = BY_OBJECT[str(line["BaseType"])].name
        base = company.tables[name][line["BaseEntry"],]
        for each in base["DocumentLines"]:
            if each["LineNum"] == line["BaseLine"]:
                each["RemainingOpenQuantity"] += line["_from_base"]
                each["LineStatus"] = "bost_Open"
        base["DocumentStatus"] = "bost_Open"
        company.touch(name, base)
    for drawn in row.get("DownPaymentsToDraw") or ():
        payment = company.tables["DownPayments"][drawn["DocEntry"],]
        payment["_drawn"] -= drawn["GrossAmountToDrawFC"] or drawn["GrossAmountToDraw"]
        payment["DownPaymentStatus"] = "so_Open"
        company.touch("DownPayments", payment)


def _mark(company: Company, name: str, row: Row) -> None:
    row.update(
        Cancelled="tYES", CancelStatus="csYes", DocumentStatus="bost_Close", CancelDate=company.today()
    )
    for line in row["DocumentLines"]:
        line["LineStatus"] = "bost_Close"
    company.touch(name, row)
