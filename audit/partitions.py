"""Partitions by month, made ahead. A row without one lands in the default one; none is ever refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection

MONTHS_AHEAD = 12
TABLES = ("audit_auditentry", "audit_callbody")


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition: its table, its bounds as PostgreSQL writes them, and about how many rows it has."""

    parent: str
    table: str
    bounds: str
    rows: int


def make_partitions(months_ahead: int = MONTHS_AHEAD) -> int:
    """Make the partitions of this month, the coming months, and months whose rows lie in the default one.

    Runs with the rights of the tables' owner, whoever calls it.

    :return: how many were made
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_make_partitions(%s)", [months_ahead])
        return int(cursor.fetchone()[0])


def partitions() -> list[Partition]:
    """All partitions, by table and name."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [list(TABLES)])
        return [Partition(*row) for row in cursor.fetchall()]


def missing_months(now: datetime, *, ahead: int) -> list[str]:
    """Months, `2026-12`, of this one and so many to come, that a table has no partition for."""
    first = now.astimezone(UTC).replace(day=1)
    wanted = [f"{year}-{month:02}" for year, month in _months(first.year, first.month, ahead)]
    known = {partition.table for partition in partitions()}
    return [m for m in wanted if any(f"{table}_{m.replace('-', '_')}" not in known for table in TABLES)]


def _months(year: int, month: int, ahead: int) -> Iterator[tuple[int, int]]:
    for number in range(month - 1, month + ahead):
        yield year + number // 12, number % 12 + 1


_PARTITIONS = """
SELECT parent.relname, part.relname, pg_get_expr(part.relpartbound, part.oid),
       greatest(part.reltuples, 0)::bigint
FROM pg_inherits
JOIN pg_class parent ON parent.oid = inhparent
JOIN pg_class part ON part.oid = inhrelid
WHERE parent.relname = ANY(%s) AND part.relkind = 'r'
ORDER BY 1, 2
"""
