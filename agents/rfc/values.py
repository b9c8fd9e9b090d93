"""Whether values fit what a function takes: checked before anything runs, and never cut to fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agents.errors import ProtocolError
from agents.rfc.interface import (
    CHANGING,
    CHAR,
    DATS,
    DEC,
    FLOAT,
    IMPORTING,
    INT,
    NUMC,
    RAW,
    STRING,
    STRUCTURE,
    TABLE,
    TABLES,
    TIMS,
    Field,
    Function,
)

DIGITS = re.compile(r"[0-9]*")
DATE = re.compile(r"(?:[0-9]{8})?")
TIME = re.compile(r"(?:[0-9]{6})?")
DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
BINARY = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")


def unknown_parameter(message: str) -> ProtocolError:
    """400: there is no such field, or it does not take this value; nothing ran."""
    return ProtocolError(400, "unknown_parameter", message)


def check_call(function: Function, importing: Mapping[str, Any], tables: Mapping[str, Any]) -> None:
    """Compare one call with the interface. Changing parameters are sent under ``importing``.

    :raises ProtocolError: 400 ``unknown_parameter``, with the place
    """
    _check_members(importing, function.those(IMPORTING, CHANGING), function.name)
    _check_members(tables, function.those(TABLES), function.name)


def _check_members(given: Any, known: Mapping[str, Field], place: str) -> None:
    if not isinstance(given, dict):
        raise unknown_parameter(f"{place} takes an object")
    for name, value in given.items():
        if name not in known:
            raise unknown_parameter(f"{place} has no {name}")
        _check(known[name], value, f"{place}.{name}")


def _check(field: Field, value: Any, place: str) -> None:
    if field.kind == STRUCTURE:
        _check_members(value, field.fields, place)
    elif field.kind == TABLE:
        if not isinstance(value, list):
            raise unknown_parameter(f"{place} takes an array of rows")
        for number, row in enumerate(value):
            _check_members(row, field.fields, f"{place}[{number}]")
    elif problem := _problem(field, value):
        raise unknown_parameter(f"{place} {problem}")


def _problem(field: Field, value: Any) -> str | None:
    """What is wrong with the value of an elementary field; None if nothing is."""
    if field.kind == INT:
        return _problem_of_int(field, value)
    if not isinstance(value, str):
        return "takes text"
    if field.kind == DEC:
        return _problem_of_decimal(field, value)
    if field.kind in (CHAR, NUMC) and _units(value) > field.length:
        return f"takes {field.length} characters, not {_units(value)}"
    if field.kind == RAW and field.length and len(value) > 2 * field.length:
        return f"takes {field.length} bytes"
    pattern, wanted = _PATTERNS[field.kind]
    return None if pattern.fullmatch(value) else f"takes {wanted}"


def _units(text: str) -> int:
    """The length of a text in SAP, which counts in UTF-16: a character beyond the BMP takes two places."""
    return len(text.encode("utf-16-le")) // 2


_ANY = re.compile(r"[^\x00]*", re.DOTALL)
_PATTERNS = {
    CHAR: (_ANY, "text without a null character"),
    STRING: (_ANY, "text without a null character"),
    NUMC: (DIGITS, "digits"),
    DATS: (DATE, "a date as YYYYMMDD"),
    TIMS: (TIME, "a time as HHMMSS"),
    FLOAT: (BINARY, "a number as text"),
    RAW: (HEX, "bytes as hexadecimal text"),
}


def _problem_of_int(field: Field, value: Any) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "takes a whole number"
    bits = 8 * (field.length or 4)
    low, high = (0, 255) if bits == 8 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return None if low <= value <= high else f"takes a number from {low} to {high}"


def _problem_of_decimal(field: Field, value: str) -> str | None:
    match = DECIMAL.fullmatch(value)
    if match is None:
        return "takes a decimal number as text, such as 108.00"
    whole, fraction = match[2].lstrip("0"), (match[3] or "").rstrip("0")
    if len(fraction) > field.decimals:
        return f"takes {field.decimals} decimal places, not {len(fraction)}"
    if len(whole) > field.length - field.decimals:
        return f"takes {field.length - field.decimals} digits before the point, not {len(whole)}"
    return None
