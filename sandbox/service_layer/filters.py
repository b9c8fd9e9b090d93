"""`$filter` and `$orderby` as the Service Layer understands them.

Operators `and or not eq ne lt le gt ge`; functions `startswith endswith contains substringof`; no arithmetic,
no date, math or string functions; text in single quotes with the quote doubled; numbers bare; enumerations by
name or stored value; the time part of dates is ignored; collections cannot be filtered (SAP "Working with
Service Layer" 1.28, 3.7 and 8.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.service_layer.enums import ENUMS
from sandbox.service_layer.errors import B1Error, bad_query, unknown_property
from sandbox.service_layer.fields import NUMBER_KINDS, BadValue, Field, read_date
from sandbox.service_layer.reading import field_of

if TYPE_CHECKING:
    from sandbox.service_layer.company import Company

Row = dict[str, Any]
Predicate = Callable[[Row], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<datetime>datetime'(?:[^']|'')*')|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))"""
    r"""|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),=]))"""
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda text, part: part in text,
    "substringof": lambda text, part: part in text,
}
# `Cancelled` and `CancelStatus` are one column (CANCELED: N, Y or C): a cancellation document is neither.
_CANCELLED = {"tNO": "csNo", "tYES": "csYes"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse_filter(company: Company, type_name: str, text: str, *, ignore_case: bool = False) -> Predicate:
    """Compile a filter to a predicate over stored rows.

    :raises B1Error: -1000 for anything the Service Layer cannot read
    """
    parser = _Parser(company, type_name, _tokens(text), ignore_case=ignore_case)
    predicate = parser.either()
    parser.expect_end()
    return predicate


def parse_joined(company: Company, field: Callable[[str], Field], text: str) -> Predicate:
    """Compile the filter of a cross join over flat pairs; `field` gives the property of a qualified name.

    :raises B1Error: -1000 for anything the Service Layer cannot read
    """
    parser = _JoinedParser(company, "", _tokens(text), ignore_case=False)
    parser.field = field
    predicate = parser.either()
    parser.expect_end()
    return predicate


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise bad_query(f"invalid character at position {position} of $filter")
        found.append(_Token(match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return found


class _Parser:
    """Recursive descent: or, and, not, then one comparison or function."""

    def __init__(self, company: Company, type_name: str, tokens: list[_Token], *, ignore_case: bool) -> None:
        self.company = company
        self.type_name = type_name
        self.tokens = tokens
        self.position = 0
        self.ignore_case = ignore_case

    def either(self) -> Predicate:
        left = self.both()
        while self._word("or"):
            left = _or(left, self.both())
        return left

    def both(self) -> Predicate:
        left = self.one()
        while self._word("and"):
            left = _and(left, self.one())
        return left

    def one(self) -> Predicate:
        if self._word("not"):
            inner = self.one()
            return lambda row: not inner(row)
        if self._mark("("):
            inner = self.either()
            self._need(")")
            return inner
        token = self._next("name")
        if token.text in _FUNCTIONS:
            return self._function(token.text)
        return self._comparison(self._property(token.text))

    def expect_end(self) -> None:
        if self.position != len(self.tokens):
            raise bad_query(f"unexpected '{self.tokens[self.position].text}' in $filter")

    def _function(self, name: str) -> Predicate:
        self._need("(")
        first = self._next("name" if name != "substringof" else "text")
        self._need(",")
        second = self._next("text" if name != "substringof" else "name")
        self._need(")")
        if self._peek_word("eq"):
            self._next("name")
            self._next("name")  # `startswith(...) eq true` is tolerated
        name_token, text_token = (second, first) if name == "substringof" else (first, second)
        field = self._property(name_token.text)
        if field.kind != "text":
            raise bad_query(f"function '{name}' does not apply to property '{field.name}'")
        wanted = self._fold(_unquote(text_token.text))
        test = _FUNCTIONS[name]
        return lambda row: row.get(field.name) is not None and test(self._fold(row[field.name]), wanted)

    def _comparison(self, field: Field) -> Predicate:
        operator = self._next("name").text
        if operator not in _COMPARE:
            raise bad_query(f"unknown operator '{operator}'")
        wanted = self._literal(field)
        compare = _COMPARE[operator]
        if wanted is None:
            return lambda row: compare(row.get(field.name) is None, True)
        if field.name == "Cancelled" and self.type_name == "Document":
            state = _CANCELLED[wanted]
            return lambda row: compare(row.get("CancelStatus", "csNo"), state)

        if operator == "eq" and not self.ignore_case:
            return lambda row: row.get(field.name) == wanted  # lookups by reference go through here

        def test(row: Row) -> bool:
            value = row.get(field.name)
            return value is not None and compare(self._fold(value), wanted)

        return test

    def _literal(self, field: Field) -> Any:
        if self.position >= len(self.tokens):
            raise bad_query("a value is missing in $filter")
        token = self.tokens[self.position]
        self.position += 1
        if token.kind == "name" and token.text == "null":
            return None
        try:
            return self._fold(_typed(field, token))
        except (BadValue, KeyError) as error:
            raise bad_query(f"'{token.text}' is no value for property '{field.name}'") from error

    def _property(self, name: str) -> Field:
        field = field_of(self.company, self.type_name, name)
        if field is None:
            raise unknown_property(name, self.type_name)
        if not field.is_scalar:
            raise bad_query(f"property '{name}' is a collection and cannot be filtered")
        return field

    def _fold(self, value: Any) -> Any:
        return value.lower() if self.ignore_case and isinstance(value, str) else value

    def _peek_word(self, word: str) -> bool:
        here = self.position
        return here < len(self.tokens) and self.tokens[here] == _Token("name", word)

    def _word(self, word: str) -> bool:
        found = self._peek_word(word)
        self.position += found
        return found

    def _mark(self, mark: str) -> bool:
        here = self.position
        found = here < len(self.tokens) and self.tokens[here] == _Token("mark", mark)
        self.position += found
        return found

    def _need(self, mark: str) -> None:
        if not self._mark(mark):
            raise bad_query(f"'{mark}' expected in $filter")

    def _next(self, kind: str) -> _Token:
        if self.position >= len(self.tokens) or self.tokens[self.position].kind != kind:
            raise bad_query("malformed $filter")
        self.position += 1
        return self.tokens[self.position - 1]


class _JoinedParser(_Parser):
    """Names are qualified (`Invoices/DocEntry`), and one property may be compared with another."""

    field: Callable[[str], Field]

    def _property(self, name: str) -> Field:
        return self.field(name)

    def _comparison(self, field: Field) -> Predicate:
        here = self.position + 1
        if here < len(self.tokens) and "/" in self.tokens[here].text and self.tokens[here].kind == "name":
            operator, other = self._next("name").text, self.field(self._next("name").text)
            if operator != "eq":
                raise bad_query("properties of a cross join can be compared by eq only")
            return lambda row: row.get(field.name) == row.get(other.name)
        return super()._comparison(field)


def _typed(field: Field, token: _Token) -> Any:
    quoted = token.kind in ("text", "datetime")
    if field.kind == "enum":
        return _member(field, _unquote(token.text) if quoted else token.text)
    if field.kind == "date" and quoted:
        return read_date(_unquote(token.text.removeprefix("datetime")))
    if field.kind in ("text", "time") and token.kind == "text":
        return _unquote(token.text)
    if field.kind == "int" and token.kind == "number":
        return Decimal(token.text)
    if field.kind in NUMBER_KINDS and token.kind == "number":
        return Decimal(token.text)
    raise BadValue(token.text)


def _member(field: Field, text: str) -> str:
    for name, stored in ENUMS[field.of].items():
        if text in (name, stored):
            return name
    raise BadValue(text)


def _unquote(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _or(left: Predicate, right: Predicate) -> Predicate:
    return lambda row: left(row) or right(row)


def _and(left: Predicate, right: Predicate) -> Predicate:
    return lambda row: left(row) and right(row)


def order_rows(company: Company, type_name: str, text: str, rows: Iterable[Row]) -> list[Row]:
    """Sort by `$orderby`, nulls first.

    :raises B1Error: -1000 for an unknown property or direction
    """
    result = list(rows)
    for part in reversed(text.split(",")):
        name, _, direction = part.strip().partition(" ")
        field = field_of(company, type_name, name)
        if field is None or not field.is_scalar:
            raise unknown_property(name, type_name)
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise bad_query(f"unknown direction '{direction.strip()}'")
        result.sort(key=_sort_key(name), reverse=direction.strip().lower() == "desc")
    return result


def _sort_key(name: str) -> Callable[[Row], tuple[bool, Any]]:
    return lambda row: (row.get(name) is not None, row.get(name) if row.get(name) is not None else 0)


def parse_key(company: Company, type_name: str, names: tuple[str, ...], text: str) -> tuple[Any, ...]:
    """The key in an address: `22`, `'C1'` or `TableName='OINV',FieldID=0`.

    :raises B1Error: -1000 if it is none
    """
    tokens = [token for token in _tokens(text) if token.kind != "mark"]
    values: dict[str, Any] = {}
    if len(tokens) == 1 and len(names) == 1:
        values[names[0]] = tokens[0]
    else:
        values = {tokens[i].text: tokens[i + 1] for i in range(0, len(tokens) - 1, 2)}
    try:
        return tuple(_key_value(company, type_name, name, values[name]) for name in names)
    except (KeyError, BadValue) as error:
        raise B1Error(-1000, f"Invalid key '{text}'") from error


def _key_value(company: Company, type_name: str, name: str, token: _Token) -> Any:
    field = field_of(company, type_name, name)
    if field is None:
        raise BadValue(name)
    value = _typed(field, token)
    return int(value) if field.kind == "int" else value
