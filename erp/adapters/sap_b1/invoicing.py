"""What B1's people made of a sales order of ours: its invoices, and which of our money they have used.

An invoice names its base row by row: the order itself (BaseType 17), or a delivery of it (15). Collections cannot be
filtered, so the rows are read by `$crossjoin` (SAP "Working with Service Layer" 1.28, 3.7.10; by convention for
documents other than SAP's example, tried by *Test connection*). Cancellation documents have their invoice as base (13)
and are never among the rows.

What is open is told by `InternalReconciliationsService_GetOpenTransactions`, in the reconciliation currency: the local
one for partners of local or all currencies, else the partner's (SAP help 9.0, "Internal Reconciliation Window").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.adapters.sap_b1 import queries
from erp.adapters.sap_b1.answers import amount
from erp.adapters.sap_b1.receipts import counts
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.contract.adapter import Invoiced
from erp.contract.facts import DrawnInvoice, FactsNeeded, Invoicing
from erp.contract.money import rounded

Row = Mapping[str, Any]
ORDER, DELIVERY = 17, 15  # BoObjectTypes
INVOICE_CODE, PAYMENT_CODE = "13", "24"  # SrcObjTyp of open transactions
INVOICES, DELIVERIES, PAYMENTS = "Invoices", "DeliveryNotes", "IncomingPayments"
AT_ONCE = 50  # keys in one filter: addresses stay far below 8 kB
INVOICE_COLUMNS = "DocEntry,DocNum,DocDate,CardCode,DocCurrency,DocTotal,DocTotalFc,Cancelled,CancelStatus,DownPaymentsToDraw"
PAYMENT_COLUMNS = "DocEntry,DocDate,DocCurrency,DocRate,TransferSum,CashSum"
OPEN_TRANSACTIONS = "InternalReconciliationsService_GetOpenTransactions"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTransaction:
    """One side of the customer's account that is not settled yet; `amount` is in the reconciliation currency."""

    transaction: int
    row: int
    amount: Decimal


def read_invoicing(
    service: ServiceLayer, needed: FactsNeeded, *, local_currency: str, direct: bool
) -> Invoicing:
    """The invoices of one sales order, and what is open of them and of the payments."""
    entries = {each.invoice for each in _of_order(service, int(needed.sales_order))}
    rows = read_rows(service, INVOICES, INVOICE_COLUMNS, entries)
    living = [row for row in rows if counts(row)]
    payments = read_rows(service, PAYMENTS, PAYMENT_COLUMNS, needed.payments) if living else []
    account = _account(service, living, payments, local_currency)
    return Invoicing(
        order=needed.sales_order,
        invoices=tuple(_invoice(row, account) for row in rows),
        money={str(row["DocEntry"]): _unused(row, account, direct=direct) for row in payments},
    )


def invoiced_since(service: ServiceLayer, day: date) -> Iterator[Invoiced]:
    """Every invoice of a sales order that was made or changed on that day or later, in two queries."""
    since = f"{INVOICES}/UpdateDate ge {queries.text(day.isoformat())}"
    rows = list(_lines(service, INVOICES, since, (ORDER, DELIVERY)))
    yield from _direct(rows)
    yield from _delivered(service, rows)


def open_transactions(
    service: ServiceLayer, partner: str, of: Iterable[Row]
) -> dict[tuple[str, int], OpenTransaction]:
    """Open transactions of a partner by source object and key, on the posting dates of these documents.

    A one-time partner has very many: the dates keep the answer small.
    """
    days = sorted(str(row["DocDate"])[:10] for row in of)
    asked = {
        "CardOrAccount": "coaCard",
        "InternalReconciliationBPs": [{"BPCode": partner}],
        "DateType": "rsdtPostDate",
        "FromDate": days[0],
        "ToDate": days[-1],
    }
    answer = service.ask(OPEN_TRANSACTIONS, {"InternalReconciliationOpenTransParams": asked})
    return {
        (str(row["SrcObjTyp"]), int(row["SrcObjAbs"])): OpenTransaction(
            transaction=int(row["TransId"]), row=int(row["TransRowId"]), amount=amount(row["ReconcileAmount"])
        )
        for row in (answer or {}).get("InternalReconciliationOpenTransRows") or ()
        if row.get("SrcObjAbs") is not None
    }


def _of_order(service: ServiceLayer, order: int) -> Iterator[Invoiced]:
    """Invoices of the order itself, and of its deliveries."""
    drawn = f"DocumentLines/BaseEntry eq {order}"
    yield from _direct(_lines(service, INVOICES, f"{INVOICES}/{drawn}", (ORDER,)))
    deliveries = [
        row[DELIVERIES]["DocEntry"] for row in _lines(service, DELIVERIES, f"{DELIVERIES}/{drawn}", (ORDER,))
    ]
    for some in _numbers(deliveries):
        wanted = _any(f"{INVOICES}/DocumentLines/BaseEntry", some)
        for row in _lines(service, INVOICES, wanted, (DELIVERY,)):
            yield _invoiced(row, order)


def _direct(rows: Iterable[Row]) -> Iterator[Invoiced]:
    for row in rows:
        if _line(row, INVOICES)["BaseType"] == ORDER:
            yield _invoiced(row, _line(row, INVOICES)["BaseEntry"])


