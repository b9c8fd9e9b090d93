"""Sentences about what does not tie out, with the arithmetic shown."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from erp.contract.adapter import PredictedTotals
from erp.contract.documents import SalesDocument
from erp.contract.money import Money
from erp.contract.plan import Problem
from sync.planning.case import ZERO


def lines_miss_the_total(document: SalesDocument, gross: Decimal, tax: Decimal, allowed: Decimal) -> Problem:
    """The store's own figures contradict each other: nothing is adjusted."""
    say = _Speaker(document.currency)
    return Problem(
        code="does_not_tie",
        sentence=f"The store's lines do not add up to its total: {say(gross)} with {say(tax)} tax against "
        f"{say(document.total)} with {say(document.tax)} tax.",
        way_out="Correct the order in the store; or exclude it with a reason and book it by hand.",
        arithmetic=(
            ("Lines without tax", say(gross - tax)),
            ("Tax of the lines", say(tax)),
            ("Lines with tax", say(gross)),
            ("Total of the store", say(document.total)),
            ("Tax of the store", say(document.tax)),
            ("Difference of the totals", say(document.total - gross)),
            ("Difference of the tax", say(document.tax - tax)),
            ("Rounding allowed", say(allowed)),
        ),
    )


def tax_rate_differs(
    document: SalesDocument, code: str, rate: Decimal | None, missing: Decimal, allowed: Decimal
) -> Problem:
    """The mapped tax code makes another tax than the store took."""
    say = _Speaker(document.currency)
    lines = [line for line in document.lines if line.tax_code == code]
    wanted = sum((line.tax for line in lines), ZERO)
    base = sum((line.net for line in lines), ZERO)
    percent = "unknown" if rate is None else _percent(rate)
    return Problem(
        code="tax_rate_differs",
        sentence=f"Tax code {code} ({percent} in the ERP) makes {say(wanted - missing)} tax where the store took "
        f"{say(wanted)}.",
        way_out="Correct the tax mapping or the rate in the ERP, then reprocess. For stores whose tax no code "
        "reproduces, the pipeline can send the store's tax or post tax-liability lines.",
        arithmetic=(
            ("Tax code", code),
            ("Rate in the ERP", percent),
            ("Amount without tax", say(base)),
            ("Rate the store took", _percent(wanted / base * 100) if base else "-"),
            ("Tax the ERP computes", say(wanted - missing)),
            ("Tax of the store", say(wanted)),
            ("Difference", say(missing)),
            ("Rounding allowed", say(allowed)),
        ),
    )


def cannot_be_tied(document: SalesDocument, predicted: PredictedTotals) -> Problem:
    """Rounding lines do not make the ERP compute the store's figures."""
    say = _Speaker(document.currency)
    return Problem(
        code="does_not_tie",
        sentence=f"The ERP would compute {say(predicted.total)} with {say(predicted.tax)} tax; the store has "
        f"{say(document.total)} with {say(document.tax)} tax.",
        way_out="Check the tax mappings, the pipeline's rounding limit and the rounding settings of the ERP company.",
        arithmetic=(
            ("Total of the store", say(document.total)),
            ("Total the ERP computes", say(predicted.total)),
            ("Tax of the store", say(document.tax)),
            ("Tax the ERP computes", say(predicted.tax)),
        ),
    )


class _Speaker:
    """Amounts as a merchant reads them."""

    def __init__(self, currency: str) -> None:
        self.currency = currency

    def __call__(self, amount: Decimal) -> str:
        return str(Money(amount, self.currency))


def _percent(rate: Decimal) -> str:
    text = f"{rate.quantize(Decimal('0.001'), rounding=ROUND_HALF_UP):f}".rstrip("0").rstrip(".")
    return f"{text} %"
