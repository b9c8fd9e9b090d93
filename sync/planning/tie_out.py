"""The tie-out: what the ERP will compute for a document is made equal to what the store took, or it is held.

The ERP computes tax and rounding itself, so equality is proved with the adapter's `predict`, never assumed.
Rounding leaves residues:

- The store rounds tax by unit or by line, the ERP by line or by document. Each rounding moves a tax by up to
  half a minor unit; in tax-inclusive prices by half a unit times (1 + rate), because the rounded tax also
  moves the net that the ERP starts from.
- The store's lines may add up to a little more or less than its own total.

A residue of tax is closed by a pair of lines on the rounding account: one with that tax code whose net makes
the ERP compute the missing tax, one without tax that takes the net back. The tax accounts then show exactly the
store's tax, and the rounding account only what the totals lacked.

Two bounds, because the two are different in kind:

- Money that stays on the rounding account: the pipeline's limit, five minor units by default, and never more.
- Tax closed by a pair: that limit or, where it is more and the pipeline does not say `strict`, what the roundings
  of the document's own lines and units explain. A single line can never be honestly off by more than a unit; an
  order of 60 lines can be 12 off in a company that rounds tax once for the document, and one of 40 pieces 20
  off in a store that rounds tax by unit. Anything above is another rate, and held as that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from math import prod

from erp.contract.adapter import PredictedTotals
from erp.contract.documents import DocumentLine, Origin, SalesDocument, Use
from erp.contract.money import quantum
from erp.contract.plan import Outcome, TieOut
from sync.planning import differences
from sync.planning.case import ONE, ZERO, OrderCase, Stop
from sync.planning.liability import Taxes, with_liability_lines
from sync.planning.lookup import Lookup
from sync.planning.ports import Match
from sync.planning.tax import exempt_code

_HALF = Decimal("0.5")
_FARTHEST_NET = 2**24  # minor units: a rate so small that no smaller net reaches the tax is no rate
_NO_TOTAL = Decimal(-1)
ROUNDING = "rounding"


@dataclass(frozen=True, slots=True)
class Tied:
    """A document whose prediction equals the store's figures, and the proof.

    `closed` is the tax that pairs of rounding lines close, over all tax codes.
    """

    document: SalesDocument
    proof: TieOut
    closed: Decimal = ZERO


def tie_out(
    case: OrderCase, lookup: Lookup, draft: SalesDocument, taxes: Taxes, *, tax_mode: str = "erp"
) -> Tied:
    """The document with the rounding lines it needs, proved by prediction.

    :param draft: its `total` and `tax` are the store's; its lines may miss them by a residue
    :param taxes: the store's taxes by line key
    :param tax_mode: how tax is written on this document
    :raises Stop: held, with the arithmetic, where no rounding within the limit makes them equal
    """
    work = _Work(case, lookup, draft, taxes)
    work.stop_if_the_lines_miss_the_total()
    whole = _with_the_stores_tax(draft)
    if tax_mode == "liability_line":
        whole = with_liability_lines(case, lookup, whole, taxes)
    return replace(work, draft=whole).tied()


def proof_of(posted: SalesDocument) -> TieOut:
    """The proof of a document that was tied out before."""
    tax = posted.tax + _liabilities(posted)
    return TieOut(
        currency=posted.currency,
        store_total=posted.total,
        store_tax=tax,
        planned_total=posted.total,
        planned_tax=tax,
        rounding=_rounding(posted),
    )


@dataclass(frozen=True, slots=True)
class _Work:
    case: OrderCase
    lookup: Lookup
    draft: SalesDocument
    taxes: Taxes

    def stop_if_the_lines_miss_the_total(self) -> None:
        lines = self.draft.lines
        gross = sum((x.net + x.tax for x in lines), ZERO)
        tax = sum((x.tax for x in lines), ZERO)
        allowed = self._limit() if lines else ZERO
        if max(abs(self.draft.total - gross), abs(self.draft.tax - tax)) > allowed:
            raise Stop(Outcome.HELD, differences.lines_miss_the_total(self.draft, gross, tax, allowed))

    def tied(self) -> Tied:
        """The document as it is if the ERP computes the store's figures for it, else with rounding lines."""
        as_it_is = self._predict(self.draft)
        self._stop_if_a_rate_differs(as_it_is)
        if self._ties(as_it_is) and not any(self._missing(as_it_is).values()):
            return Tied(self.draft, self._proof(self.draft, as_it_is))
        plain = self._predict_plainly(self.draft)
        missing = {code: amount for code, amount in sorted(self._missing(plain).items()) if amount}
        document = self._with_rounding_lines(missing)
        predicted = self._predict(document)
        if not self._ties(predicted) or abs(_rounding(document)) > self._limit():
            raise Stop(Outcome.HELD, differences.cannot_be_tied(self.draft, predicted))
        closed = sum((abs(amount) for amount in missing.values()), ZERO)
        return Tied(document, self._proof(document, predicted), closed)

    def _with_rounding_lines(self, missing: Mapping[str, Decimal]) -> SalesDocument:
        document = self.draft
        for code, amount in missing.items():
            net = self._smallest_net(document, code, amount)
            why = f"{amount:+f} tax of {code}"
            document = _add(document, self._line(f"{ROUNDING}:{code}", net, code, why))
        rest = self.draft.total - self._predict_plainly(document).total
        if not rest:
            return document
        exempt = exempt_code(self.case, self.lookup)
        if not exempt.target:
            raise Stop(Outcome.BLOCKED)
        return _add(document, self._line(ROUNDING, rest, exempt.target, f"{rest:+f} to the store's total"))

    # What the ERP computes

    def _predict(self, document: SalesDocument) -> PredictedTotals:
        return self.case.translator.predict(document, self.case.facts)

    def _predict_plainly(self, document: SalesDocument) -> PredictedTotals:
        """What the ERP computes when lines are entered the usual way.

        A translator may enter lines with or without tax, whichever gives the document's own figures; while
        rounding lines are sought that would change from one trial to the next, so a trial has a total that nothing gives.
        """
        return self._predict(replace(document, total=_NO_TOTAL))

    def _ties(self, predicted: PredictedTotals) -> bool:
        return (predicted.total, predicted.tax) == (self.draft.total, self.draft.tax)

    def _missing(self, predicted: PredictedTotals) -> dict[str, Decimal]:
        """By tax code: what the store took more than the ERP will compute."""
        missing: dict[str, Decimal] = defaultdict(Decimal)
        for line in self.draft.lines:
            missing[line.tax_code] += line.tax - predicted.line_taxes.get(line.key, ZERO)
        return missing

    def _proof(self, document: SalesDocument, predicted: PredictedTotals) -> TieOut:
        liabilities = _liabilities(self.draft)
        return TieOut(
            currency=self.draft.currency,
            store_total=self.draft.total,
            store_tax=self.draft.tax + liabilities,
            planned_total=predicted.total,
            planned_tax=predicted.tax + liabilities,
            rounding=_rounding(document),
        )

    # What rounding explains

    def _stop_if_a_rate_differs(self, predicted: PredictedTotals) -> None:
        """A tax that rounding does not explain is a wrong mapping or a wrong rate, and nobody's rounding."""
        problems = [
            differences.tax_rate_differs(
                self.draft, code, self._rate(code), amount, self._allowed(self._explained(code))
            )
            for code, amount in sorted(self._missing(predicted).items())
            if amount and (self._rate(code) == ZERO or self._is_beyond_rounding(code, amount))
        ]
        if problems and not self.draft.tax_override:
            raise Stop(Outcome.HELD, *problems)

    def _is_beyond_rounding(self, code: str, amount: Decimal) -> bool:
        return abs(amount) > self._allowed(self._explained(code)) or (
            abs(amount) > self._explained(code) * quantum(self.draft.currency)
            and self._told_rate_differs(code)
        )

    def _told_rate_differs(self, code: str) -> bool:
        """Whether the store itself names another rate for a line with this code; several rates add up or compound."""
        for line in self.draft.lines:
            rates = [share.rate for share in self.taxes.get(line.key, ())]
            told = [rate for rate in rates if rate is not None]
            if line.tax_code != code or not told or len(told) < len(rates):
                continue
            compound = prod((1 + rate / 100 for rate in told), start=ONE) * 100 - 100
            if self._rate(code) not in (sum(told, ZERO), compound):
                return True
        return False

    def _limit(self) -> Decimal:
        """The most money that may stay on the rounding account."""
        return self.case.settings.rounding_limit * quantum(self.draft.currency)

    def _allowed(self, explained: Decimal) -> Decimal:
        """The most tax that may be closed where rounding explains so many minor units; an amount."""
        if self.case.settings.rounding_scope == "strict":
            return self._limit()
        whole = explained.to_integral_value(rounding=ROUND_FLOOR)
        return max(self._limit(), whole * quantum(self.draft.currency))

    def _explained(self, code: str) -> Decimal:
        """Minor units that honest rounding can move the tax of a code by: in the store, and once a line in the ERP."""
        in_store = _HALF * (1 + (self._rate(code) or ZERO) / 100)
        lines = [line for line in self.draft.lines if line.tax_code == code]
        return sum((in_store * self._roundings(line) + _HALF for line in lines), ZERO)

    def _roundings(self, line: DocumentLine) -> Decimal:
        """How often the store rounded tax on a line: each tax once, or once a unit where it is a multiple of that."""
        shares = self.taxes.get(line.key, ())
        tax = sum((share.amount for share in shares), ZERO) if shares else line.tax
        units = line.quantity
        is_whole = units > 1 and units == units.to_integral_value()
        by_unit = is_whole and (tax / quantum(self.draft.currency)) % units == 0
        return max(1, len(shares)) * (units if by_unit else ONE)

    def _rate(self, code: str) -> Decimal | None:
        known = self.case.facts.tax_codes.get(code)
        return known.rate if known else None

    # Rounding lines

    def _smallest_net(self, document: SalesDocument, code: str, missing: Decimal) -> Decimal:
        """The smallest net of a line with this code that makes the ERP compute the missing tax.

        The computed tax grows with the net, so halving finds it: between what is certainly too little and what is
        certainly enough by the code's rate, and else by doubling.
        """
        unit = quantum(document.currency).copy_sign(missing)
        start = self._predict_plainly(document).tax

        def enough(units: int) -> bool:
            trial = _add(document, self._line("rounding:trial", unit * units, code, ""))
            return abs(self._predict_plainly(trial).tax - start) >= abs(missing)

        low, high = _guess(abs(missing / unit), self._rate(code) or ONE)
        if low and enough(low):
            low = 0
        while not enough(high):
            low, high = high, high * 2
            if high > _FARTHEST_NET:
                raise Stop(
                    Outcome.HELD,
                    differences.tax_rate_differs(self.draft, code, self._rate(code), missing, ZERO),
                )
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        return unit * high

    def _line(self, key: str, net: Decimal, code: str, why: str) -> DocumentLine:
        """A rounding line. Its `tax` is zero: the store took none on it, whatever the ERP computes."""
        place = rounding_account(self.lookup, self.draft.currency)
        return DocumentLine(
            key=key,
            use=Use.ROUNDING,
            text="Rounding",
            quantity=ONE,
            net=net,
            tax=ZERO,
            account=place.target,
            cost_center=place.extra.get("cost_center", ""),
            tax_code=code,
            origins=(Origin(field=ROUNDING, value=why, rule=place.rule),),
        )


