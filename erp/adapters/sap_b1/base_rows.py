"""Drawing a credit memo from the invoice it corrects, where that invoice is still open.

B1 refuses a closed base ("One of the base documents has already been closed"), and a paid invoice is closed: then the
credit memo stands alone and its pay-out settles it. A memo drawn from an open invoice reduces it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from erp.adapters.sap_b1.answers import amount
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.contract.adapter import Receipt
from erp.contract.documents import SalesDocument

Row = dict[str, Any]
INVOICE_OBJECT = 13  # BoObjectTypes.oInvoices
COLUMNS = "DocEntry,CardCode,DocCurrency,DocumentStatus,DocumentLines"


def draw_from_open_invoice(
    document: SalesDocument, body: Row, links: Mapping[str, Receipt], service: ServiceLayer
) -> None:
    """Give the memo's lines their base rows, if the invoice is open; else leave the body as it is.

    A line is matched by item and text, which our own invoice has from the same order line. A line without a match
    (a fee, an amount no line explains) stands alone beside the others.
    """
    corrected = links.get(document.corrects)
    if corrected is None or not corrected.key.isdigit():
        return
    invoice = service.read(f"Invoices({int(corrected.key)})", {"$select": COLUMNS})
    same = (invoice.get("CardCode"), invoice.get("DocCurrency")) == (body["CardCode"], body["DocCurrency"])
    if not same or invoice.get("DocumentStatus") not in ("bost_Open", "O"):
        return
    free = [
        line for line in invoice.get("DocumentLines") or () if line.get("LineStatus") in ("bost_Open", "O")
    ]
    for row in body["DocumentLines"]:
        base = next((line for line in free if _fits(row, line)), None)
        if base is not None:
            free.remove(base)
            row.update(BaseType=INVOICE_OBJECT, BaseEntry=invoice["DocEntry"], BaseLine=base["LineNum"])


def _fits(row: Row, line: Row) -> bool:
    open_quantity = amount(line.get("RemainingOpenQuantity"))
    quantity = Decimal(row["Quantity"])
    return (
        row.get("ItemCode") == line.get("ItemCode")
        and row.get("ItemDescription", "") == (line.get("ItemDescription") or "")
        and quantity * open_quantity > 0
        and abs(quantity) <= abs(open_quantity)
    )
