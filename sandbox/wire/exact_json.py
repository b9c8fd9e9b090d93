"""JSON in which a ``Decimal`` is written digit for digit as a number, and read back as a ``Decimal``.

The standard library can only write floats; other people's money never goes through one here.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_text = json.encoder.encode_basestring


def dumps(value: Any) -> str:
    """Compact JSON; dict, list, tuple, str, int, bool, None and finite Decimal. A float is refused."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _text(str(value))
        case int():
            return int.__repr__(value)
        case Decimal():
            return _number(value)
        case dict():
            return "{" + ",".join(f"{_text(_key(key))}:{dumps(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(dumps, value)) + "]"
    raise TypeError(f"{type(value).__name__} cannot be written as exact JSON")


def loads(text: str | bytes) -> Any:
    """Read JSON; numbers with a point or an exponent become ``Decimal``. ``NaN`` and friends are refused."""
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is not a number in JSON")
    return format(value, "f")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key in JSON is text, not {type(key).__name__}")
    return key


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
