"""BAPI_ACC_DOCUMENT_CHECK and _POST: the rules by which SAP refuses an accounting document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from agents.rfc.interface import Function, Outcome
from agents.rfc.simulated.company import RECONCILIATION
from agents.rfc.simulated.context import Context
from agents.rfc.simulated.messages import row
from agents.simulation.rows import Change, key_of

SYSTEM = "SIMCLNT100"
FIRST_NUMBER = 100000000
MOST_ITEMS = 999

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
Message = dict[str, Any]


def check(context: Context, function: Function, importing: Mapping[str, Any], tables: Tables) -> Outcome:
    """Say what is wrong, and change nothing."""
    errors = list(_errors(context, importing, tables))
    rows = (
        _refusal(errors)
        if errors
        else [row("S", "RW", "614", f"Document check - no errors: BKPFF $ {SYSTEM}")]
    )
    return Outcome({"OBJ_TYPE": "BKPFF", "OBJ_KEY": "$", "OBJ_SYS": SYSTEM}, _with_return(tables, rows))


def post(context: Context, function: Function, importing: Mapping[str, Any], tables: Tables) -> Outcome:
    """Number the document and leave it pending; the number is used up whatever happens to it."""
    errors = list(_errors(context, importing, tables))
    if errors:
        exports = {"OBJ_TYPE": "BKPFF", "OBJ_KEY": "$", "OBJ_SYS": SYSTEM}
        return Outcome(exports, _with_return(tables, _refusal(errors)))
    header = importing["DOCUMENTHEADER"]
    number = f"{context.rows.next_number('documents', FIRST_NUMBER):010d}"
    key = f"{number}{header['COMP_CODE']}{header['PSTNG_DATE'][:4]}"
    context.pending.extend(_rows_of(context, header, number, key, tables))
    said = row("S", "RW", "605", f"Document posted successfully: BKPFF {key} {SYSTEM}")
    return Outcome({"OBJ_TYPE": "BKPFF", "OBJ_KEY": key, "OBJ_SYS": SYSTEM}, _with_return(tables, [said]))


def _with_return(tables: Tables, rows: list[Message]) -> Tables:
    names = ("ACCOUNTGL", "ACCOUNTRECEIVABLE", "ACCOUNTTAX", "CURRENCYAMOUNT", "EXTENSION2")
    return {**{name: list(tables.get(name, [])) for name in names}, "RETURN": rows}


def _refusal(errors: list[Message]) -> list[Message]:
    """The generic row comes first and says nothing; the reasons follow."""
    return [row("E", "RW", "609", f"Error in document: BKPFF $ {SYSTEM}"), *errors]


def _errors(context: Context, importing: Mapping[str, Any], tables: Tables) -> Iterator[Message]:
    header = importing.get("DOCUMENTHEADER", {})
    company = context.rows.get("T001", header.get("COMP_CODE", ""))
    if company is None:
        yield row("E", "F5", "165", f"Company code {header.get('COMP_CODE', '')} does not exist")
        return
    yield from _errors_of_header(context, header)
    yield from _errors_of_items(context, header, importing.get("CUSTOMERCPD", {}), tables)
    yield from _errors_of_amounts(context, tables)


def _errors_of_header(context: Context, header: Mapping[str, Any]) -> Iterator[Message]:
    if header.get("BUS_ACT") != "RFBU":
        yield row("E", "RW", "602", f"Business transaction {header.get('BUS_ACT', '')} is not possible")
    for name in ("DOC_TYPE", "DOC_DATE", "PSTNG_DATE"):
        if not header.get(name, "").strip("0"):
            yield row("E", "RW", "010", f"Required field {name} was not transferred", FIELD=name)
    if header.get("DOC_STATUS", "") not in ("", "2", "3", "4", "A", "B"):
        yield row("E", "RW", "637", f"Document status {header['DOC_STATUS']} is not valid")
    date = header.get("PSTNG_DATE", "")
    open_periods = context.rows.select("T001B", "json_extract(row, '$.BUKRS') = ?", [header["COMP_CODE"]])
    wanted = f"{date[:4]}0{date[4:6]}"
    if not any(p["FRYE1"] + p["FRPE1"] <= wanted <= p["TOYE1"] + p["TOPE1"] for p in open_periods):
        yield row("E", "F5", "201", f"Posting period 0{date[4:6]} {date[:4]} is not open", FIELD="PSTNG_DATE")


def _errors_of_items(
    context: Context, header: Mapping[str, Any], one_time: Mapping[str, Any], tables: Tables
) -> Iterator[Message]:
    company = header["COMP_CODE"]
    for number, item in enumerate(tables.get("ACCOUNTRECEIVABLE", []), 1):
        at = {"PARAMETER": "ACCOUNTRECEIVABLE", "ROW": number, "FIELD": "CUSTOMER"}
        customer = item.get("CUSTOMER", "")
        if context.rows.get("KNB1", key_of({"a": customer, "b": company}, "ab")) is None:
            yield row("E", "F5", "102", f"Customer {customer} is not defined in company code {company}", **at)
        elif (context.rows.get("KNA1", customer) or {}).get("XCPDK") == "X" and not one_time.get("NAME"):
            yield row("E", "F5", "117", f"One-time customer {customer} needs name and address", **at)
    for number, item in enumerate(tables.get("ACCOUNTGL", []), 1):
        yield from _errors_of_account(context, company, number, item)
    for number, item in enumerate(tables.get("ACCOUNTTAX", []), 1):
        if not _tax_code_exists(context, item.get("TAX_CODE", "")):
            at = {"PARAMETER": "ACCOUNTTAX", "ROW": number, "FIELD": "TAX_CODE"}
            yield row("E", "FF", "713", f"Tax code {item.get('TAX_CODE', '')} does not exist", **at)


def _errors_of_account(
    context: Context, company: str, number: int, item: Mapping[str, Any]
) -> Iterator[Message]:
    at: dict[str, Any] = {"PARAMETER": "ACCOUNTGL", "ROW": number}
    account = item.get("GL_ACCOUNT", "")
    found = context.rows.get("SKB1", key_of({"a": company, "b": account}, "ab"))
    if found is None:
        message = f"Account {account} is not defined in company code {company}"
        yield row("E", "F5", "506", message, FIELD="GL_ACCOUNT", **at)
        return
    if found["MITKZ"]:
        yield row(
            "E", "F5", "351", f"Account {account} is a reconciliation account", FIELD="GL_ACCOUNT", **at
        )
    if found["MWSKZ"] in ("<", ">"):
        message = f"Direct posting to tax account {account} is not possible"
        yield row("E", "FF", "747", message, FIELD="GL_ACCOUNT", **at)
    if item.get("TAX_CODE") and not _tax_code_exists(context, item["TAX_CODE"]):
        yield row("E", "FF", "713", f"Tax code {item['TAX_CODE']} does not exist", FIELD="TAX_CODE", **at)
    for name, table, field in (("COSTCENTER", "CSKS", "KOSTL"), ("PROFIT_CTR", "CEPC", "PRCTR")):
        if item.get(name) and not context.rows.select(
            table, f"json_extract(row, '$.{field}') = ?", [item[name]]
        ):
            yield row("E", "KI", "235", f"{name} {item[name]} does not exist", FIELD=name, **at)


def _tax_code_exists(context: Context, code: str) -> bool:
    return bool(context.rows.select("T007A", "json_extract(row, '$.MWSKZ') = ?", [code]))


def _errors_of_amounts(context: Context, tables: Tables) -> Iterator[Message]:
    items = [item.get("ITEMNO_ACC", "") for item in _items(tables)]
    amounts = _in_document_currency(tables)
    if not items:
        yield row("E", "RW", "601", "The document has no items")
    if len(items) > MOST_ITEMS:
        yield row("E", "F5", "727", f"Maximum number of items in FI reached ({MOST_ITEMS})")
    for item, times in Counter(items).items():
        if times > 1:
            yield row("E", "RW", "634", f"Item {item} stands {times} times", FIELD="ITEMNO_ACC")
    given = Counter(each.get("ITEMNO_ACC", "") for each in amounts)
    for item in items:
        if given[item] != 1:
            message = f"Item {item} has {given[item]} amounts in document currency"
            yield row("E", "RW", "033", message, PARAMETER="CURRENCYAMOUNT")
    for number, each in enumerate(amounts, 1):
        amount = _amount(each, "AMT_DOCCUR")
        if amount != round(amount, _decimals(context, each.get("CURRENCY", ""))):
            message = f"Amount {amount} has more decimals than currency {each.get('CURRENCY', '')}"
            yield row("E", "00", "088", message, PARAMETER="CURRENCYAMOUNT", ROW=number, FIELD="AMT_DOCCUR")
    for currency in sorted({each.get("CURRENCY", "") for each in amounts}):
        balance = sum(_amount(each, "AMT_DOCCUR") for each in amounts if each.get("CURRENCY", "") == currency)
        if balance:
            yield row("E", "F5", "702", f"Balance in transaction currency {currency}: {balance:.2f}")


def _in_document_currency(tables: Tables) -> list[Mapping[str, Any]]:
    return [each for each in tables.get("CURRENCYAMOUNT", []) if each.get("CURR_TYPE", "") in ("", "00")]


def _decimals(context: Context, currency: str) -> int:
    """The decimals of a currency: two, unless TCURX knows better."""
    known = context.rows.get("TCURX", currency)
    return int(known["CURRDEC"]) if known else 2


def _items(tables: Tables) -> list[Mapping[str, Any]]:
    names = ("ACCOUNTRECEIVABLE", "ACCOUNTGL", "ACCOUNTTAX")
    items = [item for name in names for item in tables.get(name, [])]
    return sorted(items, key=lambda item: item.get("ITEMNO_ACC", "").zfill(10))


def _amount(amount: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(amount.get(name) or "0")


def _rows_of(
    context: Context, header: Mapping[str, Any], number: str, key: str, tables: Tables
) -> list[Change]:
    """The rows of the document: header, open items of customers and accounts, tax."""
    amounts = {each["ITEMNO_ACC"]: each for each in _in_document_currency(tables)}
    currency = _in_document_currency(tables)[0].get("CURRENCY", "")
    # Tables keep every amount with two decimals: 1000 yen stand there as 10.00.
    kept = Decimal(1).scaleb(_decimals(context, currency) - 2)
    year = header["PSTNG_DATE"][:4]
    common = {"BUKRS": header["COMP_CODE"], "BELNR": number, "GJAHR": year}
    of_items = {
        "BUDAT": header["PSTNG_DATE"],
        "BLDAT": header["DOC_DATE"],
        "BLART": header["DOC_TYPE"],
        "WAERS": currency,
        "XBLNR": header.get("REF_DOC_NO", "").upper(),
    }
    parked = header.get("DOC_STATUS", "") in ("2", "3")
    head = {
        "MONAT": header["PSTNG_DATE"][4:6],
        "CPUDT": header["PSTNG_DATE"],
        "USNAM": header.get("USERNAME", ""),
        "BKTXT": header.get("HEADER_TXT", ""),
        "STBLG": "",
        "STJAH": "0000",
        "BSTAT": "V" if parked else "",
        "AWTYP": "BKPFF",
        "AWKEY": key,
        "AWSYS": SYSTEM,
    }
    rows: list[Change] = [("BKPF", key_of(common, tuple(common)), {**common, **of_items, **head})]
    for position, item in enumerate(_items(tables), 1):
        amount = amounts[item["ITEMNO_ACC"]]
        signed, base = _amount(amount, "AMT_DOCCUR") * kept, _amount(amount, "AMT_BASE") * kept
        at = {**common, "BUZEI": f"{position:03d}", "SHKZG": "S" if signed >= 0 else "H"}
        rows.append(_row_of_item(item, at, of_items, signed, base))
    return rows


def _row_of_item(
    item: Mapping[str, Any], at: dict[str, Any], of_items: dict[str, Any], signed: Decimal, base: Decimal
) -> Change:
    key = key_of(at, ("BUKRS", "BELNR", "GJAHR", "BUZEI"))
    tax = {"MWSKZ": item.get("TAX_CODE", "")}
    if "COND_KEY" in item or "ACCT_KEY" in item:
        return ("BSET", key, {**at, **tax, "FWBAS": f"{abs(base):.2f}", "FWSTE": f"{abs(signed):.2f}"})
    amount = f"{abs(signed):.2f}"
    values = {
        "DMBTR": amount,
        "WRBTR": amount,
        "SGTXT": item.get("ITEM_TEXT", ""),
        "ZUONR": item.get("ALLOC_NMBR", ""),
    }
    if "CUSTOMER" in item and "GL_ACCOUNT" not in item:
        debtor = {
            "KUNNR": item["CUSTOMER"],
            "ZFBDT": item.get("BLINE_DATE", "00000000"),
            "HKONT": RECONCILIATION,
        }
        return ("BSID", key, {**at, **of_items, **tax, **values, **debtor, "ZTERM": item.get("PMNTTRMS", "")})
    account = {
        "HKONT": item["GL_ACCOUNT"],
        "KOSTL": item.get("COSTCENTER", ""),
        "PRCTR": item.get("PROFIT_CTR", ""),
    }
    return ("BSIS", key, {**at, **of_items, **tax, **values, **account})
