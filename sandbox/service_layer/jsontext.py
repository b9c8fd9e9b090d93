"""JSON with exact numbers: decimals are read from and written as their digits, never through a float."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal


def loads(text: str | bytes) -> object:
    """Parse JSON; every number with a point or an exponent becomes a Decimal.

    :raises ValueError: if it is no JSON
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def dumps(value: object) -> str:
    """Write JSON. A Decimal is written with a point, as the Service Layer writes Edm.Double (`30.0`)."""
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        inside = ",".join(f"{json.dumps(str(name))}:{dumps(item)}" for name, item in value.items())
        return "{" + inside + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    if isinstance(value, float):
        raise TypeError("a float has no place here: use Decimal")
    return json.dumps(value, ensure_ascii=False)


def number(value: Decimal) -> str:
    """The shortest exact spelling with at least one decimal: 30.0, 69.95, 0.0."""
    whole, _, decimals = format(value if value else Decimal(0), "f").partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}"


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
