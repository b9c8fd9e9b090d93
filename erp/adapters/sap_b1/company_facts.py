"""Reading what a company is like: decimals, currencies, taxes, accounts, periods, and the rows a plan needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.adapters.sap_b1 import queries
from erp.adapters.sap_b1.answers import NO_RATE, amount, yes
from erp.adapters.sap_b1.invoicing import read_invoicing
from erp.adapters.sap_b1.service_layer import ServiceLayer
from erp.contract.errors import Refused
from erp.contract.facts import Account, FactsNeeded, Item, LedgerFacts, Named, Period, TaxCode

Row = Mapping[str, Any]
LONGEST_FILTER = (
    3000  # characters: proxies in front of the Service Layer cut addresses at 8 kB, after escaping
)
MOST_PERIOD_CATEGORIES = 12
# CurrenciesDecimalsEnum; cdDefault takes the company's
CURRENCY_PLACES = {"cdWithoutDecimals": 0, "cd1Digit": 1, **{f"cd{n}Digits": n for n in range(2, 7)}}
OPEN_PERIODS = ("ltUnlocked",)  # ltUnlockedExceptSales and ltPeriodClosing refuse sales documents
ITEM_COLUMNS = (
    "ItemCode,ItemName,BarCode,SalesItem,InventoryItem,ManageBatchNumbers,ManageSerialNumbers,Valid,ValidFrom,ValidTo,"
    "Frozen,FrozenFrom,FrozenTo,DefaultWarehouse"
)
TOLD = ("local_currency", "direct_rate", "approvals", "blocks_negative_stock", "rate_places", "branches")
STOCK_COLUMNS = ",ItemWarehouseInfoCollection"


def read_facts(
    service: ServiceLayer, settings: Mapping[str, str], needed: FactsNeeded, now: datetime
) -> LedgerFacts:
    """Ledger facts, read now. Without `needed.company`, only the rows it names are filled in."""
    today = now.date()
    if needed.company:
        facts = _company(service, settings, today)
    else:
        facts = _rows_only(settings if set(TOLD) <= set(settings) else {**settings, **_tell(*_ask(service))})
    return replace(
        facts,
        items=_items(
            service, needed.items, today, with_stock=facts.settings["blocks_negative_stock"] == "yes"
        ),
        partners=_partners(service, needed.partners, today),
        rates=_rates(service, needed.rates, direct=facts.settings["direct_rate"] == "yes"),
        invoicing=read_invoicing(
            service,
            needed,
            local_currency=facts.settings["local_currency"],
            direct=facts.settings["direct_rate"] == "yes",
        )
        if needed.sales_order
        else None,
    )


def told(facts: LedgerFacts) -> dict[str, str]:
    """What the company said about itself that decides how it is read and written to."""
    return {name: facts.settings[name] for name in TOLD}


def _ask(service: ServiceLayer) -> tuple[Row, Row]:
    return service.ask("CompanyService_GetAdminInfo"), service.ask("CompanyService_GetCompanyInfo")


def _tell(admin: Row, info: Row) -> dict[str, str]:
    blocks = yes(info.get("BlockStockNegativeQuantity")) or yes(admin.get("BlockStockNegativeQuantity"))
    return {
        "local_currency": str(admin.get("LocalCurrency") or ""),
        "direct_rate": "yes" if yes(admin.get("DirectIndirectRate", "tYES")) else "no",
        "approvals": "yes" if yes(admin.get("EnableApprovalProcedureInDI", "tYES")) else "no",
        "blocks_negative_stock": "yes" if blocks else "no",
        "rate_places": str(admin.get("RateAccuracy", 6)),
        "branches": "yes" if yes(admin.get("EnableBranches")) else "no",
    }


def _rows_only(settings: Mapping[str, str]) -> LedgerFacts:
    return LedgerFacts(
        company=settings.get("company_db", ""),
        local_currency="",
        time_zone="",
        amount_places=2,
        price_places=4,
        quantity_places=3,
        settings=dict(settings),
    )


def _company(service: ServiceLayer, settings: Mapping[str, str], today: date) -> LedgerFacts:
    admin, info = _ask(service)
    learned = _tell(admin, info)
    places = int(admin["TotalsAccuracy"])
    return LedgerFacts(
        company=str(admin.get("CompanyName") or settings.get("company_db", "")),
        local_currency=str(admin["LocalCurrency"]),
        time_zone="",
        amount_places=places,
        price_places=int(admin["PriceAccuracy"]),
        quantity_places=int(admin["AccuracyofQuantities"]),
        currency_places=_currencies(service, places),
        tax_rounding="document" if yes(info.get("GroupLinesInVATCalculation")) else "line",
        blocks_negative_stock=learned["blocks_negative_stock"] == "yes",
        allows_tax_override=settings.get("tax_override") == "yes",
        tax_codes=_tax_codes(service, settings.get("tax_field", "TaxCode"), today),
        accounts=_accounts(service, today),
        freights=_named(service, "AdditionalExpenses", "ExpensCode", "Name"),
        warehouses=_named(service, "Warehouses", "WarehouseCode", "WarehouseName", inactive="Inactive"),
        cost_centers=_cost_centers(service, settings.get("cost_center_dimension", "1")),
        periods=tuple(_periods(service)),
        settings={**settings, **learned},
    )


def _currencies(service: ServiceLayer, default: int) -> dict[str, int]:
    rows = service.read_all("Currencies", {"$select": "Code,Decimals", "$orderby": "Code"})
    return {str(row["Code"]): CURRENCY_PLACES.get(row.get("Decimals", ""), default) for row in rows}


def _tax_codes(service: ServiceLayer, tax_field: str, today: date) -> dict[str, TaxCode]:
    """Sales tax codes (US and others) or VAT groups, with the rate that is valid today."""
    if tax_field == "VatGroup":
        columns = "Code,Name,Category,Inactive,VatGroups_Lines"
        rows = service.read_all("VatGroups", {"$select": columns, "$orderby": "Code"})
        return {str(row["Code"]): _vat_group(row, today) for row in rows}
    columns = "Code,Name,Rate,ValidForAR,Inactive"
    rows = service.read_all("SalesTaxCodes", {"$select": columns, "$orderby": "Code"})
    return {
        str(row["Code"]): TaxCode(
            code=str(row["Code"]),
            name=str(row.get("Name") or ""),
            rate=amount(row.get("Rate")),
            active=not yes(row.get("Inactive")),
            for_sales=yes(row.get("ValidForAR", "tYES")),
        )
        for row in rows
    }


def _vat_group(row: Row, today: date) -> TaxCode:
    lines = sorted(
        row.get("VatGroups_Lines") or (), key=lambda line: day_of(line.get("Effectivefrom")) or date.min
    )
    valid = [line for line in lines if (day_of(line.get("Effectivefrom")) or date.min) <= today]
    return TaxCode(
        code=str(row["Code"]),
        name=str(row.get("Name") or ""),
        rate=amount(valid[-1].get("Rate")) if valid else Decimal(0),
        active=not yes(row.get("Inactive")) and bool(valid),
        for_sales=row.get("Category") in ("bovcOutputTax", "O"),
    )


def _accounts(service: ServiceLayer, today: date) -> dict[str, Account]:
    columns = (
        "Code,Name,FormatCode,ActiveAccount,LockManualTransaction,AcctCurrency,ValidFor,ValidFrom,ValidTo,FrozenFor,"
        "FrozenFrom,FrozenTo"
    )
    rows = service.read_all("ChartOfAccounts", {"$select": columns, "$orderby": "Code"})
    return {str(row["Code"]): account_of(row, today) for row in rows}


def account_of(row: Row, today: date) -> Account:
    """An account; a title account (not "active" in B1's word) and a control account cannot be posted to."""
    currency = str(row.get("AcctCurrency") or "")
    return Account(
        code=str(row["Code"]),
        name=str(row.get("Name") or ""),
        active=not (yes(row.get("FrozenFor")) and _within(today, row.get("FrozenFrom"), row.get("FrozenTo"))),
        postable=yes(row.get("ActiveAccount")) and not yes(row.get("LockManualTransaction")),
        currency="" if currency == "##" else currency,
    )


def _named(
    service: ServiceLayer, entity_set: str, code: str, name: str, *, inactive: str = ""
) -> dict[str, Named]:
    columns = ",".join(filter(None, (code, name, inactive)))
    rows = service.read_all(entity_set, {"$select": columns, "$orderby": code})
    return {
        str(row[code]): Named(
            code=str(row[code]),
            name=str(row.get(name) or ""),
            active=not (inactive and yes(row.get(inactive))),
        )
        for row in rows
    }


def _cost_centers(service: ServiceLayer, dimension: str) -> dict[str, Named]:
    """Distribution rules of the dimension the connection posts to; a cost center is a rule of its own."""
    columns = "FactorCode,FactorDescription,InWhichDimension,Active"
    rows = service.read_all("DistributionRules", {"$select": columns, "$orderby": "FactorCode"})
    return {
        str(row["FactorCode"]): Named(
            code=str(row["FactorCode"]),
            name=str(row.get("FactorDescription") or ""),
            active=yes(row.get("Active", "tYES")),
        )
        for row in rows
        if str(row.get("InWhichDimension", 1)) == dimension
    }


def _periods(service: ServiceLayer) -> Iterator[Period]:
    categories = values_of(service.ask("CompanyService_GetPeriods"))
    newest = sorted((int(row["AbsoluteEntry"]) for row in categories), reverse=True)[:MOST_PERIOD_CATEGORIES]
    for entry in newest:
        body = {"PeriodCategoryParams": {"AbsoluteEntry": entry}}
        for row in values_of(service.ask("CompanyService_GetFinancePeriods", body)):
            first, last = day_of(row.get("PostingDateFrom")), day_of(row.get("PostingDateTo"))
            if first and last:
                yield Period(first=first, last=last, open=row.get("PeriodStatus") in OPEN_PERIODS)


def _items(service: ServiceLayer, codes: Iterable[str], today: date, *, with_stock: bool) -> dict[str, Item]:
    columns = ITEM_COLUMNS + (STOCK_COLUMNS if with_stock else "")
    return {
        str(row["ItemCode"]): item_of(row, today)
        for chunk in _chunks("ItemCode", codes)
        for row in service.read_all("Items", {"$select": columns, "$filter": chunk, "$orderby": "ItemCode"})
    }


def item_of(row: Row, today: date) -> Item:
    """An item; `available` under "" is the stock of the warehouse B1 takes where a line names none."""
    stock = {
        str(each["WarehouseCode"]): amount(each.get("InStock"))
        for each in row.get("ItemWarehouseInfoCollection") or ()
    }
    default = str(row.get("DefaultWarehouse") or "")
    if default in stock:
        stock[""] = stock[default]
    return Item(
        code=str(row["ItemCode"]),
        name=str(row.get("ItemName") or ""),
        active=is_active(row, today),
        sellable=yes(row.get("SalesItem")),
        stocked=yes(row.get("InventoryItem")),
        managed_by=(
            "batch"
            if yes(row.get("ManageBatchNumbers"))
            else "serial"
            if yes(row.get("ManageSerialNumbers"))
            else ""
        ),
        barcode=str(row.get("BarCode") or ""),
        available=stock,
    )


def _partners(service: ServiceLayer, codes: Iterable[str], today: date) -> dict[str, Named]:
    columns = "CardCode,CardName,CardType,Valid,ValidFrom,ValidTo,Frozen,FrozenFrom,FrozenTo"
    return {
        str(row["CardCode"]): Named(
            code=str(row["CardCode"]), name=str(row.get("CardName") or ""), active=is_active(row, today)
        )
        for chunk in _chunks("CardCode", codes)
        for row in service.read_all(
            "BusinessPartners", {"$select": columns, "$filter": chunk, "$orderby": "CardCode"}
        )
        if row.get("CardType") in ("cCustomer", "C")
    }


def _rates(
    service: ServiceLayer, wanted: Iterable[tuple[str, date]], *, direct: bool
) -> dict[tuple[str, date], Decimal]:
    """The company's own rates, as local units per foreign unit; a day without one is absent."""
    rates = {}
    for currency, day in sorted(wanted):
        body = {"Currency": currency, "Date": day.strftime("%Y%m%d")}
        try:
            answer = service.ask("SBOBobService_GetCurrencyRate", body)
        except Refused as error:
            # -4006 names a missing rate; older versions answer a generic code for the same.
            if error.status == 400 or error.code == str(NO_RATE):
                continue
            raise
        rate = amount(answer.get("value") if isinstance(answer, dict) else answer)
        if rate > 0:
            rates[currency, day] = rate if direct else round(1 / rate, 9)
    return rates


def _chunks(name: str, values: Iterable[str]) -> Iterator[str]:
    """Filters `(name eq 'a' or ...)`, each short enough for an address."""
    chunk: list[str] = []
    for value in sorted(values):
        if chunk and len(queries.any_of(name, [*chunk, value])) > LONGEST_FILTER:
            yield queries.any_of(name, chunk)
            chunk = []
        chunk.append(value)
    if chunk:
        yield queries.any_of(name, chunk)


def values_of(answer: Any) -> list[dict[str, Any]]:
    """The rows of an operation's answer: a bare list, or under `value`."""
    return answer if isinstance(answer, list) else list((answer or {}).get("value", []))


def is_active(row: Row, today: date) -> bool:
    """Whether a partner or item may be used today: Frozen and Valid, each with a range of days."""
    if yes(row.get("Frozen")) and _within(today, row.get("FrozenFrom"), row.get("FrozenTo")):
        return False
    return row.get("Valid", "tYES") not in ("tNO", "N") and _within(
        today, row.get("ValidFrom"), row.get("ValidTo")
    )


def _within(today: date, first: object, last: object) -> bool:
    start, end = day_of(first), day_of(last)
    return (start is None or start <= today) and (end is None or today <= end)


def day_of(text: object) -> date | None:
    """A day of an answer: `2026-01-31`, or with a time that means nothing."""
    return date.fromisoformat(str(text)[:10]) if text else None
