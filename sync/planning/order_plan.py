"""The plan of an order: the documents it should have in the ERP, or all the reasons why not yet.

`desire` is the story of an order, top to bottom.
"""

from __future__ import annotations

from datetime import datetime

from erp.contract.adapter import Translator
from erp.contract.documents import DocumentKind
from erp.contract.facts import LedgerFacts
from erp.contract.order import Order
from erp.contract.plan import Outcome, Plan, Problem
from sync.planning.case import OrderCase, Stop
from sync.planning.changes import Standing, keep_the_past, standing_sale
from sync.planning.draft import Draft
from sync.planning.go_live import is_before_go_live, later_part
from sync.planning.history import History, read_history
from sync.planning.moments import open_day, posting_day, stop_if_not_due
from sync.planning.partners import one_time_partner, partner
from sync.planning.ports import PostedDocument, Rules
from sync.planning.refunds import add_refunds
from sync.planning.sales import sale_document, taxes_by_line
from sync.planning.screening import stop_if_inconsistent, stop_if_invoice_order, stop_if_never_to_be_posted
from sync.planning.settings import PipelineSettings
from sync.planning.settlements import add_settlements
from sync.planning.tenders import add_payments


def plan_order(
    order: Order,
    *,
    store_key: str,
    rules: Rules,
    settings: PipelineSettings,
    facts: LedgerFacts,
    translator: Translator,
    posted: tuple[PostedDocument, ...] = (),
    go_live: datetime | None,
    now: datetime,
) -> Plan:
    """What one order should have in the ERP.

    A plan that is READY has all documents in the order to post them; those in `posted` are among them, unchanged, unless a
    person cancelled them; `problems` are what a person must see to in the ERP afterwards. Any other plan has no documents,
    and says why: `gaps` where mappings are missing (all of them), else `problems` with their arithmetic. The same arguments
    give the same plan, to the byte.

    :param posted: what was intended or posted for this order before
    :param go_live: orders created before it are not posted; None: no such moment
    :param now: only the posting date `today` depends on it
    """
    case = OrderCase(
        order=order,
        store_key=store_key,
        rules=rules,
        settings=settings,
        facts=facts,
        translator=translator,
        posted=posted,
        go_live=go_live,
        now=now,
    )
    draft = Draft(case)
    try:
        desire(case, draft)
        return draft.plan(Outcome.READY, draft.finish(), tuple(draft.problems))
    except Stop as stop:
        return draft.plan(stop.outcome, (), stop.problems)


def desire(case: OrderCase, draft: Draft) -> None:
    """Want everything the order should have in the ERP, in the order to post it.

    :raises Stop: where the order is not due, has nothing to post, or needs a person
    """
    stop_if_invoice_order(case)
    if is_before_go_live(case):
        _desire_later_money(later_part(case), draft)
        return
    history = read_history(case)
    if not history.sales:
        stop_if_never_to_be_posted(case)
        stop_if_not_due(case)
    stop_if_inconsistent(case)
    keep_the_past(draft, history)
    standing = standing_sale(case, draft, history) or _new_sale(case, draft, history)
    add_payments(case, draft, standing)
    add_settlements(case, draft)
    add_refunds(case, draft, standing)
    _stop_if_something_is_left_over(case, draft)


def _new_sale(case: OrderCase, draft: Draft, history: History) -> Standing:
    lookup = draft.lookup(posting_day(case))
    sale = sale_document(
        case,
        lookup,
        _partner(case, draft),
        revision=history.next_revision,
        replaces=history.sales[-1].document.reference if history.sales else "",
    )
    draft.add(sale, lookup, taxes=taxes_by_line(case.order), tax_mode=case.settings.tax_mode)
    return Standing(sale=sale, tax_mode=case.settings.tax_mode)


def _partner(case: OrderCase, draft: Draft) -> str:
    """Who is booked to: the one-time partner's code, or the reference of the customer's own, which is wanted first."""
    customer = case.order.customer
    if customer is None:
        return one_time_partner(case.settings)
    lookup = draft.lookup(posting_day(case))
    document = partner(customer, case.store_key, case.settings, lookup)
    draft.want(document, lookup)
    return document.reference


def _desire_later_money(case: OrderCase, draft: Draft) -> None:
    """Captures and refunds from after go-live of a sale that someone else posted: on account, correcting nothing of ours."""
    first = min([t.captured_at for t in case.order.tenders] + [r.created_at for r in case.order.refunds])
    lookup = draft.lookup(open_day(case, case.day(first)))
    sale = sale_document(case, lookup, _partner(case, draft), revision=0, replaces="")
    standing = Standing(sale=sale, tax_mode=case.settings.tax_mode, ours=False)
    add_payments(case, draft, standing)
    add_refunds(case, draft, standing)


def _stop_if_something_is_left_over(case: OrderCase, draft: Draft) -> None:
    """What is in the ERP and has no reason in the store any more needs a person: a payment or refund that vanished.

    :raises Stop: held
    """
    wanted = draft.references()
    left = [
        p
        for p in case.posted
        if not p.cancelled and p.reference not in wanted and p.kind is not DocumentKind.PARTNER
    ]
    if left:
        names = ", ".join(p.reference for p in left)
        raise Stop(
            Outcome.HELD,
            Problem(
                code="vanished",
                sentence=f"{names} was posted, and nothing in the store stands for it any more.",
                way_out="Compare the order's payments and refunds in the store; cancel the document in the ERP by hand.",
            ),
        )
