"""OData V2 in writing: literals, filters and keys, so that hostile text stays text; and reading its dates and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import quote

from erp.contract.money import parse_amount

LONGEST_FILTER = 3000  # characters: gateways cut addresses at 8 kB, after escaping
_V2_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")


def text(value: str) -> str:
    """A text literal: single quotes, a quote inside is doubled."""
    return "'" + value.replace("'", "''") + "'"


def equals(name: str, value: str) -> str:
    """`name eq 'value'`."""
    return f"{name} eq {text(value)}"


def both(*conditions: str) -> str:
    """Conditions that hold together."""
    return " and ".join(conditions)


def any_of(name: str, values: Iterable[str]) -> str:
    """`(name eq 'a' or name eq 'b')`: V2 has no `in`."""
    return "(" + " or ".join(equals(name, value) for value in values) + ")"


def chunks(name: str, values: Iterable[str]) -> Iterable[str]:
    """Filters `(name eq 'a' or ...)`, each short enough for an address."""
    chunk: list[str] = []
    for value in sorted(values):
        if chunk and len(any_of(name, [*chunk, value])) > LONGEST_FILTER:
            yield any_of(name, chunk)
            chunk = []
        chunk.append(value)
    if chunk:
        yield any_of(name, chunk)


def key(entity_set: str, *values: str, **named: str) -> str:
    """The address of one row: `A_CompanyCode('1710')`, `A_CustomerCompany(Customer='1',CompanyCode='1710')`."""
    literals = [_quoted(value) for value in values]
    literals += [f"{name}={_quoted(value)}" for name, value in named.items()]
    return f"{entity_set}({','.join(literals)})"


def _quoted(value: str) -> str:
    return quote(text(value), safe="'")


def day_of(value: object) -> date | None:
    """A day of an answer: `/Date(1700000000000)/`, or an ISO date."""
    if not value:
        return None
    found = _V2_DATE.fullmatch(str(value))
    if found:
        return datetime.fromtimestamp(int(found[1]) // 1000, tz=UTC).date()
    return date.fromisoformat(str(value)[:10])


def amount(value: object) -> Decimal:
    """A number of an answer: V2 writes decimals as text. An absent one is zero.

    :raises ValueError: if it is no number
    """
    return parse_amount(value) if value not in (None, "") else Decimal(0)


def external(code: str) -> str:
    """A key the way people write it: SAP keeps numbers padded with zeros and shows them without."""
    return (code.lstrip("0") or "0") if code.isdigit() else code


def padded(code: str, length: int = 10) -> str:
    """A key the way SAP keeps it: `41000000` as `0041000000`."""
    return code.zfill(length) if code.isdigit() else code
