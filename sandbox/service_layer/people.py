"""What the ERP's own people do with a sales order of somebody else: deliver it, invoice it, wholly or in part."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.service_layer import documents
from sandbox.service_layer.company import Company

Row = dict[str, Any]
ORDER, DELIVERY = 17, 15


def invoice_order(
    company: Company,
    order: int,
    *,
    quantities: Mapping[int, Decimal] | None = None,
    draw: Mapping[int, Decimal | None] | None = None,
    day: str | None = None,
) -> Row:
    """An A/R invoice drawn from a sales order.

    :param quantities: by line number, what is invoiced now; None: everything that is open, with the freight
    :param draw: down payments that are drawn, as in the window *Total Down Payment*, and how much; None: all that is left
    """
    source = company.tables["Orders"][order,]
    payload = _drawn_from(source, ORDER, quantities)
    if day:
        payload["DocDate"] = day
    payload["DownPaymentsToDraw"] = [
        {"DocEntry": entry, _gross(company, source): amount} for entry, amount in (draw or {}).items()
    ]
    return documents.post(company, "Invoices", payload)[1]


def deliver_order(company: Company, order: int, *, quantities: Mapping[int, Decimal] | None = None) -> Row:
    """A delivery note drawn from a sales order."""
    source = company.tables["Orders"][order,]
    return documents.post(company, "DeliveryNotes", _drawn_from(source, ORDER, quantities))[1]


def invoice_delivery(company: Company, delivery: int) -> Row:
    """An A/R invoice drawn from a delivery note: its lines name the delivery, not the order."""
    source = company.tables["DeliveryNotes"][delivery,]
    return documents.post(company, "Invoices", _drawn_from(source, DELIVERY, None))[1]


def _gross(company: Company, source: Row) -> str:
    foreign = source["DocCurrency"] != company.switches.local_currency
    return "GrossAmountToDrawFC" if foreign else "GrossAmountToDraw"


def _drawn_from(source: Row, code: int, quantities: Mapping[int, Decimal] | None) -> Row:
    lines = [
        {"BaseType": code, "BaseEntry": source["DocEntry"], "BaseLine": line["LineNum"]}
        | ({"Quantity": quantities[line["LineNum"]]} if quantities else {})
        for line in source["DocumentLines"]
        if line["LineStatus"] == "bost_Open" and (not quantities or line["LineNum"] in quantities)
    ]
    freights = [] if quantities else [_freight(each) for each in source["DocumentAdditionalExpenses"]]
    return {
        "CardCode": source["CardCode"],
        "DocCurrency": source["DocCurrency"],
        "Comments": f"Based on document {source['DocNum']}",
        "DocDueDate": source["DocDueDate"],
        "DocumentLines": lines,
        "DocumentAdditionalExpenses": freights,
    }


def _freight(each: Row) -> Row:
    amount = each["LineTotalFC"] or each["LineTotal"]
    kept = {name: each[name] for name in ("ExpenseCode", "TaxCode", "VatGroup") if each.get(name)}
    return {**kept, "LineTotal": amount}
