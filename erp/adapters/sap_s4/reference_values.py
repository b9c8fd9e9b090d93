"""Listing reference values for the mapping screens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from erp.adapters.sap_s4 import company_facts
from erp.adapters.sap_s4.gateway import Gateway
from erp.adapters.sap_s4.products import all_items
from erp.adapters.sap_s4.settings import Settings
from erp.contract.adapter import ReferenceKind, ReferenceValue
from erp.contract.facts import item_details

KINDS = frozenset(
    {ReferenceKind.ITEM, ReferenceKind.ACCOUNT, ReferenceKind.TAX_CODE, ReferenceKind.COST_CENTER}
)


def read(gateway: Gateway, kind: ReferenceKind, settings: Settings, today: date) -> Iterable[ReferenceValue]:
    """Every value of one kind."""
    match kind:
        case ReferenceKind.ITEM:
            return _items(gateway, settings)
        case ReferenceKind.ACCOUNT:
            return _accounts(gateway, settings)
        case ReferenceKind.TAX_CODE:
            return _tax_codes(settings)
        case ReferenceKind.COST_CENTER:
            return _cost_centers(gateway, settings, today)
    return ()


def _items(gateway: Gateway, settings: Settings) -> Iterator[ReferenceValue]:
    for item in all_items(gateway, settings):
        yield ReferenceValue(
            kind=ReferenceKind.ITEM,
            code=item.code,
            name=item.name,
            active=item.active,
            barcode=item.barcode,
            details=item_details(item),
        )


def _accounts(gateway: Gateway, settings: Settings) -> Iterator[ReferenceValue]:
    chart = str(company_facts.company_row(gateway, settings).get("ChartOfAccounts") or "")
    for account in company_facts.read_accounts(gateway, settings, chart):
        yield ReferenceValue(
            kind=ReferenceKind.ACCOUNT,
            code=account.code,
            name=account.name,
            active=account.active and account.postable,
        )


def _tax_codes(settings: Settings) -> Iterator[ReferenceValue]:
    """Those named on the connection: S/4HANA lists none."""
    for code, named in settings.tax_codes.items():
        yield ReferenceValue(
            kind=ReferenceKind.TAX_CODE,
            code=code,
            name=named.tax.name,
            details={"rate": format(named.tax.rate, "f")},
        )


def _cost_centers(gateway: Gateway, settings: Settings, today: date) -> Iterator[ReferenceValue]:
    area = str(company_facts.company_row(gateway, settings).get("ControllingArea") or "")
    seen = set()
    for center in company_facts.read_cost_centers(gateway, settings, area, today):
        if center.code not in seen:
            seen.add(center.code)
            yield ReferenceValue(
                kind=ReferenceKind.COST_CENTER, code=center.code, name=center.name, active=center.active
            )
