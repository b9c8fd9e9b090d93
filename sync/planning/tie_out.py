"""The tie-out: what the ERP will compute for a document is made equal to what the store took, or the document is held.

The ERP computes tax and rounding itself, so equality is proved with the adapter's `predict`, never assumed. Rounding leaves residues:

- the store rounds tax by unit or by line, the ERP by line or by document: each rounding moves a tax by up to half a minor unit, and in
  tax-inclusive prices by half a unit times (1 + rate), because the rounded tax also moves the net that the ERP starts from;
- the store's lines may add up to a cent more or less than its own total.

A tax residue is closed by a pair of lines on the rounding account: one with that tax code whose net makes the ERP compute the missing tax,
one without tax that takes the net back. Tax accounts then show exactly the store's tax, and the rounding account only what the totals
lacked. The residues of a document may reach the pipeline's limit (five minor units by default) or, where larger and the pipeline does not say
`strict`, what the roundings of its own lines and units can explain: an order of 60 lines may honestly be 12 cents off in a company that
rounds tax once for the document, a single line never.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from erp.contract.adapter import PredictedTotals
from erp.contract.documents import DocumentLine, Origin, SalesDocument, Use
from erp.contract.money import quantum
from erp.contract.plan import Outcome, Problem, TieOut
from sync.planning.case import ONE, ZERO, OrderCase, Stop
from sync.planning.lookup import Lookup
from sync.planning.ports import Match
from sync.planning.tax import exempt_code

_HALF = Decimal("0.5")
_FARTHEST_NET = 2**24  # minor units: a rate so small that no smaller net reaches the tax is no rate


@dataclass(frozen=True, slots=True)
class Tied:
    """A document whose prediction equals the store's figures, and the proof."""

    document: SalesDocument
    proof: TieOut


def tie_out(case: OrderCase, lookup: Lookup, draft: SalesDocument, *, roundings: Mapping[str, int]) -> Tied:
    """The document with the rounding lines it needs, proved by prediction.

    :param draft: its `total` and `tax` are the store's; its lines may miss them by a residue
    :param roundings: how many taxes the store rounded on a line, by line key; 1 where not said
    :raises Stop: held, with the arithmetic, where no rounding within the limit makes them equal
    """
    given = _Work(case, lookup, draft, roundings)
    given.check_the_stores_own_sums()
    work = replace(given, draft=_with_the_stores_tax(draft))
    return work.proved(work.with_rounding_lines())