def rounding_account(lookup: Lookup, currency: str) -> Match:
    """The named account of rounding lines."""
    return lookup.need(
        "account.rounding",
        currency,
        label=f"Rounding of {currency}",
        sentence=f"Rounding of {currency} has no G/L account.",
    )


def _guess(missing: Decimal, rate: Decimal) -> tuple[int, int]:
    """Nets that make less, and at least, so many minor units of tax at this rate, whichever way the ERP rounds."""
    low, high = ((missing - 1) * 100 / rate).to_integral_value(ROUND_FLOOR) - 1, (missing + 1) * 100 / rate
    return max(0, int(low)), int(high) + 1


def _liabilities(document: SalesDocument) -> Decimal:
    return sum((line.net for line in document.lines if line.use is Use.TAX_LIABILITY), ZERO)


def _rounding(document: SalesDocument) -> Decimal:
    """The money that stays on the rounding account: what the pairs took and gave back is nothing."""
    return sum((line.net for line in document.lines if line.use is Use.ROUNDING), ZERO)


def _with_the_stores_tax(draft: SalesDocument) -> SalesDocument:
    """What the store's total tax has more than its lines, put on the line with the most tax."""
    residue = draft.tax - sum((x.tax for x in draft.lines), ZERO)
    if not residue:
        return draft
    most = max(draft.lines, key=lambda x: (abs(x.tax), x.key))
    told = Origin(field="total_tax", value=f"{residue:+f} that the store's lines do not show")
    corrected = replace(most, tax=most.tax + residue, origins=(*most.origins, told))
    return replace(draft, lines=tuple(corrected if x.key == most.key else x for x in draft.lines))


def _add(document: SalesDocument, line: DocumentLine) -> SalesDocument:
    return replace(document, lines=(*document.lines, line))
