"""When an order is due, and the day its documents are posted on, in the ERP company's time zone."""

from __future__ import annotations

from datetime import date

from erp.contract.order import OrderState, TenderKind
from erp.contract.plan import Outcome, Problem
from sync.planning.case import OrderCase, Stop
from sync.planning.screening import CANCELLED, paid_in


def stop_if_not_due(case: OrderCase) -> None:
    """Whether the posting moment of the pipeline has come. Asked only while no sale is posted.

    :raises Stop: not due, or held by policy
    """
    order = case.order
    if not order.total or order.state is OrderState.REFUNDED or order.state in CANCELLED:
        return
    if is_paid_offline(case):
        _stop_if_offline_is_not_due(case)
        return
    match case.settings.posting_moment:
        case "status":
            if order.status_id not in case.settings.posting_statuses:
                raise _not_due(f"Status {order.status_id} is not one of the pipeline's posting statuses.")
        case "shipped":
            if not order.shipped_at and order.state not in (OrderState.SHIPPED, OrderState.COMPLETED):
                raise _not_due("The order is not shipped yet.")
        case _:
            _stop_if_not_captured(case)


def _stop_if_not_captured(case: OrderCase) -> None:
    order, paid = case.order, paid_in(case.order)
    if paid >= order.total:
        return
    only_the_wallet = not any(t.kind is TenderKind.TRANSACTION for t in order.tenders)
    if not paid or (only_the_wallet and order.authorised):
        raise _not_due(
            f"{case.amount(order.authorised)} are authorised and not captured."
            if order.authorised
            else "No money was captured yet."
        )
    sentence = f"{case.amount(paid)} of {case.amount(order.total)} are captured."
    match case.settings.partly_captured:
        case "wait":
            raise _not_due(sentence)
        case "hold":
            raise Stop(
                Outcome.HELD,
                Problem(
                    code="partly_captured",
                    sentence=sentence,
                    way_out="Capture or release the rest in the store; or exclude the order with a reason.",
                    arithmetic=(
                        ("Captured", case.amount(paid)),
                        ("Authorised and not captured", case.amount(order.authorised)),
                        ("Total of the store", case.amount(order.total)),
                    ),
                ),
            )


def is_paid_offline(case: OrderCase) -> bool:
    """Whether money is owed by a method that no transaction of the store reports."""
    order = case.order
    methods = {method.casefold() for method in case.settings.offline_methods}
    return (
        paid_in(order) < order.total and not order.authorised and order.payment_method.casefold() in methods
    )


def is_accepted(case: OrderCase) -> bool:
    """Whether the store's people accepted an offline order, by its status."""
    return case.order.status_id in case.settings.offline_statuses


def _stop_if_offline_is_not_due(case: OrderCase) -> None:
    method = case.order.payment_method
    if not is_accepted(case):
        raise _not_due(
            f"The order is to be paid by {method}, and status {case.order.status_id} does not accept it yet."
        )
    if case.settings.offline_paid == "hold":
        raise Stop(
            Outcome.HELD,
            Problem(
                code="paid_offline",
                sentence=f"The order is to be paid by {method}, and the store has no transaction for it.",
                way_out="Book it by hand and exclude it; or let the pipeline post offline orders.",
            ),
        )


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


def _not_due(sentence: str) -> Stop:
    return Stop(Outcome.NOT_DUE, Problem(code="not_due", sentence=sentence))
