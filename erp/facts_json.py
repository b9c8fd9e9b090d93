"""Ledger facts as JSON and back, in two parts: the company, which many plans share, and the rows one plan needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from erp.contract.facts import Account, DrawnInvoice, Invoicing, Item, LedgerFacts, Named, Period, TaxCode
from erp.contract.plan import plain

ROWS = ("items", "partners", "rates", "invoicing")
_ROWS_OF = {
    "tax_codes": TaxCode,
    "accounts": Account,
    "freights": Named,
    "warehouses": Named,
    "cost_centers": Named,
}


def company_json(facts: LedgerFacts) -> dict[str, Any]:
    """The company's part: everything but the rows of one plan and the version."""
    left_out = {*ROWS, "version"}
    return {f.name: plain(getattr(facts, f.name)) for f in fields(facts) if f.name not in left_out}


def rows_json(facts: LedgerFacts) -> dict[str, Any]:
    """Items, partners, rates and what became of a sales order; a rate's key is `EUR 2026-11-20`."""
    return {
        "items": plain(facts.items),
        "partners": plain(facts.partners),
        "rates": {
            f"{currency} {day.isoformat()}": plain(rate) for (currency, day), rate in facts.rates.items()
        },
        "invoicing": plain(facts.invoicing),
    }


def read_company(data: Mapping[str, Any]) -> LedgerFacts:
    """The facts whose company part is `data`; no rows of a plan."""
    values = dict(data)
    for name, kind in _ROWS_OF.items():
        values[name] = {code: _row(kind, row) for code, row in values[name].items()}
    values["periods"] = tuple(
        Period(first=date.fromisoformat(p["first"]), last=date.fromisoformat(p["last"]), open=p["open"])
        for p in values["periods"]
    )
    return LedgerFacts(**values)


def with_rows(facts: LedgerFacts, data: Mapping[str, Any]) -> LedgerFacts:
    """The facts with the rows of `rows_json`."""
    items = {code: _item(row) for code, row in data["items"].items()}
    partners = {code: _row(Named, row) for code, row in data["partners"].items()}
    rates = {_rate_key(key): Decimal(rate) for key, rate in data["rates"].items()}
    invoicing = _invoicing(data["invoicing"]) if data.get("invoicing") else None
    return replace(facts, items=items, partners=partners, rates=rates, invoicing=invoicing)


def _invoicing(row: Mapping[str, Any]) -> Invoicing:
    invoices = tuple(
        DrawnInvoice(
            **{
                **_values(each),
                "total": Decimal(each["total"]),
                "open": Decimal(each["open"]),
                "posted_on": date.fromisoformat(each["posted_on"]),
                "drawn": _amounts(each["drawn"]),
            }
        )
        for each in row["invoices"]
    )
    return Invoicing(order=row["order"], invoices=invoices, money=_amounts(row["money"]))


def _amounts(row: Mapping[str, str]) -> dict[str, Decimal]:
    return {key: Decimal(amount) for key, amount in row.items()}


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "_"}


def _row(kind: type, row: Mapping[str, Any]) -> Any:
    values = _values(row)
    if kind is TaxCode:
        values["rate"] = Decimal(values["rate"])
    return kind(**values)


def _item(row: Mapping[str, Any]) -> Item:
    values = _values(row)
    available = {warehouse: Decimal(quantity) for warehouse, quantity in values["available"].items()}
    return Item(**{**values, "available": available})


def _rate_key(key: str) -> tuple[str, date]:
    currency, _, day = key.partition(" ")
    return currency, date.fromisoformat(day)
