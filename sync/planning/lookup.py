"""Resolving mappings on one posting date, and remembering every one that is missing: a plan names all its gaps at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from erp.contract.plan import MissingMapping
from mappings.keys import tidy
from sync.planning.ports import Match, Rules

EXEMPT = "exempt"  # the tax_code key of everything that carries no tax


@dataclass(frozen=True, slots=True)
class Given:
    """A target that no rule gives. An empty one stands for what is missing, so that planning can find the other gaps."""

    target: str = ""
    rule: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


class Lookup:
    """The rules as they are on `on`, and the gaps found so far."""

    def __init__(self, rules: Rules, on: date, gaps: dict[tuple[str, str], MissingMapping]) -> None:
        self.rules = rules
        self.on = on
        self._gaps = gaps

    def may(self, kind: str, *keys: str) -> Match | None:
        """What one of `keys` is mapped to, if anything: nothing is missing without it."""
        return self.rules.resolve(kind, *keys, on=self.on)

    def need(self, kind: str, *keys: str, label: str, sentence: str) -> Match:
        """What one of `keys` (most specific first) is mapped to; without a rule a gap is noted under the last, most general key."""
        found = self.may(kind, *keys)
        if found is not None:
            return found
        return self.missing(kind, keys[-1], label=label, sentence=sentence)

    def missing(self, kind: str, key: str, *, label: str, sentence: str) -> Match:
        """Note a gap (the same one twice is one); what it returns stands for the target, so that planning goes on."""
        gap = MissingMapping(kind=kind, key=tidy(key), label=label, sentence=sentence)
        self._gaps.setdefault((gap.kind, gap.key), gap)
        return Given()

    def at(self, on: date) -> Lookup:
        """The same rules on another posting date; gaps are noted in the same place."""
        return Lookup(self.rules, on, self._gaps)
