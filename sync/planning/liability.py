"""Tax-liability lines: for stores whose tax no ERP tax code reproduces, the store's tax as amounts on liability accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from erp.contract.documents import DocumentLine, Origin, SalesDocument, Use
from erp.contract.money import quantum
from erp.contract.order import TaxShare
from sync.planning.allocation import allocate
from sync.planning.case import ONE, ZERO, OrderCase
from sync.planning.lookup import Lookup
from sync.planning.ports import Match
from sync.planning.tax import exempt_code

UNNAMED = "tax"  # the key of tax that the store does not name

Taxes = Mapping[str, tuple[TaxShare, ...]]  # the store's taxes by document line key


def tax_mode_of(sale: SalesDocument) -> str:
    """How the tax of a posted sale was written: what corrects it does the same, whatever the pipeline says now."""
    if sale.tax_override:
        return "override"
    return "liability_line" if any(x.use is Use.TAX_LIABILITY for x in sale.lines) else "erp"


def need_liability_accounts(lookup: Lookup, lines: tuple[DocumentLine, ...], taxes: Taxes) -> None:
    """Note a gap for every tax without an account."""
    for line in lines:
        for key in _keys(line, taxes) if line.tax else ():
            _account(lookup, key)


def with_liability_lines(
    case: OrderCase, lookup: Lookup, document: SalesDocument, taxes: Taxes
) -> SalesDocument:
    """The document with all lines exempt, and one line for each of the store's taxes."""
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in document.lines:
        weights = [share.amount for share in taxes.get(line.key, ())] or [ONE]
        parts = allocate(line.tax, weights, quantum(document.currency))
        for key, part in zip(_keys(line, taxes), parts, strict=True):
            amounts[key] += part
    exempt = exempt_code(case, lookup).target
    # A line that carried tax alone has nothing left to say.
    kept = [line for line in document.lines if line.net or line.use is not Use.UNATTRIBUTED_REFUND]
    plain = tuple(replace(line, tax=ZERO, tax_code=exempt) for line in kept)
    liabilities = tuple(
        _line(lookup, key, amount, exempt) for key, amount in sorted(amounts.items()) if amount
    )
    return replace(document, lines=(*plain, *liabilities), tax=ZERO)


def _keys(line: DocumentLine, taxes: Taxes) -> list[str]:
    return [share.key for share in taxes.get(line.key, ())] or [UNNAMED]


def _line(lookup: Lookup, key: str, amount: Decimal, exempt: str) -> DocumentLine:
    account = _account(lookup, key)
    return DocumentLine(
        key=f"tax:{key}",
        use=Use.TAX_LIABILITY,
        text=key,
        quantity=ONE,
        net=amount,
        tax=ZERO,
        account=account.target,
        cost_center=account.extra.get("cost_center", ""),
        tax_code=exempt,
        origins=(Origin(field="taxes", value=f"{key} {amount:f}", rule=account.rule),),
    )


def _account(lookup: Lookup, key: str) -> Match:
    return lookup.need(
        "account.tax_liability",
        key,
        label=f"Tax liability: {key}",
        sentence=f"The store's tax {key} has no liability account.",
    )
