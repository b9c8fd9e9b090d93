"""Writing OData queries: literals, filters and keys, so that hostile text stays text."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote


def text(value: str) -> str:
    """A text literal: single quotes, a quote inside is doubled (SAP "Working with Service Layer" 1.28, 3.7)."""
    return "'" + value.replace("'", "''") + "'"


def equals(name: str, value: str) -> str:
    """`name eq 'value'`."""
    return f"{name} eq {text(value)}"


def any_of(name: str, values: Iterable[str]) -> str:
    """`(name eq 'a' or name eq 'b')`; the Service Layer has no `in`."""
    return "(" + " or ".join(equals(name, value) for value in values) + ")"


def key(entity_set: str, value: str | int) -> str:
    """The address of one row: `Invoices(12)`, `BusinessPartners('S1-77')`."""
    literal = str(value) if isinstance(value, int) else quote(text(value), safe="'")
    return f"{entity_set}({literal})"
