"""The plan of an order: the documents it should have in the ERP, or all the reasons why not yet. Pure; read `_documents` top to bottom."""

from __future__ import annotations

from datetime import datetime

from erp.contract.adapter import Translator
from erp.contract.documents import AnyDocument
from erp.contract.facts import LedgerFacts
from erp.contract.order import Order
from erp.contract.plan import MissingMapping, Outcome, Plan, Problem, TieOut
from sync.planning.case import OrderCase, Stop
from sync.planning.lookup import Lookup
from sync.planning.moments import posting_day
from sync.planning.partners import one_time_partner, partner
from sync.planning.ports import PostedDocument, Rules
from sync.planning.sales import roundings, sale_draft
from sync.planning.settings import PipelineSettings
from sync.planning.tenders import payments
from sync.planning.tie_out import tie_out


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
    """All documents the order should have in the ERP, in the order to post them, those already posted included and unchanged."""
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
    draft = _Draft()
    try:
        _documents(case, draft)
        outcome = Outcome.READY
    except Stop as stop:
        outcome = stop.outcome
        draft.problems = stop.problems
    return draft.plan(case, outcome)


class _Draft:
    """What has been planned so far."""

    def __init__(self) -> None:
        self.documents: list[AnyDocument] = []
        self.gaps: dict[tuple[str, str], MissingMapping] = {}
        self.problems: tuple[Problem, ...] = ()
        self.notes: list[str] = []
        self.tie_out: TieOut | None = None

    def plan(self, case: OrderCase, outcome: Outcome) -> Plan:
        return Plan(
            outcome=outcome,
            documents=tuple(self.documents),
            gaps=tuple(gap for _, gap in sorted(self.gaps.items())),
            problems=tuple(self.problems),
            notes=tuple(self.notes),
            policies=case.settings.in_force(),
            tie_out=self.tie_out,
        )


def _documents(case: OrderCase, draft: _Draft) -> None:
    lookup = Lookup(case.rules, posting_day(case), draft.gaps)
    if case.order.customer:
        account = partner(case.order.customer, case.store_key, case.settings, lookup)
        draft.documents.append(account)
        code = account.reference
    else:
        code = one_time_partner(case.settings)
    sale = sale_draft(case, lookup, code)
    money = list(payments(case, lookup, sale))
    _stop_at_gaps(draft)
    tied = tie_out(case, lookup, sale, roundings=roundings(case.order))
    _stop_at_gaps(draft)
    draft.tie_out = tied.proof
    wanted: list[AnyDocument] = [tied.document, *money]
    for document in wanted:
        fitted, notes = case.translator.fit(document)
        draft.documents.append(fitted)
        draft.notes += notes


def _stop_at_gaps(draft: _Draft) -> None:
    if draft.gaps:
        raise Stop(Outcome.BLOCKED)