@dataclass(frozen=True, slots=True)
class _Work:
    case: OrderCase
    lookup: Lookup
    draft: SalesDocument
    roundings: Mapping[str, int]

    def check_the_stores_own_sums(self) -> None:
        lines = self.draft.lines
        net, tax = sum((x.net for x in lines), ZERO), sum((x.tax for x in lines), ZERO)
        allowed = self._allowed(_HALF * len(lines))
        if abs(self.draft.total - net - tax) <= allowed and abs(self.draft.tax - tax) <= allowed:
            return
        raise Stop(
            Outcome.HELD,
            Problem(
                code="does_not_tie",
                sentence=f"The store's lines do not add up to its total: {self._say(net + tax)} against {self._say(self.draft.total)}, "
                f"tax {self._say(tax)} against {self._say(self.draft.tax)}.",
                way_out="Compare the order in the store. Correct it there, or exclude it here with a reason and book it by hand.",
                arithmetic=(
                    ("Lines without tax", self._say(net)),
                    ("Tax of the lines", self._say(tax)),
                    ("Lines with tax", self._say(net + tax)),
                    ("Total of the store", self._say(self.draft.total)),
                    ("Tax of the store", self._say(self.draft.tax)),
                    ("Difference", self._say(self.draft.total - net - tax)),
                    ("Rounding allowed", self._say(allowed)),
                ),
            ),
        )

    def with_rounding_lines(self) -> SalesDocument:
        """The draft with a pair of rounding lines for each tax code that needs one, and one for the total."""
        document = self.draft
        for code, missing in self._missing_taxes().items():
            net = self._smallest_net(document, code, missing)
            document = _add(
                document, self._line(f"rounding:{code}", net, code, f"tax of {code}: {self._say(missing)}")
            )
        rest = self.draft.total - self.case.translator.predict(document, self.case.facts).total
        if rest:
            exempt = exempt_code(self.case, self.lookup)
            if not exempt.target:
                raise Stop(Outcome.BLOCKED)
            document = _add(
                document, self._line("rounding", rest, exempt.target, f"total: {self._say(rest)}")
            )
        return document

    def proved(self, document: SalesDocument) -> Tied:
        """The document, if the ERP will compute exactly the store's figures for it.

        :raises Stop: held otherwise
        """
        predicted = self.case.translator.predict(document, self.case.facts)
        if (predicted.total, predicted.tax) != (self.draft.total, self.draft.tax):
            raise Stop(Outcome.HELD, self._cannot_be_tied(predicted))
        return Tied(
            document,
            TieOut(
                currency=document.currency,
                store_total=self.draft.total,
                store_tax=self.draft.tax,
                planned_total=predicted.total,
                planned_tax=predicted.tax,
                rounding=self._residue(),
            ),
        )

    # The residues

    def _missing_taxes(self) -> dict[str, Decimal]:
        """By tax code: what the store took more than the ERP will compute. Codes in order, zeros left out.

        :raises Stop: held, if it is more than rounding explains
        """
        predicted = self._predicted_by_code()
        missing = {code: wanted - predicted[code] for code, wanted in sorted(self._wanted_by_code().items())}
        differing = {code: amount for code, amount in missing.items() if amount}
        problems = [
            self._rate_differs(code, amount)
            for code, amount in differing.items()
            if self._is_no_rounding(code, amount)
        ]
        if problems:
            raise Stop(Outcome.HELD, *problems)
        return differing

    def _wanted_by_code(self) -> dict[str, Decimal]:
        """The store's tax by code."""
        wanted: dict[str, Decimal] = defaultdict(Decimal)
        for line in self.draft.lines:
            wanted[line.tax_code] += line.tax
        return wanted

    def _predicted_by_code(self) -> dict[str, Decimal]:
        predicted = self.case.translator.predict(self.draft, self.case.facts)
        return _by_code(self.draft, predicted)

    def _residue(self) -> Decimal:
        """How far the ERP would be off without rounding lines: in tax by code, and in the total beyond that."""
        predicted = self.case.translator.predict(self.draft, self.case.facts)
        found = _by_code(self.draft, predicted)
        taxes = {code: wanted - found[code] for code, wanted in self._wanted_by_code().items()}
        rest = self.draft.total - predicted.total - sum(taxes.values(), ZERO)
        return sum((abs(t) for t in taxes.values()), ZERO) + abs(rest)

    # What rounding explains

    def _is_no_rounding(self, code: str, missing: Decimal) -> bool:
        if abs(missing) > self._allowed(self._explained(code)):
            return True
        return self._rate(code) == ZERO

    def _allowed(self, explained: Decimal) -> Decimal:
        """The residue allowed, given what roundings explain in minor units; an amount."""
        limit = Decimal(self.case.settings.rounding_limit)
        if self.case.settings.rounding_scope == "explained":
            limit = max(limit, explained.to_integral_value(rounding="ROUND_FLOOR"))
        return limit * quantum(self.draft.currency)

    def _explained(self, code: str) -> Decimal:
        """Minor units that honest rounding can move the tax of a code by."""
        in_store = _HALF * (1 + (self._rate(code) or ZERO) / 100)
        return sum(
            (
                in_store * self.roundings.get(x.key, 1) * self._rounded_times(x) + _HALF
                for x in self.draft.lines
                if x.tax_code == code
            ),
            ZERO,
        )

    def _rounded_times(self, line: DocumentLine) -> Decimal:
        """How often the store rounded the tax of a line: by unit if the tax is a whole multiple of the quantity, else once."""
        units = line.quantity
        if units <= 1 or units != units.to_integral_value():
            return ONE
        return units if (line.tax / quantum(self.draft.currency)) % units == 0 else ONE

    def _rate(self, code: str) -> Decimal | None:
        known = self.case.facts.tax_codes.get(code)
        return known.rate if known else None

    # Rounding lines

    def _smallest_net(self, document: SalesDocument, code: str, missing: Decimal) -> Decimal:
        """The smallest net of a line with this code that makes the ERP compute the missing tax.

        The computed tax grows with the net, so doubling finds a net that is enough and halving the smallest such.
        """
        unit = quantum(document.currency).copy_sign(missing)
        start = self._tax_with(document, code, ZERO)

        def enough(units: int) -> bool:
            return abs(self._tax_with(document, code, unit * units) - start) >= abs(missing)

        high = 1
        while not enough(high):
            high *= 2
            if high > _FARTHEST_NET:
                raise Stop(Outcome.HELD, self._rate_differs(code, missing))
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        return unit * high

    def _tax_with(self, document: SalesDocument, code: str, net: Decimal) -> Decimal:
        tried = _add(document, self._line("rounding:trial", net, code, "", account="-"))
        return _by_code(tried, self.case.translator.predict(tried, self.case.facts))[code]

    def _line(self, key: str, net: Decimal, code: str, why: str, *, account: str = "") -> DocumentLine:
        """A rounding line. Its `tax` is zero: the store took none on it, whatever the ERP computes."""
        place = None if account else rounding_account(self.lookup, self.draft.currency)
        return DocumentLine(
            key=key,
            use=Use.ROUNDING,
            text="Rounding",
            quantity=ONE,
            net=net,
            tax=ZERO,
            account=place.target if place else account,
            cost_center=place.extra.get("cost_center", "") if place else "",
            tax_code=code,
            origins=(Origin(field="rounding", value=why, rule=place.rule if place else ""),),
        )

    # Sentences

    def _rate_differs(self, code: str, missing: Decimal) -> Problem:
        rate = self._rate(code)
        wanted = self._wanted_by_code()[code]
        percent = "unknown" if rate is None else f"{rate.normalize():f} %"
        base = sum((x.net for x in self.draft.lines if x.tax_code == code), ZERO)
        in_store = (
            f"{(wanted / base * 100).quantize(Decimal('0.001'), rounding=ROUND_HALF_UP):f} %" if base else "-"
        )
        return Problem(
            code="tax_rate_differs",
            sentence=f"Tax code {code} ({percent} in the ERP) makes {self._say(wanted - missing)} tax where the store took {self._say(wanted)}.",
            way_out="Correct the tax mapping or the ERP's rate and reprocess; or set the pipeline's tax to override or to tax-liability lines.",
            arithmetic=(
                ("Tax code", code),
                ("Rate in the ERP", percent),
                ("Net amount", self._say(base)),
                ("Rate the store took", in_store),
                ("Tax the ERP computes", self._say(wanted - missing)),
                ("Tax of the store", self._say(wanted)),
                ("Difference", self._say(missing)),
                ("Rounding allowed", self._say(self._allowed(self._explained(code)))),
            ),
        )

    def _cannot_be_tied(self, predicted: PredictedTotals) -> Problem:
        return Problem(
            code="does_not_tie",
            sentence=f"The ERP would compute {self._say(predicted.total)} with {self._say(predicted.tax)} tax; "
            f"the store has {self._say(self.draft.total)} with {self._say(self.draft.tax)}.",
            way_out="Check the tax mappings and the rounding settings of the ERP company.",
            arithmetic=(
                ("Total of the store", self._say(self.draft.total)),
                ("Total the ERP computes", self._say(predicted.total)),
                ("Tax of the store", self._say(self.draft.tax)),
                ("Tax the ERP computes", self._say(predicted.tax)),
            ),
        )

    def _say(self, amount: Decimal) -> str:
        return self.case.amount(amount)


def rounding_account(lookup: Lookup, currency: str) -> Match:
    """The named account of rounding lines."""
    return lookup.need(
        "account.rounding",
        currency,
        label=f"Rounding of {currency}",
        sentence=f"Rounding of {currency} has no G/L account.",
    )


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


def _by_code(document: SalesDocument, predicted: PredictedTotals) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in document.lines:
        found[line.tax_code] += predicted.line_taxes.get(line.key, ZERO)
    return found
