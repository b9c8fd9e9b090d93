"""Sales orders, where a pipeline posts those instead of entries: SAP prices, taxes, delivers and invoices them.

A line's price is a manual condition over its whole net amount for its whole quantity, so nothing is divided and nothing is lost.
Amounts without an article stand on one of two service materials: one that SAP taxes, one that it does not. Tax is SAP's, by
the classification of material and customer; the mapped tax code only predicts it, and the answer proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from erp.adapters.sap_s4 import odata
from erp.adapters.sap_s4.answers import S4
from erp.adapters.sap_s4.gateway import Gateway, Service
from erp.adapters.sap_s4.journal import ZERO, customer_of
from erp.adapters.sap_s4.settings import Settings
from erp.contract.adapter import PredictedTotals, Receipt
from erp.contract.documents import DocumentKind, DocumentLine, SalesDocument
from erp.contract.errors import OutcomeUnknown, Refused
from erp.contract.facts import LedgerFacts
from erp.contract.money import rounded

Row = Mapping[str, Any]
ORDERS = Service("API_SALES_ORDER_SRV", "SAP_COM_0109 (sales order)")
ENTITY_SET, ITEMS = "A_SalesOrder", "A_SalesOrderItem"
COLUMNS = (
    "SalesOrder,PurchaseOrderByCustomer,TransactionCurrency,OverallSDDocumentRejectionSts,to_Item/SalesOrder,"
    "to_Item/SalesOrderItem,to_Item/NetAmount,to_Item/TaxAmount,to_Item/SalesDocumentRjcnReason"
)
REJECTED = "C"  # OverallSDDocumentRejectionSts: every item
MOST_PIECES = 99_999  # of one condition: ConditionQuantity has five digits


def predict(document: SalesDocument, facts: LedgerFacts) -> PredictedTotals:
    """What SAP will compute: tax of each item on its own, half up."""
    taxes = {line.key: _tax_of(line, document.currency, facts) for line in document.lines}
    tax = sum(taxes.values(), ZERO)
    net = sum((line.net for line in document.lines), ZERO)
    return PredictedTotals(total=net + tax, tax=tax, line_taxes=taxes)


def _tax_of(line: DocumentLine, currency: str, facts: LedgerFacts) -> Decimal:
    known = facts.tax_codes.get(line.tax_code)
    return rounded(line.net * known.rate / 100, currency) if known else ZERO


def order_payload(
    document: SalesDocument, settings: Settings, facts: LedgerFacts, links: Mapping[str, Receipt]
) -> dict[str, Any]:
    """The body of a sales order: one deep insert. Decimals are text in OData V2."""
    return {
        "SalesOrderType": settings.sales_order_type,
        "SalesOrganization": settings.sales_organization,
        "DistributionChannel": settings.distribution_channel,
        "OrganizationDivision": settings.division,
        "SoldToParty": customer_of(document.partner, links),
        "PurchaseOrderByCustomer": document.reference,
        "CustomerPurchaseOrderDate": _moment(document.document_date),
        "SalesOrderDate": _moment(document.posting_date),
        "PricingDate": _moment(document.posting_date),
        "TransactionCurrency": document.currency,
        "to_Item": [
            _item(line, document, settings, facts) for line in document.lines if line.net or line.item
        ],
    }


def _item(
    line: DocumentLine, document: SalesDocument, settings: Settings, facts: LedgerFacts
) -> dict[str, Any]:
    quantity = format(line.quantity.normalize(), "f")
    price = {
        "ConditionType": settings.price_condition,
        "ConditionRateValue": format(line.net, "f"),
        "ConditionCurrency": document.currency,
        "ConditionQuantity": quantity,
    }
    return {
        "Material": material_of(line, settings, facts),
        "SalesOrderItemText": line.text[:40].rstrip(),
        "RequestedQuantity": quantity,
        "to_PricingElement": [price],
    }


def material_of(line: DocumentLine, settings: Settings, facts: LedgerFacts) -> str:
    """The line's own material, or the service material that SAP taxes as the line is taxed."""
    if line.item:
        return line.item
    known = facts.tax_codes.get(line.tax_code)
    return settings.service_material if known and known.rate else settings.exempt_material


