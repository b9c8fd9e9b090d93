"""Financial accounting: what is posted, what is refused and why, and the rows by which it is read.

Messages carry SAP's numbers and classes. Sentences follow public reports of real answers where those were found; else the
wording is ours, and clients must go by number and class.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sandbox.s4hana.company import ACCOUNTS, CENTERS, CUSTOMERS, PERIODS, TAX_CODES, padded
from sandbox.wire import Storage

Row = dict[str, Any]
JOURNAL = "journal"
FIRST_NUMBER = 100000000
ONE_TIME_GROUP = "CPD"
ZERO = Decimal(0)


@dataclass(frozen=True)
class Message:
    """One row of a log: 1 told, 2 a warning, 3 an error."""

    type_id: str
    note: str
    severity: int = 3


@dataclass(frozen=True)
class Result:
    """What became of an entry: its key, or nothing but messages."""

    messages: tuple[Message, ...]
    company: str = ""
    document: str = ""
    year: str = "0000"

    @property
    def posted(self) -> bool:
        return bool(self.document)


class Ledger:
    """Posts into one storage. An entry is a dictionary as `soap.parse` reads it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def post(self, entry: Row, now: datetime) -> Result:
        """Post an entry, or say everything that is wrong with it."""
        if entry.get("ReversalReferenceDocument"):
            return self._reverse(entry, now)
        errors = self._errors(entry)
        if errors:
            return Result((Message("609(RW)", "Error in document: BKPFF $ S4H"), *errors))
        return self._write(entry, now)

    def _write(self, entry: Row, now: datetime, **more: Any) -> Result:
        company, year = entry["CompanyCode"], entry["PostingDate"][:4]
        number = str(self._storage.next_number(f"journal {company} {year}", FIRST_NUMBER)).zfill(10)
        row = {"entry": entry, "company": company, "year": year, "document": number, "made": now, **more}
        self._storage.put(JOURNAL, f"{company} {year} {number}", row)
        said = Message("605(RW)", f"Document posted successfully: BKPFF {number}{company}{year} S4H", 1)
        return Result((said,), company, number, year)

    def _reverse(self, entry: Row, now: datetime) -> Result:
        key = entry["ReversalReferenceDocument"]
        number, company, year = key[:10], key[10:14], key[14:]
        found = self._storage.get(JOURNAL, f"{company} {year} {number}")
        if found is None:
            return _refused(Message("397(F5)", f"Document {number} does not exist in fiscal year {year}"))
        if found.get("reversed_by"):
            return _refused(Message("361(F5)", f"Document {number} {company} has already been reversed"))
        if not entry.get("ReversalReason"):
            return _refused(Message("508(F5)", "Enter a reason for reversal"))
        errors = list(self._period(entry))
        if errors:
            return _refused(*errors)
        turned = _turned(found["entry"]) | {
            "PostingDate": entry["PostingDate"],
            "DocumentDate": entry["DocumentDate"],
        }
        result = self._write(turned, now, reverses=f"{number}{year}")
        found["reversed_by"] = f"{result.document}{result.year}"
        self._storage.put(JOURNAL, f"{company} {year} {number}", found)
        return result

    # --- what is wrong with an entry ----------------------------------------------------------------------

    def _errors(self, entry: Row) -> list[Message]:
        return [
            *self._period(entry),
            *self._accounts(entry),
            *self._customers(entry),
            *self._taxes(entry),
            *_balance(entry),
        ]

    def _period(self, entry: Row) -> list[Message]:
        company, day = entry["CompanyCode"], entry["PostingDate"]
        if self._storage.get("A_CompanyCode", company) is None:
            return [Message("163(F5)", f"Company code {company} does not exist")]
        if self._storage.get(PERIODS, f"{company} {day[:7]}"):
            period = f"0{day[5:7]} {day[:4]}"
            return [Message("201(F5)", f"Posting period {period} is not open")]
        return []

    def _accounts(self, entry: Row) -> list[Message]:
        found = []
        for item in entry["Item"]:
            account = self._storage.get(ACCOUNTS, padded(item["GLAccount"]))
            if account is None:
                found.append(
                    Message(
                        "507(F5)", f"G/L account {item['GLAccount']} is not defined in chart of accounts YCOA"
                    )
                )
            elif account["AccountIsBlockedForPosting"]:
                found.append(Message("349(F5)", f"Account {item['GLAccount']} is blocked for posting"))
            center = item["CostCenter"]
            if center and not any(row["CostCenter"] == padded(center) for row in self._storage.rows(CENTERS)):
                found.append(Message("265(KI)", f"Cost center A000/{center} does not exist"))
            if not item["Amount"]:
                found.append(Message("704(F5)", "An amount is missing in a line item"))
        return found

    def _customers(self, entry: Row) -> list[Message]:
        company, found = entry["CompanyCode"], []
        for item in entry["DebtorItem"]:
            customer = self._storage.get(CUSTOMERS, f"{padded(item['Debtor'])} {company}")
            if customer is None:
                found.append(
                    Message("102(F5)", f"Customer {item['Debtor']} is not defined in company code {company}")
                )
            elif customer.get("CustomerAccountGroup") == ONE_TIME_GROUP and not (
                item["Name"] and item["City"]
            ):
                found.append(Message("206(F5)", "Enter name and city of the one-time account"))
        return found

    def _taxes(self, entry: Row) -> list[Message]:
        found = []
        rows: dict[str, Decimal] = {}
        for item in entry["Item"]:
            if item["TaxCode"]:
                rows[item["TaxCode"]] = rows.get(item["TaxCode"], ZERO) + item["Amount"]
        taxes = {tax["TaxCode"]: tax for tax in entry["ProductTaxItem"]}
        for code in sorted({*rows, *taxes}):
            if self._storage.get(TAX_CODES, code) is None:
                found.append(Message("003(FF)", f"Tax code {code} does not exist for procedure TAXUSX"))
            base = taxes[code]["Base"] if code in taxes else ZERO
            if base != rows.get(code, ZERO):
                found.append(
                    Message(
                        "709(FF)",
                        f"Tax base {base} of code {code} differs from its rows ({rows.get(code, ZERO)})",
                    )
                )
        return found