def _delivered(service: ServiceLayer, rows: Sequence[Row]) -> Iterator[Invoiced]:
    """Invoices of deliveries, each with the orders that were delivered."""
    of_delivery = [row for row in rows if _line(row, INVOICES)["BaseType"] == DELIVERY]
    orders: dict[int, set[int]] = {}
    for some in _numbers(_line(row, INVOICES)["BaseEntry"] for row in of_delivery):
        for row in _lines(service, DELIVERIES, _any(f"{DELIVERIES}/DocEntry", some), (ORDER,)):
            delivery = int(row[DELIVERIES]["DocEntry"])
            orders.setdefault(delivery, set()).add(int(_line(row, DELIVERIES)["BaseEntry"]))
    for row in of_delivery:
        for order in sorted(orders.get(int(_line(row, INVOICES)["BaseEntry"]), ())):
            yield _invoiced(row, order)


def _invoiced(row: Row, order: object) -> Invoiced:
    invoice = row[INVOICES]
    return Invoiced(order=str(order), invoice=str(invoice["DocEntry"]), cancelled=not counts(invoice))


def _lines(service: ServiceLayer, name: str, wanted: str, bases: Iterable[int]) -> Iterator[Row]:
    """Rows of documents beside their document, drawn from documents of these kinds."""
    lines = f"{name}/DocumentLines"
    joined = f"{name}/DocEntry eq {lines}/DocEntry"
    kinds = _any(f"{lines}/BaseType", bases)
    yield from service.read_all(
        f"$crossjoin({name},{lines})",
        {
            "$expand": f"{name}($select=DocEntry,Cancelled,CancelStatus),{lines}($select=LineNum,BaseType,BaseEntry)",
            "$filter": f"{joined} and {wanted} and {kinds}",
            "$orderby": f"{name}/DocEntry,{lines}/LineNum",
        },
    )


def _line(row: Row, name: str) -> Row:
    found: Row = row[f"{name}/DocumentLines"]
    return found


def _any(name: str, values: Iterable[object]) -> str:
    return "(" + " or ".join(f"{name} eq {value}" for value in values) + ")"


def read_rows(service: ServiceLayer, name: str, columns: str, keys: Iterable[str]) -> list[Row]:
    """Documents or payments by their DocEntry, in its order."""
    rows: list[Row] = []
    for some in _numbers(keys):
        query = {"$select": columns, "$filter": _any("DocEntry", some), "$orderby": "DocEntry"}
        rows += service.read_all(name, query)
    return rows


def _numbers(keys: Iterable[object]) -> Iterator[list[int]]:
    """Keys as numbers, in groups that fit into one filter."""
    numbers = sorted({int(str(key)) for key in keys})
    for first in range(0, len(numbers), AT_ONCE):
        yield numbers[first : first + AT_ONCE]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """A customer's account: what is open on it, and how that is told."""

    found: Mapping[tuple[str, int], OpenTransaction]
    local_currency: str
    told_in_local: bool

    def left(self, code: str, row: Row, *, own: Decimal, local: Decimal) -> Decimal:
        """What is open of a document, in its currency: in proportion where B1 tells the local amount only."""
        open_one = self.found.get((code, int(row["DocEntry"])))
        if open_one is None or not local:
            return Decimal(0)
        if self.is_foreign(row) and self.told_in_local:
            return rounded(open_one.amount * own / local, str(row["DocCurrency"]))
        return open_one.amount

    def is_foreign(self, row: Row) -> bool:
        return bool(row["DocCurrency"] != self.local_currency)


def _account(
    service: ServiceLayer, living: Sequence[Row], payments: Sequence[Row], local_currency: str
) -> _Account:
    if not living:
        return _Account(found={}, local_currency=local_currency, told_in_local=True)
    partner = str(living[0]["CardCode"])
    foreign = any(row["DocCurrency"] != local_currency for row in (*living, *payments))
    return _Account(
        found=open_transactions(service, partner, [*living, *payments]),
        local_currency=local_currency,
        told_in_local=not foreign or is_reconciled_in_local(service, partner, local_currency),
    )


def is_reconciled_in_local(service: ServiceLayer, partner: str, local_currency: str) -> bool:
    """Whether the partner's account is matched in local currency: unless it is kept in one foreign currency."""
    row = service.read(queries.key("BusinessPartners", partner), {"$select": "CardCode,Currency"})
    return row.get("Currency") in (None, "", "##", local_currency)


def _invoice(row: Row, account: _Account) -> DrawnInvoice:
    foreign = account.is_foreign(row)
    total = amount(row["DocTotalFc" if foreign else "DocTotal"])
    drawn = "GrossAmountToDrawFC" if foreign else "GrossAmountToDraw"
    return DrawnInvoice(
        key=str(row["DocEntry"]),
        number=str(row["DocNum"]),
        currency=str(row["DocCurrency"]),
        total=total,
        posted_on=date.fromisoformat(str(row["DocDate"])[:10]),
        cancelled=not counts(row),
        open=account.left(INVOICE_CODE, row, own=total, local=amount(row["DocTotal"])),
        drawn={
            str(each["DocEntry"]): amount(each.get(drawn)) for each in row.get("DownPaymentsToDraw") or ()
        },
    )


def _unused(row: Row, account: _Account, *, direct: bool) -> Decimal:
    """What of a payment settles nothing yet. A payment has no local total: it is its amount at its rate."""
    own = amount(row["TransferSum"]) + amount(row["CashSum"])
    rate = amount(row.get("DocRate")) or Decimal(1)
    local = (
        own
        if not account.is_foreign(row)
        else rounded(own * rate if direct else own / rate, account.local_currency)
    )
    return account.left(PAYMENT_CODE, row, own=own, local=local)
