"""JSON without surprises: no binary fraction, no name twice, and one text per meaning."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def loads(text: bytes) -> Any:
    """Read JSON strictly.

    :raises ValueError: it is not JSON, a number has a fraction or an exponent, a name stands twice, or it is
        too deep
    """
    try:
        data = json.loads(
            text.decode("utf-8"),
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
            object_pairs_hook=_without_doubles,
        )
        canonical(data).encode("utf-8")  # a lone surrogate has no bytes
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None
    return data


def canonical(data: Any) -> str:
    """The one text of this data: names sorted, no blanks."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(data: Any) -> str:
    """SHA-256 of the canonical text: two bodies with the same one are the same body."""
    return hashlib.sha256(canonical(data).encode("utf-8")).hexdigest()


def _no_fraction(number: str) -> Any:
    raise ValueError(f"{number}: amounts and quantities are text, numbers are whole")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return data