def _balance(entry: Row) -> list[Message]:
    amounts = [row["Amount"] for name in ("Item", "DebtorItem", "ProductTaxItem") for row in entry[name]]
    if not amounts:
        return [Message("035(RW)", "No line items in the document")]
    rest = sum(amounts, ZERO)
    return [Message("702(F5)", f"Balance in transaction currency: {rest}")] if rest else []


def _refused(*messages: Message) -> Result:
    return Result((Message("609(RW)", "Error in document: BKPFF $ S4H"), *messages))


def _turned(entry: Row) -> Row:
    """The same entry with all amounts the other way round."""
    turned = dict(entry)
    for name in ("Item", "DebtorItem", "ProductTaxItem"):
        turned[name] = [
            row | {"Amount": -row["Amount"]} | ({"Base": -row["Base"]} if "Base" in row else {})
            for row in entry[name]
        ]
    return turned


def journal_rows(storage: Storage) -> list[Row]:
    """Every journal entry, item by item, as `A_OperationalAcctgDocItemCube` shows them."""
    return [row for made in storage.rows(JOURNAL) for row in _rows_of(made)]


def _rows_of(made: Row) -> list[Row]:
    entry = made["entry"]
    items = [
        *(("D", "", row, {"Customer": padded(row["Debtor"]), "TaxCode": ""}) for row in entry["DebtorItem"]),
        *(
            ("S", "", row, {"GLAccount": padded(row["GLAccount"]), "TaxCode": row["TaxCode"]})
            for row in entry["Item"]
        ),
        *(
            ("S", "T", row, {"GLAccount": padded("22000000"), "TaxCode": row["TaxCode"]})
            for row in entry["ProductTaxItem"]
        ),
    ]
    return [
        _row(made, number, kind, special, row, more)
        for number, (kind, special, row, more) in enumerate(items, 1)
    ]


def _row(made: Row, number: int, kind: str, special: str, row: Row, more: Row) -> Row:
    entry = made["entry"]
    return {
        "CompanyCode": made["company"],
        "FiscalYear": made["year"],
        "AccountingDocument": made["document"],
        "AccountingDocumentItem": f"{number:03d}",
        "AccountingDocumentItemType": special,
        "FinancialAccountType": kind,
        "AccountingDocumentType": entry["AccountingDocumentType"],
        "DocumentReferenceID": entry["DocumentReferenceID"].upper(),
        "AccountingDocumentHeaderText": entry["DocumentHeaderText"],
        "Reference1InDocumentHeader": entry["Reference1InDocumentHeader"],
        "TransactionCurrency": row["Currency"],
        "AmountInTransactionCurrency": row["Amount"],
        "DebitCreditCode": "S" if row["Amount"] > 0 else "H",
        "TaxBaseAmountInTransCrcy": row.get("Base", ZERO),
        "DocumentItemText": row["Text"],
        "AssignmentReference": row["Assignment"],
        "CostCenter": padded(row.get("CostCenter", "")),
        "ProfitCenter": row.get("ProfitCenter", ""),
        "PostingDate": _midnight(entry["PostingDate"]),
        "DocumentDate": _midnight(entry["DocumentDate"]),
        "AccountingDocumentCreationDate": made["made"],
        "GLAccount": padded("12100000"),
        "Customer": "",
        "IsReversal": bool(made.get("reverses")),
        "IsReversed": bool(made.get("reversed_by")),
        "ReverseDocument": str(made.get("reverses") or made.get("reversed_by") or "")[:10],
        "IsCleared": False,
        **more,
    }


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC)
