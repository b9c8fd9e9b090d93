"""Entity types: which properties a request may carry, and how each value is read.

A type is written as one line per property: `NumAtCard text100`, `DocTotal sum @DocTotal ro`. The kind says
the type on the wire; `@` names the database column where it differs (B1's sentences name columns); `ro` marks
what `$metadata` calls `Writable="false"`, values that are silently ignored in a request (SAP "Working with
Service Layer" 1.28, 3.5.3); `newer` marks what only newer versions have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sandbox.service_layer.enums import ENUMS

LARGEST = Decimal(10) ** 13  # B1's amounts are NUMERIC(19,6)

# Edm.Double properties, by the company setting that rounds them.
NUMBER_KINDS = frozenset({"sum", "price", "quantity", "rate", "percent"})
SCALAR_KINDS = NUMBER_KINDS | {"text", "int", "date", "time", "yesno", "enum"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One property: `kind` is one of SCALAR_KINDS, "one" (a complex value) or "many" (a collection)."""

    name: str
    kind: str
    of: str = ""  # the enumeration, or the complex type
    length: int | None = None
    read_only: bool = False
    newer: bool = False  # newer versions have it, the public metadata does not
    column: str = ""
    values: frozenset[str] = frozenset()  # of a user field: what it may hold; empty for anything
    mandatory: bool = False  # of a user field: a new row must have it

    @property
    def is_scalar(self) -> bool:
        return self.kind in SCALAR_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    name: str
    fields: dict[str, Field]

    def column(self, name: str) -> str:
        return self.fields[name].column or name


TYPES: dict[str, EntityType] = {}


def entity_type(name: str, table: str) -> EntityType:
    """Read a table of properties and register the type under its name."""
    rows = (_field(line.split()) for line in table.strip().splitlines())
    made = EntityType(name=name, fields={row.name: row for row in rows})
    TYPES[name] = made
    return made


def _field(words: list[str]) -> Field:
    name, kind, *rest = words
    column = next((word[1:] for word in rest if word.startswith("@")), name)
    made = _by_kind(name, kind)
    return replace(made, read_only="ro" in rest, newer="newer" in rest, column=column)


def _by_kind(name: str, kind: str) -> Field:
    if text := re.fullmatch(r"text(\d+)", kind):
        return Field(name=name, kind="text", length=int(text[1]))
    if kind == "yesno":
        return Field(name=name, kind="enum", of="BoYesNoEnum")
    if kind in ENUMS:
        return Field(name=name, kind="enum", of=kind)
    if kind.endswith("[]"):
        return Field(name=name, kind="many", of=kind[:-2])
    if kind in SCALAR_KINDS:
        return Field(name=name, kind=kind)
    return Field(name=name, kind="one", of=kind)


class BadValue(ValueError):
    """A value that its property cannot hold."""


def read_scalar(field: Field, value: object) -> object:
    """The stored form of a scalar: text, int, Decimal, ISO date or time, or an enumeration's name.

    :raises BadValue: if the JSON value has the wrong type or is no member, date or time
    """
    if value is None:
        return None
    reader = _READERS.get(field.kind, _read_number)
    return reader(field, value)


def _read_text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise BadValue(field.name)
    return value


def _read_int(field: Field, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
        raise BadValue(field.name)
    return value


def _read_number(field: Field, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise BadValue(field.name)
    number = Decimal(value)
    if abs(number) >= LARGEST:
        raise BadValue(field.name)
    return number


def _read_date(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise BadValue(field.name)
    return read_date(value)


def read_date(text: str) -> str:
    """'2026-01-31', '20260131' or either with a time of day, as '2026-01-31'; the time part is ignored."""
    found = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})([T ].*)?", text.strip())
    if found is None:
        raise BadValue(text)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError as error:
        raise BadValue(text) from error


def _read_time(field: Field, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", value):
        raise BadValue(field.name)
    return value if len(value) == 8 else f"{value}:00"


def _read_enum(field: Field, value: object) -> str:
    members = ENUMS[field.of]
    if isinstance(value, str):
        if value in members:
            return value
        for name, stored in members.items():
            if stored == value:
                return name
    raise BadValue(field.name)


_READERS = {
    "text": _read_text,
    "int": _read_int,
    "date": _read_date,
    "time": _read_time,
    "enum": _read_enum,
}


def stored_length(text: str) -> int:
    """Length in UTF-16 units, as NVARCHAR columns count: an emoji takes two."""
    return len(text.encode("utf-16-le")) // 2


def words(text: str) -> frozenset[str]:
    """The words of a table written as text."""
    return frozenset(text.split())
