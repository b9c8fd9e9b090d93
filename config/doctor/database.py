"""PostgreSQL: whether it is what Tieout needs, keeps what it has acknowledged, and has room; and the keys of what is encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from audit.partitions import partitions
from config.doctor.finding import Finding, good, note, problem
from tenants.rotation import encrypted_columns, sample

OLDEST_VERSION = 14
LONG_TRANSACTION = timedelta(minutes=10)
FEW_CONNECTIONS = 5
SAMPLE = 500  # of the oldest and of the newest tokens in each column

# What an acknowledged webhook depends on: a commit is on the disk when it returns, and survives a torn page.
DURABLE = {
    "fsync": ("on",),
    "synchronous_commit": ("on", "local", "remote_write", "remote_apply"),
    "full_page_writes": ("on",),
}


def look_at_the_database() -> Iterator[Finding]:
    """Version, migrations, encoding, durability, connections, long transactions, the trail's partitions."""
    shown = _row(_SHOWN)
    if shown["version"] < OLDEST_VERSION * 10_000:
        yield problem(f"PostgreSQL {shown['text']} is too old.", f"Tieout needs {OLDEST_VERSION} or newer.")
    else:
        yield good(f"PostgreSQL {shown['text']} answers; the database has {shown['size']}.")
    yield from _migrations()
    if shown["encoding"] != "UTF8":
        yield problem(
            f"The database is encoded in {shown['encoding']}.", "Make it anew in UTF8 and restore into it."
        )
    if shown["zone"] != "UTC":
        yield problem(
            f"Connections work in time zone {shown['zone']}.", "Leave TIME_ZONE of the settings at UTC."
        )
    yield from _durability(shown)
    yield from _connections(shown)
    yield from _long_transactions()
    yield from _partitions()
    if shown["owns"]:
        yield note(
            "The role of this process owns the tables, so it could switch the audit trail's triggers off.",
            "Let the processes work with a role that owns nothing: docs/security.md has the SQL.",
        )


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield problem(
            f"Migrations that are not applied: {len(missing)}.",
            "Run ./tieout migrate, then restart the processes.",
        )
    else:
        yield good("All migrations are applied.")


def _durability(shown: dict[str, Any]) -> Iterator[Finding]:
    wrong = [f"{name} is {shown[name]}" for name, safe in DURABLE.items() if shown[name] not in safe]
    if wrong:
        yield problem(
            f"A power cut could lose acknowledged webhooks: {', '.join(wrong)}.",
            "Set it to on in postgresql.conf, or for this role or database, and reload.",
        )
    else:
        yield good("What is committed is on the disk.")


def _connections(shown: dict[str, Any]) -> Iterator[Finding]:
    free = shown["most"] - shown["reserved"] - shown["taken"]
    said = f"{shown['taken']} of {shown['most']} connections are taken, {max(free, 0)} are left for Tieout."
    if free < FEW_CONNECTIONS:
        yield problem(
            said, "Raise max_connections or lower TIEOUT_DB_POOL; docs/runbooks/database-connections.md."
        )
    else:
        yield good(said)


def _long_transactions() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(_LONG, [LONG_TRANSACTION])
        for pid, state, minutes in cursor.fetchall():
            yield note(
                f"Connection {pid} has had a transaction open for {minutes} minutes ({state}): nothing that was "
                "deleted since can be cleaned up.",
                f"See what it is; SELECT pg_terminate_backend({pid}) ends it.",
            )


def _partitions() -> Iterator[Finding]:
    bounds = [part.bounds for part in partitions()]
    next_month = (timezone.now().replace(day=1) + timedelta(days=32)).strftime("FROM ('%Y-%m-01")
    tables = sum(next_month in bound for bound in bounds)
    if tables < 2:
        yield problem(
            "The audit trail has no partition for next month.",
            "Run ./tieout audit_partitions; beat does it daily. No entry is lost meanwhile.",
        )
    else:
        yield good("The audit trail has its partitions for next month.")


def look_at_the_keys() -> Iterator[Finding]:
    """Whether the newest and oldest tokens of each encrypted column can be read, and by the newest key."""
    columns = encrypted_columns()
    tallies = [sample(column, SAMPLE) for column in columns]
    unreadable = [
        f"{tally.column} of row {', '.join(tally.unreadable[:5])}" for tally in tallies if tally.unreadable
    ]
    old = sum(tally.old for tally in tallies)
    looked_at = sum(tally.current + tally.old + len(tally.unreadable) for tally in tallies)
    if unreadable:
        yield problem(
            f"No key of TIEOUT_FIELD_KEYS reads {'; '.join(unreadable)}.",
            "Add the key it was written with to the end of TIEOUT_FIELD_KEYS and restart, or enter the secret again.",
        )
    elif old:
        yield note(
            f"{old} of {looked_at} tokens are under an older key.",
            "Run ./tieout rotate_keys, and keep the older key until rotate_keys --verify finds none.",
        )
    else:
        yield good(f"The newest key reads all {looked_at} tokens looked at, in {len(columns)} columns.")


def _row(sql: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


_SHOWN = """
SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS text,
       current_setting('server_encoding') AS encoding, current_setting('TimeZone') AS zone,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('max_connections')::int AS most,
       current_setting('superuser_reserved_connections')::int AS reserved,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS taken,
       pg_size_pretty(pg_database_size(current_database())) AS size,
       (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('audit_auditentry')) AS owns
"""
_LONG = """
SELECT pid, state, (extract(epoch FROM clock_timestamp() - xact_start) / 60)::int FROM pg_stat_activity
WHERE xact_start < clock_timestamp() - %s AND pid <> pg_backend_pid() AND datname = current_database()
ORDER BY xact_start LIMIT 5
"""
