"""Which rule applies: pure, exact, fast. No Django, no database, no clock.

Precedence inside a kind: the level first (SKU, category, customer segment, default), then exact before
wildcard, then the most specific wildcard (`mappings.keys.Pattern.precedence`). A rule counts from its
effective date on, and the date asked about is the posting date; of several rules for one key the one with
the latest effective date counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from mappings.keys import Pattern, tidy
from mappings.kinds import DEFAULT, SPECS, Kind

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One mapping. `effective_from` None: always. `version` is the number of the change that made it."""

    kind: str
    key: str
    target: str
    extra: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    effective_from: date | None = None
    version: int = 0

    @property
    def name(self) -> str:
        """What a plan shows as the reason of a figure: `item HAT-BLUE v12`."""
        return f"{self.kind} {self.key} v{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a key is mapped to. `extra` holds second values (`cost_center`); `rule` is the rule's name."""

    target: str
    extra: Mapping[str, str]
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """Write into the ERP field `name`: the store field called `value`, or the text `value` itself."""

    name: str
    is_constant: bool
    value: str
    rule: str


_Timeline = tuple[Rule, ...]  # the rules of one key, latest effective date first
_Address = tuple[str, str, str]  # kind, level ("" where the kind has none), text without the level


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a mapping set at one version. Build with `Rules.of`."""

    version: str
    rules: tuple[Rule, ...]
    _exact: Mapping[_Address, _Timeline]
    _wildcards: Mapping[tuple[str, str], tuple[tuple[Pattern, _Timeline], ...]]

    @classmethod
    def of(cls, rules: Iterable[Rule], *, version: str) -> Rules:
        """Index the rules; 100,000 of them take a fraction of a second.

        :raises ValueError: if two rules say different things for one key and day
        """
        ordered = tuple(sorted(rules, key=lambda r: (r.kind, r.key, r.effective_from or date.min)))
        timelines: dict[tuple[str, str], list[Rule]] = defaultdict(list)
        for rule in reversed(ordered):
            timeline = timelines[rule.kind, rule.key]
            if timeline and timeline[-1].effective_from == rule.effective_from:
                raise ValueError(
                    f"two rules for {rule.kind} {rule.key} from {rule.effective_from or 'the beginning'}"
                )
            timeline.append(rule)
        exact: dict[_Address, _Timeline] = {}
        wildcards: dict[tuple[str, str], list[tuple[Pattern, _Timeline]]] = defaultdict(list)
        for (kind, key), timeline in timelines.items():
            level, text = _split(kind, key)
            pattern = Pattern.parse(text)
            if pattern.is_wildcard:
                wildcards[kind, level].append((pattern, tuple(timeline)))
            else:
                exact[kind, level, pattern.text] = tuple(timeline)
        by_precedence = {
            place: tuple(sorted(found, key=lambda pair: pair[0].precedence))
            for place, found in wildcards.items()
        }
        return cls(version, ordered, exact, by_precedence)

    def resolve(self, kind: str, *keys: str, on: date) -> Match | None:
        """The target of the first rule that fits one of `keys` on the posting date `on`; None is a gap.

        Give the most specific key first; all exact rules are tried before any wildcard. Without a key only
        `*` can fit. Keys of kinds with levels carry their level ("sku:HAT-BLUE", "category:12"); levels go
        strongest first whatever the order given, and "default" is always asked last.
        """
        levels = SPECS[Kind(kind)].levels
        texts: dict[str, list[str]] = defaultdict(list)
        for key in keys or ("",):
            level, text = _split(kind, tidy(key))
            texts[level].append(text)
        if DEFAULT in levels:
            texts[DEFAULT] = [""]
        for level in levels or ("",):
            if level in texts and (rule := self._best(kind, level, texts[level], on)):
                return Match(target=rule.target, extra=rule.extra, rule=rule.name)
        return None

    def line_account(
        self, *, sku: str = "", categories: Iterable[str] = (), segment: str = "", on: date
    ) -> Match | None:
        """The account and cost center of a line: by SKU, else category, else segment, else the default."""
        keys = [f"sku:{sku}"] if sku else []
        keys += [f"category:{category}" for category in categories]
        keys += [f"segment:{segment}"] if segment else []
        return self.resolve(Kind.LINE_ACCOUNT, *keys, on=on)

    def field_rules(self, document_kind: str, *, on: date = date.max) -> tuple[FieldRule, ...]:
        """The field rules for a kind of document on a posting date, in the order of the ERP's field names."""
        found = []
        for (kind, level, name), timeline in self._exact.items():
            if kind == Kind.FIELD_RULE and level == document_kind and (rule := _in_force(timeline, on)):
                is_constant = rule.extra.get("source") == "constant"
                found.append(FieldRule(name=name, is_constant=is_constant, value=rule.target, rule=rule.name))
        return tuple(sorted(found, key=lambda f: f.name))

    def _best(self, kind: str, level: str, texts: list[str], on: date) -> Rule | None:
        for text in texts:
            if rule := _in_force(self._exact.get((kind, level, text), ()), on):
                return rule
        for pattern, timeline in self._wildcards.get((kind, level), ()):
            if any(pattern.matches(text) for text in texts) and (rule := _in_force(timeline, on)):
                return rule
        return None

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)


def _split(kind: str, key: str) -> tuple[str, str]:
    """The level and the text of a key; kinds without levels have one level, the empty one."""
    if not SPECS[Kind(kind)].levels:
        return "", key
    level, _, text = key.partition(":")
    return level, text.strip()


def _in_force(timeline: _Timeline, on: date) -> Rule | None:
    return next((rule for rule in timeline if rule.effective_from is None or rule.effective_from <= on), None)
