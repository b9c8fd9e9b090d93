"""Internal reconciliation: a business partner's open credits and debits matched with each other.

A partner kept in local currency or in all currencies is reconciled in local currency, one kept in a foreign currency
in that one (SAP help for Business One 9.0, "Internal Reconciliation Window": *Reconciliation Currency*). A payment of
a down payment request cannot be reconciled. What was reconciled by hand cannot be cancelled before its reconciliation
is (SAP blog 2021-10-19, "Avoid common pitfalls in A/R Invoice Cancellations", scenario 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.service_layer import document_rows, errors
from sandbox.service_layer.catalogue import SETS
from sandbox.service_layer.company import ALL_CURRENCIES, Company
from sandbox.service_layer.reading import read_entity
from sandbox.service_layer.rounding import ZERO

Row = dict[str, Any]
NAME = "InternalReconciliations"
# What stands on a customer's account: the entity set, and whether it is a credit.
_SIDES = {
    "Invoices": False,
    "DownPayments": False,
    "VendorPayments": False,
    "CreditNotes": True,
    "IncomingPayments": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One open transaction of a partner; `amount` is what is left of it, in the reconciliation currency."""

    set_name: str
    row: Row
    line: int
    is_credit: bool
    amount: Decimal

    @property
    def key(self) -> tuple[int, int]:
        return self.row["TransNum"], self.line

    def shown(self) -> Row:
        return {
            "ShortName": self.row["CardCode"],
            "TransId": self.row["TransNum"],
            "TransRowId": self.line,
            "SrcObjTyp": SETS[self.set_name].object_code,
            "SrcObjAbs": self.row["DocEntry"],
            "CreditOrDebit": "codCredit" if self.is_credit else "codDebit",
            "ReconcileAmount": self.amount,
            "CashDiscount": ZERO,
        }


def open_transactions(company: Company, asked: Mapping[str, Any]) -> Row:
    """InternalReconciliationsService_GetOpenTransactions, for business partners.

    :raises B1Error: for an unknown partner, or accounts, which this server does not reconcile
    """
    wanted = read_entity(company, "InternalReconciliationOpenTransParams", asked)
    codes = [each.get("BPCode") for each in wanted.get("InternalReconciliationBPs", [])]
    if wanted.get("CardOrAccount") != "coaCard" or not codes:
        raise errors.business("Specify a business partner")
    found: list[Open] = []
    for code in codes:
        partner = company.get("BusinessPartners", code)
        if partner is None:
            raise errors.no_such_record("[ITRV1.BpCode]")
        found += _open_of(company, partner)
    first, last = wanted.get("FromDate") or "", wanted.get("ToDate") or "9999"
    rows = [each.shown() for each in found if first <= each.row[_day(wanted)] <= last]
    return {
        "ReconDate": wanted.get("ReconDate") or company.today(),
        "CardOrAccount": "coaCard",
        "InternalReconciliationOpenTransRows": [{"Selected": "tNO", **row} for row in rows],
    }


def _day(wanted: Row) -> str:
    kinds = {"rsdtDueDate": "DocDueDate", "rsdtDocDate": "TaxDate"}
    return kinds.get(wanted.get("DateType", ""), "DocDate")


def _open_of(company: Company, partner: Row) -> Iterator[Open]:
    for name, is_credit in _SIDES.items():
        for row in company.documents(name, CardCode=partner["CardCode"]):
            if row.get("TransNum") is None or not _stands(row):
                continue
            amount = _left(company, partner, name, row)
            if amount:
                line = _line_of(company, row)
                yield Open(set_name=name, row=row, line=line, is_credit=is_credit, amount=amount)


def _stands(row: Row) -> bool:
    return row.get("CancelStatus", "csNo") == "csNo" and row.get("Cancelled", "tNO") == "tNO"


def _line_of(company: Company, row: Row) -> int:
    lines = company.tables["JournalEntries"][row["TransNum"],]["JournalEntryLines"]
    return next(line["Line_ID"] for line in lines if line["ShortName"] == row["CardCode"])


def _in_local(company: Company, partner: Row) -> bool:
    return partner.get("Currency") in (None, ALL_CURRENCIES, company.switches.local_currency)


def _left(company: Company, partner: Row, name: str, row: Row) -> Decimal:
    if "PaymentInvoices" in row:
        return _left_of_payment(company, partner, row)
    if _in_local(company, partner):
        return Decimal(row["DocTotal"] - row["PaidToDate"])
    return document_rows.open_amount(row)


def _left_of_payment(company: Company, partner: Row, row: Row) -> Decimal:
    """The part of a payment that settles nothing: what it is over, less what it is applied to and reconciled with."""
    applied = sum((each["AppliedFC"] or each["SumApplied"] for each in row["PaymentInvoices"]), ZERO)
    own = _means(row) - applied
    foreign = row["DocCurrency"] != company.switches.local_currency
    if _in_local(company, partner) and foreign:
        own = company.to_local(own, row["DocRate"])
    return Decimal(own - row.get("_reconciled", ZERO))


def _means(row: Row) -> Decimal:
    cards = sum((each.get("CreditSum") or ZERO for each in row["PaymentCreditCards"]), ZERO)
    checks = sum((each.get("CheckSum") or ZERO for each in row["PaymentChecks"]), ZERO)
    return Decimal(row["TransferSum"] + row["CashSum"] + cards + checks)


