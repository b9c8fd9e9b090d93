"""Which ERP tax code carries the store's tax of a line."""

from __future__ import annotations

from decimal import Decimal

from erp.contract.money import rounded
from erp.contract.order import TaxShare
from sync.planning.case import ZERO, OrderCase
from sync.planning.lookup import EXEMPT, Given, Lookup
from sync.planning.ports import Match


def tax_code(case: OrderCase, lookup: Lookup, taxes: tuple[TaxShare, ...], net: Decimal) -> Match:
    """The tax code of a line with these taxes on `net`; several taxes are one key, joined as `City + State`.

    Where the store took nothing although its rates would make a tax (exempt customers, exempt products), the line
    carries no tax, whatever taxes are named beside it.
    """
    if case.settings.tax_mode == "liability_line" or not taxes:
        return exempt_code(case, lookup)
    key = " + ".join(sorted({share.key for share in taxes}))
    if any(share.amount for share in taxes) or _would_round_to_nothing(case, taxes, net):
        return lookup.need(
            "tax_code", key, label=f"Tax {key}", sentence=f"The store's tax {key} has no tax code in the ERP."
        )
    zero_rated = lookup.may("tax_code", key)
    return zero_rated if zero_rated and _rate_is_zero(case, zero_rated) else exempt_code(case, lookup)


def _would_round_to_nothing(case: OrderCase, taxes: tuple[TaxShare, ...], net: Decimal) -> bool:
    """Whether there are rates above zero and the amount is only too small for them."""
    rate = sum((share.rate or ZERO for share in taxes), ZERO)
    return rate != ZERO and rounded(net * rate / 100, case.order.currency) == ZERO


def exempt_code(case: OrderCase, lookup: Lookup) -> Match:
    """The code of what carries no tax: the rule for `exempt`, else the connection's own.

    A `*` rule that leads to a taxed code does not count.
    """
    found = lookup.may("tax_code", EXEMPT)
    if found is not None and _rate_is_zero(case, found):
        return found
    if code := case.facts.settings.get("exempt_tax_code", ""):
        return Given(code, rule="the connection's code for what carries no tax")
    return lookup.missing(
        "tax_code",
        EXEMPT,
        label="No tax",
        sentence="What carries no tax in the store has no tax code in the ERP.",
    )


def _rate_is_zero(case: OrderCase, match: Match) -> bool:
    known = case.facts.tax_codes.get(match.target)
    return known is None or known.rate == ZERO
