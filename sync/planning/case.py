"""Everything one plan is a function of, in one value, with the few questions that every step asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from zoneinfo import ZoneInfo

from erp.contract.adapter import Translator
from erp.contract.documents import AnyDocument, DocumentKind, SalesDocument
from erp.contract.facts import LedgerFacts
from erp.contract.money import Money
from erp.contract.order import Order
from erp.contract.plan import Outcome, Problem
from sync.planning.ports import PostedDocument, Rules
from sync.planning.references import ReferenceKind, reference
from sync.planning.settings import PipelineSettings

ZERO = Decimal(0)
ONE = Decimal(1)


class Stop(Exception):
    """The plan cannot go on; `problems` say why and `outcome` what that means."""

    def __init__(self, outcome: Outcome, *problems: Problem) -> None:
        super().__init__(problems[0].sentence if problems else outcome)
        self.outcome = outcome
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCase:
    """One order and all it is planned with."""

    order: Order
    store_key: str
    rules: Rules
    settings: PipelineSettings
    facts: LedgerFacts
    translator: Translator
    posted: tuple[PostedDocument, ...]
    go_live: datetime | None
    now: datetime

    def day(self, moment: datetime) -> date:
        """The calendar day of a moment where the ERP company is."""
        return moment.astimezone(ZoneInfo(self.facts.time_zone)).date()

    def reference(
        self, record_id: str, kind: ReferenceKind, *, part: str = "", revision: int | None = None
    ) -> str:
        """The reference of a document of this order; without a revision the first that no person cancelled in the ERP.

        :raises Stop: held, if the store's id makes none
        """
        gone = {p.reference for p in self.posted if p.cancelled}
        try:
            for number in [revision] if revision is not None else count():
                found = reference(self.store_key, record_id, kind, part=part, revision=number)
                if revision is not None or found not in gone:
                    break
        except ValueError as error:
            problem = Problem(
                code="no_reference",
                sentence=f"No reference can be made for the ERP: {error}.",
                way_out="Book the order by hand and exclude it with a reason.",
            )
            raise Stop(Outcome.HELD, problem) from error
        return found

    def already(self, wanted: str) -> AnyDocument | None:
        """The document that holds this reference, unless a person cancelled it in the ERP."""
        return next((p.document for p in self.posted if p.reference == wanted and not p.cancelled), None)

    def amount(self, value: Decimal) -> str:
        """An amount as a merchant reads it: `18,204.00 USD`."""
        return str(Money(value, self.order.currency))


def is_sale(document: AnyDocument) -> bool:
    return isinstance(document, SalesDocument) and document.kind in (
        DocumentKind.INVOICE,
        DocumentKind.SALES_ORDER,
    )
