"""When an order is due, and the day its documents are posted on, in the ERP company's time zone."""

from __future__ import annotations

from datetime import date

from erp.contract.plan import Outcome, Problem
from sync.planning.case import OrderCase, Stop


def posting_day(case: OrderCase) -> date:
    """The day a sale is posted on.

    :raises Stop: held, where that day lies in a closed period and the pipeline does not move it
    """
    order = case.order
    first_capture = min((t.captured_at for t in order.tenders), default=None)
    wanted = {
        "order": order.created_at,
        "capture": first_capture or order.created_at,
        "shipment": order.shipped_at or first_capture or order.created_at,
        "today": case.now,
    }[case.settings.posting_date]
    return open_day(case, case.day(wanted))


def open_day(case: OrderCase, day: date) -> date:
    """That day, or the next open one where the pipeline says so.

    :raises Stop: held, if the period is closed and no later day is open or wanted
    """
    if case.facts.open_period(day):
        return day
    later = case.facts.next_open_day(day) if case.settings.closed_period == "next_open_day" else None
    if later is not None:
        return later
    raise Stop(
        Outcome.HELD,
        Problem(
            code="closed_period",
            sentence=f"The posting date {day.isoformat()} lies in a period that is closed in the ERP.",
            way_out="Open the period in the ERP, or let the pipeline post on the next open day; then reprocess.",
        ),
    )
