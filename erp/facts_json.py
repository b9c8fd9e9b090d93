"""Ledger facts as JSON and back, in two parts: the company, which many plans share, and the rows one plan needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from erp.contract.facts import Account, Item, LedgerFacts, Named, Period, TaxCode
from erp.contract.plan import plain

ROWS = ("items", "partners", "rates")
_ROWS_OF = {
    "tax_codes": TaxCode,
    "accounts": Account,
    "freights": Named,
    "warehouses": Named,
    "cost_centers": Named,
}


def company_json(facts: LedgerFacts) -> dict[str, Any]:
    """The company's part: everything but items, partners, rates and the version."""
    left_out = {*ROWS, "version"}
    return {f.name: plain(getattr(facts, f.name)) for f in fields(facts) if f.name not in left_out}


def rows_json(facts: LedgerFacts) -> dict[str, Any]:
    """Items, partners and rates; a rate's key is `EUR 2026-11-20`."""
    return {
        "items": plain(facts.items),
        "partners": plain(facts.partners),
        "rates": {
            f"{currency} {day.isoformat()}": plain(rate) for (currency, day), rate in facts.rates.items()
        },
    }


def read_company(data: Mapping[str, Any]) -> LedgerFacts:
    """The facts whose company part is `data`; no items, partners or rates."""
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
    return replace(facts, items=items, partners=partners, rates=rates)


def _row(kind: type, row: Mapping[str, Any]) -> Any:
    values = {name: value for name, value in row.items() if name != "_"}
    if kind is TaxCode:
        values["rate"] = Decimal(values["rate"])
    return kind(**values)


def _item(row: Mapping[str, Any]) -> Item:
    values = {name: value for name, value in row.items() if name != "_"}
    available = {warehouse: Decimal(quantity) for warehouse, quantity in values["available"].items()}
    return Item(**{**values, "available": available})


def _rate_key(key: str) -> tuple[str, date]:
    currency, _, day = key.partition(" ")
    return currency, date.fromisoformat(day)