def _moment(day: date) -> str:
    """A day as V2 writes it."""
    return f"/Date({int(datetime.combine(day, time(), tzinfo=UTC).timestamp()) * 1000})/"


class SalesOrders:
    """The sales orders of one tenant. Ours are known by the customer's purchase order number, which holds our reference."""

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        self._gateway = gateway
        self._settings = settings

    def by_reference(self, reference: str) -> Receipt | None:
        """The one standing order with this reference.

        :raises Refused: if there are several
        """
        rows = [row for row in self._rows(odata.equals("PurchaseOrderByCustomer", reference)) if _stands(row)]
        rows = [row for row in rows if row.get("PurchaseOrderByCustomer") == reference]
        if len(rows) > 1:
            numbers = ", ".join(_number(row) for row in rows)
            raise Refused(
                f"{S4} has several sales orders under reference {reference}: {numbers}. Reject all but one there, then reprocess."
            )
        return _receipt(rows[0], adopted=True) if rows else None

    def by_number(self, number: str) -> Receipt | None:
        """The standing order with this number."""
        if not number.isdigit() or len(number) > 10:
            return None
        rows = [row for row in self._rows(odata.equals("SalesOrder", odata.padded(number))) if _stands(row)]
        return _receipt(rows[0], adopted=True) if rows else None

    def numbers_by_reference(self, references: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The numbers of all standing orders under these references."""
        found: dict[str, list[str]] = {reference: [] for reference in references}
        for chunk in odata.chunks("PurchaseOrderByCustomer", references):
            for row in self._rows(chunk):
                reference = str(row.get("PurchaseOrderByCustomer"))
                if reference in found and _stands(row):
                    found[reference].append(_number(row))
        return found

    def create(self, body: Mapping[str, object], *, before_sending: Callable[[], None]) -> Receipt:
        """Make a sales order, once."""
        row = self._gateway.write(ORDERS, "POST", ENTITY_SET, body, before_sending=before_sending)
        if not isinstance(row, dict) or not str(row.get("SalesOrder") or "").strip("0"):
            raise OutcomeUnknown(f"{S4} answered without the new sales order's number: we look it up.")
        if not isinstance(row.get("to_Item"), dict | list):
            row = {**row, "to_Item": None}
        return _receipt(row, adopted=False)

    def reject(self, receipt: Receipt, *, before_sending: Callable[[], None]) -> None:
        """Reject every item that is not rejected yet: SAP keeps the order and delivers nothing of it."""
        for row in self._rows(odata.equals("SalesOrder", odata.padded(receipt.key))):
            for item in _items(row):
                if not item.get("SalesDocumentRjcnReason"):
                    keys = {name: str(item[name]) for name in ("SalesOrder", "SalesOrderItem")}
                    path = odata.key(ITEMS, **keys)
                    body = {"SalesDocumentRjcnReason": self._settings.rejection_reason}
                    self._gateway.write(
                        ORDERS, "PATCH", path, body, before_sending=before_sending, headers={"If-Match": "*"}
                    )

    def _rows(self, condition: str) -> Iterator[Row]:
        params = {"$filter": condition, "$select": COLUMNS, "$expand": "to_Item", "$orderby": "SalesOrder"}
        return self._gateway.read_all(ORDERS, ENTITY_SET, params)


def _items(row: Row) -> list[Row]:
    items = row.get("to_Item")
    return list(items.get("results", [])) if isinstance(items, dict) else list(items or [])


def _stands(row: Row) -> bool:
    return row.get("OverallSDDocumentRejectionSts") != REJECTED


def _number(row: Row) -> str:
    return odata.external(str(row["SalesOrder"]))


def _receipt(row: Row, *, adopted: bool) -> Receipt:
    """Total and tax as SAP computed them; unknown where the answer shows no items."""
    items = _items(row)
    tax = sum((odata.amount(item.get("TaxAmount")) for item in items), ZERO)
    net = sum((odata.amount(item.get("NetAmount")) for item in items), ZERO)
    return Receipt(
        key=_number(row),
        number=_number(row),
        total=net + tax if items else None,
        tax=tax if items else None,
        currency=str(row.get("TransactionCurrency") or ""),
        adopted=adopted,
        kind=DocumentKind.SALES_ORDER,
    )
