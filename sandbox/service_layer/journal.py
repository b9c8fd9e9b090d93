"""The journal entries that documents and payments make. Each balances in local currency, to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.service_layer.rounding import ZERO

if TYPE_CHECKING:
    from sandbox.service_layer.catalogue import EntitySet
    from sandbox.service_layer.company import Company
    from sandbox.service_layer.documents import Prepared

Row = dict[str, Any]
_ORIGIN = {"13": "ttARInvoice", "14": "ttARCredItnote", "24": "ttReceipt", "46": "ttVendorPayment"}
_COSTING = ("CostingCode", "CostingCode2", "CostingCode3", "CostingCode4", "CostingCode5")


class Entry:
    """Collects debits (positive) and credits (negative) per account, in local and foreign currency."""

    def __init__(self, company: Company, currency: str) -> None:
        self.company = company
        self.currency = currency
        self.lines: list[Row] = []

    def put(self, account: str, local: Decimal, foreign: Decimal = ZERO, **more: Any) -> None:
        """Debit `local` (credit when negative) on an account."""
        if not local and not foreign:
            return
        self.lines.append(
            {
                "Line_ID": len(self.lines),
                "AccountCode": account,
                "ShortName": account,
                "Debit": max(local, ZERO),
                "Credit": max(-local, ZERO),
                "FCDebit": max(foreign, ZERO),
                "FCCredit": max(-foreign, ZERO),
                "FCCurrency": self.currency if foreign else None,
                **more,
            }
        )

    @property
    def balance(self) -> Decimal:
        return sum((line["Debit"] - line["Credit"] for line in self.lines), ZERO)

    def store(self, object_code: str, row: Row, day: str, memo: str) -> int:
        """Add the entry to the company, conversion cents on the rounding account; answers its number."""
        self.put(self.company.defaults["rounding"], -self.balance)
        number = self.company.next_entry("JournalEntries")
        for line in self.lines:
            account = self.company.get("ChartOfAccounts", line["AccountCode"])
            if account is not None:
                account["Balance"] = account.get("Balance", ZERO) + line["Debit"] - line["Credit"]
                self.company.touch("ChartOfAccounts", account)
        self.company.add(
            "JournalEntries",
            JdtNum=number,
            Number=number,
            Series=1,
            ReferenceDate=day,
            DueDate=day,
            TaxDate=row.get("TaxDate") or day,
            Memo=memo[:50],
            Reference=str(row["DocNum"]),
            Reference2=row.get("NumAtCard") or row.get("CounterReference"),
            OriginalJournal=_ORIGIN.get(object_code),
            Original=row["DocEntry"],
            BaseReference=str(row["DocNum"]),
            JournalEntryLines=self.lines,
        )
        return number


def book_document(company: Company, entity_set: EntitySet, row: Row, prepared: Prepared) -> int:
    """Debit the partner, credit revenue, freight, tax and rounding; a credit note the other way round."""
    sign = 1 if entity_set.object_code == "13" else -1
    entry = Entry(company, row["DocCurrency"])
    foreign = row["DocCurrency"] != company.switches.local_currency
    total_fc = row["DocTotalFc"]  # nothing in local documents
    entry.put(row["ControlAccount"], sign * row["DocTotal"], sign * total_fc, ShortName=row["CardCode"])
    for line in row["DocumentLines"]:
        share = (100 - row["DiscountPercent"]) / 100
        places = company.places(company.switches.local_currency)
        net = places.sum(line["LineTotal"] * share)
        costing = {name: line.get(name) for name in _COSTING}
        entry.put(line["AccountCode"], -sign * net, -sign * line["RowTotalFC"] * share, **costing)
    for freight in row["DocumentAdditionalExpenses"]:
        account = (company.get("AdditionalExpenses", freight["ExpenseCode"]) or {}).get("RevenuesAccount")
        entry.put(
            account or company.defaults["freight"],
            -sign * freight["LineTotal"],
            -sign * freight["LineTotalFC"],
        )
    entry.put(company.defaults["tax"], -sign * row["VatSum"], -sign * row["VatSumFc"])
    for drawn in prepared.drawn:
        local = company.to_local(drawn.net, row["DocRate"]) if foreign else drawn.net
        entry.put(company.defaults["down_payments"], sign * local, sign * drawn.net if foreign else ZERO)
    entry.put(company.defaults["rounding"], -sign * row["RoundingDiffAmount"])
    return entry.store(entity_set.object_code, row, row["DocDate"], row["JournalMemo"])


def book_down_payment(company: Company, entity_set: EntitySet, row: Row) -> int | None:
    """Debit the partner, credit the down payment account and tax; a mere request books nothing."""
    if row.get("DownPaymentType") == "dptRequest":
        return None
    entry = Entry(company, row["DocCurrency"])
    entry.put(row["ControlAccount"], row["DocTotal"], row["DocTotalFc"], ShortName=row["CardCode"])
    entry.put(company.defaults["tax"], -row["VatSum"], -row["VatSumFc"])
    net, net_fc = row["DocTotal"] - row["VatSum"], row["DocTotalFc"] - row["VatSumFc"]
    entry.put(company.defaults["down_payments"], -net, -net_fc)
    return entry.store(entity_set.object_code, row, row["DocDate"], row["JournalMemo"])


def book_payment(company: Company, entity_set: EntitySet, row: Row, means: list[tuple[str, Decimal]]) -> int:
    """Debit the accounts the money is on and credit the partner; an outgoing payment the other way round."""
    sign = 1 if entity_set.object_code == "24" else -1
    foreign = row["DocCurrency"] != company.switches.local_currency
    entry = Entry(company, row["DocCurrency"])
    for account, amount in means:
        local = company.to_local(amount, row["DocRate"]) if foreign else amount
        entry.put(account, sign * local, sign * amount if foreign else ZERO)
    total = sum((amount for _, amount in means), ZERO)
    local = company.to_local(total, row["DocRate"]) if foreign else total
    if row["DocType"] == "rAccount":
        for each in row["PaymentAccounts"]:
            entry.put(each["AccountCode"], -sign * each["SumPaid"])
    else:
        entry.put(
            row["ControlAccount"],
            -sign * local,
            -sign * total if foreign else ZERO,
            ShortName=row["CardCode"],
        )
    return entry.store(entity_set.object_code, row, row["DocDate"], row.get("JournalRemarks") or "")


def reverse(company: Company, entity_set: EntitySet, row: Row, day: str) -> int | None:
    """Post the opposite of a document's or payment's entry."""
    original = company.get("JournalEntries", row.get("TransNum"))
    if original is None:
        return None
    entry = Entry(company, row["DocCurrency"])
    for line in original["JournalEntryLines"]:
        more = {"ShortName": line["ShortName"], **{name: line.get(name) for name in _COSTING}}
        entry.put(
            line["AccountCode"], line["Credit"] - line["Debit"], line["FCCredit"] - line["FCDebit"], **more
        )
    return entry.store(entity_set.object_code, row, day, f"{original['Memo']} - Cancellation")
