"""Which ERP tax code carries the store's tax of a line."""

from __future__ import annotations

from erp.contract.order import TaxShare
from sync.planning.case import ZERO, OrderCase
from sync.planning.lookup import EXEMPT, Given, Lookup
from sync.planning.ports import Match


def tax_code(case: OrderCase, lookup: Lookup, taxes: tuple[TaxShare, ...]) -> Match:
    """The tax code of a line with these taxes; several taxes on one line are one key, joined as `State + County`.

    A line without any tax takes the code mapped from its zero-rated tax, else the code of `exempt`.
    """
    if case.settings.tax_mode == "liability_line" or not taxes:
        return exempt_code(case, lookup)
    key = " + ".join(sorted({share.key for share in taxes}))
    if all(share.amount == ZERO and not share.rate for share in taxes):
        found = lookup.may("tax_code", key)
        return found if found and _rate_is_zero(case, found) else exempt_code(case, lookup)
    return lookup.need(
        "tax_code", key, label=f"Tax {key}", sentence=f"The store's tax {key} has no tax code in the ERP."
    )


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
