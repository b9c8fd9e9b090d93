"""RFC_READ_TABLE: rows of fixed width, chosen by a condition in lines of at most 72 characters."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from agents.rfc.interface import DEC, AbapException, Field, Function, Outcome
from agents.rfc.simulated import dictionary
from agents.rfc.simulated.context import Context
from agents.rfc.simulated.interfaces import initial
from agents.simulation.rows import column

MOST_BYTES = 512
TYPES = {"CHAR": "C", "NUMC": "N", "DATS": "D", "DEC": "P", "INT": "I"}
OPERATORS = {"EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<sign><>|<=|>=|=|<|>)|(?P<mark>[(),])|(?P<word>[A-Za-z_][A-Za-z0-9_]*))(?=\s|[(),]|$)"
)

Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def read_table(context: Context, function: Function, importing: Mapping[str, Any], tables: Tables) -> Outcome:
    """Read columns of a table.

    :raises AbapException: TABLE_NOT_AVAILABLE, FIELD_NOT_VALID, DATA_BUFFER_EXCEEDED, OPTION_NOT_VALID
    """
    name = importing.get("QUERY_TABLE", "")
    known = dictionary.TABLES.get(name)
    if known is None:
        raise AbapException("TABLE_NOT_AVAILABLE", f"table {name} is not available", 1)
    wanted = [row.get("FIELDNAME", "") for row in tables.get("FIELDS", [])] or list(known)
    if strange := [field for field in wanted if field not in known]:
        raise AbapException("FIELD_NOT_VALID", f"{name} has no {strange[0]}", 1)
    delimiter = importing.get("DELIMITER", "")
    fields = _placed([known[field] for field in wanted], len(delimiter))
    where, values = condition([row.get("TEXT", "") for row in tables.get("OPTIONS", [])], known)
    limit = importing.get("ROWCOUNT", 0) or -1
    try:
        rows = context.rows.select(name, where, values, limit, importing.get("ROWSKIPS", 0))
    except sqlite3.Error as error:
        raise AbapException("OPTION_NOT_VALID", f"the condition is not one: {error}", 1) from None
    data = [{"WA": delimiter.join(_fixed(known[field], row) for field in wanted)} for row in rows]
    given = {} if importing.get("NO_DATA") else {"DATA": data}
    return Outcome({}, {"OPTIONS": tables.get("OPTIONS", []), "FIELDS": fields, "DATA": [], **given})


def width(field: Field) -> int:
    """Characters that a column takes: a decimal has a place for its sign and its point."""
    return field.length + (2 if field.kind == DEC else 0)


def _placed(fields: list[Field], delimiter: int) -> list[dict[str, Any]]:
    placed, offset = [], 0
    for field in fields:
        end = offset + width(field)
        if end > MOST_BYTES:
            raise AbapException("DATA_BUFFER_EXCEEDED", "a row is wider than 512 bytes", 1)
        placed.append(
            {
                "FIELDNAME": field.name,
                "OFFSET": f"{offset:06d}",
                "LENGTH": f"{width(field):06d}",
                "TYPE": TYPES[field.kind],
                "FIELDTEXT": field.name,
            }
        )
        offset = end + delimiter
    return placed


def _fixed(field: Field, row: Mapping[str, Any]) -> str:
    """A value in its width: decimals to the right with the sign behind, everything else to the left."""
    value = str(row.get(field.name, initial(field)))
    if field.kind != DEC:
        return value[: field.length].ljust(field.length)
    sign = "-" if value.startswith("-") else " "
    return (value.lstrip("-") + sign).rjust(width(field))


def condition(lines: Sequence[str], known: Mapping[str, Field]) -> tuple[str, list[str]]:
    """The lines of OPTIONS as an SQL condition with values.

    :raises AbapException: OPTION_NOT_VALID
    """
    text = " ".join(line.rstrip() for line in lines)
    parts: list[str] = []
    values: list[str] = []
    position = 0
    while text[position:].strip():
        token = TOKEN.match(text, position)
        if token is None:
            raise AbapException("OPTION_NOT_VALID", f"not understood: {text[position : position + 40]}", 1)
        position = token.end()
        parts.append(_sql(token, known, values))
    return " ".join(parts) or "1", values


def _sql(token: re.Match[str], known: Mapping[str, Field], values: list[str]) -> str:
    if token["text"]:
        values.append(token["text"][1:-1].replace("''", "'").rstrip())
        return "?"
    if token["sign"] or token["mark"]:
        return token["sign"] or token["mark"]
    word = token["word"].upper()
    if word in OPERATORS:
        return OPERATORS[word]
    if word in ("AND", "OR", "NOT", "IN", "LIKE", "BETWEEN"):
        return word
    if word in known:
        # With this very expression documents are found by an index.
        return f"coalesce({column(word)}, '{initial(known[word])}')"
    raise AbapException("OPTION_NOT_VALID", f"{word} is not a column", 1)
