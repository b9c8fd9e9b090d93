"""Tables through ODBC: SQL leaves out what it surely may, Python decides exactly, the key keeps the order.

ProvideX's driver and SQL Server compare text by rules of their own, and neither knows our scales; so SQL is
given only conditions that never drop a row that belongs in.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from agents.sage.driver import Condition, Query
from agents.sage.tables import DATE, DECIMAL, TEXT, Column, Table

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def sql_of(query: Query) -> str:
    """The statement that reads from where the last page ended."""
    parts = [sql for each in query.conditions if (sql := _condition(query.table.columns[each.column], each))]
    if query.after is not None:
        parts.append(_behind(query.table.key, query.after))
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    needed = dict.fromkeys([*query.columns, *query.table.key, *(each.column for each in query.conditions)])
    keys = ", ".join(query.table.key)
    return f"SELECT {', '.join(needed)} FROM {query.table.name}{where} ORDER BY {keys}"  # noqa: S608 - names are ours, values are quoted


def _condition(column: Column, condition: Condition) -> str | None:
    """A condition that keeps at least every row that fits; None where SQL might know better."""
    name, sign, value = condition.column, condition.operator, condition.value
    if _compare(column, show(column, None), condition):
        return None  # NULL stands for it in the database, and NULL fits no condition there
    if sign == "in":
        return f"{name} IN ({', '.join(_quoted(column, each) for each in value if each)})"
    if sign == "starts_with":
        return f"{name} LIKE {_quoted(column, value + '%')}"  # a % or _ in it keeps more, not fewer
    if sign == "=" or (column.kind != TEXT and value):
        return f"{name} {'<>' if sign == '!=' else sign} {_quoted(column, value)}"
    return None


def _behind(key: Sequence[str], after: Sequence[str]) -> str:
    """Keys behind this one, part by part."""
    ways = []
    for index, (name, value) in enumerate(zip(key, after, strict=True)):
        same = [f"{key[i]} = {_text(after[i])}" for i in range(index)]
        ways.append(" AND ".join([*same, f"{name} > {_text(value)}"]))
    return f"({' OR '.join(f'({way})' for way in ways)})"


def _quoted(column: Column, value: str) -> str:
    if column.kind == DECIMAL:
        return f"{Decimal(value):f}"
    if column.kind == DATE:
        return f"{{d '{value[:4]}-{value[4:6]}-{value[6:]}'}}"
    return _text(value)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def rows_of(records: Any, query: Query) -> Iterator[dict[str, str]]:
    """The rows of an open recordset that fit, as the protocol shows them."""
    while not records.EOF:
        row = {
            records.Fields(index).Name: records.Fields(index).Value for index in range(records.Fields.Count)
        }
        shown = {name: show(query.table.columns[name], value) for name, value in row.items()}
        if all(fits(shown, query.table, each) for each in query.conditions):
            yield {name: shown[name] for name in query.columns}
        records.MoveNext()


def show(column: Column, value: Any) -> str:
    """A value as the protocol shows it: blank for nothing, decimals in their scale, dates as YYYYMMDD."""
    if column.kind == DECIMAL:
        # repr() of a binary fraction is its shortest decimal text: the number that was meant.
        exact = Decimal(0) if value is None else value if isinstance(value, Decimal) else Decimal(repr(value))
        return f"{exact:.{column.scale}f}"
    if value is None:
        return ""
    if column.kind == DATE:
        return value.strftime("%Y%m%d") if isinstance(value, date) else str(value).strip().replace("-", "")
    return str(value).rstrip()


def fits(row: dict[str, str], table: Table, condition: Condition) -> bool:
    """Whether a row fits a condition, by the protocol's rules."""
    return _compare(table.columns[condition.column], row[condition.column], condition)


def _compare(column: Column, shown: str, condition: Condition) -> bool:
    there: Any = shown
    value = condition.value
    if column.kind == DECIMAL:
        there = Decimal(shown)
        value = [Decimal(each) for each in value] if isinstance(value, list) else Decimal(value)
    match condition.operator:
        case "in":
            return there in value
        case "starts_with":
            return shown.startswith(value)
    return bool(COMPARISONS[condition.operator](there, value))
