"""What the order's own state decides before any document is planned: not due, nothing to post, or held."""

from __future__ import annotations

from decimal import Decimal

from erp.contract.order import Order, OrderState
from erp.contract.plan import Outcome, Problem
from sync.planning.case import ZERO, OrderCase, Stop

CANCELLED = (OrderState.CANCELLED, OrderState.DECLINED)


def stop_if_inconsistent(case: OrderCase) -> None:
    """Hold what contradicts itself in the store: nothing is adjusted.

    :raises Stop: held, with the arithmetic
    """
    order = case.order
    if order.complaints:
        raise Stop(
            Outcome.HELD,
            *(
                Problem(
                    code="inconsistent",
                    sentence=complaint,
                    way_out="Correct the order in the store; or exclude it with a reason and book it by hand.",
                )
                for complaint in order.complaints
            ),
        )
    _stop_if_paid_more_than_the_total(case)
    _stop_if_refunded_more_than_the_total(case)


def _stop_if_paid_more_than_the_total(case: OrderCase) -> None:
    order, paid = case.order, paid_in(case.order)
    if paid <= order.total:
        return
    rows = tuple((f"{t.method} ({t.source or t.id})", case.amount(t.amount)) for t in order.tenders)
    raise Stop(
        Outcome.HELD,
        Problem(
            code="tenders_exceed_total",
            sentence=f"{case.amount(paid)} were captured for an order of {case.amount(order.total)}.",
            way_out="Refund the difference in the store or correct the order; or book it by hand and exclude it.",
            arithmetic=(
                *rows,
                ("Captured", case.amount(paid)),
                ("Total of the store", case.amount(order.total)),
                ("Too much", case.amount(paid - order.total)),
            ),
        ),
    )


def _stop_if_refunded_more_than_the_total(case: OrderCase) -> None:
    order, refunded = case.order, sum((r.total for r in case.order.refunds), ZERO)
    if refunded <= order.total:
        return
    rows = tuple((f"Refund {r.id}", case.amount(r.total)) for r in order.refunds)
    raise Stop(
        Outcome.HELD,
        Problem(
            code="refunds_exceed_total",
            sentence=f"{case.amount(refunded)} were refunded of an order of {case.amount(order.total)}.",
            way_out="Compare the refunds in the store; or book them by hand and exclude the order.",
            arithmetic=(
                *rows,
                ("Refunded", case.amount(refunded)),
                ("Total of the store", case.amount(order.total)),
            ),
        ),
    )


def stop_if_never_to_be_posted(case: OrderCase) -> None:
    """Orders that will not become a sale in the ERP. Asked only while no sale is posted.

    :raises Stop: nothing to post, not due, or held
    """
    order = case.order
    if order.state is OrderState.INCOMPLETE:
        raise _stop(Outcome.NOT_DUE, "incomplete", "The shopper has not finished the checkout.")
    if order.state in CANCELLED:
        _stop_if_cancelled_without_a_trace(case)
    if order.is_archived:
        _stop_if_archived(case)
    if not order.total and (case.settings.zero_total == "skip" or not order.lines):
        raise _stop(Outcome.NOTHING, "zero_total", "The order's total is zero: there is nothing to post.")


def stop_if_invoice_order(case: OrderCase) -> None:
    """A buyer-portal order that pays an invoice of the ERP is money and no sale: posting it would double the sale.

    :raises Stop: nothing to post
    """
    if case.order.is_invoice_order:
        raise _stop(
            Outcome.NOTHING,
            "invoice_order",
            "The order pays an invoice of the ERP in the buyer portal: it is money for that invoice and no sale.",
            "Book the payment on that invoice in the ERP.",
        )


def _stop_if_cancelled_without_a_trace(case: OrderCase) -> None:
    order, word = case.order, case.order.state.value
    paid, back = paid_in(order), paid_back(order)
    if not paid:
        raise _stop(Outcome.NOTHING, "cancelled", f"The order was {word} before any money was captured.")
    if paid != back:
        raise Stop(
            Outcome.HELD,
            Problem(
                code="cancelled_with_money",
                sentence=f"The order was {word}, but {case.amount(paid)} were captured and {case.amount(back)} paid back.",
                way_out="Refund the rest in the store; or exclude the order with a reason.",
                arithmetic=(("Captured", case.amount(paid)), ("Paid back", case.amount(back))),
            ),
        )
    if case.settings.cancelled_with_money == "skip":
        raise _stop(Outcome.NOTHING, "cancelled", f"The order was {word} and all of its money went back.")


def _stop_if_archived(case: OrderCase) -> None:
    match case.settings.archived:
        case "skip":
            raise _stop(Outcome.NOTHING, "archived", "The order was archived before it was posted.")
        case "hold":
            raise _stop(
                Outcome.HELD,
                "archived",
                "The order was archived before it was posted.",
                "Restore it in the store and reprocess; or exclude it with a reason.",
            )


def paid_in(order: Order) -> Decimal:
    """All captured money."""
    return sum((tender.amount for tender in order.tenders), ZERO)


def paid_back(order: Order) -> Decimal:
    """All money that went back and was not declined."""
    return sum((p.amount for r in order.refunds if not r.pending for p in r.payments), ZERO)


def _stop(outcome: Outcome, code: str, sentence: str, way_out: str = "") -> Stop:
    return Stop(outcome, Problem(code=code, sentence=sentence, way_out=way_out))
