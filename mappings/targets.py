"""Whether a target is possible: it exists in the ERP company, is active, and is of the kind's type.

What counts is the company's own list (`erp.models.ReferenceValue`). A list that was never read refuses
nothing: a set-up file may come before the first read, and the plan checks every target again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from erp.contract.adapter import ReferenceKind
from erp.models import ErpConnection, ReferenceValue
from mappings.field_rules import unfit_field_rule
from mappings.kinds import SPECS, Kind

_BATCH = 2000
NAMES = {
    ReferenceKind.ITEM: "item",
    ReferenceKind.ACCOUNT: "G/L account",
    ReferenceKind.TAX_CODE: "tax code",
    ReferenceKind.FREIGHT: "freight code",
    ReferenceKind.WAREHOUSE: "warehouse",
    ReferenceKind.COST_CENTER: "cost center",
    ReferenceKind.PARTNER_GROUP: "business partner group",
}

_Code = tuple[ReferenceKind, str]


class Wanted(Protocol):
    """A rule to be checked; `mappings.changes.Change` is one."""

    @property
    def kind(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def target(self) -> str | None: ...

    @property
    def extra(self) -> Mapping[str, str]: ...


def problems(company: ErpConnection, wanted: Sequence[Wanted]) -> dict[int, str]:
    """A sentence for every rule whose target or extras the ERP company does not offer, by its index.

    Kinds and keys are valid already, targets are not empty.
    """
    known = _Known(company, {code for rule in wanted for code in _codes(rule)})
    user_fields = _user_fields(company) if any(rule.kind == Kind.FIELD_RULE for rule in wanted) else None
    found = {}
    for index, rule in enumerate(wanted):
        sentences = [known.unfit(code) for code in _codes(rule)]
        if rule.kind == Kind.FIELD_RULE:
            sentences.append(unfit_field_rule(rule.key, rule.target or "", rule.extra, user_fields))
        if sentence := next(filter(None, sentences), ""):
            found[index] = f"{SPECS[Kind(rule.kind)].label}, {rule.key}: {sentence}"
    return found


def _codes(rule: Wanted) -> Iterator[_Code]:
    """The values of the ERP that a rule names."""
    spec = SPECS[Kind(rule.kind)]
    if spec.reference and rule.target:
        yield spec.reference, rule.target
    for extra in spec.extras:
        if extra.reference and extra.name in rule.extra:
            yield extra.reference, rule.extra[extra.name]


def _user_fields(company: ErpConnection) -> frozenset[str] | None:
    """Names of the company's user fields (`OINV.U_Channel` is U_Channel); None if they were never read."""
    listed = ReferenceValue.objects.filter(connection=company, kind=ReferenceKind.USER_FIELD)
    return frozenset(code.rpartition(".")[2] for code in listed.values_list("code", flat=True)) or None


class _Known:
    """What the company's own lists say about the codes asked for."""

    def __init__(self, company: ErpConnection, codes: Iterable[_Code]) -> None:
        self._company = company
        by_kind: dict[ReferenceKind, list[str]] = defaultdict(list)
        for kind, code in codes:
            by_kind[kind].append(code)
        self._active: dict[_Code, bool] = {}
        self._read: set[ReferenceKind] = set()  # kinds whose list was ever read
        for kind, wanted in by_kind.items():
            values = ReferenceValue.objects.filter(connection=company, kind=kind)
            if values.exists():
                self._read.add(kind)
            for start in range(0, len(wanted), _BATCH):
                found = values.filter(code__in=wanted[start : start + _BATCH]).values_list("code", "active")
                self._active.update(((kind, code), active) for code, active in found)

    def unfit(self, code: _Code) -> str:
        """Why the code cannot be a target, or nothing."""
        kind, text = code
        system = self._company.spec.label
        if code not in self._active:
            if kind not in self._read:
                return ""
            return f"{system} has no {NAMES[kind]} {text!r}. If it is new there, read its lists again."
        if not self._active[code]:
            return f"{NAMES[kind]} {text} is not active in {system}."
        return ""
