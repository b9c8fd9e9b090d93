"""``POST …/query``: one table, in pages, in the order of its key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agents.errors import ProtocolError, bad_request
from agents.sage.driver import Condition, Driver, Query
from agents.sage.tables import DATE, DECIMAL, TABLES, TEXT, Column, Table

MOST_ROWS = 1000
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in", "starts_with")
DATE_TEXT = re.compile(r"(?:[0-9]{8})?")


def run(driver: Driver, company: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One page and where the next one begins.

    :raises ProtocolError: 400 ``bad_request``, ``unknown_table``, ``unknown_column``, ``bad_filter``
    """
    query = read_query(body)
    one_more = Query(query.table, query.columns, query.conditions, query.limit + 1, query.after)
    rows = driver.query(company, one_more)
    page = rows[: query.limit]
    more = len(rows) > query.limit
    return {"rows": page, "next": [page[-1][name] for name in query.table.key] if more else None}


def read_query(body: Mapping[str, Any]) -> Query:
    """Check a request. :raises ProtocolError: as `run`"""
    if unknown := sorted(set(body) - {"table", "columns", "filter", "limit", "after"}):
        raise bad_request(f"a query has no {', '.join(unknown)}")
    name = body.get("table")
    table = TABLES.get(name) if isinstance(name, str) else None
    if table is None:
        raise ProtocolError(400, "unknown_table", f"table {name} is not served")
    limit = body.get("limit", MOST_ROWS)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_ROWS:
        raise bad_request(f"limit is a whole number from 1 to {MOST_ROWS}")
    conditions = body.get("filter") or []
    if not isinstance(conditions, list):
        raise _bad_filter("filter is an array of conditions")
    return Query(
        table,
        _columns(table, body.get("columns")),
        [_condition(table, each) for each in conditions],
        limit,
        _after(table, body.get("after")),
    )


def _columns(table: Table, given: Any) -> list[str]:
    """What was asked for, with what every row bears; all of them if nothing was."""
    if given is None or given == []:
        return list(table.columns)
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise bad_request("columns is an array of names")
    for name in given:
        _known(table, name)
    return list(dict.fromkeys([*table.always, *given]))


def _known(table: Table, name: Any) -> Column:
    column = table.columns.get(name) if isinstance(name, str) else None
    if column is None:
        raise ProtocolError(400, "unknown_column", f"{table.name} has no column {name}")
    return column


def _after(table: Table, given: Any) -> list[str] | None:
    if given is None:
        return None
    whole = isinstance(given, list) and len(given) == len(table.key)
    if not whole or not all(isinstance(part, str) for part in given):
        raise bad_request(f"after is the key of a row: {', '.join(table.key)}")
    return list(given)


def _condition(table: Table, given: Any) -> Condition:
    if not isinstance(given, list) or len(given) != 3:
        raise _bad_filter("a condition is [column, operator, value]")
    column, operator, value = _known(table, given[0]), given[1], given[2]
    if operator not in OPERATORS:
        raise _bad_filter(f"there is no operator {operator}; there are {' '.join(OPERATORS)}")
    if operator == "in":
        if not isinstance(value, list) or not value:
            raise _bad_filter("in takes an array of values")
        for each in value:
            _check_value(column, each)
    else:
        _check_value(column, value)
    if operator == "starts_with" and column.kind != TEXT:
        raise _bad_filter(f"starts_with is for text, and {column.name} is none")
    return Condition(column.name, operator, value)


def _check_value(column: Column, value: Any) -> None:
    if not isinstance(value, str):
        raise _bad_filter(f"{column.name} is compared with text")
    if column.kind == DATE and not DATE_TEXT.fullmatch(value):
        raise _bad_filter(f"{column.name} is compared with a date as YYYYMMDD")
    if column.kind == DECIMAL and not column.holds(value):
        raise _bad_filter(f"{column.name} is compared with a decimal number as text, in its own scale")


def _bad_filter(message: str) -> ProtocolError:
    return ProtocolError(400, "bad_filter", message)
