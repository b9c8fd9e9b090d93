"""The plan of a customer: the business partner a registered account of the store should be."""

from __future__ import annotations

from datetime import date

from erp.contract.adapter import Translator
from erp.contract.documents import PartnerDocument
from erp.contract.facts import LedgerFacts
from erp.contract.order import Customer
from erp.contract.plan import MissingMapping, Outcome, Plan, Problem
from sync.planning.fields import with_fields
from sync.planning.lookup import Lookup
from sync.planning.partners import customer_fields, partner
from sync.planning.ports import PostedDocument, Rules
from sync.planning.settings import PipelineSettings


def plan_customer(
    customer: Customer,
    *,
    store_key: str,
    rules: Rules,
    settings: PipelineSettings,
    facts: LedgerFacts,
    translator: Translator,
    posted: tuple[PostedDocument, ...] = (),
) -> Plan:
    """The business partner of a customer, created or brought up to date.

    Where the pipeline makes partners with the first order only, a customer that the ERP does not know yet is not due.
    """
    gaps: dict[tuple[str, str], MissingMapping] = {}
    lookup = Lookup(rules, date.max, gaps)
    wanted = partner(customer, store_key, settings, lookup)
    if not _is_due(wanted, settings, facts, posted):
        sentence = "The customer has not ordered yet: the business partner is made with the first order."
        return _plan(settings, Outcome.NOT_DUE, problems=(Problem(code="no_order_yet", sentence=sentence),))
    filled, empty = with_fields(wanted, rules, lookup.on, customer_fields(customer))
    fitted, cuts = translator.fit(filled)
    problems = translator.problems(fitted, facts)
    if problems:
        return _plan(settings, Outcome.REFUSED, problems=problems)
    return _plan(settings, Outcome.READY, documents=(fitted,), notes=(*empty, *cuts))


def _is_due(
    wanted: PartnerDocument,
    settings: PipelineSettings,
    facts: LedgerFacts,
    posted: tuple[PostedDocument, ...],
) -> bool:
    known = wanted.code in facts.partners or any(p.reference == wanted.reference for p in posted)
    return known or settings.new_customers == "always"


def _plan(settings: PipelineSettings, outcome: Outcome, **parts: object) -> Plan:
    return Plan(outcome=outcome, policies=settings.in_force(), **parts)  # type: ignore[arg-type]
