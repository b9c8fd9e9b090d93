"""A payment on account applied to an invoice: an internal reconciliation of both.

`POST /InternalReconciliations` takes open transactions of one partner, selected, each with an amount; debits and credits
must be equal (entity set OITR and complex type ITRV2 of SAP's Service Layer metadata; request shape by convention, after
SAP's API reference). A reconciliation has no field for a reference of ours, so it is known by what it joins: looked up
by its date and amount, then by the payment and the invoice among its rows. `CancelAbs` is set on a reconciliation that
was cancelled and on the one that cancelled it: neither counts (by convention).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from erp.adapters.sap_b1.answers import NOT_FOUND, amount
from erp.adapters.sap_b1.invoicing import (
    INVOICE_CODE,
    INVOICES,
    PAYMENT_CODE,
    PAYMENTS,
    OpenTransaction,
    is_reconciled_in_local,
    open_transactions,
    read_rows,
)
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.adapters.sap_b1.settings import Settings
from erp.contract.adapter import Receipt
from erp.contract.documents import DocumentKind, SettlementDocument
from erp.contract.errors import Refused, TryLater
from erp.contract.money import rounded

Row = dict[str, Any]
ENTITY_SET = "InternalReconciliations"
COLUMNS = "ReconNum,ReconType,Total,CancelAbs"


def settlement_payload(document: SettlementDocument, links: Mapping[str, Receipt]) -> Row:
    """The body, with payment and invoice in place of the transactions, which are read when it is sent."""
    payment = links.get(document.money)
    return _body(
        document,
        (
            _side(f"payment {payment.number if payment else document.money}", 0, document.amount),
            _side(f"invoice {document.invoice_number}", 0, document.amount),
        ),
    )


def _body(document: SettlementDocument, sides: tuple[Row, Row]) -> Row:
    return {
        "ReconDate": document.posting_date.isoformat(),
        "CardOrAccount": "coaCard",
        "InternalReconciliationOpenTransRows": list(sides),
    }


def _side(transaction: object, row: int, counted: Decimal) -> Row:
    return {"Selected": "tYES", "TransId": transaction, "TransRowId": row, "ReconcileAmount": counted}


class Settlements:
    """Internal reconciliations of one company."""

    def __init__(self, service: ServiceLayer, settings: Settings) -> None:
        self._service = service
        self._settings = settings

    def find(self, document: SettlementDocument, links: Mapping[str, Receipt]) -> Receipt | None:
        """The reconciliation of this payment with this invoice on the document's day, if it stands."""
        payment = links.get(document.money)
        if payment is None or not payment.key.isdigit():
            return None
        wanted = {(PAYMENT_CODE, int(payment.key)), (INVOICE_CODE, int(document.invoice))}
        for row in self._of_day(document):
            joined = {
                (str(each["SrcObjTyp"]), each["SrcObjAbs"]) for each in row["InternalReconciliationRows"]
            }
            if not row.get("CancelAbs") and wanted <= joined:
                return self._receipt(row, document, adopted=True)
        return None

    def by_number(self, number: str) -> Receipt | None:
        """The reconciliation with this number, unless it was cancelled."""
        if not number.isdigit() or len(number) > 10:
            return None
        try:
            row = self._service.read(f"{ENTITY_SET}({int(number)})", {"$select": COLUMNS})
        except Refused as error:
            if error.status == 404 or error.code == str(NOT_FOUND):
                return None
            raise
        return None if row.get("CancelAbs") else self._receipt(row, None, adopted=True)

    def body(self, document: SettlementDocument, links: Mapping[str, Receipt]) -> Row:
        """The body with both transactions, if both are still open over the amount.

        :raises TryLater: somebody settled one of them meanwhile: the order is planned again
        :raises Refused: in local currency, the two sides are not the same amount
        """
        payment, invoice, partner = self._both(document, links)
        found = open_transactions(self._service, partner, (payment, invoice))
        credit = found.get((PAYMENT_CODE, int(payment["DocEntry"])))
        debit = found.get((INVOICE_CODE, int(document.invoice)))
        counted = self._counted(document, partner, payment, invoice)
        if credit is None or debit is None or counted > min(credit.amount, debit.amount):
            raise _settled_meanwhile(document)
        return _body(document, (_picked(credit, counted), _picked(debit, counted)))

    def created(self, document: SettlementDocument, row: Mapping[str, Any]) -> Receipt:
        """The receipt of a new reconciliation: B1 answers the whole row, or its number alone."""
        return self._receipt({"Total": document.amount, **row}, document, adopted=False)

    def _both(self, document: SettlementDocument, links: Mapping[str, Receipt]) -> tuple[Row, Row, str]:
        columns = "DocEntry,DocDate,CardCode,DocCurrency,DocRate"
        [payment] = read_rows(self._service, PAYMENTS, columns, (links[document.money].key,))
        [invoice] = read_rows(self._service, INVOICES, columns, (document.invoice,))
        return dict(payment), dict(invoice), str(invoice["CardCode"])

    def _counted(self, document: SettlementDocument, partner: str, payment: Row, invoice: Row) -> Decimal:
        """The amount in the reconciliation currency. In local currency both sides must come to the same."""
        local = self._settings.local_currency
        if document.currency == local or not is_reconciled_in_local(self._service, partner, local):
            return document.amount
        sides = [self._in_local(document.amount, amount(row.get("DocRate"))) for row in (payment, invoice)]
        if sides[0] != sides[1]:
            raise Refused(
                f"{document.amount} {document.currency} are {sides[0]} {local} in the payment and {sides[1]} {local} in "
                f"invoice {document.invoice_number}: the exchange rates differ, and SAP Business One reconciles customers "
                "of all currencies in local currency. Reconcile the two there, with the exchange difference; then press "
                "Reprocess."
            )
        return sides[0]

    def _in_local(self, value: Decimal, rate: Decimal) -> Decimal:
        return rounded(
            value * rate if self._settings.direct_rate else value / rate, self._settings.local_currency
        )

    def _of_day(self, document: SettlementDocument) -> Iterator[Row]:
        wanted = f"ReconDate eq '{document.posting_date.isoformat()}' and CardOrAccount eq 'coaCard'"
        if document.currency == self._settings.local_currency:
            wanted += f" and Total eq {document.amount:f}"
        columns = f"{COLUMNS},InternalReconciliationRows"
        yield from self._service.read_all(
            ENTITY_SET, {"$select": columns, "$filter": wanted, "$orderby": "ReconNum"}
        )

    def _receipt(
        self, row: Mapping[str, Any], document: SettlementDocument | None, *, adopted: bool
    ) -> Receipt:
        """In foreign currency the reconciliation tells the local amount: then the document's own stands for it."""
        number = str(row["ReconNum"])
        foreign = document is not None and document.currency != self._settings.local_currency
        return Receipt(
            key=number,
            number=number,
            total=document.amount if document and foreign else amount(row["Total"]),
            currency=document.currency if document else "",
            adopted=adopted,
            kind=DocumentKind.SETTLEMENT,
        )


def _settled_meanwhile(document: SettlementDocument) -> TryLater:
    error = TryLater(
        f"The payment or invoice {document.invoice_number} was settled in SAP Business One meanwhile: we plan again."
    )
    error.side = "tieout"  # B1 is well: its breaker need not know
    return error


def _picked(side: OpenTransaction, counted: Decimal) -> Row:
    return _side(side.transaction, side.row, counted)