def post(company: Company, payload: object) -> Row:
    """`POST /InternalReconciliations`: match the selected transactions; answers the reconciliation.

    :raises B1Error: unless they are open, of one partner and currency, and balance
    """
    values = read_entity(company, "InternalReconciliationOpenTrans", payload)
    chosen = [
        row for row in values.get("InternalReconciliationOpenTransRows", []) if row.get("Selected") == "tYES"
    ]
    if values.get("CardOrAccount", "coaCard") != "coaCard" or len(chosen) < 2:
        raise errors.business("Select the transactions to reconcile")
    matched = [(_find(company, row), row.get("ReconcileAmount") or ZERO) for row in chosen]
    _refuse(matched)
    for each, amount in matched:
        _settle(company, each, amount)
    return _store(company, values, [(each, amount) for each, amount in matched])


def _find(company: Company, row: Row) -> Open:
    entry = company.get("JournalEntries", row.get("TransId"))
    lines = entry["JournalEntryLines"] if entry else []
    line = next((each for each in lines if each["Line_ID"] == row.get("TransRowId")), None)
    partner = company.get("BusinessPartners", line["ShortName"]) if line else None
    if partner is None:
        raise errors.no_such_record("[ITR1.TransId]")
    found = {each.key: each for each in _open_of(company, partner)}.get((row["TransId"], row["TransRowId"]))
    if found is None:
        raise errors.business("Transaction is already reconciled  [ITR1.TransId]")
    _refuse_payment_of_request(company, found)
    return found


def _refuse_payment_of_request(company: Company, found: Open) -> None:
    for each in found.row.get("PaymentInvoices", ()):
        down = (
            company.get("DownPayments", each["DocEntry"]) if each["InvoiceType"] == "it_DownPayment" else None
        )
        if down is not None and down.get("DownPaymentType") == "dptRequest":
            raise errors.business(
                "Payment transactions applied to down payment requests cannot be reconciled here"
            )


def _refuse(matched: list[tuple[Open, Decimal]]) -> None:
    if len({each.row["CardCode"] for each, _ in matched}) > 1:
        raise errors.business("Transactions belong to different business partners")
    if any(amount <= 0 or amount > each.amount for each, amount in matched):
        raise errors.business("Amount to reconcile is greater than the balance due  [ITR1.ReconSum]")
    if len({each.key for each, _ in matched}) < len(matched):
        raise errors.business("A transaction is selected twice")
    if sum((amount if each.is_credit else -amount for each, amount in matched), ZERO):
        raise errors.business("Unbalanced reconciliation: debit and credit amounts differ")
    if len({each.row["DocCurrency"] for each, _ in matched}) > 1:
        raise errors.business("Transactions are in different currencies")


def _settle(company: Company, each: Open, amount: Decimal) -> None:
    """Take `amount` of a transaction, in the reconciliation currency (negative: give it back)."""
    row = each.row
    if "PaymentInvoices" in row:
        row["_reconciled"] = row.get("_reconciled", ZERO) + amount
        company.touch(each.set_name, row)
        return
    partner = company.tables["BusinessPartners"][row["CardCode"],]
    if _in_local(company, partner) and document_rows.is_foreign(company, row):
        amount = _foreign_part(company, row, amount)
    document_rows.settle(company, each.set_name, row, amount)


def _foreign_part(company: Company, row: Row, local: Decimal) -> Decimal:
    if row["PaidToDate"] + local in (ZERO, row["DocTotal"]):
        whole = row["DocTotalFc"] if local > 0 else ZERO
        return Decimal(whole - row["PaidToDateFC"])
    return company.to_foreign(local, row["DocRate"], row["DocCurrency"])


def _store(company: Company, values: Row, matched: list[tuple[Open, Decimal]], **more: Any) -> Row:
    rows = [
        {"LineSeq": number, **each.shown(), "ReconcileAmount": amount}
        for number, (each, amount) in enumerate(matched)
    ]
    return company.add(
        NAME,
        **{
            "ReconNum": company.next_entry(NAME),
            "ReconDate": values.get("ReconDate") or company.today(),
            "CardOrAccount": "coaCard",
            "ReconType": "rtManual",
            "Total": sum((amount for each, amount in matched if each.is_credit), ZERO),
            "CancelAbs": 0,
            "InternalReconciliationRows": rows,
            "_sets": [each.set_name for each, _ in matched],
            **more,
        },
    )


def cancel(company: Company, row: Row) -> None:
    """`POST /InternalReconciliations(5)/Cancel`: what it matched is open again; a reversal keeps the trace.

    :raises B1Error: if it is cancelled already, or is itself a reversal
    """
    if row["CancelAbs"]:
        raise errors.business("Reconciliation is already cancelled")
    matched = [
        (_taken(company, name, each), each["ReconcileAmount"])
        for name, each in zip(row["_sets"], row["InternalReconciliationRows"], strict=True)
    ]
    for each, amount in matched:
        _settle(company, each, -amount)
    reversal = _store(company, {}, matched, ReconType="rtReversal", CancelAbs=row["ReconNum"])
    row["CancelAbs"] = reversal["ReconNum"]
    company.touch(NAME, row)


def _taken(company: Company, name: str, each: Row) -> Open:
    row = company.tables[name][each["SrcObjAbs"],]
    is_credit = each["CreditOrDebit"] == "codCredit"
    return Open(
        set_name=name, row=row, line=each["TransRowId"], is_credit=is_credit, amount=each["ReconcileAmount"]
    )


def refuse_if_reconciled(company: Company, name: str, row: Row) -> None:
    """Whatever was reconciled by hand stays until its reconciliations are cancelled.

    :raises B1Error: naming them
    """
    code = SETS[name].object_code
    numbers = [
        str(each["ReconNum"])
        for each in company.rows(NAME)
        if not each["CancelAbs"]
        and any(
            (r["SrcObjTyp"], r["SrcObjAbs"]) == (code, row["DocEntry"])
            for r in each["InternalReconciliationRows"]
        )
    ]
    if numbers:
        raise errors.business(
            f"You cannot cancel manually reconciled documents; cancel reconciliations {', '.join(numbers)} first"
        )
