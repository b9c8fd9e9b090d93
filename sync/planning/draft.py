"""What a plan is made of while it is being made: first all documents with all gaps, then each tied out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from erp.contract.documents import AnyDocument, SalesDocument
from erp.contract.plan import MissingMapping, Outcome, Plan, Problem, TieOut
from sync.planning.case import OrderCase, Stop, is_sale
from sync.planning.fields import with_fields
from sync.planning.history import Money, money_of
from sync.planning.liability import Taxes, need_liability_accounts
from sync.planning.lookup import Lookup
from sync.planning.partners import customer_fields
from sync.planning.tie_out import Tied, proof_of, tie_out


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document to be held in the ERP. `kept`: it was posted or intended before and stays as it is."""

    document: AnyDocument
    lookup: Lookup
    kept: bool = False
    taxes: Taxes = field(default_factory=dict)
    tax_mode: str = "erp"


class Draft:
    """Collects what the order should have in the ERP; `finish` makes it a plan."""

    def __init__(self, case: OrderCase) -> None:
        self.case = case
        self.wanted: list[Wanted] = []
        self.gaps: dict[tuple[str, str], MissingMapping] = {}
        self.notes: list[str] = []
        self.problems: list[Problem] = []  # what a person must see to, though everything can be posted
        self.proof: TieOut | None = None

    def lookup(self, on: date) -> Lookup:
        """The mappings on a posting date; what is missing becomes a gap of this plan."""
        return Lookup(self.case.rules, on, self.gaps)

    def add(
        self, document: AnyDocument, lookup: Lookup, *, taxes: Taxes | None = None, tax_mode: str = "erp"
    ) -> None:
        """Want this document; `taxes` and `tax_mode` say what the store took on its lines and how it is written."""
        if isinstance(document, SalesDocument) and tax_mode == "liability_line":
            need_liability_accounts(lookup, document.lines, taxes or {})
        self.wanted.append(Wanted(document, lookup, taxes=taxes or {}, tax_mode=tax_mode))

    def keep(self, document: AnyDocument) -> None:
        """Want a document that was posted or intended before, exactly as it was."""
        self.wanted.append(Wanted(document, self.lookup(date.max), kept=True))

    def want(
        self, document: AnyDocument, lookup: Lookup, *, taxes: Taxes | None = None, tax_mode: str = "erp"
    ) -> None:
        """Want this document; one that is already posted under its reference is kept, if it is the same money.

        :raises Stop: held, where the store changed the amount of what is posted
        """
        if not self.keeps(document.reference, money_of(document)):
            self.add(document, lookup, taxes=taxes, tax_mode=tax_mode)

    def keeps(self, reference: str, money: Money) -> bool:
        """Keep what is posted under this reference, if anything. Asked before mappings and periods of today are.

        :param money: currency, amount and tax in the store now
        :raises Stop: held, where the store changed the amount of what is posted
        """
        before = self.case.already(reference)
        if before is None:
            return False
        if money_of(before) != money:
            raise _changed(self.case, before, money)
        self.keep(before)
        return True

    def documents(self) -> list[AnyDocument]:
        return [wanted.document for wanted in self.wanted]

    def references(self) -> set[str]:
        return {wanted.document.reference for wanted in self.wanted}

    def finish(self) -> tuple[AnyDocument, ...]:
        """The documents with their fields, cut to the ERP's lengths, accepted by it and tied out to the cent.

        :raises Stop: with all gaps, all refusals, or what cannot be tied out
        """
        self.stop_at_gaps()
        fitted = [w if w.kept else replace(w, document=self._fitted(w)) for w in self.wanted]
        # Tax on liability lines changes what the ERP is sent: such a document is asked about below, as it will be.
        self._stop_if_refused(w.document for w in fitted if not w.kept and w.tax_mode != "liability_line")
        tied = [self._tied(w) for w in fitted]
        self.stop_at_gaps()
        self._stop_if_refused(d for d, w in zip(tied, fitted, strict=True) if not w.kept)
        return tuple(tied)

    def stop_at_gaps(self) -> None:
        if self.gaps:
            raise Stop(Outcome.BLOCKED)

    def plan(
        self, outcome: Outcome, documents: tuple[AnyDocument, ...], problems: tuple[Problem, ...]
    ) -> Plan:
        return Plan(
            outcome=outcome,
            documents=documents,
            gaps=tuple(gap for _, gap in sorted(self.gaps.items())),
            problems=problems,
            notes=tuple(dict.fromkeys(self.notes)),
            policies=self.case.settings.in_force(),
            tie_out=self.proof,
        )

    def _fitted(self, wanted: Wanted) -> AnyDocument:
        customer = self.case.order.customer
        values = {**dict(self.case.order.raw_fields), **(customer_fields(customer) if customer else {})}
        document, notes = with_fields(wanted.document, self.case.rules, wanted.lookup.on, values)
        fitted, cuts = self.case.translator.fit(document)
        self.notes += [*notes, *cuts]
        return fitted

    def _stop_if_refused(self, documents: Iterable[AnyDocument]) -> None:
        found = [p for d in documents for p in self.case.translator.problems(d, self.case.facts)]
        if found:
            raise Stop(Outcome.REFUSED, *dict.fromkeys(found))

    def _tied(self, wanted: Wanted) -> AnyDocument:
        """The document as it will be posted; what ties out leaves its proof."""
        document = wanted.document
        if not isinstance(document, SalesDocument):
            return document
        if wanted.kept:
            if is_sale(document):
                self.proof = proof_of(document)
            return document
        tied = tie_out(self.case, wanted.lookup, document, wanted.taxes, tax_mode=wanted.tax_mode)
        if is_sale(document):
            self.proof = tied.proof
        self.notes += _rounding_notes(self.case, tied)
        return tied.document


def _rounding_notes(case: OrderCase, tied: Tied) -> Iterator[str]:
    reference = tied.document.reference
    if tied.closed:
        yield f"{reference}: rounding makes the ERP's tax differ by {case.amount(tied.closed)}; a pair of lines closes it."
    if tied.proof.rounding:
        yield f"{reference}: {case.amount(tied.proof.rounding)} of rounding go to the rounding account."


def _changed(case: OrderCase, before: AnyDocument, wanted: Money) -> Stop:
    posted = money_of(before)
    return Stop(
        Outcome.HELD,
        Problem(
            code="changed_after_posting",
            sentence=f"{before.reference} was posted with {case.amount(posted[1])}; the store now says "
            f"{case.amount(wanted[1])}.",
            way_out="Correct it in the store, or in the ERP by hand, and exclude the order with a reason.",
            arithmetic=(
                ("Posted", case.amount(posted[1])),
                ("Tax posted", case.amount(posted[2])),
                ("In the store now", case.amount(wanted[1])),
                ("Tax in the store now", case.amount(wanted[2])),
            ),
        ),
    )
