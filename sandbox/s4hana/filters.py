"""OData V2 filters: `and`, `or`, comparisons, parentheses, and the literals of V2."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
Condition = Callable[[Row], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<date>datetime(?:offset)?'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w-])|(?P<word>[A-Za-z_][\w/]*))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
# Kept in capitals: SAP turns what is asked for into capitals, too.
UPPER_CASE = frozenset({"DocumentReferenceID"})
# Kept padded with zeros: SAP pads what is asked for.
PADDED = frozenset(
    {"AccountingDocument", "GLAccount", "Customer", "BusinessPartner", "CostCenter", "SalesOrder"}
)


class BadFilter(ValueError):
    """What the gateway answers with 400."""


def parse(text: str) -> Condition:
    """The condition a filter means.

    :raises BadFilter: if it cannot be read
    """
    parser = _Parser(text)
    condition = parser.either()
    if parser.rest.strip():
        raise BadFilter(f"Invalid token at {parser.rest.strip()[:20]!r}")
    return condition


class _Parser:
    def __init__(self, text: str) -> None:
        self.rest = text

    def either(self) -> Condition:
        first = self.all_of()
        while self._word("or"):
            left, right = first, self.all_of()
            first = _or(left, right)
        return first

    def all_of(self) -> Condition:
        first = self.one()
        while self._word("and"):
            left, right = first, self.one()
            first = _and(left, right)
        return first

    def one(self) -> Condition:
        token, value = self._take()
        if token == "open":
            inside = self.either()
            if self._take()[0] != "close":
                raise BadFilter("A parenthesis is not closed")
            return inside
        _, operator = self._take()
        if token != "word" or operator not in _COMPARE:
            raise BadFilter(f"Invalid comparison at {value!r}")
        literal = _literal(value, *self._take())
        compare = _COMPARE[operator]
        return lambda row: value in row and row[value] is not None and compare(row[value], literal)

    def _word(self, word: str) -> bool:
        found = _TOKEN.match(self.rest)
        if found and found["word"] == word:
            self.rest = self.rest[found.end() :]
            return True
        return False

    def _take(self) -> tuple[str, str]:
        found = _TOKEN.match(self.rest)
        if found is None:
            raise BadFilter(f"Invalid token at {self.rest[:20]!r}")
        self.rest = self.rest[found.end() :]
        name = found.lastgroup or ""
        return name, found[name]


def _and(left: Condition, right: Condition) -> Condition:
    return lambda row: left(row) and right(row)


def _or(left: Condition, right: Condition) -> Condition:
    return lambda row: left(row) or right(row)


def _literal(name: str, token: str, text: str) -> Any:
    match token:
        case "text":
            value = text[1:-1].replace("''", "'")
            value = value.upper() if name in UPPER_CASE else value
            return value.zfill(10) if name in PADDED and value.isdigit() else value
        case "date":
            found = datetime.fromisoformat(text[text.index("'") + 1 : -1].replace("Z", "+00:00"))
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        case "number":
            return Decimal(text)
        case "word" if text in ("true", "false"):
            return text == "true"
    raise BadFilter(f"{text!r} is no value")
