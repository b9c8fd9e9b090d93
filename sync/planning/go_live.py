"""Orders from before go-live: someone else posted the sale; only what happens to it later may be ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from erp.contract.plan import Outcome, Problem
from sync.planning.case import OrderCase, Stop, is_sale
from sync.planning.screening import paid_back, paid_in


def is_before_go_live(case: OrderCase) -> bool:
    """Whether the order was placed before the pipeline's start and nothing of it was posted by us."""
    started = case.go_live is not None and case.order.created_at < case.go_live
    return started and not any(is_sale(p.document) for p in case.posted)


def later_part(case: OrderCase) -> OrderCase:
    """The case with only the captures and refunds from after go-live.

    :raises Stop: before go-live, where there are none or they are left to others; held, where a person decides
    """
    start = case.go_live or datetime.min.replace(tzinfo=case.now.tzinfo)
    order = case.order
    later = replace(
        order,
        tenders=tuple(t for t in order.tenders if t.captured_at >= start),
        refunds=tuple(r for r in order.refunds if r.created_at >= start),
    )
    day = start.astimezone(case.now.tzinfo).date().isoformat()
    policy = case.settings.before_go_live_money
    if (not later.tenders and not later.refunds) or policy == "ignore":
        raise Stop(
            Outcome.BEFORE_GO_LIVE,
            Problem(
                code="before_go_live",
                sentence=f"The order is from before go-live on {day}: it is not posted.",
            ),
        )
    if policy == "hold":
        raise Stop(
            Outcome.HELD,
            Problem(
                code="money_after_go_live",
                sentence=f"The order is from before go-live on {day}, and money moved after it.",
                way_out="Book it where the order was posted and exclude the order; or let the pipeline post such money.",
                arithmetic=(
                    ("Captured after go-live", case.amount(paid_in(later))),
                    ("Paid back after go-live", case.amount(paid_back(later))),
                ),
            ),
        )
    return replace(case, order=later)
