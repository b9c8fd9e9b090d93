"""Partitions by month, made ahead. A row without one lands in the default one; none is ever refused."""

from __future__ import annotations

from dataclasses import dataclass

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


_PARTITIONS = """
SELECT parent.relname, part.relname, pg_get_expr(part.relpartbound, part.oid),
       greatest(part.reltuples, 0)::bigint
FROM pg_inherits
JOIN pg_class parent ON parent.oid = inhparent
JOIN pg_class part ON part.oid = inhrelid
WHERE parent.relname = ANY(%s) AND part.relkind = 'r'
ORDER BY 1, 2
"""
