"""What is already in the ERP for an order: which sale stands, and which were taken back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from erp.contract.documents import (
    AnyDocument,
    DocumentKind,
    MoneyDocument,
    SalesDocument,
    SettlementDocument,
    Use,
)
from sync.planning.case import ZERO, OrderCase, is_sale

_REVISION = re.compile(r"-[A-Z]+(\d*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSale:
    """A sale that was posted or intended, and the cancellation credit memo that took it back, if any."""

    document: SalesDocument
    revision: int
    taken_back_by: SalesDocument | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The sales of an order in the order of their revisions; those a person cancelled in the ERP are left out."""

    sales: tuple[PastSale, ...]
    next_revision: int

    @property
    def standing(self) -> PastSale | None:
        """The sale that counts now."""
        last = self.sales[-1] if self.sales else None
        return last if last and not last.taken_back_by else None


def read_history(case: OrderCase) -> History:
    """The past of an order, from what was posted or intended."""
    posted = [p for p in case.posted if is_sale(p.document)]
    credits = [
        p.document
        for p in case.posted
        if isinstance(p.document, SalesDocument)
        and not p.cancelled
        and p.reference.rpartition("-")[2].startswith("X")
    ]
    sales = [
        PastSale(
            document=p.document,
            revision=revision_of(p.reference),
            taken_back_by=next((c for c in credits if _corrects(c, p.document)), None),
        )
        for p in posted
        if isinstance(p.document, SalesDocument) and not p.cancelled
    ]
    return History(
        sales=tuple(sorted(sales, key=lambda sale: sale.revision)),
        next_revision=max((revision_of(p.reference) + 1 for p in posted), default=0),
    )


def revision_of(reference: str) -> int:
    """The revision a reference ends with; 0 where it has none."""
    found = _REVISION.search(reference)
    return int(found.group(1) or 0) if found else 0


Money = tuple[str, Decimal, Decimal]  # currency, amount, tax


def money_of(document: AnyDocument) -> Money:
    """What must not change once it is posted. Tax on liability lines counts as tax."""
    match document:
        case MoneyDocument() | SettlementDocument():
            return document.currency, document.amount, ZERO
        case SalesDocument():
            liabilities = sum((x.net for x in document.lines if x.use is Use.TAX_LIABILITY), ZERO)
            return document.currency, document.total, document.tax + liabilities
    return "", ZERO, ZERO


def _corrects(credit: SalesDocument, sale: SalesDocument) -> bool:
    return credit.kind is DocumentKind.CREDIT_MEMO and credit.corrects == sale.reference
