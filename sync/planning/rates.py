"""Exchange rates: documents are in the order's transactional currency; the ERP needs a rate where that is not its own."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from erp.contract.plan import Outcome, Problem
from sync.planning.case import OrderCase, Stop

_PLACES = Decimal("0.000001")


def document_rate(case: OrderCase, day: date) -> Decimal | None:
    """The rate to send: None in the company's own currency and where the ERP has its own rate for the day, told or not.

    :raises Stop: refused, if the currency needs a rate and there is none
    """
    currency = case.order.currency
    if currency == case.facts.local_currency:
        return None
    match case.settings.exchange_rate:
        case "erp":
            if case.facts.tells_rates and (currency, day) not in case.facts.rates:
                raise _no_rate(case, f"The ERP has no exchange rate for {currency} on {day}.")
            return None
        case "stored":
            rate, where = case.settings.stored_rate(currency), "The pipeline stores no exchange rate for"
        case _:
            rate, where = _rate_of_store(case), "The store gives no exchange rate for"
    if rate is None:
        raise _no_rate(case, f"{where} {currency}.")
    return rate


def _rate_of_store(case: OrderCase) -> Decimal | None:
    """The store's rate turned round: it says how much of the order's currency one unit of the store's is."""
    order = case.order
    if order.store_currency != case.facts.local_currency or not order.store_rate:
        return None
    return (1 / order.store_rate).quantize(_PLACES, rounding=ROUND_HALF_UP)


def _no_rate(case: OrderCase, sentence: str) -> Stop:
    return Stop(
        Outcome.REFUSED,
        Problem(
            code="no_rate",
            sentence=sentence,
            way_out=f"Enter the rate for {case.order.currency} in the ERP or on the pipeline, then reprocess.",
        ),
    )
