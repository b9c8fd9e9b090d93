"""Discounts as lines of their own, where the pipeline wants them: one for each tax code and discount account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from erp.contract.documents import DocumentLine, Origin, Use
from erp.contract.money import quantum, rounded
from erp.contract.order import OrderLine
from sync.planning.allocation import allocate
from sync.planning.case import ONE, ZERO, OrderCase
from sync.planning.lines import line_key
from sync.planning.lookup import Lookup
from sync.planning.ports import Match

UNNAMED = "discount"  # the key of a discount that the store does not name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one discount took off one line, without tax, and the tax it saved."""

    tax_code: str
    account: Match
    name: str
    net: Decimal
    tax: Decimal


def with_discount_lines(case: OrderCase, lookup: Lookup, lines: Iterable[DocumentLine]) -> list[DocumentLine]:
    """The lines at their price before discounts, and negative discount lines that take it back to what was paid."""
    order_lines = {line_key(line): line for line in case.order.lines}
    undiscounted: list[DocumentLine] = []
    parts: list[_Part] = []
    for line in lines:
        source = order_lines.get(line.key)
        if source is None or source.list_net == source.net:
            undiscounted.append(line)
            continue
        taken = list(_parts(case, lookup, line, source))
        parts += taken
        undiscounted.append(
            replace(line, net=source.list_net, tax=line.tax + sum((part.tax for part in taken), ZERO))
        )
    return [*undiscounted, *_discount_lines(parts)]


def _parts(case: OrderCase, lookup: Lookup, line: DocumentLine, source: OrderLine) -> Iterable[_Part]:
    """The line's discount, split over the discounts that made it, as far as the store names them."""
    net = source.list_net - source.net
    named = source.discounts
    unit = quantum(case.order.currency)
    nets = allocate(net, [discount.amount for discount in named] or [ONE], unit)
    names = [(d.code or d.source or UNNAMED, d.name or d.code or d.source) for d in named] or [
        (UNNAMED, "Discount")
    ]
    code = case.facts.tax_codes.get(line.tax_code)
    rate = code.rate / 100 if code and line.tax else ZERO
    for (key, name), part in zip(names, nets, strict=True):
        yield _Part(
            tax_code=line.tax_code,
            account=discount_account(lookup, key),
            name=name,
            net=part,
            tax=rounded(part * rate, case.order.currency),
        )


def discount_account(lookup: Lookup, key: str) -> Match:
    return lookup.need(
        "account.discount", key, label=f"Discount {key}", sentence=f"The discount {key} has no G/L account."
    )


def _discount_lines(parts: list[_Part]) -> Iterable[DocumentLine]:
    groups: dict[tuple[str, str], list[_Part]] = defaultdict(list)
    for part in parts:
        groups[part.tax_code, part.account.target].append(part)
    for (tax_code, account), group in sorted(groups.items()):
        names = ", ".join(sorted({part.name for part in group}))
        yield DocumentLine(
            key=f"discount:{tax_code}:{account}",
            use=Use.DISCOUNT,
            text=f"Discount: {names}",
            quantity=ONE,
            net=-sum((part.net for part in group), ZERO),
            tax=-sum((part.tax for part in group), ZERO),
            account=account,
            cost_center=group[0].account.extra.get("cost_center", ""),
            tax_code=tax_code,
            origins=tuple(
                Origin(field="applied_discounts", value=f"{part.name} {part.net:f}", rule=part.account.rule)
                for part in group
            ),
        )
